//! The authorization pages.

use std::time::Duration;

use wechat_sim::{CodeState, Endpoint, Sim, SimConfig};

use crate::client::{Answer, SUCCESS, code, get, receiver, request, start, start_with, until};
use crate::push_build::open;

const USED: &str = "预授权码已经被使用过，不能重复使用";
const INVALID: &str = "预授权码(PreAuthCode)无效";

fn link(sim: &Sim, api: Endpoint, code: &str, redirect_uri: &str, more: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("component_appid", &sim.config().component_appid)
        .append_pair("pre_auth_code", code)
        .append_pair("redirect_uri", redirect_uri)
        .finish();
    format!("{}?{query}{more}", api.path())
}

async fn agree(sim: &Sim, link: &str) -> Answer {
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    request(sim, "POST", link, form, "authorizer_appid=wx0123456789abcdef").await.unwrap()
}

#[tokio::test]
async fn the_page_shows_the_links_parameters_and_opening_it_does_not_use_the_code() {
    let sim = start().await;
    let code = code(&sim).await;
    for api in [Endpoint::AuthPagePc, Endpoint::AuthPageMobile] {
        let link = link(
            &sim,
            api,
            &code,
            "https://a.example/back",
            "&auth_type=6&category_id_list=99%7C1&biz_appid=wxbiz",
        );
        let page = get(&sim, &link).await;
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let shown = [
            "公众号、小程序和视频号",
            "99|1",
            "wxbiz",
            "https://a.example/back",
            "<label for=",
            "<h1>",
            "lang=\"zh-CN\"",
        ];
        for shown in shown.into_iter().chain([code.as_str()]) {
            assert!(page.body.contains(shown), "{shown} is not in {}", page.body);
        }
    }
    assert_eq!(sim.code_state(&code), CodeState::Valid);
}

#[tokio::test]
async fn agreeing_redirects_uses_the_code_and_pushes_authorized() {
    let receiver = receiver(vec![Some(SUCCESS)]).await;
    let sim =
        start_with(SimConfig { callback_url: Some(receiver.url.clone()), ..SimConfig::default() }).await;
    let code = code(&sim).await;
    let link = link(&sim, Endpoint::AuthPageMobile, &code, "https://a.example/back?state=1", "");
    let answer = agree(&sim, &link).await;
    assert_eq!(answer.status, 302);
    let target = answer.header("location").unwrap();
    let auth_code = target.strip_prefix("https://a.example/back?state=1&auth_code=").unwrap();
    let auth_code = auth_code.strip_suffix("&expires_in=600").unwrap().replace("%40", "@");
    assert!(auth_code.starts_with("queryauthcode@@@"));

    until(|| !sim.pushes().is_empty()).await;
    let pushed = receiver.received.lock().unwrap()[0].clone();
    let (_, body) = pushed.split_once("\r\n\r\n").unwrap();
    let message = open(body, &sim.config().encoding_aes_key).message;
    let expires = sim.clock().now() + 3600;
    for part in [
        "<InfoType><![CDATA[authorized]]></InfoType>".to_owned(),
        "<AuthorizerAppid><![CDATA[wx0123456789abcdef]]></AuthorizerAppid>".to_owned(),
        format!("<AuthorizationCode><![CDATA[{auth_code}]]></AuthorizationCode>"),
        format!("<AuthorizationCodeExpiredTime>{expires}</AuthorizationCodeExpiredTime>"),
        format!("<PreAuthCode><![CDATA[{code}]]></PreAuthCode>"),
    ] {
        assert!(message.contains(&part), "{part} is not in {message}");
    }
    assert!(agree(&sim, &link).await.body.contains(USED));
    assert!(get(&sim, &link).await.body.contains(USED));
    assert_eq!(sim.pushes().len(), 1);
}

#[tokio::test]
async fn unknown_and_expired_codes_are_invalid() {
    let sim = start().await;
    let code = code(&sim).await;
    let unknown = link(&sim, Endpoint::AuthPagePc, "preauthcode@@@never", "https://a.example/", "");
    assert!(get(&sim, &unknown).await.body.contains(INVALID));
    sim.clock().advance(Duration::from_secs(1800));
    let expired = link(&sim, Endpoint::AuthPagePc, &code, "https://a.example/", "");
    assert!(agree(&sim, &expired).await.body.contains(INVALID));
}

#[tokio::test]
async fn nothing_from_the_link_becomes_html() {
    let sim = start().await;
    let code = code(&sim).await;
    let evil = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let more = format!("&auth_type={evil}&biz_appid={evil}&category_id_list={evil}&x={evil}&y='");
    let page =
        get(&sim, &link(&sim, Endpoint::AuthPagePc, &code, "https://a.example/?a=\"><script>", &more)).await;
    assert!(page.body.contains("同意授权"));
    assert!(!page.body.contains("<script"), "{}", page.body);
    assert!(!page.body.contains("\"><"), "an attribute was left: {}", page.body);
    let foreign = get(&sim, &link(&sim, Endpoint::AuthPagePc, &code, "javascript:alert(1)", "")).await;
    assert!(foreign.body.contains("redirect_uri"));
    assert!(!foreign.body.contains("javascript"));
}

#[tokio::test]
async fn the_pc_page_requires_the_registered_domain_for_link_and_redirect() {
    let sim =
        start_with(SimConfig { authorization_domain: Some("a.example".to_owned()), ..SimConfig::default() })
            .await;
    let code = code(&sim).await;
    let good = link(&sim, Endpoint::AuthPagePc, &code, "https://a.example/back", "");
    let pasted = get(&sim, &good).await;
    assert!(pasted.body.contains("授权入口页所在域名：空"), "{}", pasted.body);
    let referred = request(&sim, "GET", &good, "Referer: https://a.example/\r\n", "").await.unwrap();
    assert!(referred.body.contains("同意授权"));
    let elsewhere = link(&sim, Endpoint::AuthPagePc, &code, "https://b.example/back", "");
    let refused = request(&sim, "GET", &elsewhere, "Referer: https://a.example/\r\n", "").await.unwrap();
    assert!(refused.body.contains("授权发起页域名"));
    assert_eq!(agree(&sim, &good).await.status, 302);
}
