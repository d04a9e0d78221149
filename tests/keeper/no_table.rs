//! A function outside its network may not read the table. Then it must not call WeChat at all, because WeChat would
//! see an address that is not registered.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lambda_http::request::from_str;
use serde_json::json;
use wechat_preauth::api::preauthcode::PreAuthCodeHandler;
use wechat_preauth::platform::MemoryCredentials;

use crate::harness::{KeeperHarness, actions, world};

#[tokio::test]
async fn every_action_is_tried() {
    let keeper = KeeperHarness::new(&world().await);
    let (_, problem) = keeper.invoke(json!({ "action": "?" })).await.unwrap_err();
    let (_, names) = problem["detail"].as_str().unwrap().split_once("one of ").unwrap();
    let tried = |name: &str| actions().iter().any(|event| event["action"] == name);
    assert_eq!(names.split(", ").find(|name| !tried(name)), None);
}

#[tokio::test]
async fn a_cold_process_that_may_not_read_the_table_calls_nothing_of_wechat() {
    let world = world().await;
    // The others have stored a valid token, and the ticket is silent: there would be enough to do.
    world.keeper().tokens().refresh(false, crate::support::service::soon()).await.unwrap();
    world.advance(7200 - 300);
    let before = world.wechat.requests().len();
    for minting in [true, false] {
        for event in actions() {
            let keeper = KeeperHarness::with(&world, |services| services.minting = minting);
            keeper.state.down.store(true, Ordering::Relaxed);
            keeper.api.tokens().warm_up().await;
            let result = keeper.invoke(event.clone()).await;
            let mut requests = world.wechat.requests().split_off(before);
            // The diagnosis sends a HEAD of `/` to each host, which holds nothing of the component.
            requests.retain(|request| request.method != "HEAD" || request.path != "/");
            assert!(requests.is_empty(), "{event}, minting {minting}: {requests:?}");
            let wrong_request = match event["action"].as_str().unwrap() {
                "refresh" => !minting && event["force"] == true,
                "put_token" => minting,
                _ => false,
            };
            match result {
                Ok(report) => {
                    assert_eq!(
                        (&event["action"], &report["failed"]),
                        (&json!("diagnose"), &json!(["state"]))
                    );
                }
                Err((code, _)) if wrong_request => assert_eq!(code, "Request.Invalid"),
                Err((code, _)) => assert_eq!(code, "State.Unavailable", "{event}, minting {minting}"),
            }
        }
    }
}

#[tokio::test]
async fn a_cold_preauthcode_that_may_not_read_the_table_calls_nothing_of_wechat() {
    let world = world().await;
    for (minting, with_credentials) in [(true, true), (false, true), (true, false), (false, false)] {
        // The harness only lends its table, which is down.
        let table = KeeperHarness::new(&world).state;
        table.down.store(true, Ordering::Relaxed);
        let mut services = world.services();
        (services.tokens, services.tickets, services.minting) = (table.clone(), table, minting);
        if !with_credentials {
            let none = wechat_preauth::platform::CredentialsCache::new(MemoryCredentials::new(""));
            services.credentials = Arc::new(none);
        }
        let function = PreAuthCodeHandler::new(services);
        function.tokens().warm_up().await;
        let error = function.clone().handle(from_str("{}").unwrap()).await.unwrap_err();
        let code = if with_credentials { "State.Unavailable" } else { "Secrets.Invalid" };
        assert_eq!((error.code.as_str(), world.wechat.requests().len()), (code, 0));
    }
}
