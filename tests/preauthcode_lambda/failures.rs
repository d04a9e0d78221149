//! What the function answers when something behind it fails, or its environment is wrong.

use serde_json::{Value, json};
use wechat_sim::{Endpoint, Fault};

use crate::stack::{LambdaStack, http};
use crate::support::hanging::Hanging;
use crate::support::process;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_a_function_error_on_direct_invocation_and_a_problem_over_http() {
    let stack = LambdaStack::new().await;
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
    let stack = LambdaStack::new().await;
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
    let stack = LambdaStack::new().await;
    assert!(!stack.function().invoke("{}").await.failed);
    let dead = format!("http://127.0.0.1:{}", process::free_port());
    let function = stack.function_with(&[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &dead)]);
    for _request in 0..3 {
        let answer = function.invoke("{}").await;
        assert!(!answer.failed, "{:?}", answer.payload);
    }
    assert_eq!(stack.wechat.calls(Endpoint::ComponentToken), 1);
}

/// A secret that hangs must not hold up what the table knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_request_has_a_code_from_the_stored_token_while_secrets_manager_hangs() {
    let stack = LambdaStack::new().await;
    assert!(!stack.function().invoke("{}").await.failed);
    let hanging = Hanging::start();
    let function = stack.function_with(&[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &hanging.url)]);
    let answer = function.invoke("{}").await;
    assert!(!answer.failed, "{:?}", answer.payload);
    assert_eq!(answer.payload["pre_auth_code"], stack.last_code());
    assert_eq!(stack.wechat.calls(Endpoint::ComponentToken), 1);
    assert!(hanging.connections() > 0, "the function never connected");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_table_or_an_unfilled_secret_is_named() {
    let stack = LambdaStack::new().await;
    let answer = stack.function_with(&[("STATE_TABLE", "no-such-table")]).invoke("{}").await;
    assert_eq!(answer.payload["errorType"], "State.Unavailable", "{answer:?}");
    let unfilled = stack.moto.create_secret(None).await;
    let answer = stack.function_with(&[("CREDENTIALS_SECRET_ID", &unfilled)]).invoke("{}").await;
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
