//! A merchant comes back from WeChat.

use serde_json::{Value, json};
use wechat_preauth::platform::StateError;

use crate::harness::{Answer, Harness, NOW};

const AUTH_CODE: &str = "queryauthcode@@@TEST-only";
const BACK: &str = "auth_code=queryauthcode%40%40%40TEST-only&expires_in=600";

/// A link through which a merchant went to WeChat.
async fn started(harness: &Harness, request: &Value) -> (String, String) {
    let (id, link_id) = harness.link(request).await;
    assert_eq!(harness.post(&format!("/authorize/{id}")).await.status, 303);
    (id, link_id)
}

async fn back(harness: &Harness, id: &str, query: &str) -> Answer {
    let answer = harness.get(&format!("/authorized/{id}?{query}")).await;
    answer.is_safe();
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    answer
}

fn query(answer: &Answer) -> Vec<(String, String)> {
    let url = url::Url::parse(answer.header("location")).unwrap();
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn the_owners_page_gets_the_authorization_code_once() {
    let harness = Harness::new();
    let request = json!({
        "return_url": "https://shop.example.com/done?tenant=7", "reference": "order-17", "state": "a&b=c d",
    });
    let (id, link_id) = started(&harness, &request).await;
    let answer = back(&harness, &id, BACK).await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").starts_with("https://shop.example.com/done?tenant=7&auth_code="));
    let pairs = [
        ("tenant", "7"),
        ("auth_code", AUTH_CODE),
        ("expires_in", "600"),
        ("state", "a&b=c d"),
        ("reference", "order-17"),
        ("link_id", &link_id),
    ];
    assert_eq!(query(&answer), pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));

    // Coming back with the same code again goes nowhere, and shows no code.
    for _ in 0..2 {
        let again = back(&harness, &id, BACK).await;
        assert_eq!((again.status, again.header("location")), (200, ""));
        assert!(!again.body.contains("queryauthcode"));
        // The merchant is not left behind: the owner's page is one click away.
        let back = format!(
            "https://shop.example.com/done?tenant=7&amp;state=a%26b%3Dc+d&amp;reference=order-17&amp;link_id={link_id}"
        );
        assert!(again.body.contains(&format!("href=\"{back}\"")), "{}", again.body);
    }
    // Another account is another code.
    let other = back(&harness, &id, "auth_code=queryauthcode%40%40%40other&expires_in=600").await;
    assert_eq!(other.status, 303);
    assert_eq!(harness.metrics.sum("AuthorizationReturned"), 2.0);
}

#[tokio::test]
async fn without_a_return_url_the_result_is_shown() {
    let harness = Harness::new();
    let (id, _) = started(&harness, &json!({})).await;
    let first = back(&harness, &id, BACK).await;
    let second = back(&harness, &id, BACK).await;
    assert_eq!((first.status, second.status), (200, 200));
    assert_ne!(first.body, second.body);
    for page in [first, second] {
        assert!(!page.body.contains("queryauthcode"), "{}", page.body);
    }
}

#[tokio::test]
async fn an_odd_authorization_code_is_not_passed_on() {
    let harness = Harness::new();
    let long = format!("auth_code={}", "x".repeat(513));
    let request = json!({ "return_url": "https://shop.example.com/done" });
    for query in [
        "",
        "auth_code=",
        "auth_code=a&auth_code=b",
        "auth_code=a%20b",
        "auth_code=%E8%AE%A2%E5%8D%95",
        "auth_code=a%0d%0aset-cookie:x",
        "AUTH_CODE=a",
        "expires_in=600",
        &long,
    ] {
        let (id, _) = started(&harness, &request).await;
        let page = back(&harness, &id, query).await;
        assert_eq!((page.status, page.header("location")), (200, ""), "{query:.40}");
        assert!(page.body.contains(&format!("/authorize/{id}")), "the merchant can start again: {query:.40}");
    }
    assert_eq!(harness.metrics.sum("AuthorizationReturned"), 0.0);
}

#[tokio::test]
async fn an_odd_life_of_the_code_is_left_out() {
    let harness = Harness::new();
    let request = json!({ "return_url": "https://shop.example.com/done" });
    for (life, passed) in [
        ("expires_in=1", Some("1")),
        ("expires_in=86400", Some("86400")),
        ("expires_in=86401", None),
        ("expires_in=0", None),
        ("expires_in=-5", None),
        ("expires_in=600&expires_in=600", None),
        ("expires_in=6e2", None),
        ("expires_in=99999999999999999999", None),
        ("", None),
    ] {
        let (id, _) = started(&harness, &request).await;
        let answer = back(&harness, &id, &format!("auth_code=a&{life}")).await;
        let found = query(&answer).into_iter().find(|(name, _)| name == "expires_in");
        assert_eq!(found.map(|(_, value)| value).as_deref(), passed, "{life}");
    }
}

#[tokio::test]
async fn nobody_comes_back_from_a_link_through_which_nobody_went() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({ "return_url": "https://shop.example.com/done" })).await;
    let page = back(&harness, &id, BACK).await;
    assert_eq!((page.status, page.header("location")), (200, ""));
    assert_eq!(back(&harness, "AAAAAAAAAAAAAAAAAAAAAA", BACK).await.status, 404);
}

#[tokio::test]
async fn who_started_in_time_comes_back_after_the_link_has_ended() {
    let harness = Harness::new();
    let request = json!({ "return_url": "https://shop.example.com/done", "expires_in": 60 });
    let (id, _) = started(&harness, &request).await;
    harness.clock.set(NOW + 1800);
    assert_eq!(back(&harness, &id, BACK).await.status, 303);
}

#[tokio::test]
async fn while_the_table_is_down_the_merchant_can_reload() {
    let harness = Harness::new();
    let (id, _) = started(&harness, &json!({ "return_url": "https://shop.example.com/done" })).await;
    harness.links.fail(Some(StateError("throttled".into())));
    let page = back(&harness, &id, BACK).await;
    assert_eq!((page.status, page.header("retry-after")), (503, "5"));
    // Nothing is to be authorized again.
    assert!(page.body.contains("你不需要重新授权") && page.body.contains("href=\"\""), "{}", page.body);
    assert!(!page.body.contains("/authorize/"), "{}", page.body);
    harness.links.fail(None);
    assert_eq!(back(&harness, &id, BACK).await.status, 303);
}

#[tokio::test]
async fn forged_returns_do_not_shut_the_merchant_out() {
    let harness = Harness::new();
    let (id, _) = started(&harness, &json!({ "return_url": "https://shop.example.com/done" })).await;
    for forged in 0..25 {
        assert_eq!(back(&harness, &id, &format!("auth_code=forged-{forged}")).await.status, 303);
    }
    let answer = back(&harness, &id, BACK).await;
    assert_eq!(answer.status, 303);
    assert!(query(&answer).contains(&("auth_code".to_owned(), AUTH_CODE.to_owned())));
}
