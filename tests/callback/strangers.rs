//! What a stranger on the Internet sends over the public route, and what he is told: it costs one short log line and
//! one metric line, and the answer shows nothing of the inside.

use std::sync::Arc;

use serde_json::{Value, json};
use wechat_preauth::platform::{BusError, Clock, MemoryCredentials, SecretsError, SystemClock};
use wechat_sim::{Flaw, Push};

use crate::failures::NoTickets;
use crate::harness::{Answer, CallbackHarness, event, http_event, of_built, secret};
use crate::refusals::sim;
use crate::support::logs;

/// What anyone can send, with the code that it gets.
fn from_strangers() -> Vec<(&'static str, Value)> {
    let ticket = event("callback-ticket-rest-api");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut event = ticket.clone();
        change(&mut event);
        event
    };
    let query = "timestamp=1715943329&nonce=1590219412&encrypt_type=aes&msg_signature=f0ea9fd5";
    vec![
        ("Request.NotFound", changed(&|event| event["path"] = "/admin".into())),
        ("Request.MethodNotAllowed", changed(&|event| event["httpMethod"] = "DELETE".into())),
        ("Push.SignatureRejected", http_event(query, b"<xml><Encrypt>stranger</Encrypt></xml>")),
        ("Push.Malformed", http_event(query, &vec![b'x'; 64 * 1024 + 1])),
        ("Push.Malformed", http_event(query, b"<xml>stranger</xml>")),
        ("Push.Malformed", http_event("timestamp=stranger", b"<xml/>")),
        ("Push.Malformed", http_event(&format!("{query}&nonce=stranger"), b"<xml/>")),
        ("Push.Malformed", http_event(&query.replace("1715943329", "stranger"), b"<xml/>")),
        ("Push.Malformed", http_event("", b"")),
    ]
}

#[tokio::test]
async fn what_a_stranger_sends_is_one_short_log_line_and_one_metric_line() {
    let harness = CallbackHarness::new();
    // The cold start has a metric of its own.
    assert!(harness.http(&event("callback-ticket-rest-api")).await.is_success());
    for (code, event) in from_strangers() {
        let metrics_before = harness.metrics.lines().len();
        let log = logs::Captured::start();
        let answer = harness.http(&event).await;
        let lines = log.end();
        assert_eq!(answer.problem()["code"], code);

        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].len() < 400, "{} bytes: {}", lines[0].len(), lines[0]);
        let mut line: Value = serde_json::from_str(&lines[0]).unwrap();
        for changing in ["timestamp", "duration_ms", "target"] {
            assert!(!line[changing].take().is_null(), "no {changing}: {line}");
        }
        assert_eq!(
            line,
            json!({
                "timestamp": null, "level": "WARN", "target": null, "message": "the push was not accepted",
                "request_id": answer.problem()["request_id"], "direct": false, "cold_start": false,
                "duration_ms": null, "code": code,
            })
        );

        let metrics = harness.metrics.lines().split_off(metrics_before);
        assert_eq!(metrics.len(), 1, "{metrics:?}");
        assert_eq!(metrics[0][format!("Failure.{code}")], 1.0);
        assert_eq!(metrics[0]["SignatureRefused"].is_f64(), code == "Push.SignatureRejected");
        // Alarms watch the sum.
        assert!(metrics[0]["Failure"].is_null(), "{metrics:?}");
    }
}

#[tokio::test]
async fn what_only_wechat_or_a_wrong_setting_causes_keeps_its_detail_and_remedy_in_the_log() {
    let sim = sim().await;
    let harness = CallbackHarness::with(|push_services| push_services.clock = Arc::new(SystemClock));
    for (flaw, code) in [(Flaw::WrongKey, "Push.Undecryptable"), (Flaw::StaleTimestamp, "Push.Stale")] {
        let built = sim.build_push(&Push::ticket().with(flaw)).unwrap();
        let log = logs::Captured::start();
        let answer = harness.http(&of_built(&built)).await;
        let lines = log.end();
        assert_eq!(answer.problem()["code"], code);
        let line: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        assert_eq!(line["code"], code);
        assert!(line["detail"].is_string() && line["remedy"].is_string(), "{line}");
    }
    // Whoever invokes directly is no stranger.
    let log = logs::Captured::start();
    harness.direct(&json!({ "query": {}, "body": "" })).await.unwrap_err();
    assert!(log.end()[0].contains("encrypt_type=aes"));
}

/// A clock that breaks the code that asks it.
struct BrokenClock;

impl Clock for BrokenClock {
    fn now(&self) -> i64 {
        panic!("the clock is broken")
    }
}

#[tokio::test]
async fn a_5xx_is_the_same_whatever_is_wrong_inside() {
    let ticket = "callback-ticket-rest-api";
    let no_secret = MemoryCredentials::new("");
    no_secret.set(Err(SecretsError::Unavailable("AccessDeniedException".into())));
    let no_keys = MemoryCredentials::new(&secret(&json!([])));
    let wrong_key = MemoryCredentials::new(&secret(&json!([{ "token": "x", "encoding_aes_key": "x" }])));
    let of = |source| CallbackHarness::of(source, std::time::Duration::ZERO, |_| {});
    let no_bus = CallbackHarness::new();
    no_bus.bus.fail(Some(BusError("InternalFailure".into())));
    for (harness, name, status) in [
        (CallbackHarness::with(|s| s.tickets = Arc::new(NoTickets { hangs: false })), ticket, 503),
        (no_bus, "callback-authorized-http-api", 503),
        (of(no_secret), ticket, 503),
        (of(no_keys), ticket, 500),
        (of(wrong_key), ticket, 500),
        (CallbackHarness::with(|s| s.clock = Arc::new(BrokenClock)), ticket, 500),
    ] {
        let answer = harness.http(&event(name)).await;
        let mut problem = answer.problem();
        assert!(problem["request_id"].take().is_string());
        let retryable = status == 503;
        let mut expected = json!({
            "type": "about:blank",
            "title": if retryable { "Service Unavailable" } else { "Internal Server Error" },
            "status": status,
            "detail": "the request failed; the service's log has the reason under request_id",
            "retryable": retryable,
            "request_id": null,
        });
        if retryable {
            expected["retry_after"] = 5.into();
        }
        assert_eq!((answer.status, problem), (status, expected));
        assert_eq!(answer.retry_after.as_deref(), retryable.then_some("5"));
        assert_eq!(answer.content_type, "application/problem+json");
    }
}

#[tokio::test]
async fn a_4xx_says_nothing_about_the_inside() {
    let sim = sim().await;
    let harness = CallbackHarness::with(|push_services| push_services.clock = Arc::new(SystemClock));
    let flawed =
        Flaw::ALL.map(|flaw| of_built(&sim.build_push(&Push::sample("authorized").with(flaw)).unwrap()));
    for event in flawed.into_iter().chain(from_strangers().into_iter().map(|(_, event)| event)) {
        let answer: Answer = harness.http(&event).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let text = answer.body.to_lowercase();
        for inside in [
            "configured",
            "secret",
            "push_keys",
            "push keys",
            "encoding_aes_key",
            "component_appid",
            "state table",
            "event bus",
            "remedy",
            "stranger",
        ] {
            assert!(!text.contains(inside), "{inside} in {text}");
        }
    }
}
