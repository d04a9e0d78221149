//! What strangers send: ids, methods, languages, agents, queries. Nothing of it takes a code, leads away, or is shown.

use proptest::prelude::*;
use serde_json::json;

use crate::harness::{Harness, PHONE_IN_WECHAT};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[tokio::test]
async fn an_unknown_link_is_a_page_and_nobodys_alarm() {
    let harness = Harness::new();
    for id in ["AAAAAAAAAAAAAAAAAAAAAA", "x", "%3Cscript%3E", "..", "AAAAAAAAAAAAAAAAAAAAAA%00", "订单"] {
        for method in ["GET", "POST"] {
            let page = harness.http(method, &format!("/authorize/{id}"), &[], "").await;
            page.is_safe();
            assert_eq!(page.status, 404, "{method} {id}");
        }
    }
    for target in ["/", "/authorize", "/authorize/", "/wechat/callback", "/authorized", "/authorize/x/y"] {
        let page = harness.get(target).await;
        page.is_safe();
        assert_eq!(page.status, 404, "{target}");
    }
    assert_eq!((harness.counted(), harness.invocations()), (vec![], 0));
}

/// The pages' API passes every path on, and a custom domain or a proxy may put a base path before it.
#[tokio::test]
async fn nobody_makes_a_link_on_the_pages_routes() {
    let harness = Harness::new();
    for path in [
        "/authorization-links",
        "/authorization-links/",
        "/live/authorization-links",
        "/authorize/authorization-links",
        "/authorized/authorization-links",
        "/authorized/x/authorization-links",
    ] {
        for method in ["POST", "GET", "PUT"] {
            let body = r#"{"return_url":"https://evil.example"}"#;
            let page = harness.http(method, path, &[("Content-Type", "application/json")], body).await;
            page.is_safe();
            assert!(matches!(page.status, 404 | 405), "{method} {path}: {page:?}");
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{method} {path}");
        }
    }
    assert_eq!((harness.counted(), harness.invocations()), (vec![], 0));
}

#[tokio::test]
async fn other_methods_do_nothing() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    for (route, allowed, methods) in [
        ("authorize", "GET, HEAD, POST", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"].as_slice()),
        ("authorized", "GET", &["HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
    ] {
        for method in methods {
            let page = harness.http(method, &format!("/{route}/{id}"), &[], "").await;
            page.is_safe();
            assert_eq!((page.status, page.header("allow")), (405, allowed), "{method} {route}");
        }
    }
    assert_eq!((harness.counted(), harness.invocations()), (vec![("LinkCreated", 1.0)], 0));
}

#[tokio::test]
async fn neither_host_nor_parameters_change_where_a_visitor_goes() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({ "return_url": "https://shop.example.com/done" })).await;
    let evil = [
        ("Host", "evil.example"),
        ("X-Forwarded-Host", "evil.example"),
        ("Referer", "https://evil.example/"),
    ];
    let query =
        "return_url=https://evil.example&redirect_uri=https://evil.example&state=evil&url=//evil.example";
    let page = harness.http("GET", &format!("/authorize/{id}?{query}"), &evil, "").await;
    assert!(!page.body.contains("evil"), "{}", page.body);
    let click = harness.http("POST", &format!("/authorize/{id}?{query}"), &evil, query).await;
    assert!(click.header("location").starts_with("https://mp.weixin.qq.com/"));
    assert!(!harness.preauthcode.events.lock().unwrap()[0].to_string().contains("evil"));
    let back = harness.http("GET", &format!("/authorized/{id}?auth_code=a&{query}"), &evil, "").await;
    let location = back.header("location");
    assert!(
        location.starts_with("https://shop.example.com/done?") && !location.contains("evil"),
        "{location}"
    );
}

#[tokio::test]
async fn the_language_is_the_visitors() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    for (target, accepted, language) in [
        (format!("/authorize/{id}"), "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        (format!("/authorize/{id}"), "en-GB", "en"),
        (format!("/authorize/{id}"), "fr", "zh-CN"),
        (format!("/authorize/{id}?lang=en"), "zh-CN", "en"),
        (format!("/authorize/{id}?lang=%3Cscript%3E"), "en", "en"),
        ("/authorize/x?lang=zh".to_owned(), "en", "zh-CN"),
    ] {
        let page = harness.http("GET", &target, &[("Accept-Language", accepted)], "").await;
        page.is_safe();
        assert_eq!(page.header("content-language"), language, "{target} {accepted}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Any path, query and headers: an answer that is safe, takes no code and leads nowhere.
    #[test]
    fn whatever_is_sent_the_answer_is_safe(
        method in prop_oneof![Just("GET"), Just("POST"), Just("PUT")],
        route in prop_oneof![Just("authorize"), Just("authorized"), Just("authorization-links"), Just("x")],
        id in prop_oneof![".{0,40}", Just("authorization-links".to_owned())],
        query in "(lang|auth_code|expires_in|handoff|.{0,5})=.{0,60}(&.{0,20})?",
        language in "[ -~]{0,60}",
        agent in "[ -~]{0,60}",
        body in ".{0,60}",
    ) {
        let harness = Harness::new();
        runtime().block_on(async {
            let headers = [("Accept-Language", language.as_str()), ("User-Agent", &agent)];
            let answer = harness.http(method, &format!("/{route}/{id}?{query}"), &headers, &body).await;
            answer.is_safe();
            assert!((400..500).contains(&answer.status), "{answer:?}");
            assert_eq!(answer.header("location"), "");
            assert_eq!(harness.invocations(), 0);
        });
    }

    /// Any redirect of a link with a return_url: its own host or no redirect at all.
    #[test]
    fn a_redirect_leads_to_the_owners_page_or_nowhere(
        code in prop_oneof!["[ -~]{0,60}", ".{0,40}"],
        life in prop_oneof!["[0-9]{0,12}", ".{0,12}"],
        rest in ".{0,40}",
    ) {
        let harness = Harness::new();
        runtime().block_on(async {
            let (id, _) = harness.link(&json!({ "return_url": "https://shop.example.com/done" })).await;
            let agent = [("User-Agent", PHONE_IN_WECHAT)];
            assert_eq!(harness.http("POST", &format!("/authorize/{id}"), &agent, "").await.status, 303);
            let query: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("auth_code", &code).append_pair("expires_in", &life).append_pair("x", &rest).finish();
            let answer = harness.get(&format!("/authorized/{id}?{query}")).await;
            answer.is_safe();
            match answer.status {
                200 => assert_eq!(answer.header("location"), ""),
                303 => {
                    let url = url::Url::parse(answer.header("location")).unwrap();
                    assert_eq!((url.host_str(), url.path()), (Some("shop.example.com"), "/done"));
                    let passed = url.query_pairs().find(|(name, _)| name == "auth_code").unwrap().1.into_owned();
                    assert_eq!(passed, code);
                }
                other => panic!("{other}"),
            }
        });
    }
}
