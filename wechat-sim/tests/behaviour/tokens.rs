//! `api_component_token` and the life of tickets and tokens.

use std::time::Duration;

use serde_json::{Value, json};
use wechat_sim::Endpoint;

use crate::client::{create_code, mint, mint_body, post, request, start, token};

const PATH: &str = "/cgi-bin/component/api_component_token";

#[tokio::test]
async fn a_token_looks_like_a_real_one_and_the_answer_has_no_errcode() {
    let sim = start().await;
    let answer = mint(&sim).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json; encoding=utf-8"));
    assert_eq!(answer.json()["expires_in"], 7200);
    assert!(answer.json().get("errcode").is_none());
    let token = answer.json()["component_access_token"].as_str().unwrap().to_owned();
    assert!((138..=157).contains(&token.len()), "{token}");
    assert_eq!(&token[2..3], "_");
}

#[tokio::test]
async fn checks_come_in_the_observed_order() {
    let sim = start().await;
    let good = mint_body(&sim);
    let without = |field: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        body
    };
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let wrong_in_every_way =
        json!({"component_appid": "wx0000000000000000", "component_verify_ticket": null});
    let cases = [
        (without("component_appid"), 41018),
        (with("component_appid", Value::Null), 41018),
        (json!([1]), 41018),
        (wrong_in_every_way, 61011),
        (without("component_appsecret"), 41004),
        (with("component_appsecret", json!("wrong")), 40125),
        (with("component_verify_ticket", Value::Null), 61006),
        (with("component_verify_ticket", json!("")), 61006),
        (with("component_verify_ticket", json!("ticket@@@foreign")), 61006),
        (without("component_verify_ticket"), 61006),
    ];
    for (body, errcode) in cases {
        assert_eq!(post(&sim, PATH, &body).await.errcode(), Some(errcode), "{body}");
    }
    for raw in ["", "not json", "component_appid=wx"] {
        assert_eq!(request(&sim, "POST", PATH, "", raw).await.unwrap().errcode(), Some(41018), "{raw}");
    }
    assert_eq!(request(&sim, "GET", PATH, "", "").await.unwrap().errcode(), Some(43002));
    assert_eq!(sim.tokens_minted(), 0);
}

#[tokio::test]
async fn the_whitelist_comes_after_the_component_and_before_secret_and_ticket() {
    let sim = start().await;
    sim.set_whitelist(vec!["203.0.113.7".parse().unwrap()]);
    let unknown = json!({"component_appid": "wx0000000000000000"});
    assert_eq!(post(&sim, PATH, &unknown).await.errcode(), Some(61011));
    let known = json!({"component_appid": sim.config().component_appid});
    assert_eq!(post(&sim, PATH, &known).await.errcode(), Some(61004));
    sim.set_client_ip(Some("203.0.113.7".parse().unwrap()));
    assert_eq!(mint(&sim).await.errcode(), None);
}

#[tokio::test]
async fn a_ticket_expires_after_twelve_hours_and_older_tickets_stay_good_until_then() {
    let sim = start().await;
    let old = mint_body(&sim);
    sim.clock().advance(Duration::from_secs(12 * 3600 - 1));
    sim.issue_ticket();
    assert_eq!(post(&sim, PATH, &old).await.errcode(), None);
    sim.clock().advance(Duration::from_secs(1));
    assert_eq!(post(&sim, PATH, &old).await.errcode(), Some(61005));
    assert_eq!(mint(&sim).await.errcode(), None);
}

#[tokio::test]
async fn a_new_token_leaves_the_old_one_five_minutes() {
    let sim = start().await;
    let old = token(&sim).await;
    let new = token(&sim).await;
    assert_ne!(old, new);
    sim.clock().advance(Duration::from_secs(299));
    assert_eq!(create_code(&sim, &old).await.errcode(), None);
    sim.clock().advance(Duration::from_secs(1));
    assert_eq!(create_code(&sim, &old).await.errcode(), Some(40001));
    assert_eq!(create_code(&sim, &new).await.errcode(), None);
}

#[tokio::test]
async fn further_mints_do_not_prolong_an_old_tokens_last_minutes() {
    let sim = start().await;
    let old = token(&sim).await;
    token(&sim).await;
    sim.clock().advance(Duration::from_secs(200));
    token(&sim).await;
    sim.clock().advance(Duration::from_secs(100));
    assert_eq!(create_code(&sim, &old).await.errcode(), Some(40001));
}

#[tokio::test]
async fn a_token_nobody_replaced_expires_after_two_hours() {
    let sim = start().await;
    let token = token(&sim).await;
    sim.clock().advance(Duration::from_secs(7199));
    assert_eq!(create_code(&sim, &token).await.errcode(), None);
    sim.clock().advance(Duration::from_secs(1));
    assert_eq!(create_code(&sim, &token).await.errcode(), Some(42001));
}

#[tokio::test]
async fn a_foreign_mint_ends_the_platforms_token_and_is_not_counted() {
    let sim = start().await;
    let own = token(&sim).await;
    let foreign = sim.foreign_mint();
    sim.clock().advance(Duration::from_secs(300));
    assert_eq!(create_code(&sim, &own).await.errcode(), Some(40001));
    assert!(sim.token_works(&foreign));
    assert_eq!((sim.tokens_minted(), sim.calls(Endpoint::ComponentToken)), (1, 1));
}

#[tokio::test]
async fn revoked_tokens_are_refused_at_once() {
    let sim = start().await;
    let revoked = token(&sim).await;
    sim.revoke_tokens();
    assert_eq!(create_code(&sim, &revoked).await.errcode(), Some(40001));
    let fresh = token(&sim).await;
    assert_eq!(create_code(&sim, &fresh).await.errcode(), None);
}

#[tokio::test]
async fn the_daily_quota_of_mints_is_ten_thousand() {
    assert_eq!(start().await.config().daily_quota.get(&Endpoint::ComponentToken), Some(&10_000));
}
