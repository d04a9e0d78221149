//! The built `preauthcode` binary under the Lambda runtime emulator, with moto's server for Secrets
//! Manager and DynamoDB and the simulator for WeChat behind it, woken by every file in `events/`.

mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::lambda::Function;
use support::moto::Moto;
use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::platform::clock::rfc3339;
use wechat_preauth::platform::{Clock as _, SystemClock, Ticket, TicketStore as _};
use wechat_sim::{Endpoint, Fault, Sim, SimConfig};

struct Stack {
    wechat: Sim,
    moto: Arc<Moto>,
    table: String,
    secret: String,
}

impl Stack {
    /// WeChat, a filled secret, and a table that holds the ticket.
    async fn new() -> Self {
        support::logs::start();
        let wechat = Sim::start(SimConfig::default()).await.unwrap();
        let config = wechat.config();
        let moto = Moto::shared();
        let credentials = json!({
            "component_appid": config.component_appid,
            "component_appsecret": config.component_appsecret,
        });
        let secret = moto.create_secret(Some(&credentials.to_string())).await;
        let table = moto.create_table().await;
        let now = SystemClock.now();
        let ticket = Ticket { value: wechat.issue_ticket().into(), create_time: now, received_at: now };
        DynamoDbState::new(moto.dynamodb(), table.clone())
            .put_ticket(&config.component_appid, &ticket)
            .await
            .unwrap();
        Self { wechat, moto, table, secret }
    }

    fn env(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut env = self.moto.env();
        let wechat = self.wechat.url();
        let own = [
            ("CREDENTIALS_SECRET_ID", self.secret.as_str()),
            ("STATE_TABLE", &self.table),
            ("MINTING", "on"),
            ("WECHAT_API_HOSTS", &wechat),
            ("EGRESS_IPS", "127.0.0.1"),
        ];
        env.extend(own.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        env
    }

    fn function(&self) -> Function {
        Function::start(env!("CARGO_BIN_EXE_preauthcode"), &self.env(&[]))
    }

    /// The code that WeChat handed out last.
    fn last_code(&self) -> String {
        let requests = self.wechat.requests();
        let last = requests.iter().rev().find(|request| request.api == Endpoint::CreatePreAuthCode).unwrap();
        let answer: Value = serde_json::from_str(&last.answer).unwrap();
        answer["pre_auth_code"].as_str().unwrap().to_owned()
    }

    /// The whole answer for the last code, given when it was asked for.
    fn expected(&self, asked_at: i64, answer: &Value, reference: Option<&str>) -> Value {
        let code = self.last_code();
        let fingerprint: String =
            Sha256::digest(code.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let possible: Vec<String> = (asked_at..=SystemClock.now()).map(|at| rfc3339(at + 1800)).collect();
        let expires_at = answer["expires_at"].as_str().unwrap().to_owned();
        assert!(possible.contains(&expires_at), "{expires_at} is none of {possible:?}");
        let mut expected = json!({
            "component_appid": self.wechat.config().component_appid,
            "pre_auth_code": code,
            "expires_in": 1800,
            "expires_at": expires_at,
            "code_fingerprint": fingerprint,
        });
        if let Some(reference) = reference {
            expected["reference"] = json!(reference);
        }
        expected
    }
}

fn links(appid: &str, code: &str, rest: &str) -> Value {
    let code = code.replace('@', "%40");
    let query = format!("component_appid={appid}&pre_auth_code={code}&{rest}");
    json!({
        "pc": format!("https://mp.weixin.qq.com/cgi-bin/componentloginpage?{query}"),
        "mobile": format!(
            "https://open.weixin.qq.com/wxaopen/safe/bindcomponent?action=bindcomponent&no_scan=1&{query}#wechat_redirect"
        ),
    })
}

/// An HTTP answer in the shape that API Gateway wants: status, headers and body.
fn http(answer: &Value) -> (u64, Value, Value) {
    let headers = match &answer["multiValueHeaders"] {
        Value::Object(headers) if !headers.is_empty() => {
            headers.iter().map(|(name, values)| (name.clone(), values[0].clone())).collect()
        }
        _ => answer["headers"].as_object().unwrap().clone(),
    };
    let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    (answer["statusCode"].as_u64().unwrap(), Value::Object(headers), body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_file_is_answered_as_documented() {
    let stack = Stack::new().await;
    let function = stack.function();
    let appid = stack.wechat.config().component_appid.clone();
    let full = "redirect_uri=https%3A%2F%2Fshop.example.com%2Fwechat%2Fauthorized%3Forder%3D17&auth_type=3\
        &biz_appid=wxba5fad812f8e6fb9&category_id_list=1%7C99";
    let short = "redirect_uri=https%3A%2F%2Fshop.example.com%2Fwechat%2Fauthorized&auth_type=3";

    for (file, reference, query) in [
        ("rest-api.json", Some("order-17"), Some(full)),
        ("rest-api-empty-body.json", None, None),
        ("http-api.json", None, Some(short)),
        ("http-api-base64.json", Some("order-18"), None),
        ("function-url.json", None, None),
        ("direct.json", Some("order-17"), Some(full)),
        ("direct-empty.json", None, None),
        ("direct-null.json", None, None),
    ] {
        let asked_at = SystemClock.now();
        let answer = function.invoke_file(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let answer = if file.starts_with("direct") {
            answer
        } else {
            let (status, headers, body) = http(&answer);
            assert_eq!(status, 200, "{file}: {body}");
            assert_eq!(
                headers,
                json!({"content-type": "application/json", "cache-control": "no-store"}),
                "{file}"
            );
            body
        };
        let mut expected = stack.expected(asked_at, &answer, reference);
        if let Some(query) = query {
            expected["authorization_urls"] = links(&appid, &stack.last_code(), query);
        }
        assert_eq!(answer, expected, "{file}");
    }

    for (file, status, code, detail) in [
        ("rest-api-get.json", 405, "Request.MethodNotAllowed", "/preauthcode takes POST"),
        ("rest-api-other-path.json", 404, "Request.NotFound", "the path is /preauthcode"),
        ("rest-api-not-json.json", 400, "Request.Invalid", "the request is not JSON (line 1, column 43)"),
        (
            "http-api-unknown-field.json",
            400,
            "Request.Invalid",
            "unknown field \"redirectUri\"; the fields are component_appid, redirect_uri, auth_type, biz_appid, \
             category_id_list, reference",
        ),
    ] {
        let (answered, headers, body) = http(&function.invoke_file(file).unwrap());
        let request_id = body["request_id"].as_str().unwrap().to_owned();
        assert!(!request_id.is_empty());
        let titles = json!({
            "Request.MethodNotAllowed": "This path does not take this method",
            "Request.NotFound": "There is nothing at this path",
            "Request.Invalid": "The request is not valid",
        });
        assert_eq!(answered, status, "{file}");
        assert_eq!(headers["content-type"], "application/problem+json", "{file}");
        assert_eq!(
            body,
            json!({
                "type": format!("urn:wechat-preauth:problem:{code}"), "title": titles[code], "status": status,
                "detail": detail, "code": code, "retryable": false, "request_id": request_id,
            }),
            "{file}"
        );
    }

    for (file, payload, detail) in [
        (
            "direct-other-component.json",
            include_str!("../events/direct-other-component.json"),
            format!("component_appid: this service issues codes for {appid} only"),
        ),
        (
            "direct-bad-field.json",
            include_str!("../events/direct-bad-field.json"),
            "redirect_uri must be an https:// URL".to_owned(),
        ),
        (
            "direct-array.json",
            include_str!("../events/direct-array.json"),
            "the request must be a JSON object".to_owned(),
        ),
    ] {
        // cargo-lambda prints the error in a frame, with line breaks of its own.
        let bare = |text: &str| text.replace(|c: char| c.is_whitespace() || c == '│', "");
        let error = bare(&function.invoke_file(file).unwrap_err());
        assert!(error.contains("Request.Invalid") && error.contains(&bare(&detail)), "{file}: {error}");
        // As Lambda's Invoke API brings it.
        let answer = function.invoke(payload).await;
        assert!(answer.failed, "{file}");
        let message = answer.payload["errorMessage"].as_str().unwrap();
        assert_eq!(
            answer.payload,
            json!({ "errorType": "Request.Invalid", "errorMessage": message }),
            "{file}"
        );
        let problem: Value = serde_json::from_str(message).unwrap();
        let request_id = problem["request_id"].as_str().unwrap();
        assert!(!request_id.is_empty());
        assert_eq!(
            problem,
            json!({
                "type": "urn:wechat-preauth:problem:Request.Invalid", "title": "The request is not valid",
                "status": 400, "detail": detail, "code": "Request.Invalid", "retryable": false,
                "request_id": request_id,
            }),
            "{file}"
        );
    }
    assert_eq!(stack.wechat.calls(Endpoint::ComponentToken), 1);
}

/// The files that this test and its sisters wake the functions with are all there are.
#[test]
fn every_event_file_belongs_to_a_test() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = sources(&here.join("tests"));
    for entry in std::fs::read_dir(here.join("events")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.trim_end_matches(".json");
        let used = [format!("\"{name}\""), format!("\"{stem}\""), format!("/events/{name}\"")];
        assert!(used.iter().any(|used| tests.contains(used)), "no test uses events/{name}");
    }
}

fn sources(folder: &std::path::Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_a_function_error_on_direct_invocation_and_a_problem_over_http() {
    let stack = Stack::new().await;
    let function = stack.function();
    stack.wechat.inject(Fault::errcode(61004).on(Endpoint::ComponentToken).forever());
    let direct = function.invoke("{}").await;
    assert!(direct.failed);
    assert_eq!(direct.payload["errorType"], "Config.EgressIpNotRegistered");
    let problem: Value = serde_json::from_str(direct.payload["errorMessage"].as_str().unwrap()).unwrap();
    assert_eq!(problem["client_ip"], "127.0.0.1");
    assert!(problem["remedy"].as_str().unwrap().contains("Append 127.0.0.1"), "{problem}");
    assert!(problem["rid"].as_str().is_some());
    let (status, headers, body) = http(&function.invoke_file("rest-api.json").unwrap());
    assert_eq!((status, &body["code"]), (502, &json!("Config.EgressIpNotRegistered")));
    assert!(headers["retry-after"].as_str().unwrap().parse::<u32>().unwrap() <= 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_event_does_not_stop_the_function() {
    let stack = Stack::new().await;
    let function = stack.function();
    let bad_path =
        r#"{"version":"2.0","rawPath":"/{x} y","requestContext":{"http":{"method":"POST","path":"/{x} y"}}}"#;
    for event in ["{", "\u{0}", bad_path] {
        function.invoke(event).await;
    }
    assert!(!function.invoke("{}").await.failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_go_on_from_the_table_while_secrets_manager_is_down() {
    let stack = Stack::new().await;
    assert!(!stack.function().invoke("{}").await.failed);
    let dead = format!("http://127.0.0.1:{}", support::process::free_port());
    let env = stack.env(&[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &dead)]);
    let function = Function::start(env!("CARGO_BIN_EXE_preauthcode"), &env);
    for _request in 0..3 {
        let answer = function.invoke("{}").await;
        assert!(!answer.failed, "{:?}", answer.payload);
    }
    assert_eq!(stack.wechat.calls(Endpoint::ComponentToken), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_table_or_an_unfilled_secret_is_named() {
    let stack = Stack::new().await;
    let env = stack.env(&[("STATE_TABLE", "no-such-table")]);
    let answer = Function::start(env!("CARGO_BIN_EXE_preauthcode"), &env).invoke("{}").await;
    assert_eq!(answer.payload["errorType"], "State.Unavailable", "{answer:?}");
    let unfilled = stack.moto.create_secret(None).await;
    let env = stack.env(&[("CREDENTIALS_SECRET_ID", &unfilled)]);
    let answer = Function::start(env!("CARGO_BIN_EXE_preauthcode"), &env).invoke("{}").await;
    assert_eq!(answer.payload["errorType"], "Secrets.Invalid", "{answer:?}");
    let message = answer.payload["errorMessage"].as_str().unwrap();
    assert!(message.contains(&unfilled) && message.contains("has not been filled yet"), "{message}");
}

#[test]
fn a_wrong_environment_stops_the_function_at_start() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_preauthcode"))
        .env_clear()
        .envs([("STATE_TABLE", "t"), ("CREDENTIALS_SECRET_ID", "s"), ("MINTING", "maybe")])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, "Error: MINTING: must be on or off, not \"maybe\"\n");
}
