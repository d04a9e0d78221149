//! The calls about authorizers: codes, tokens, accounts.

use std::time::Duration;

use serde_json::{Value, json};
use wechat_sim::{AuthorizationRules, Endpoint, Fault, FaultKind, Sim, SimConfig};

use crate::client::{Answer, code, create_code, post, start, start_with};

const APPID: &str = "wx51a0000000000001";
const MINI_PROGRAM: &str = "wx51a0000000000003";
const CALLS: [Endpoint; 4] = [
    Endpoint::QueryAuth,
    Endpoint::AuthorizerToken,
    Endpoint::GetAuthorizerInfo,
    Endpoint::GetAuthorizerList,
];

/// A call with the platform's token and appid.
async fn call(sim: &Sim, api: Endpoint, mut body: Value) -> Answer {
    let token = sim.current_token().unwrap_or_else(|| sim.mint());
    body["component_appid"] = Value::from(sim.config().component_appid.as_str());
    post(sim, &format!("{}?component_access_token={token}", api.path()), &body).await
}

/// Authorizes an account. Returns the code of the redirect.
async fn authorize(sim: &Sim, appid: &str, permission_sets: &[u32]) -> String {
    let body = json!({
        "pre_auth_code": code(sim).await, "authorizer_appid": appid, "permission_sets": permission_sets,
    });
    let answer = post(sim, "/_sim/authorize", &body).await.json();
    assert_eq!(answer["expires_in"], 600);
    answer["auth_code"].as_str().unwrap().to_owned()
}

async fn redeem(sim: &Sim, auth_code: &str) -> Answer {
    call(sim, Endpoint::QueryAuth, json!({ "authorization_code": auth_code })).await
}

async fn refresh(sim: &Sim, appid: &str, refresh_token: &str) -> Answer {
    let body = json!({ "authorizer_appid": appid, "authorizer_refresh_token": refresh_token });
    call(sim, Endpoint::AuthorizerToken, body).await
}

#[tokio::test]
async fn a_code_is_redeemed_once() {
    let sim = start().await;
    let auth_code = authorize(&sim, APPID, &[2, 1]).await;
    let answer = redeem(&sim, &auth_code).await.json();
    let info = &answer["authorization_info"];
    assert!(answer.get("errcode").is_none());
    assert_eq!(info["authorizer_appid"], APPID);
    assert_eq!(info["expires_in"], 7200);
    assert!(info["authorizer_refresh_token"].as_str().unwrap().starts_with("refreshtoken@@@"));
    let sets = json!([{"funcscope_category": {"id": 1}}, {"funcscope_category": {"id": 2}}]);
    assert_eq!(info["func_info"], sets);
    assert_eq!(redeem(&sim, &auth_code).await.errcode(), Some(61009));
}

#[tokio::test]
async fn wrong_codes_are_61009_and_old_ones_61010() {
    let sim = start().await;
    let auth_code = authorize(&sim, APPID, &[1]).await;
    assert_eq!(redeem(&sim, "queryauthcode@@@never").await.errcode(), Some(61009));
    assert_eq!(call(&sim, Endpoint::QueryAuth, json!({})).await.errcode(), Some(61009));
    sim.clock().advance(Duration::from_secs(599));
    assert_eq!(redeem(&sim, &authorize(&sim, APPID, &[1]).await).await.errcode(), None);
    sim.clock().advance(Duration::from_secs(1));
    assert_eq!(redeem(&sim, &auth_code).await.errcode(), Some(61010));
}

/// The codes of an authorization: that of the redirect, and that of the event.
async fn both_codes(one_auth_code: bool) -> (Sim, String, String) {
    let receiver = crate::client::receiver(vec![Some(crate::client::SUCCESS)]).await;
    let sim = start_with(SimConfig {
        callback_url: Some(receiver.url.clone()),
        authorization: AuthorizationRules { one_auth_code, ..AuthorizationRules::default() },
        ..SimConfig::default()
    })
    .await;
    let auth_code = authorize(&sim, APPID, &[1]).await;
    crate::client::until(|| !sim.pushes().is_empty()).await;
    let push = receiver.received.lock().unwrap()[0].clone();
    let body = push.split_once("\r\n\r\n").unwrap().1;
    let message = crate::push_build::open(body, &sim.config().encoding_aes_key).message;
    let event_code =
        message.split_once("<AuthorizationCode><![CDATA[").unwrap().1.split_once("]]>").unwrap().0;
    let event_code = event_code.to_owned();
    (sim, auth_code, event_code)
}

#[tokio::test]
async fn the_codes_of_redirect_and_event_are_redeemed_each_once() {
    let (sim, auth_code, event_code) = both_codes(false).await;
    assert_ne!(auth_code, event_code);
    let first = redeem(&sim, &auth_code).await.json();
    // The event's code lives longer.
    sim.clock().advance(Duration::from_secs(3599));
    let second = redeem(&sim, &event_code).await.json();
    let refresh_token = |answer: &Value| answer["authorization_info"]["authorizer_refresh_token"].clone();
    assert_eq!(refresh_token(&first), refresh_token(&second));
    assert_eq!(redeem(&sim, &event_code).await.errcode(), Some(61009));
}

#[tokio::test]
async fn one_code_for_both_is_redeemed_once_in_all() {
    let (sim, auth_code, event_code) = both_codes(true).await;
    assert_eq!(auth_code, event_code);
    assert_eq!(redeem(&sim, &auth_code).await.errcode(), None);
    assert_eq!(redeem(&sim, &event_code).await.errcode(), Some(61009));
}

#[tokio::test]
async fn a_refresh_token_gets_access_tokens_until_the_authorization_is_withdrawn() {
    let sim = start().await;
    let answer = redeem(&sim, &authorize(&sim, APPID, &[1]).await).await.json();
    let refresh_token = answer["authorization_info"]["authorizer_refresh_token"].as_str().unwrap();
    let refreshed = refresh(&sim, APPID, refresh_token).await.json();
    assert_eq!(refreshed["expires_in"], 7200);
    assert_eq!(refreshed["authorizer_refresh_token"], refresh_token);
    assert_ne!(refreshed["authorizer_access_token"], answer["authorization_info"]["authorizer_access_token"]);
    authorize(&sim, APPID, &[1, 2]).await;
    assert_eq!(refresh(&sim, APPID, refresh_token).await.errcode(), None);

    assert_eq!(refresh(&sim, APPID, "refreshtoken@@@never").await.errcode(), Some(61023));
    assert_eq!(refresh(&sim, APPID, "").await.errcode(), Some(61023));
    authorize(&sim, MINI_PROGRAM, &[18]).await;
    assert_eq!(refresh(&sim, MINI_PROGRAM, refresh_token).await.errcode(), Some(61023));
    assert_eq!(refresh(&sim, "wx0000000000000000", refresh_token).await.errcode(), Some(61003));
    assert_eq!(call(&sim, Endpoint::AuthorizerToken, json!({})).await.errcode(), Some(41002));

    let unredeemed = authorize(&sim, APPID, &[1]).await;
    assert!(sim.unauthorize(APPID).await.is_some());
    assert_eq!(refresh(&sim, APPID, refresh_token).await.errcode(), Some(61003));
    // Not even after the next authorization.
    authorize(&sim, APPID, &[1]).await;
    assert_eq!(redeem(&sim, &unredeemed).await.errcode(), Some(61009));
    assert_eq!(refresh(&sim, APPID, refresh_token).await.errcode(), Some(61023));
}

#[tokio::test]
async fn an_authorizers_token_is_no_token_of_the_platform() {
    let sim = start().await;
    let answer = redeem(&sim, &authorize(&sim, APPID, &[1]).await).await.json();
    let token = answer["authorization_info"]["authorizer_access_token"].as_str().unwrap();
    for api in CALLS {
        let answer = post(&sim, &format!("{}?access_token={token}", api.path()), &json!({})).await;
        assert_eq!(answer.errcode(), Some(61014), "{api:?}");
    }
    assert_eq!(create_code(&sim, token).await.errcode(), Some(48001));
}

#[tokio::test]
async fn the_info_describes_account_and_permission_sets() {
    let sim = start().await;
    let body = |appid| json!({ "authorizer_appid": appid });
    let auth_code = authorize(&sim, MINI_PROGRAM, &[18]).await;
    authorize(&sim, APPID, &[1]).await;
    let mini_program = call(&sim, Endpoint::GetAuthorizerInfo, body(MINI_PROGRAM)).await.json();
    assert_eq!(mini_program["authorizer_info"]["nick_name"], "小城书店商城");
    assert_eq!(mini_program["authorizer_info"]["user_name"], "gh_51a000000003");
    assert!(mini_program["authorizer_info"]["MiniProgramInfo"].is_object());
    assert_eq!(
        mini_program["authorization_info"],
        json!({ "authorizer_appid": MINI_PROGRAM, "func_info": [{ "funcscope_category": { "id": 18 } }] })
    );
    let official = call(&sim, Endpoint::GetAuthorizerInfo, body(APPID)).await.json();
    assert_eq!(official["authorizer_info"]["service_type_info"]["id"], 2);
    assert!(official["authorizer_info"].get("MiniProgramInfo").is_none());

    redeem(&sim, &auth_code).await;
    let redeemed = call(&sim, Endpoint::GetAuthorizerInfo, body(MINI_PROGRAM)).await.json();
    assert!(redeemed["authorization_info"]["authorizer_refresh_token"].is_string());
    assert_eq!(call(&sim, Endpoint::GetAuthorizerInfo, body("wx00")).await.errcode(), Some(61003));
    assert_eq!(call(&sim, Endpoint::GetAuthorizerInfo, json!({})).await.errcode(), Some(41002));
}

#[tokio::test]
async fn the_list_has_every_authorizer_and_hides_refresh_tokens_that_were_never_redeemed() {
    let sim = start().await;
    let auth_time = sim.clock().now();
    let auth_code = authorize(&sim, APPID, &[1]).await;
    authorize(&sim, MINI_PROGRAM, &[18]).await;
    redeem(&sim, &auth_code).await;
    let page = |offset: u64, count: u64| json!({ "offset": offset, "count": count });
    let all = call(&sim, Endpoint::GetAuthorizerList, page(0, 500)).await.json();
    assert_eq!(all["total_count"], 2);
    assert_eq!(all["list"][0]["authorizer_appid"], APPID);
    assert_eq!(all["list"][0]["auth_time"], auth_time);
    assert_eq!(all["list"][0]["refresh_token"], sim.authorizers()[0].refresh_token.as_str());
    assert_eq!(all["list"][1]["refresh_token"], "");
    let rest = call(&sim, Endpoint::GetAuthorizerList, page(1, 1)).await.json();
    assert_eq!((&rest["total_count"], rest["list"].as_array().unwrap().len()), (&json!(2), 1));
    assert_eq!(rest["list"][0]["authorizer_appid"], MINI_PROGRAM);
    assert_eq!(call(&sim, Endpoint::GetAuthorizerList, page(0, 501)).await.errcode(), Some(40170));
    assert_eq!(call(&sim, Endpoint::GetAuthorizerList, json!({ "offset": 0 })).await.errcode(), Some(47001));
}

#[tokio::test]
async fn the_calls_share_the_checks_of_the_platforms_calls() {
    for api in CALLS {
        let sim = start().await;
        let token = sim.mint();
        let with_token = format!("{}?access_token={token}", api.path());
        let cases = [
            (api.path().to_owned(), json!({}), 41001),
            (format!("{}?access_token=99_never", api.path()), json!({}), 40001),
            (with_token.clone(), json!([]), 47001),
            (with_token.clone(), json!({}), 41018),
            (with_token.clone(), json!({"component_appid": "wx0000000000000000"}), 40013),
        ];
        for (target, body, errcode) in cases {
            assert_eq!(post(&sim, &target, &body).await.errcode(), Some(errcode), "{target} {body}");
        }
        sim.set_whitelist(vec!["203.0.113.7".parse().unwrap()]);
        assert_eq!(post(&sim, &with_token, &json!({})).await.errcode(), Some(61004), "{api:?}");
    }
}

#[tokio::test]
async fn quotas_and_faults_apply_to_them_by_name() {
    let sim = start_with(SimConfig {
        daily_quota: [(Endpoint::GetAuthorizerList, 1)].into(),
        ..SimConfig::default()
    })
    .await;
    let page = json!({ "offset": 0, "count": 1 });
    assert_eq!(call(&sim, Endpoint::GetAuthorizerList, page.clone()).await.errcode(), None);
    assert_eq!(call(&sim, Endpoint::GetAuthorizerList, page).await.errcode(), Some(45009));
    for name in
        ["api_query_auth", "api_authorizer_token", "api_get_authorizer_info", "api_get_authorizer_list"]
    {
        let fault = json!({ "api": name, "errcode": -1 });
        assert_eq!(post(&sim, "/_sim/faults", &fault).await.status, 200, "{name}");
    }
    for api in CALLS {
        assert_eq!(call(&sim, api, json!({})).await.errcode(), Some(-1), "{api:?}");
    }
}

#[tokio::test]
async fn faults_reach_the_tokens_inside_the_answer() {
    let sim = start().await;
    sim.inject(Fault::new(FaultKind::EmptyField).on(Endpoint::QueryAuth));
    sim.inject(Fault::new(FaultKind::ExpiresIn { seconds: -5 }).on(Endpoint::QueryAuth));
    let empty = redeem(&sim, &authorize(&sim, APPID, &[1]).await).await.json();
    assert_eq!(empty["authorization_info"]["authorizer_access_token"], "");
    let odd = redeem(&sim, &authorize(&sim, APPID, &[1]).await).await.json();
    assert_eq!(odd["authorization_info"]["expires_in"], -5);
}
