//! What operators ask for: quotas, and the record of a request.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wechat_sim::{Endpoint, Fault, SimConfig};

use crate::harness::{KeeperHarness, world, world_of};

const CODE_PATH: &str = "/cgi-bin/component/api_create_preauthcode";

#[tokio::test]
async fn quotas_of_both_calls_or_of_one_are_shown() {
    let limits = BTreeMap::from([(Endpoint::CreatePreAuthCode, 200), (Endpoint::ComponentToken, 10_000)]);
    let world = world_of(SimConfig { daily_quota: limits, ..SimConfig::default() }).await;
    world.ticket_arrives().await;
    world.instance().issue().await.unwrap();
    let keeper = KeeperHarness::new(&world);
    let both = keeper.invoke(json!({ "action": "get_quota" })).await.unwrap();
    let token = json!({
        "cgi_path": "/cgi-bin/component/api_component_token",
        "daily_limit": 10_000, "used": 1, "remain": 9999, "used_percent": 0.01,
    });
    let code = json!({
        "cgi_path": CODE_PATH, "daily_limit": 200, "used": 1, "remain": 199, "used_percent": 0.5,
    });
    assert_eq!(both, json!({ "action": "get_quota", "quotas": [token, code] }));
    let one = keeper.invoke(json!({ "action": "get_quota", "cgi_path": CODE_PATH })).await.unwrap();
    assert_eq!(one["quotas"], json!([code]));
    assert_eq!(keeper.gauge("QuotaUsed.create_preauthcode"), Some(0.5));
    let unknown = keeper.invoke(json!({ "action": "get_quota", "cgi_path": "/cgi-bin/none" })).await;
    let (code, problem) = unknown.unwrap_err();
    assert_eq!((code.as_str(), &problem["errcode"]), ("WeChat.Error", &json!(76021)));
    assert!(problem["detail"].as_str().unwrap().ends_with("WeChat knows no call with this cgi_path"));
}

#[tokio::test]
async fn a_refused_token_is_replaced_before_an_operators_call_fails() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    world.advance(301);
    world.wechat.revoke_tokens();
    keeper.invoke(json!({ "action": "get_quota", "cgi_path": CODE_PATH })).await.unwrap();
    assert_eq!(world.mints(), 2);
}

#[tokio::test]
async fn quotas_are_reset_by_secret_so_that_it_works_when_no_token_can_be_minted() {
    let limits = BTreeMap::from([(Endpoint::ComponentToken, 1)]);
    let world = world_of(SimConfig { daily_quota: limits, ..SimConfig::default() }).await;
    world.ticket_arrives().await;
    let keeper = KeeperHarness::new(&world);
    let force = json!({ "action": "refresh", "force": true });
    keeper.refresh().await.unwrap();
    world.advance(301);
    world.wechat.revoke_tokens();
    let quota = keeper.invoke(json!({ "action": "get_quota" })).await;
    assert_eq!(quota.unwrap_err().0, "WeChat.DailyQuotaExhausted");

    let (code, problem) = keeper.invoke(json!({ "action": "clear_quota" })).await.unwrap_err();
    assert_eq!(code, "Request.Invalid");
    assert!(problem["detail"].as_str().unwrap().contains("ten resets a month"));
    assert_eq!(world.wechat.calls(Endpoint::ClearQuotaV2), 0);

    let answer = keeper.invoke(json!({ "action": "clear_quota", "confirm": true })).await.unwrap();
    assert_eq!(answer, json!({ "action": "clear_quota", "answer": "ok" }));
    keeper.invoke(force).await.unwrap();
}

#[tokio::test]
async fn the_eleventh_reset_of_a_month_says_why_it_is_refused() {
    let world = world_of(SimConfig { clears_per_month: 0, ..SimConfig::default() }).await;
    let keeper = KeeperHarness::new(&world);
    let (_, problem) = keeper.invoke(json!({ "action": "clear_quota", "confirm": true })).await.unwrap_err();
    assert_eq!(problem["errcode"], 48006);
    assert!(
        problem["detail"].as_str().unwrap().ends_with("this month's ten resets of the quotas are used up")
    );
}

#[tokio::test]
async fn a_reset_whose_answer_is_lost_is_not_repeated() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    world.wechat.inject(Fault::new(wechat_sim::FaultKind::ResetAfter).on(Endpoint::ClearQuotaV2).forever());
    let lost = keeper.invoke(json!({ "action": "clear_quota", "confirm": true })).await.unwrap_err();
    assert_eq!((lost.0.as_str(), world.wechat.calls(Endpoint::ClearQuotaV2)), ("WeChat.Unreachable", 1));
}

/// The rid of the last refusal.
fn last_rid(world: &crate::support::service::TestService) -> String {
    let refused = world.wechat.requests().into_iter().rev().find(|r| r.errcode.is_some_and(|e| e != 0));
    let answer: Value = serde_json::from_str(&refused.unwrap().answer).unwrap();
    answer["errmsg"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_rid_is_explained_without_the_secrets_that_wechat_repeats() {
    let world = world().await;
    world.wechat.set_client_ip(Some("203.0.113.7".parse().unwrap()));
    let keeper = KeeperHarness::new(&world);
    let ticket = world.wechat.current_ticket();
    world.wechat.inject(Fault::errcode(45009).on(Endpoint::ComponentToken));
    keeper.refresh().await.unwrap_err();
    let rid = last_rid(&world);
    keeper.invoke(json!({ "action": "refresh", "force": true })).await.unwrap();
    let answer = keeper.invoke(json!({ "action": "explain_rid", "rid": rid })).await.unwrap();

    // WeChat's answer holds the secrets.
    let told = world.wechat.requests().into_iter().rfind(|r| r.api == Endpoint::GetRid).unwrap().answer;
    let secret = &world.wechat.config().component_appsecret;
    assert!(told.contains(secret.as_str()) && told.contains(&ticket), "{told}");
    let shown = answer.to_string();
    assert!(!shown.contains(secret.as_str()) && !shown.contains(&ticket), "{shown}");
    assert_eq!(answer["secret_fields"], json!(["component_appsecret", "component_verify_ticket"]));
    assert_eq!(answer["body"], json!({ "component_appid": world.appid }));
    assert_eq!((&answer["errcode"], &answer["rid"]), (&json!(45009), &json!(rid)));
    assert_eq!((&answer["client_ip"], &answer["is_egress_ip"]), (&json!("203.0.113.7"), &json!(true)));

    // The token in the query of a refused code call is left out.
    world.wechat.inject(Fault::errcode(48001).on(Endpoint::CreatePreAuthCode));
    world.instance().issue().await.unwrap_err();
    let answer = keeper.invoke(json!({ "action": "explain_rid", "rid": last_rid(&world) })).await.unwrap();
    let token = world.wechat.current_token().unwrap();
    assert!(!answer.to_string().contains(&token), "{answer}");
    assert_eq!(answer["query_parameters"], json!(["access_token"]));
}
