//! How old a push is decides whether it is accepted, and whether it is a sign that pushes arrive.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wechat_preauth::platform::{MemoryCredentials, SecretDocument};
use wechat_sim::{Push, Sim, SimConfig};

use crate::harness::{
    APPID, At, CallbackHarness, KEY, NOW, SENT_AT, TOKEN, event, of_built, push_keys, secret,
};

/// A ticket push of this age that is sent again now, with a query of now.
async fn ticket_created(create_time: i64, now: i64) -> serde_json::Value {
    let config = SimConfig {
        component_appid: APPID.into(),
        push_token: TOKEN.into(),
        encoding_aes_key: KEY.into(),
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.unwrap();
    sim.clock().set(u64::try_from(now).unwrap());
    sim.clock().freeze();
    let push = Push::ticket_value("ticket@@@other").created(u64::try_from(create_time).unwrap());
    of_built(&sim.build_push(&push).unwrap())
}

#[tokio::test]
async fn a_ticket_of_the_future_is_refused_and_blocks_no_later_one() {
    for ahead in [601, NOW * 1000, i64::MAX - NOW] {
        let harness = CallbackHarness::new();
        let push = ticket_created(NOW + ahead, NOW).await;
        assert_eq!(harness.http(&push).await.outcome(), (401, "Push.Stale".to_owned()), "{ahead}");
        assert_eq!((harness.ticket().await, harness.metrics.sum("TicketPush")), (None, 0.0));
        assert!(harness.http(&event("callback-ticket-rest-api")).await.is_success());
    }
}

#[tokio::test]
async fn a_ticket_push_older_than_30_minutes_is_no_sign_of_life() {
    for (age, sign_of_life) in [(1799, true), (1800, false), (24 * 3600, false)] {
        // A push arrived two days ago, and none since.
        let long_ago = CallbackHarness::new();
        assert!(long_ago.http(&event("callback-ticket-rest-api")).await.is_success());
        let now = NOW + 2 * 24 * 3600;
        let harness = CallbackHarness::with(|push_services| {
            push_services.tickets = long_ago.state.clone();
            push_services.clock = Arc::new(At(now));
        });
        assert!(harness.http(&ticket_created(now - age, now).await).await.is_success(), "{age}");
        let (value, create_time, received_at) = long_ago.ticket().await.unwrap();
        // The ticket is newer than the stored one, so it is kept; whether pushes arrive is another question.
        assert_eq!((value.as_str(), create_time), ("ticket@@@other", now - age));
        assert_eq!(received_at, if sign_of_life { now } else { NOW }, "{age}");
        assert_eq!(harness.metrics.sum("TicketPush"), f64::from(u8::from(sign_of_life)), "{age}");
    }
}

#[tokio::test]
async fn a_replayed_ticket_push_is_no_sign_of_life() {
    let harness = CallbackHarness::new();
    let push = event("callback-ticket-rest-api");
    assert!(harness.http(&push).await.is_success());
    let later = CallbackHarness::with(|push_services| {
        push_services.tickets = harness.state.clone();
        push_services.clock = Arc::new(At(SENT_AT + 3600));
    });
    assert!(later.http(&push).await.is_success());
    assert_eq!(harness.ticket().await.unwrap().2, NOW);
    assert_eq!(later.metrics.sum("TicketPush"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_push_key_that_the_operator_removed_is_refused_after_ten_minutes() {
    let source = MemoryCredentials::new(&secret(&push_keys()));
    let harness = CallbackHarness::of(source.clone(), Duration::ZERO, |_| {});
    let push = event("callback-ticket-rest-api");
    assert!(harness.http(&push).await.is_success());
    let other = json!([{ "token": "another-token", "encoding_aes_key": KEY }]);
    source.set(Ok(SecretDocument { json: secret(&other).into(), version: "2".into() }));
    tokio::time::advance(Duration::from_secs(599)).await;
    assert!(harness.http(&push).await.is_success());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(harness.http(&push).await.outcome(), (401, "Push.SignatureRejected".to_owned()));
}
