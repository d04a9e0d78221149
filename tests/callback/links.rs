//! Which merchant was it? An event whose code was taken through a link names that link.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::time::Instant;
use wechat_preauth::platform::StateError;
use wechat_preauth::platform::links::{CodeLink, Link, LinkStore, Noted, Started};

use crate::harness::{CallbackHarness, event};
use crate::support::logs::Captured;

/// The code of the events in `events/`.
const FINGERPRINT: &str = "dc304e8dd012";
const AUTHORIZED: &str = "callback-authorized-rest-api-base64";

fn origin() -> CodeLink {
    CodeLink {
        link_id: "0123456789abcdef0123456789abcdef".into(),
        reference: Some("order-18".into()),
        state: Some("back office".into()),
    }
}

/// What each event on the bus says of its link.
fn named(harness: &CallbackHarness) -> Vec<[Option<String>; 3]> {
    let events = harness.bus.events().into_iter();
    events
        .map(|event| {
            let detail: Value = serde_json::from_str(event.detail.expose_secret()).unwrap();
            assert_eq!(detail["AuthorizerAppid"], "wxba5fad812f8e6fb9");
            ["link_id", "reference", "state"]
                .map(|name| detail.get(name).map(|value| value.as_str().unwrap().to_owned()))
        })
        .collect()
}

#[tokio::test]
async fn an_event_names_the_link_of_its_code_each_time_it_comes() {
    let harness = CallbackHarness::new();
    harness.links.put_code_link(FINGERPRINT, &origin(), 0).await.unwrap();
    for _ in 0..2 {
        assert!(harness.http(&event(AUTHORIZED)).await.is_success());
    }
    let CodeLink { link_id, reference, state } = origin();
    assert_eq!(
        named(&harness),
        [[Some(link_id.clone()), reference.clone(), state.clone()], [Some(link_id), reference, state]]
    );
}

#[tokio::test]
async fn what_a_link_does_not_have_is_absent() {
    let harness = CallbackHarness::new();
    let bare = CodeLink { reference: None, state: None, ..origin() };
    harness.links.put_code_link(FINGERPRINT, &bare, 0).await.unwrap();
    assert!(harness.http(&event(AUTHORIZED)).await.is_success());
    assert_eq!(named(&harness), [[Some(bare.link_id), None, None]]);
}

#[tokio::test]
async fn a_code_of_no_link_adds_nothing() {
    let harness = CallbackHarness::new();
    harness.links.put_code_link("000000000000", &origin(), 0).await.unwrap();
    assert!(harness.http(&event(AUTHORIZED)).await.is_success());
    assert_eq!(named(&harness), [[None, None, None]]);
}

#[tokio::test]
async fn a_table_that_fails_holds_no_event_back() {
    let harness = CallbackHarness::new();
    harness.links.put_code_link(FINGERPRINT, &origin(), 0).await.unwrap();
    harness.links.fail(Some(StateError("throttled".into())));
    let logs = Captured::start();
    assert!(harness.http(&event(AUTHORIZED)).await.is_success());
    assert!(
        logs.end()
            .iter()
            .any(|line| line.contains("without the name of its link") && line.contains("throttled"))
    );
    harness.links.fail(None);
    assert!(harness.http(&event(AUTHORIZED)).await.is_success());
    let ids: Vec<bool> = named(&harness).iter().map(|[link_id, ..]| link_id.is_some()).collect();
    assert_eq!(ids, [false, true]);
}

/// A table that never answers.
struct Hangs;

#[async_trait]
impl LinkStore for Hangs {
    async fn create_link(&self, _: &str, _: &Link, _: i64) -> Result<(), StateError> {
        unreachable!()
    }
    async fn link(&self, _: &str) -> Result<Option<Link>, StateError> {
        unreachable!()
    }
    async fn start(&self, _: &str, _: &str, _: i64) -> Result<Started, StateError> {
        unreachable!()
    }
    async fn give_back(&self, _: &str, _: &str) -> Result<(), StateError> {
        unreachable!()
    }
    async fn note_return(&self, _: &str, _: &str) -> Result<Noted, StateError> {
        unreachable!()
    }
    async fn put_code_link(&self, _: &str, _: &CodeLink, _: i64) -> Result<(), StateError> {
        unreachable!()
    }
    async fn code_link(&self, _: &str) -> Result<Option<CodeLink>, StateError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_hangs_delays_an_event_by_less_than_a_second() {
    let harness = CallbackHarness::with(|services| services.links = Arc::new(Hangs));
    let started = Instant::now();
    assert!(harness.http(&event(AUTHORIZED)).await.is_success());
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(named(&harness), [[None, None, None]]);
}

#[tokio::test(start_paused = true)]
async fn a_push_that_waited_for_the_start_up_leaves_the_bus_its_time() {
    let start_up = Duration::from_millis(1700);
    let credentials = wechat_preauth::platform::MemoryCredentials::new(&crate::harness::secret(
        &crate::harness::push_keys(),
    ));
    let harness = CallbackHarness::of(credentials, start_up, |services| services.links = Arc::new(Hangs));
    let started = Instant::now();
    assert!(harness.http(&event(AUTHORIZED)).await.is_success());
    // 3.5 s for a push, less the start-up, less 1.5 s for the bus.
    let took = started.elapsed();
    assert!((Duration::from_millis(290)..Duration::from_millis(310)).contains(&took), "{took:?}");
}
