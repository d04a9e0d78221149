//! Quotas, their clearing, `openapi/quota/get` and `openapi/rid/get`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use wechat_sim::{Endpoint, Sim, SimConfig};

use crate::client::{Answer, create_code, mint, post, start, start_with};

/// 1 December 2026, midnight in China.
const DECEMBER_IN_CHINA: u64 = 1_796_054_400;

const DAY: Duration = Duration::from_secs(86_400);

async fn limited(daily: &[(Endpoint, u64)], minutely: &[(Endpoint, u64)]) -> Sim {
    start_with(SimConfig {
        daily_quota: daily.iter().copied().collect(),
        minute_quota: minutely.iter().copied().collect(),
        ..SimConfig::default()
    })
    .await
}

async fn with_token(sim: &Sim, api: Endpoint, body: &Value) -> Answer {
    let token = sim.current_token().unwrap();
    post(sim, &format!("{}?access_token={token}", api.path()), body).await
}

#[tokio::test]
async fn a_used_up_daily_quota_is_45009_until_the_next_day() {
    let sim = limited(&[(Endpoint::ComponentToken, 2)], &[]).await;
    for expected in [None, None, Some(45009)] {
        assert_eq!(mint(&sim).await.errcode(), expected);
    }
    sim.clock().advance(DAY);
    sim.issue_ticket();
    assert_eq!(mint(&sim).await.errcode(), None);
}

#[tokio::test]
async fn a_used_up_minute_quota_is_45011_until_the_next_minute() {
    let sim = limited(&[], &[(Endpoint::CreatePreAuthCode, 1)]).await;
    let token = sim.mint();
    assert_eq!(create_code(&sim, &token).await.errcode(), None);
    assert_eq!(create_code(&sim, &token).await.errcode(), Some(45011));
    sim.clock().advance(Duration::from_secs(60));
    assert_eq!(create_code(&sim, &token).await.errcode(), None);
}

#[tokio::test]
async fn only_the_call_by_secret_clears_the_count_of_mints() {
    let sim = limited(&[(Endpoint::ComponentToken, 1), (Endpoint::CreatePreAuthCode, 1)], &[]).await;
    mint(&sim).await;
    let token = sim.current_token().unwrap();
    create_code(&sim, &token).await;
    let appid = &sim.config().component_appid;

    let cleared = with_token(&sim, Endpoint::ClearQuota, &json!({ "appid": appid })).await;
    assert_eq!(cleared.body, r#"{"errcode":0,"errmsg":"ok"}"#);
    assert_eq!(create_code(&sim, &token).await.errcode(), None);
    assert_eq!(mint(&sim).await.errcode(), Some(45009));

    let secret = &sim.config().component_appsecret;
    let cleared =
        post(&sim, Endpoint::ClearQuotaV2.path(), &json!({"component_appid": appid, "appsecret": secret}))
            .await;
    assert_eq!(cleared.errcode(), Some(0));
    assert_eq!(mint(&sim).await.errcode(), None);
}

#[tokio::test]
async fn ten_clearings_a_month_are_shared_by_all_forms() {
    let sim = start().await;
    sim.mint();
    sim.clock().set(1_795_000_000); // 18 November 2026
    sim.mint();
    let (appid, secret) = (&sim.config().component_appid, &sim.config().component_appsecret);
    let by_secret = json!({"component_appid": appid, "appsecret": secret});
    for _ in 0..4 {
        assert_eq!(post(&sim, Endpoint::ClearQuotaV2.path(), &by_secret).await.errcode(), Some(0));
        assert_eq!(
            with_token(&sim, Endpoint::ClearQuota, &json!({ "appid": appid })).await.errcode(),
            Some(0)
        );
    }
    for expected in [0, 0, 48006] {
        let answer =
            with_token(&sim, Endpoint::ComponentClearQuota, &json!({ "component_appid": appid })).await;
        assert_eq!(answer.errcode(), Some(expected));
    }
    assert_eq!(post(&sim, Endpoint::ClearQuotaV2.path(), &by_secret).await.errcode(), Some(48006));
    sim.clock().set(DECEMBER_IN_CHINA - 1);
    assert_eq!(post(&sim, Endpoint::ClearQuotaV2.path(), &by_secret).await.errcode(), Some(48006));
    sim.clock().advance(Duration::from_secs(1));
    assert_eq!(post(&sim, Endpoint::ClearQuotaV2.path(), &by_secret).await.errcode(), Some(0));
}

#[tokio::test]
async fn clearing_checks_appid_and_secret() {
    let sim = start().await;
    sim.mint();
    let appid = &sim.config().component_appid;
    let cases = [
        (json!({}), 41002),
        (json!({"component_appid": "wx0000000000000000", "appsecret": "x"}), 40013),
        (json!({ "component_appid": appid }), 41004),
        (json!({"component_appid": appid, "appsecret": "wrong"}), 40125),
    ];
    for (body, errcode) in cases {
        assert_eq!(post(&sim, Endpoint::ClearQuotaV2.path(), &body).await.errcode(), Some(errcode), "{body}");
    }
    let foreign = json!({"appid": "wx0000000000000000"});
    assert_eq!(with_token(&sim, Endpoint::ClearQuota, &foreign).await.errcode(), Some(40013));
    assert_eq!(post(&sim, Endpoint::ClearQuota.path(), &foreign).await.errcode(), Some(41001));
}

#[tokio::test]
async fn quota_get_answers_limit_use_and_rest() {
    let sim = limited(&[(Endpoint::ComponentToken, 10)], &[(Endpoint::ComponentToken, 5)]).await;
    for _ in 0..3 {
        mint(&sim).await;
    }
    let answer =
        with_token(&sim, Endpoint::GetQuota, &json!({"cgi_path": Endpoint::ComponentToken.path()})).await;
    let expected = json!({
        "errcode": 0, "errmsg": "ok",
        "quota": {"daily_limit": 10, "used": 3, "remain": 7},
        "rate_limit": {"call_count": 5, "refresh_second": 60},
    });
    assert_eq!(answer.json(), expected);
    let wrong: BTreeMap<&str, i64> = [
        ("cgi-bin/component/api_component_token", 76003),
        ("/cgi-bin/nothing", 76021),
        ("/sns/jscode2session", 76022),
    ]
    .into();
    for (path, errcode) in wrong {
        let answer = with_token(&sim, Endpoint::GetQuota, &json!({ "cgi_path": path })).await;
        assert_eq!(answer.errcode(), Some(errcode), "{path}");
    }
}

#[tokio::test]
async fn a_rid_leads_to_its_request_for_seven_days() {
    let sim = start().await;
    sim.mint();
    let body = json!({"component_appid": sim.config().component_appid, "component_appsecret": "wrong"});
    let failed = post(&sim, Endpoint::ComponentToken.path(), &body).await;
    let rid = failed.errmsg().split_once("rid: ").unwrap().1.to_owned();
    sim.reset_requests();

    let explained = with_token(&sim, Endpoint::GetRid, &json!({ "rid": rid })).await.json();
    let request = &explained["request"];
    assert_eq!(request["invoke_time"], sim.clock().now());
    assert_eq!(request["request_body"], body.to_string());
    assert_eq!(request["response_body"], failed.body);
    assert_eq!(request["client_ip"], "127.0.0.1");

    let now = sim.clock().now();
    let foreign = format!("{now:08x}-00000000-00000000");
    assert_eq!(with_token(&sim, Endpoint::GetRid, &json!({ "rid": foreign })).await.errcode(), Some(76003));
    assert_eq!(
        with_token(&sim, Endpoint::GetRid, &json!({ "rid": "nonsense" })).await.errcode(),
        Some(76003)
    );
    sim.clock().advance(7 * DAY + Duration::from_secs(1));
    sim.mint();
    assert_eq!(with_token(&sim, Endpoint::GetRid, &json!({ "rid": rid })).await.errcode(), Some(76001));
}
