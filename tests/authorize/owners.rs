//! Owners make links, over the API and directly.

use serde_json::json;
use wechat_preauth::platform::StateError;

use crate::harness::{Harness, NOW, Next};

#[tokio::test]
async fn a_link_is_the_same_over_the_api_and_directly() {
    let harness = Harness::new();
    let body = r#"{"reference":"order-17","expires_in":3600}"#;
    let answer = harness.owner("POST", body).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let over_http = answer.json();
    let directly = harness.direct(&json!({ "reference": "order-17", "expires_in": 3600 })).await.unwrap();
    for link in [&over_http, &directly] {
        let names: Vec<_> = link.as_object().unwrap().keys().collect();
        assert_eq!(names, ["expires_at", "link_id", "url"]);
        assert_eq!(link["expires_at"], "2026-11-22T11:30:00Z");
        let url = link["url"].as_str().unwrap();
        assert!(url.starts_with("https://auth.example.com/authorize/") && url.len() == 35 + 22, "{url}");
        // The name opens nothing.
        assert!(!url.contains(link["link_id"].as_str().unwrap()));
    }
    assert_ne!(over_http["link_id"], directly["link_id"]);
    assert_eq!((harness.counted(), harness.invocations()), (vec![("LinkCreated", 2.0)], 0));
}

#[tokio::test]
async fn a_wrong_request_is_a_problem() {
    let harness = Harness::new();
    let answer = harness.owner("POST", r#"{"state":7}"#).await;
    assert_eq!((answer.status, answer.header("content-type")), (400, "application/problem+json"));
    assert_eq!(answer.json()["detail"], "state must be a string");
    let answer = harness.owner("GET", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    assert_eq!(answer.json()["code"], "Request.MethodNotAllowed");
    let error = harness.direct(&json!({ "redirect_uri": "https://a.example" })).await.unwrap_err();
    assert_eq!(error.code.as_str(), "Request.Invalid");
    assert_eq!(harness.metrics.sum("FunctionError"), 1.0);
}

#[tokio::test]
async fn a_link_that_cannot_be_kept_is_not_handed_out() {
    let harness = Harness::new();
    harness.links.fail(Some(StateError("throttled".into())));
    let answer = harness.owner("POST", "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
    assert_eq!(answer.json()["code"], "State.Unavailable");
    assert_eq!(harness.counted(), [("Failure", 1.0)]);
}

#[tokio::test]
async fn the_check_says_what_keeps_the_pages_from_working() {
    let harness = Harness::new();
    let check = json!({ "action": "check_pages" });
    let ok = harness.direct(&check).await.unwrap();
    assert_eq!((ok["link"].as_str(), ok["status"].as_str()), (Some("pages"), Some("ok")), "{ok}");
    assert_eq!(ok["origin"], "https://auth.example.com");

    harness.preauthcode(Next::Unreachable);
    let failed = harness.direct(&check).await.unwrap();
    assert_eq!(
        (failed["status"].as_str(), failed["code"].as_str()),
        (Some("failed"), Some("Function.Unavailable"))
    );
    assert_eq!(failed["detail"], "the function preauthcode cannot be invoked: AccessDeniedException");
    assert!(failed["remedy"].as_str().unwrap().contains("PREAUTHCODE_FUNCTION"));

    harness.links.fail(Some(StateError("AccessDeniedException".into())));
    assert_eq!(harness.direct(&check).await.unwrap()["code"], "State.Unavailable");
    // It is for direct invocation only, and takes no code.
    let answer = harness.owner("POST", &check.to_string()).await;
    assert_eq!((answer.status, harness.invocations()), (400, 0));
}

#[tokio::test]
async fn a_link_lives_as_long_as_was_asked_for() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({ "expires_in": 60 })).await;
    let target = format!("/authorize/{id}");
    harness.clock.set(NOW + 59);
    assert_eq!(harness.get(&target).await.status, 200);
    harness.clock.set(NOW + 60);
    assert_eq!(harness.get(&target).await.status, 410);
    assert_eq!((harness.post(&target).await.status, harness.invocations()), (410, 0));
}
