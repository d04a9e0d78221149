//! Refused pushes: their status, and that they change nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use wechat_preauth::platform::{
    CredentialsSource, MemoryCredentials, SecretDocument, SecretsError, SystemClock,
};
use wechat_sim::{Event, Flaw, Push, Sim, SimConfig};

use crate::harness::{
    APPID, At, CallbackHarness, KEY, SENT_AT, TOKEN, direct_event, event, http_event, of_built, push_keys,
    secret,
};

pub async fn sim() -> Sim {
    let config = SimConfig {
        component_appid: APPID.into(),
        push_token: TOKEN.into(),
        encoding_aes_key: KEY.into(),
        ..SimConfig::default()
    };
    Sim::start(config).await.unwrap()
}

/// The status and the code of a flaw.
fn expected(flaw: Flaw) -> (u16, &'static str) {
    match flaw {
        Flaw::WrongSignature | Flaw::FlippedBit => (401, "Push.SignatureRejected"),
        Flaw::StaleTimestamp | Flaw::FutureTimestamp => (401, "Push.Stale"),
        Flaw::WrongKey
        | Flaw::WrongAppId
        | Flaw::TruncatedCiphertext
        | Flaw::BadPadding
        | Flaw::BadLength
        | Flaw::BadBase64
        | Flaw::FlippedBitSigned => (400, "Push.Undecryptable"),
        Flaw::InnerDtd | Flaw::InnerEntityBomb | Flaw::InnerNotXml => (400, "Push.Unreadable"),
        Flaw::MissingSignature
        | Flaw::Truncated
        | Flaw::Oversized
        | Flaw::Dtd
        | Flaw::EntityBomb
        | Flaw::NotXml
        | Flaw::PlainTextMode => (400, "Push.Malformed"),
    }
}

#[tokio::test]
async fn each_malformed_push_has_its_status_and_changes_nothing() {
    let sim = sim().await;
    let harness = CallbackHarness::with(|push_services| push_services.clock = Arc::new(SystemClock));
    assert!(harness.http(&of_built(&sim.build_push(&Push::ticket()).unwrap())).await.is_success());
    let before = harness.ticket().await.unwrap();
    for flaw in Flaw::ALL {
        for push in [Push::ticket_value("ticket@@@forged"), Push::sample("authorized")] {
            let built = sim.build_push(&push.with(flaw)).unwrap();
            let (status, code) = expected(flaw);
            let answer = harness.http(&of_built(&built)).await;
            assert_eq!(answer.outcome(), (status, code.to_owned()), "{flaw:?}: {answer:?}");

            // A direct event with an oversized body is invalid as an event. The others are the same.
            let error = harness.direct(&direct_event(&built)).await.unwrap_err();
            let code = if flaw == Flaw::Oversized { "Request.Invalid" } else { code };
            assert_eq!(error.code.as_str(), code, "{flaw:?}");
            let problem: Value = serde_json::from_str(&error.message).unwrap();
            assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)));
        }
    }
    assert_eq!(harness.ticket().await.unwrap(), before);
    assert!(harness.bus.events().is_empty());
    // Two flaws with a wrong signature and two with a wrong time, two kinds of push, two ways.
    assert_eq!(harness.metrics.sum("SignatureRefused"), 16.0);
    assert_eq!(harness.metrics.sum("Failure.Push.SignatureRejected"), 8.0);
    assert_eq!(harness.metrics.sum("TicketPush"), 1.0);
    // Strangers can cause 9 of the flaws. Over HTTP these are not in the sum of failures.
    let all = 2.0 * 2.0 * Flaw::ALL.len() as f64;
    assert_eq!(harness.metrics.sum("Failure"), all - 2.0 * 9.0);
}

#[tokio::test]
async fn a_push_may_be_a_day_old_and_ten_minutes_ahead() {
    let ticket = event("callback-ticket-rest-api");
    for (now, status) in [
        (SENT_AT - 600, 200),
        (SENT_AT - 601, 401),
        (SENT_AT + 24 * 3600, 200),
        (SENT_AT + 24 * 3600 + 1, 401),
    ] {
        let harness = CallbackHarness::with(|push_services| push_services.clock = Arc::new(At(now)));
        assert_eq!(harness.http(&ticket).await.status, status, "{now}");
        assert_eq!(harness.ticket().await.is_some(), status == 200, "{now}");
    }
}

#[tokio::test]
async fn another_path_is_not_found_and_another_method_not_allowed() {
    let harness = CallbackHarness::new();
    let mut elsewhere = event("callback-ticket-rest-api");
    elsewhere["path"] = "/preauthcode".into();
    assert_eq!(harness.http(&elsewhere).await.outcome(), (404, "Request.NotFound".to_owned()));

    let mut put = event("callback-ticket-rest-api");
    put["httpMethod"] = "PUT".into();
    let answer = harness.http(&put).await;
    assert_eq!(answer.allow.as_deref(), Some("GET, POST"));
    let mut problem = answer.problem();
    assert!(problem["request_id"].take().is_string());
    assert_eq!(
        problem,
        json!({
            "type": "urn:wechat-preauth:problem:Request.MethodNotAllowed",
            "title": "This path does not take this method",
            "status": 405,
            "detail": "/wechat/callback takes GET, POST",
            "code": "Request.MethodNotAllowed",
            "retryable": false,
            "request_id": null,
        })
    );
    assert_eq!(harness.ticket().await, None);
    assert_eq!(harness.metrics.sum("Failure"), 0.0);
}

#[tokio::test]
async fn a_forgery_is_told_what_is_wrong_with_it_and_nothing_else() {
    let harness = CallbackHarness::new();
    let mut forged = event("callback-ticket-rest-api");
    forged["multiValueQueryStringParameters"]["msg_signature"] =
        json!(["f0ea9fd58df4fb4de03a598a7df25e7d89965a8c"]);
    let answer = harness.http(&forged).await;
    let mut problem = answer.problem();
    problem["request_id"].take();
    assert_eq!(
        problem,
        json!({
            "type": "urn:wechat-preauth:problem:Push.SignatureRejected",
            "title": "The push is not signed with a known Token",
            "status": 401,
            "detail": "The push is not signed with a known Token",
            "code": "Push.SignatureRejected",
            "retryable": false,
            "request_id": null,
        })
    );
    assert_eq!(answer.retry_after, None);
}

#[tokio::test]
async fn a_parameter_that_comes_twice_is_refused() {
    let harness = CallbackHarness::new();
    let mut twice = event("callback-ticket-rest-api");
    let nonce = twice["multiValueQueryStringParameters"]["nonce"][0].clone();
    twice["multiValueQueryStringParameters"]["nonce"] = json!([nonce, nonce]);
    assert_eq!(harness.http(&twice).await.outcome(), (400, "Push.Malformed".to_owned()));
}

/// Credentials that count how often they are read.
struct Counted(MemoryCredentials, Arc<AtomicUsize>);

#[async_trait]
impl CredentialsSource for Counted {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.fetch().await
    }
}

#[tokio::test]
async fn what_is_too_large_or_has_no_signature_is_refused_before_anything_is_read() {
    let reads = Arc::new(AtomicUsize::new(0));
    let source = Counted(MemoryCredentials::new(&secret(&push_keys())), reads.clone());
    let harness = CallbackHarness::of(source, Duration::ZERO, |_| {});
    let query = event("callback-ticket-http-api")["rawQueryString"].as_str().unwrap().to_owned();
    for event in [http_event(&query, &vec![b'x'; 64 * 1024 + 1]), http_event("", b"<xml/>")] {
        assert_eq!(harness.http(&event).await.outcome(), (400, "Push.Malformed".to_owned()));
    }
    assert_eq!(reads.load(Ordering::Relaxed), 0);
    // The largest body that is read.
    assert_eq!(harness.http(&http_event(&query, &vec![b'x'; 64 * 1024])).await.outcome().1, "Push.Malformed");
    assert_eq!(reads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_ticket_of_another_component_is_refused() {
    let sim = Sim::start(SimConfig {
        component_appid: "wx0000000000000001".into(),
        push_token: TOKEN.into(),
        encoding_aes_key: KEY.into(),
        ..SimConfig::default()
    })
    .await
    .unwrap();
    let harness = CallbackHarness::with(|push_services| push_services.clock = Arc::new(SystemClock));
    let built = sim.build_push(&Push::new(Event::Ticket { value: None })).unwrap();
    assert_eq!(harness.http(&of_built(&built)).await.outcome(), (400, "Push.Undecryptable".to_owned()));
    assert_eq!(harness.ticket().await, None);
}
