//! Every event file, and its whole answer.

use serde_json::{Value, json};
use wechat_preauth::platform::{Clock as _, SystemClock};
use wechat_sim::Endpoint;

use crate::stack::{LambdaStack, http};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_file_is_answered_as_documented() {
    let stack = LambdaStack::new().await;
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
            include_str!("../../events/direct-other-component.json"),
            format!("component_appid: this service issues codes for {appid} only"),
        ),
        (
            "direct-bad-field.json",
            include_str!("../../events/direct-bad-field.json"),
            "redirect_uri must be an https:// URL".to_owned(),
        ),
        (
            "direct-array.json",
            include_str!("../../events/direct-array.json"),
            "the request must be a JSON object".to_owned(),
        ),
    ] {
        // cargo-lambda prints the error in a frame, with line breaks of its own.
        let bare = |text: &str| text.replace(|c: char| c.is_whitespace() || c == '│', "");
        let error = bare(&function.invoke_file(file).unwrap_err());
        assert!(error.contains("Request.Invalid") && error.contains(&bare(&detail)), "{file}: {error}");
        // As Lambda's Invoke API returns it.
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

/// A file in `events/` that no test uses is never checked.
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
