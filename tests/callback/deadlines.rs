//! Whatever hangs behind it, a push is answered in time. The clock of these tests runs by itself when
//! nothing else does.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use wechat_preauth::platform::{
    BusError, BusEvent, CredentialsSource, EventBus, MemoryCredentials, SecretDocument, SecretsError,
};

use crate::failures::NoTickets;
use crate::harness::{CallbackHarness, event, push_keys, secret};

/// A bus and a secret that never answer.
struct Hangs;

#[async_trait]
impl EventBus for Hangs {
    async fn put(&self, _: &BusEvent) -> Result<(), BusError> {
        std::future::pending().await
    }
}

#[async_trait]
impl CredentialsSource for Hangs {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        std::future::pending().await
    }
}

fn secrets() -> MemoryCredentials {
    MemoryCredentials::new(&secret(&push_keys()))
}

async fn outcome(harness: &CallbackHarness, name: &str) -> (u16, String, Duration) {
    let started = Instant::now();
    let (status, code) = harness.http(&event(name)).await.outcome();
    (status, code, started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn whatever_hangs_a_push_is_answered_in_three_and_a_half_seconds() {
    let limit = Duration::from_millis(3500)..Duration::from_millis(3510);
    let secret_hangs = CallbackHarness::of(Hangs, Duration::ZERO, |_| {});
    let table_hangs =
        CallbackHarness::with(|push_services| push_services.tickets = Arc::new(NoTickets { hangs: true }));
    let bus_hangs = CallbackHarness::with(|push_services| push_services.bus = Arc::new(Hangs));
    for (harness, name, code) in [
        (secret_hangs, "callback-ticket-rest-api", "Secrets.Unavailable"),
        (table_hangs, "callback-ticket-rest-api", "State.Unavailable"),
        (bus_hangs, "callback-authorized-http-api", "Events.Unavailable"),
    ] {
        for attempt in 0..2 {
            let (status, answered, took) = outcome(&harness, name).await;
            assert_eq!((status, answered.as_str()), (503, code));
            // A secret that cannot be read is not read again at once.
            let is_remembered = attempt == 1 && code == "Secrets.Unavailable";
            assert!(is_remembered || limit.contains(&took), "{code}: {took:?}");
            assert!(took < limit.end, "{code}: {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_that_waited_for_the_start_up_has_less_time_left() {
    let start_up = Duration::from_millis(1300);
    let harness = CallbackHarness::of(secrets(), start_up, |push_services| {
        push_services.tickets = Arc::new(NoTickets { hangs: true });
    });
    let (status, _, took) = outcome(&harness, "callback-ticket-rest-api").await;
    assert_eq!(status, 503);
    assert!((start_up + took).abs_diff(Duration::from_millis(3500)) < Duration::from_millis(10), "{took:?}");
    // Only the first one waited.
    let (_, _, took) = outcome(&harness, "callback-ticket-rest-api").await;
    assert!(took >= Duration::from_millis(3500), "{took:?}");
}
