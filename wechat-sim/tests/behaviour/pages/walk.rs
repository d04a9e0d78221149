//! The way of a merchant through the pages, and which step uses the code.

use std::time::Duration;

use wechat_sim::{AuthorizationRules, CodeState, Endpoint, Sim, SimConfig};

use super::{
    BOTH, INVALID, MINI_PROGRAM, SERVICE_ACCOUNT, USED, agree, assert_shows, decide, link, location, open,
    scan, scanned,
};
use crate::client::{code, get, request, start, start_with};

async fn lenient() -> Sim {
    let authorization = AuthorizationRules { scan_uses_code: false, ..AuthorizationRules::default() };
    start_with(SimConfig { authorization, ..SimConfig::default() }).await
}

#[tokio::test]
async fn a_merchant_walks_from_the_qr_code_to_the_redirect() {
    let sim = start().await;
    let code = code(&sim).await;
    let link = link(&sim, Endpoint::AuthPagePc, &code, &[]);

    let page = get(&sim, &link).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    for shown in
        ["lang=\"zh-CN\"", "不是微信", "<svg", "id=\"scan\"", "使用微信扫描二维码", "data-page=\"scan\""]
    {
        assert_shows(&page, shown);
    }
    assert!(!page.body.contains("<script"));

    let visit = scanned(&sim, &link).await;
    let accounts = open(&sim, &visit).await;
    assert_shows(&accounts, "data-page=\"accounts\"");
    assert_shows(&accounts, &format!("id=\"account-{SERVICE_ACCOUNT}\""));

    let permissions = open(&sim, &format!("{visit}&authorizer_appid={SERVICE_ACCOUNT}")).await;
    for shown in ["data-page=\"permissions\"", "消息管理", "id=\"agree\"", "id=\"refuse\"", "同意授权"]
    {
        assert_shows(&permissions, shown);
    }
    assert_shows(&permissions, "id=\"permission-1\" name=\"permission\" value=\"1\" checked");

    let answer = decide(&sim, &visit, SERVICE_ACCOUNT, "permission=2&permission=1&decision=agree").await;
    assert_eq!(answer.status, 302);
    let auth_code = location(&answer).strip_prefix("https://a.example/back?auth_code=").unwrap();
    let auth_code = auth_code.strip_suffix("&expires_in=600").unwrap();
    assert!(auth_code.starts_with("queryauthcode@@@"), "{auth_code}");
    assert_eq!(sim.authorizers()[0].account.appid, SERVICE_ACCOUNT);
    assert_eq!(sim.authorizers()[0].permission_sets, [1, 2]);
}

#[tokio::test]
async fn the_mobile_page_begins_with_the_account_list() {
    let sim = start().await;
    let link = link(&sim, Endpoint::AuthPageMobile, &code(&sim).await, &[]);
    let visit = scanned(&sim, &link).await;
    assert!(visit.starts_with("/wxaopen/safe/bindcomponent?uuid="), "{visit}");
    assert_shows(&open(&sim, &visit).await, "data-page=\"accounts\"");
    // Going back and loading again use nothing.
    assert_shows(&open(&sim, &visit).await, "data-page=\"accounts\"");
    let answer = decide(&sim, &visit, MINI_PROGRAM, "permission=18&decision=agree").await;
    assert!(location(&answer).starts_with("https://a.example/back?auth_code="));
}

#[tokio::test]
async fn opening_the_pc_page_does_not_use_the_code_and_the_scan_does() {
    let sim = start().await;
    let code = code(&sim).await;
    let link = link(&sim, Endpoint::AuthPagePc, &code, &[]);
    get(&sim, &link).await;
    assert_eq!(sim.code_state(&code), CodeState::Valid);
    scanned(&sim, &link).await;
    assert_eq!(sim.code_state(&code), CodeState::Used);
    assert_shows(&get(&sim, &link).await, USED);
    assert_shows(&scan(&sim, &link).await, USED);
}

#[tokio::test]
async fn opening_the_mobile_page_uses_the_code() {
    let sim = start().await;
    let code = code(&sim).await;
    let link = link(&sim, Endpoint::AuthPageMobile, &code, &[]);
    scanned(&sim, &link).await;
    assert_eq!(sim.code_state(&code), CodeState::Used);
    assert_shows(&open(&sim, &link).await, USED);
}

#[tokio::test]
async fn a_lenient_simulator_uses_the_code_at_the_consent() {
    for api in BOTH {
        let sim = lenient().await;
        let code = code(&sim).await;
        let link = link(&sim, api, &code, &[]);
        let (first, second) = (scanned(&sim, &link).await, scanned(&sim, &link).await);
        assert_eq!(sim.code_state(&code), CodeState::Valid);
        let form = "permission=1&decision=agree";
        assert_eq!(decide(&sim, &first, SERVICE_ACCOUNT, form).await.status, 302);
        assert_eq!(sim.code_state(&code), CodeState::Used);
        assert_shows(&decide(&sim, &second, SERVICE_ACCOUNT, form).await, USED);
    }
}

#[tokio::test]
async fn refusing_authorizes_nothing_and_leads_nowhere() {
    let sim = start().await;
    let code = code(&sim).await;
    let visit = scanned(&sim, &link(&sim, Endpoint::AuthPagePc, &code, &[])).await;
    let answer = decide(&sim, &visit, SERVICE_ACCOUNT, "permission=1&decision=refuse").await;
    assert_eq!((answer.status, answer.header("location")), (200, None));
    assert_shows(&answer, "data-page=\"refused\"");
    assert!(sim.authorizers().is_empty() && sim.pushes().is_empty());
    assert_eq!(sim.code_state(&code), CodeState::Used);
    let late = decide(&sim, &visit, SERVICE_ACCOUNT, "permission=1&decision=agree").await;
    assert_shows(&late, USED);
    assert!(sim.authorizers().is_empty());
}

#[tokio::test]
async fn a_merchant_agrees_once() {
    let sim = start().await;
    let visit = scanned(&sim, &link(&sim, Endpoint::AuthPagePc, &code(&sim).await, &[])).await;
    let form = "permission=1&decision=agree";
    assert_eq!(decide(&sim, &visit, SERVICE_ACCOUNT, form).await.status, 302);
    assert_shows(&decide(&sim, &visit, MINI_PROGRAM, "permission=18&decision=agree").await, USED);
    assert_shows(&open(&sim, &visit).await, USED);
    assert_eq!(sim.authorizers().len(), 1);
}

#[tokio::test]
async fn the_steps_end_with_the_lifetime_of_the_code() {
    let sim = start().await;
    let visit = scanned(&sim, &link(&sim, Endpoint::AuthPagePc, &code(&sim).await, &[])).await;
    sim.clock().advance(Duration::from_secs(1799));
    assert_shows(&open(&sim, &visit).await, "data-page=\"accounts\"");
    sim.clock().advance(Duration::from_secs(1));
    assert_shows(&open(&sim, &visit).await, INVALID);
    assert_shows(&decide(&sim, &visit, SERVICE_ACCOUNT, "permission=1&decision=agree").await, INVALID);
    assert_shows(&open(&sim, "/wxaopen/safe/bindcomponent?uuid=0123").await, INVALID);
}

#[tokio::test]
async fn without_a_redirect_uri_wechats_own_page_stays() {
    let sim = start().await;
    let link = link(&sim, Endpoint::AuthPagePc, &code(&sim).await, &[("redirect_uri", "")]);
    let answer = agree(&sim, &link).await;
    assert_eq!((answer.status, answer.header("location")), (200, None));
    assert_shows(&answer, "data-page=\"done\"");
    assert_eq!(sim.authorizers().len(), 1);
}

#[tokio::test]
async fn only_get_and_post_are_answered() {
    let sim = start().await;
    let code = code(&sim).await;
    let link = link(&sim, Endpoint::AuthPageMobile, &code, &[]);
    for method in ["HEAD", "PUT"] {
        assert_eq!(request(&sim, method, &link, super::IN_WECHAT, "").await.unwrap().status, 405, "{method}");
    }
    assert_eq!(sim.code_state(&code), CodeState::Valid);
}

#[tokio::test]
async fn expires_in_can_be_that_of_older_captures() {
    let authorization = AuthorizationRules { auth_code_expires_in: 3600, ..AuthorizationRules::default() };
    let sim = start_with(SimConfig { authorization, ..SimConfig::default() }).await;
    let answer = agree(&sim, &link(&sim, Endpoint::AuthPagePc, &code(&sim).await, &[])).await;
    assert!(location(&answer).ends_with("&expires_in=3600"));
}
