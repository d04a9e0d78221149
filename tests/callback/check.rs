//! The check of the push keys, by direct invocation, and what the callback needs of its secret.

use std::time::Duration;

use serde_json::{Value, json};
use wechat_preauth::platform::{MemoryCredentials, SecretDocument, SecretsError};

use crate::harness::{APPID, CallbackHarness, KEY, TOKEN, event, http_event};

fn check() -> Value {
    event("callback-check-push-keys")
}

/// The callback's own secret with these push keys. It holds no appsecret.
fn own_secret(push_keys: &Value) -> String {
    json!({ "component_appid": APPID, "push_keys": push_keys }).to_string()
}

fn harness(secret: &str) -> CallbackHarness {
    CallbackHarness::of(MemoryCredentials::new(secret), Duration::ZERO, |_| {})
}

#[tokio::test]
async fn a_secret_with_appid_and_push_keys_is_enough_for_pushes_and_for_the_check() {
    let harness = harness(&own_secret(&json!([{ "token": TOKEN, "encoding_aes_key": KEY }])));
    assert!(harness.http(&event("callback-ticket-rest-api")).await.is_success());
    assert_eq!(
        harness.direct(&check()).await.unwrap(),
        json!({ "link": "push_keys", "status": "ok", "detail": "1 well-formed", "count": 1 })
    );
    assert_eq!(harness.metrics.sum("Failure"), 0.0);
}

#[tokio::test]
async fn what_is_wrong_with_the_push_keys_is_in_the_answer_and_no_value_is() {
    let good = json!({ "token": TOKEN, "encoding_aes_key": KEY });
    for (push_keys, detail, count) in [
        (json!([]), "the secret holds none, so no push can be accepted", 0),
        (Value::Null, "the secret holds none, so no push can be accepted", 0),
        (json!("s3cret"), "push_keys: it is not an array", 1),
        (
            json!([good, { "token": "s3cret", "encoding_aes_key": "s3cret" }, { "token": "s3cret" }]),
            "push_keys[1]: encoding_aes_key has 6 characters: it must have 43, without a closing =; \
             push_keys[2]: encoding_aes_key is missing",
            3,
        ),
    ] {
        let mut answer = harness(&own_secret(&push_keys)).direct(&check()).await.unwrap();
        assert!(answer["remedy"].take().as_str().unwrap().contains("push_keys"));
        let expected = json!({ "link": "push_keys", "status": "failed", "detail": detail, "remedy": null, "count": count });
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_fails_the_check_and_not_the_action() {
    for (error, code, detail) in [
        (
            SecretsError::Unavailable("down".into()),
            "Secrets.Unavailable",
            "the credentials secret cannot be read at the moment: down",
        ),
        (SecretsError::Invalid("is denied".into()), "Secrets.Invalid", "the credentials secret is denied"),
    ] {
        let source = MemoryCredentials::new("");
        source.set(Err(error));
        let harness = CallbackHarness::of(source, Duration::ZERO, |_| {});
        let mut answer = harness.direct(&check()).await.unwrap();
        assert!(answer["remedy"].take().is_string());
        assert_eq!(
            answer,
            json!({
                "link": "push_keys", "status": "failed", "detail": detail, "remedy": null, "code": code, "count": 0,
            })
        );
        assert_eq!(harness.metrics.sum("Failure"), 0.0);
    }
}

#[tokio::test]
async fn the_secret_is_read_anew_for_each_check() {
    let source = MemoryCredentials::new(&own_secret(&json!([])));
    let harness = CallbackHarness::of(source.clone(), Duration::ZERO, |_| {});
    assert_eq!(harness.direct(&check()).await.unwrap()["status"], "failed");
    let filled = own_secret(&json!([{ "token": TOKEN, "encoding_aes_key": KEY }]));
    source.set(Ok(SecretDocument { json: filled.into(), version: "2".into() }));
    assert_eq!(harness.direct(&check()).await.unwrap()["status"], "ok");
}

#[tokio::test]
async fn another_action_is_refused_and_over_http_the_check_is_a_malformed_push() {
    let harness = harness(&own_secret(&json!([{ "token": TOKEN, "encoding_aes_key": KEY }])));
    for event in [
        json!({ "action": "diagnose" }),
        json!({ "action": "check_push_keys", "deep": true }),
        json!({ "action": null }),
    ] {
        let error = harness.direct(&event).await.unwrap_err();
        assert_eq!(error.code.as_str(), "Request.Invalid", "{event}");
        assert!(error.message.contains("check_push_keys"), "{}", error.message);
    }
    let query = event("callback-ticket-http-api")["rawQueryString"].as_str().unwrap().to_owned();
    for query in [query.as_str(), ""] {
        let answer = harness.http(&http_event(query, check().to_string().as_bytes())).await;
        assert_eq!(answer.outcome(), (400, "Push.Malformed".to_owned()));
    }
}
