//! A push is answered in time, whatever hangs behind the callback. The clock of these tests moves on by itself when
//! nothing else runs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use wechat_preauth::platform::{
    BusError, BusEvent, CredentialsSource, EventBus, MemoryCredentials, SecretDocument, SecretsError,
};

use crate::failures::NoTickets;
use crate::harness::{CallbackHarness, event, push_keys, secret};

/// Longer than the failure of a read of the credentials is remembered.
const FAILURE_MEMORY: Duration = Duration::from_secs(6);

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
    let (status, code) = harness.failure(&event(name)).await;
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
        // The second time too. A failed read of the secret is remembered for a moment; this is after it.
        for _ in 0..2 {
            tokio::time::advance(FAILURE_MEMORY).await;
            let (status, answered, took) = outcome(&harness, name).await;
            assert_eq!((status, answered.as_str()), (503, code));
            assert!(limit.contains(&took), "{code}: {took:?}");
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
    // Only the first push waited for the start-up.
    let (_, _, took) = outcome(&harness, "callback-ticket-rest-api").await;
    assert!(took >= Duration::from_millis(3500), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_check_of_the_push_keys_ends_in_time_while_the_secret_hangs() {
    let harness = CallbackHarness::of(Hangs, Duration::ZERO, |_| {});
    let began = Instant::now();
    let answer = harness.direct(&event("callback-check-push-keys")).await.unwrap();
    assert_eq!((&answer["status"], &answer["code"]), (&"failed".into(), &"Secrets.Unavailable".into()));
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
}
