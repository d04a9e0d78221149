//! The built `keeper` binary under the Lambda runtime emulator. moto's server stands in for Secrets Manager
//! and DynamoDB, and the simulator for WeChat. The events are the files of `events/`.

mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use support::hanging::Hanging;
use support::lambda::Function;
use support::moto::Moto;
use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::platform::{Clock as _, SystemClock, Ticket, TicketStore as _, TokenStore as _};
use wechat_sim::{Endpoint, Sim, SimConfig};

struct LambdaStack {
    wechat: Sim,
    state: DynamoDbState,
    env: Vec<(String, String)>,
    function: Function,
    appid: String,
    _moto: Arc<Moto>,
}

impl LambdaStack {
    async fn new(minting: &str, log_level: &str) -> Self {
        support::logs::start();
        let wechat = Sim::start(SimConfig::default()).await.unwrap();
        let config = wechat.config();
        let moto = Moto::shared();
        let credentials = json!({
            "component_appid": config.component_appid,
            "component_appsecret": config.component_appsecret,
            "push_keys": [{ "token": config.push_token, "encoding_aes_key": config.encoding_aes_key }],
        });
        let secret = moto.create_secret(Some(&credentials.to_string())).await;
        let table = moto.create_table().await;
        let appid = config.component_appid.clone();
        let state = DynamoDbState::new(moto.dynamodb(), table.clone());
        let mut env = moto.env();
        let wechat_url = wechat.url();
        let own = [
            ("CREDENTIALS_SECRET_ID", secret.as_str()),
            ("STATE_TABLE", &table),
            ("MINTING", minting),
            ("WECHAT_API_HOSTS", &wechat_url),
            ("EGRESS_IPS", "127.0.0.1"),
            ("SERVICE_NAME", "a-stack"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", log_level),
        ];
        env.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let function = Function::start(env!("CARGO_BIN_EXE_keeper"), &env);
        Self { wechat, state, env, function, appid, _moto: moto }
    }

    async fn ticket_arrives(&self) {
        let now = SystemClock.now();
        let ticket = Ticket { value: self.wechat.issue_ticket().into(), create_time: now, received_at: now };
        self.state.put_ticket(&self.appid, &ticket).await.unwrap();
    }

    fn event(&self, file: &str) -> Value {
        self.function.invoke_file(file).unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schedules_event_mints_once_and_no_check_of_a_diagnosis_fails() {
    let stack = LambdaStack::new("on", "TRACE").await;
    stack.ticket_arrives().await;
    let answer = stack.event("keeper-refresh.json");
    assert_eq!((&answer["renewed"], &answer["component_appid"]), (&json!(true), &json!(stack.appid)));
    let answer = stack.event("keeper-refresh.json");
    assert_eq!((&answer["renewed"], stack.wechat.calls(Endpoint::ComponentToken)), (&json!(false), 1));

    let report = stack.event("keeper-diagnose.json");
    assert_eq!(report["ok"], true, "{report:#}");
    assert_eq!(report["links"].as_array().unwrap().len(), 8);
    assert_eq!(stack.wechat.codes_issued(), 1);

    let probed = json!({
        "action": "probe_address", "client_ip": "127.0.0.1", "is_egress_ip": true, "egress_ips": ["127.0.0.1"],
        "accepted": true,
    });
    assert_eq!((stack.event("keeper-probe-address.json"), stack.wechat.codes_issued()), (probed, 1));

    let answer = stack.event("keeper-start-push-ticket.json");
    assert_eq!(answer["answer"], "in a normal state");
    assert!(stack.state.ticket_item(&stack.appid).await.unwrap().start_push_at.is_some());
    assert_eq!(stack.event("keeper-get-quota.json")["quotas"].as_array().unwrap().len(), 2);
    assert_eq!(stack.event("keeper-get-quota-of-one.json")["quotas"][0]["used"], 3);
    assert_eq!(stack.event("keeper-clear-quota.json")["answer"], "ok");
    assert_eq!(stack.event("keeper-refresh-force.json")["renewed"], true);

    // A rid that WeChat does not know, and a token that is refused while MINTING is on. The next test stores it.
    let refused = stack.function.invoke(include_str!("../events/keeper-explain-rid.json")).await;
    assert_eq!((refused.failed, &refused.payload["errorType"]), (true, &json!("WeChat.Error")));
    let refused = stack.function.invoke(include_str!("../events/keeper-put-token.json")).await;
    assert_eq!((refused.failed, &refused.payload["errorType"]), (true, &json!("Request.Invalid")));
    let problem: Value = serde_json::from_str(refused.payload["errorMessage"].as_str().unwrap()).unwrap();
    assert_eq!((&problem["status"], &problem["retryable"]), (&json!(400), &json!(false)));

    let output = stack.function.process.output();
    let config = stack.wechat.config();
    let token = stack.wechat.current_token().unwrap();
    let secrets = [&config.component_appsecret, &config.push_token, &config.encoding_aes_key, &token];
    for secret in
        secrets.map(String::as_str).into_iter().chain(["token-from-elsewhere", "@@@", "access_token="])
    {
        assert!(!output.contains(secret), "{secret} in the output");
    }
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()), "{output}");
    assert!(lines.iter().any(|line| line["action"] == "refresh" && line["request_id"].is_string()));
    let metric = lines.iter().find(|line| line["TokenSecondsLeft"].is_number()).unwrap();
    assert_eq!((&metric["service"], &metric["level"]), (&json!("a-stack"), &json!("INFO")));
}

/// A secret that hangs must not hold up what the table knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_refresh_uses_the_stored_token_while_secrets_manager_hangs() {
    let stack = LambdaStack::new("on", "INFO").await;
    stack.ticket_arrives().await;
    assert_eq!(stack.event("keeper-refresh.json")["renewed"], true);

    let hanging = Hanging::start();
    let mut env = stack.env.clone();
    env.push(("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), hanging.url.clone()));
    let function = Function::start(env!("CARGO_BIN_EXE_keeper"), &env);
    let answer = function.invoke(r#"{"action":"refresh"}"#).await;
    assert!(!answer.failed, "{:?}", answer.payload);
    assert_eq!(
        (&answer.payload["renewed"], &answer.payload["component_appid"]),
        (&json!(false), &json!(stack.appid))
    );
    assert_eq!(stack.wechat.calls(Endpoint::ComponentToken), 1);
    assert!(hanging.connections() > 0, "the function never connected");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_minting_off_a_handed_over_token_is_stored_and_metrics_survive_the_highest_level() {
    let stack = LambdaStack::new("off", "FATAL").await;
    let missing = stack.function.invoke(r#"{"action":"refresh"}"#).await;
    assert_eq!((missing.failed, &missing.payload["errorType"]), (true, &json!("Token.Missing")));
    let put = json!({
        "action": "put_token",
        "component_access_token": stack.wechat.mint(),
        "expires_at": SystemClock.now() + 7000,
    });
    let stored = stack.function.invoke(&put.to_string()).await;
    assert!(!stored.failed, "{stored:?}");
    // Its life is the longest, so it replaces the token above.
    assert_eq!(stack.event("keeper-put-token.json")["seconds_left"], 7200);
    assert_eq!(stack.event("keeper-refresh.json")["renewed"], false);
    assert_eq!(stack.state.component().await.unwrap(), Some(stack.appid.clone()));
    assert_eq!(stack.wechat.calls(Endpoint::ComponentToken), 0);
    let output = stack.function.process.output();
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["TokenSecondsLeft"].is_number()), "{output}");
    assert!(lines.iter().all(|line| line["_aws"].is_object() && line["level"] == "FATAL"), "{output}");
}
