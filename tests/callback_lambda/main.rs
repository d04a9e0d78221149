//! The built `callback` binary under the Lambda runtime emulator, with moto's server for AWS: what is stored, what a
//! consumer of the bus receives, what happens when something is missing or hangs, and what the log says.

mod stack;
mod stubs;
#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use stack::{LambdaStack, answered, outcome};
use stubs::refusing_bus;
use support::hanging::Hanging;
use wechat_sim::{Flaw, Push};

#[tokio::test]
async fn a_ticket_reaches_the_table_and_events_reach_their_consumers() {
    let stack = LambdaStack::new().await;
    let function = stack.start(&[]);

    let ticket = stack.push(&Push::ticket());
    assert_eq!(answered(&function, &ticket.http).await, (200, "text/plain".into(), "success".into()));
    let (value, create_time, received_at) = stack.ticket().await.unwrap();
    assert_eq!(value, stack.sim.current_ticket());
    assert!(received_at >= create_time);

    let authorized = stack.push(&Push::sample("authorized"));
    assert_eq!(outcome(&function, &authorized.http).await, (200, "success".into()));
    let unauthorized = stack.push(&Push::sample("unauthorized"));
    let direct = function.invoke(&unauthorized.direct.to_string()).await;
    assert_eq!((direct.failed, direct.payload), (false, json!({ "result": "success" })));

    let mut events = stack.received(2).await;
    events.sort_by_key(|event| event["detail-type"].to_string());
    for (event, push) in events.iter().zip([&authorized, &unauthorized]) {
        assert_eq!(event["source"], "wechat.component");
        assert_eq!(event["detail-type"], push.field("InfoType"));
        assert_eq!(event["detail"]["AppId"], stack.sim.config().component_appid);
        assert_eq!(event["detail"]["AuthorizerAppid"], push.field("AuthorizerAppid"));
    }
    assert_eq!(events[0]["detail"]["AuthorizationCode"], authorized.field("AuthorizationCode"));
    assert_eq!(events[0]["detail"]["PreAuthCode"], authorized.field("PreAuthCode"));
    assert!(events[0]["detail"]["AuthorizationCodeExpiredTime"].is_i64());
    let fingerprint = wechat_preauth::wechat::code_fingerprint(&authorized.field("PreAuthCode"));
    assert_eq!(events[0]["detail"]["code_fingerprint"], fingerprint);

    let check = json!({ "link": "push_keys", "status": "ok", "detail": "1 well-formed", "count": 1 });
    assert_eq!(function.invoke_file("callback-check-push-keys.json").unwrap(), check);

    // Forgeries change nothing, over HTTP and directly.
    let before = stack.ticket().await;
    for (flaw, status, code) in [
        (Flaw::WrongSignature, 401, "Push.SignatureRejected"),
        (Flaw::StaleTimestamp, 401, "Push.Stale"),
        (Flaw::WrongKey, 400, "Push.Undecryptable"),
        (Flaw::InnerEntityBomb, 400, "Push.Unreadable"),
        (Flaw::PlainTextMode, 400, "Push.Malformed"),
    ] {
        let forged = stack.push(&Push::ticket_value("ticket@@@forged").with(flaw));
        assert_eq!(outcome(&function, &forged.http).await, (status, code.into()));
        let direct = function.invoke(&forged.direct.to_string()).await;
        assert!(direct.failed);
        assert_eq!(direct.payload["errorType"], code);
    }
    assert_eq!(stack.ticket().await, before);

    // The log has all of this, and no secret.
    let log = function.process.output();
    for needle in
        ["TicketPush", "EventForwarded", "SignatureRefused", "ColdStart", "Failure.Push.Undecryptable"]
    {
        assert!(log.contains(needle), "{needle} is not in {log}");
    }
    assert!(log.contains(&fingerprint));
    assert!(log.contains(&unauthorized.field("AuthorizerAppid")));
    let config = stack.sim.config();
    let mut secrets = vec![
        stack.sim.current_ticket(),
        "ticket@@@forged".to_owned(),
        config.component_appsecret.clone(),
        config.push_token.clone(),
        config.encoding_aes_key.clone(),
        authorized.field("AuthorizationCode"),
        authorized.field("PreAuthCode"),
        "<xml>".to_owned(),
    ];
    for push in [&ticket, &authorized, &unauthorized] {
        secrets.extend(push.query_values(&["nonce", "signature", "msg_signature"]));
    }
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in {log}");
    }
}

#[tokio::test]
async fn while_the_table_is_missing_a_ticket_is_a_503_and_its_retry_is_stored() {
    let mut stack = LambdaStack::new().await;
    stack.table = format!("late-{}", uuid::Uuid::new_v4());
    let function = stack.start(&[]);
    let ticket = stack.push(&Push::ticket());
    assert_eq!(outcome(&function, &ticket.http).await, (503, "State.Unavailable".into()));
    assert!(function.process.output().contains("ResourceNotFoundException"));

    stack.moto.create_table_named(&stack.table).await;
    assert_eq!(outcome(&function, &ticket.http).await, (200, "success".into()));
    assert_eq!(stack.ticket().await.unwrap().0, stack.sim.current_ticket());
}

#[tokio::test]
async fn an_entry_that_the_bus_refuses_inside_a_200_is_a_503() {
    let stack = LambdaStack::new().await;
    let function = stack.start(&[("AWS_ENDPOINT_URL_EVENTBRIDGE", &refusing_bus())]);
    let authorized = stack.push(&Push::sample("authorized"));
    assert_eq!(outcome(&function, &authorized.http).await, (503, "Events.Unavailable".into()));
    assert!(function.process.output().contains("the event bus did not take the event: ThrottlingException"));
    // Tickets do not depend on the bus.
    assert_eq!(outcome(&function, &stack.push(&Push::ticket()).http).await, (200, "success".into()));
}

#[tokio::test]
async fn a_hanging_secret_is_answered_before_wechat_gives_up() {
    is_answered_in_time("AWS_ENDPOINT_URL_SECRETS_MANAGER", &Push::ticket(), "Secrets.Unavailable").await;
}

#[tokio::test]
async fn a_hanging_table_is_answered_before_wechat_gives_up() {
    is_answered_in_time("AWS_ENDPOINT_URL_DYNAMODB", &Push::ticket(), "State.Unavailable").await;
}

#[tokio::test]
async fn a_hanging_bus_is_answered_before_wechat_gives_up() {
    is_answered_in_time("AWS_ENDPOINT_URL_EVENTBRIDGE", &Push::sample("authorized"), "Events.Unavailable")
        .await;
}

/// With an endpoint behind `variable` that never answers. The time limit itself is tested in tests/callback, on a
/// clock that no load on the machine can slow down.
async fn is_answered_in_time(variable: &str, push: &Push, code: &str) {
    let stack = LambdaStack::new().await;
    let event = stack.push(push).http;
    let hanging = Hanging::start();
    // The process starts here, and the push waits for it.
    let function = stack.start(&[(variable, &hanging.url)]);
    for start in ["cold", "warm"] {
        assert_eq!(outcome(&function, &event).await, (503, code.into()), "{start}");
    }
    assert!(hanging.connections() > 0, "the function never connected");
}

#[tokio::test]
async fn a_missing_variable_stops_the_function_and_is_named() {
    let mut stack = LambdaStack::new().await;
    stack.bus = String::new();
    let mut function = stack.start(&[]);
    let deadline = Instant::now() + Duration::from_secs(10);
    while function.process.runs() {
        assert!(Instant::now() < deadline, "it still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let log = function.process.output();
    for part in ["EVENT_BUS_NAME", "must be set: the name or ARN of the EventBridge bus for WeChat's events"]
    {
        assert!(log.contains(part), "{log}");
    }
}
