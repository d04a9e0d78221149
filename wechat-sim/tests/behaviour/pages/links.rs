//! What WeChat checks of a link before it shows anything, and what it makes of `redirect_uri`.

use std::time::Duration;

use wechat_sim::{AuthorizationRules, CodeState, Endpoint, Sim, SimConfig};

use super::{
    BOTH, IN_WECHAT, INVALID, OWN_HOST, agree, assert_shows, link, location, open, scan, scanned, with_domain,
};
use crate::client::{code, get, request, start, start_with};

async fn with_rules(change: impl FnOnce(&mut AuthorizationRules)) -> Sim {
    let mut config = SimConfig { authorization_domain: Some("a.example".to_owned()), ..SimConfig::default() };
    change(&mut config.authorization);
    start_with(config).await
}

async fn open_from(sim: &Sim, link: &str, referer: &str) -> crate::client::Answer {
    request(sim, "GET", link, &format!("Referer: {referer}\r\n{IN_WECHAT}"), "").await.unwrap()
}

#[tokio::test]
async fn unknown_and_expired_codes_and_a_wrong_component_are_invalid() {
    for api in BOTH {
        let sim = start().await;
        let code = code(&sim).await;
        let unknown = link(&sim, api, "preauthcode@@@never", &[]);
        assert_shows(&open(&sim, &unknown).await, INVALID);
        let foreign = link(&sim, api, &code, &[("component_appid", "wx0000000000000000")]);
        assert_shows(&open(&sim, &foreign).await, INVALID);
        assert_eq!(sim.code_state(&code), CodeState::Valid);
        sim.clock().advance(Duration::from_secs(1800));
        assert_shows(&open(&sim, &link(&sim, api, &code, &[])).await, INVALID);
    }
}

#[tokio::test]
async fn the_pc_page_requires_the_registered_host_as_referer() {
    let sim = with_domain().await;
    let link = link(&sim, Endpoint::AuthPagePc, &code(&sim).await, &[]);
    assert_shows(&get(&sim, &link).await, &format!("{OWN_HOST}空"));
    assert_shows(&open_from(&sim, &link, "https://b.example/").await, &format!("{OWN_HOST}b.example"));
    assert_shows(&open_from(&sim, &link, "https://a.example:8443/page").await, "data-page=\"scan\"");
    // The form of the page itself needs no Referer.
    assert_eq!(scan(&sim, &link).await.status, 302);
}

#[tokio::test]
async fn the_mobile_page_checks_no_referer_unless_switched_on() {
    let sim = with_domain().await;
    scanned(&sim, &link(&sim, Endpoint::AuthPageMobile, &code(&sim).await, &[])).await;

    let strict = with_rules(|rules| rules.mobile_checks_referer = true).await;
    let link = link(&strict, Endpoint::AuthPageMobile, &code(&strict).await, &[]);
    assert_shows(&open(&strict, &link).await, &format!("{OWN_HOST}空"));
    assert_eq!(open_from(&strict, &link, "https://a.example/").await.status, 302);
}

#[tokio::test]
async fn redirect_uri_must_be_on_the_registered_host() {
    for api in BOTH {
        let sim = with_domain().await;
        let code = code(&sim).await;
        for redirect_uri in
            ["https://b.example/back", "https://sub.a.example/", "b.example/back", "//b.example/"]
        {
            let link = link(&sim, api, &code, &[("redirect_uri", redirect_uri)]);
            assert_shows(&open_from(&sim, &link, "https://a.example/").await, "授权发起页域名");
        }
        assert_eq!(sim.code_state(&code), CodeState::Valid);
        sim.set_authorization_domain(Some("b.example".to_owned()));
        let link = link(&sim, api, &code, &[("redirect_uri", "https://b.example:8443/back")]);
        assert_eq!(scan(&sim, &link).await.status, 302);
    }
}

#[tokio::test]
async fn a_mobile_link_needs_an_auth_type() {
    let sim = start().await;
    let code = code(&sim).await;
    let of = |auth_type| link(&sim, Endpoint::AuthPageMobile, &code, &[("auth_type", auth_type)]);
    assert_shows(&open(&sim, &of("")).await, ">系统错误<");
    for wrong in ["0", "7", "x"] {
        assert_shows(&open(&sim, &of(wrong)).await, ">错误<");
    }
    assert_eq!(sim.code_state(&code), CodeState::Valid);
    scanned(&sim, &of("6")).await;
}

#[tokio::test]
async fn a_pc_link_without_auth_type_shows_both_kinds_and_zero_is_an_error_on_the_phone() {
    let sim = start().await;
    let without = link(&sim, Endpoint::AuthPagePc, &code(&sim).await, &[("auth_type", "")]);
    let accounts = open(&sim, &scanned(&sim, &without).await).await;
    assert_shows(&accounts, "公众号");
    assert_shows(&accounts, "小程序");
    let zero = link(&sim, Endpoint::AuthPagePc, &code(&sim).await, &[("auth_type", "0")]);
    assert_shows(&get(&sim, &zero).await, "data-page=\"scan\"");
    assert_shows(&open(&sim, &scanned(&sim, &zero).await).await, ">错误<");
}

#[tokio::test]
async fn the_mobile_page_opens_in_wechat_only() {
    let sim = start().await;
    let code = code(&sim).await;
    let link = link(&sim, Endpoint::AuthPageMobile, &code, &[]);
    assert_shows(&get(&sim, &link).await, "请在微信客户端打开链接");
    let web_view = format!("{} miniProgram/wx0123456789abcdef\r\n", IN_WECHAT.trim_end());
    assert_shows(&request(&sim, "GET", &link, &web_view, "").await.unwrap(), ">参数错误<");
    assert_eq!(sim.code_state(&code), CodeState::Valid);

    let open_to_all = with_rules(|rules| rules.mobile_requires_wechat = false).await;
    let link =
        super::link(&open_to_all, Endpoint::AuthPageMobile, &crate::client::code(&open_to_all).await, &[]);
    assert_shows(&request(&open_to_all, "GET", &link, &web_view, "").await.unwrap(), ">参数错误<");
    assert_eq!(get(&open_to_all, &link).await.status, 302);
}

#[tokio::test]
async fn an_ampersand_of_redirect_uri_is_escaped_on_the_mobile_page() {
    let redirect_uri = [("redirect_uri", "https://a.example/back?a=1&b=2")];
    let sim = start().await;
    let of = |api, code: &str| link(&sim, api, code, &redirect_uri);
    let mobile = agree(&sim, &of(Endpoint::AuthPageMobile, &code(&sim).await)).await;
    assert!(location(&mobile).starts_with("https://a.example/back?a=1&amp;b=2&auth_code="), "{mobile:?}");
    let pc = agree(&sim, &of(Endpoint::AuthPagePc, &code(&sim).await)).await;
    assert!(location(&pc).starts_with("https://a.example/back?a=1&b=2&auth_code="), "{pc:?}");

    let fixed = with_rules(|rules| rules.mobile_escapes_ampersand = false).await;
    let link = link(&fixed, Endpoint::AuthPageMobile, &code(&fixed).await, &redirect_uri);
    assert!(location(&agree(&fixed, &link).await).starts_with("https://a.example/back?a=1&b=2&auth_code="));
}

#[tokio::test]
async fn the_code_is_added_at_the_end_and_a_missing_scheme_stays_on_the_pages_origin() {
    let cases = [
        ("https://a.example", "https://a.example/?auth_code="),
        ("https://a.example/back#top", "https://a.example/back#top?auth_code="),
        ("https://a.example/back?a=1#top", "https://a.example/back?a=1#top&auth_code="),
        ("a.example/back", "/cgi-bin/a.example/back?auth_code="),
        ("a.example:8443/back", "/cgi-bin/a.example:8443/back?auth_code="),
    ];
    for (redirect_uri, expected) in cases {
        let sim = with_domain().await;
        let link = link(&sim, Endpoint::AuthPagePc, &code(&sim).await, &[("redirect_uri", redirect_uri)]);
        let answer = agree(&sim, &link).await;
        assert!(location(&answer).starts_with(expected), "{redirect_uri}: {}", location(&answer));
    }
}

#[tokio::test]
async fn nothing_from_the_link_becomes_html() {
    let sim = with_rules(|rules| rules.scan_uses_code = false).await;
    sim.set_authorization_domain(None);
    let evil = "\"><script>alert(1)</script>";
    let shown = [("auth_type", "2"), ("category_id_list", evil), ("x", evil), ("y", "'")];
    let redirect = format!("https://a.example/?a={evil}");
    for api in BOTH {
        let parameters = [&shown[..], &[("redirect_uri", redirect.as_str()), ("biz_appid", evil)]].concat();
        let link = link(&sim, api, &code(&sim).await, &parameters);
        let mut pages = vec![open(&sim, &link).await];
        pages.push(open(&sim, &scanned(&sim, &link).await).await);
        for page in pages {
            assert!(!page.body.contains("<script"), "{}", page.body);
            assert!(!page.body.contains("\"><script"), "{}", page.body);
        }
    }
    for redirect_uri in ["javascript:alert(1)", "data:text/html,x", "ftp://a.example/"] {
        let link = link(&sim, Endpoint::AuthPagePc, &code(&sim).await, &[("redirect_uri", redirect_uri)]);
        let page = get(&sim, &link).await;
        assert_shows(&page, ">参数错误<");
        assert!(!page.body.contains(redirect_uri));
    }
}

#[tokio::test]
async fn the_log_shows_referer_and_user_agent() {
    let sim = start().await;
    let link = link(&sim, Endpoint::AuthPageMobile, &code(&sim).await, &[]);
    open_from(&sim, &link, "https://a.example/").await;
    let seen = sim.requests().pop().unwrap();
    assert_eq!(seen.referer, "https://a.example/");
    assert!(seen.user_agent.contains("MicroMessenger"));
    let shown = get(&sim, "/_sim/requests?last=1").await.json();
    assert_eq!(shown["requests"][0]["referer"], "https://a.example/");
    assert_eq!(shown["requests"][0]["api"], "auth_page_mobile");
}
