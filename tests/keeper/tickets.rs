//! The ticket watch: when WeChat is asked to push tickets.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::Instant;
use wechat_preauth::platform::bus::MemoryBus;
use wechat_preauth::platform::links::MemoryLinks;
use wechat_preauth::platform::push::accept_push;
use wechat_preauth::platform::{PushServices, RawPush};
use wechat_preauth::telemetry::Metrics;
use wechat_sim::{Endpoint, Fault, Push, SimConfig};

use crate::harness::{KeeperHarness, document, world, world_of};
use crate::support::service::TestService;

fn asked(world: &TestService) -> usize {
    world.wechat.calls(Endpoint::StartPushTicket)
}

/// WeChat pushes a ticket, and the callback accepts it.
async fn ticket_is_pushed(world: &TestService) {
    let services = world.services();
    let push_services = PushServices {
        clock: services.clock,
        tickets: world.state.clone(),
        links: std::sync::Arc::new(MemoryLinks::default()),
        credentials: services.credentials,
        bus: std::sync::Arc::new(MemoryBus::default()),
        metrics: Metrics::memory(),
    };
    let push = world.wechat.build_push(&Push::ticket_value(world.wechat.issue_ticket())).unwrap();
    let push = RawPush { query: push.query, body: push.body.into_bytes() };
    accept_push(&push_services, &push, Instant::now() + Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn an_expired_ticket_leads_to_one_start_push_and_after_the_push_to_a_code() {
    let world = world().await;
    let keepers: Vec<KeeperHarness> = (0..3).map(|_| KeeperHarness::new(&world)).collect();
    // Half a day later ticket and token have expired.
    world.advance(12 * 3600 + 1);
    for _ in 0..9 {
        for answer in join_all(keepers.iter().map(KeeperHarness::refresh)).await {
            assert_eq!(answer.unwrap_err().0, "Ticket.Rejected");
        }
        world.advance(60);
    }
    assert_eq!(asked(&world), 1);
    let sent = world.wechat.requests().into_iter().find(|r| r.api == Endpoint::StartPushTicket).unwrap();
    let config = world.wechat.config();
    let body = json!({
        "component_appid": config.component_appid, "component_secret": config.component_appsecret,
    });
    assert_eq!((sent.json(), sent.query.as_str()), (Some(body), ""));

    ticket_is_pushed(&world).await;
    let minted = world.mints();
    assert_eq!(keepers[0].refresh().await.unwrap()["renewed"], true);
    assert_eq!((world.mints(), asked(&world)), (minted + 1, 1));
    world.instance().issue().await.unwrap();
}

#[tokio::test]
async fn a_caller_gets_its_code_as_soon_as_the_next_ticket_is_there() {
    let world = world().await;
    let (keeper, caller) = (KeeperHarness::new(&world), world.instance());
    world.advance(12 * 3600 + 1);
    keeper.refresh().await.unwrap_err();
    caller.issue().await.unwrap_err();
    ticket_is_pushed(&world).await;
    caller.issue().await.unwrap();
}

#[tokio::test]
async fn while_there_is_no_ticket_wechat_is_asked_once_in_ten_minutes_by_all_keepers_together() {
    let world = world_of(SimConfig::default()).await;
    let keepers: Vec<KeeperHarness> = (0..3).map(|_| KeeperHarness::new(&world)).collect();
    for minute in 0..21 {
        for answer in join_all(keepers.iter().map(KeeperHarness::refresh)).await {
            assert_eq!(answer.unwrap_err().0, "Ticket.Missing");
        }
        assert_eq!(asked(&world), 1 + minute / 10, "minute {minute}");
        world.advance(60);
    }
    let counted: f64 = keepers.iter().map(|keeper| keeper.metrics.sum("StartPush")).sum();
    assert!((counted - 3.0).abs() < f64::EPSILON, "{counted}");
    assert_eq!(world.mints(), 0);
}

#[tokio::test]
async fn thirty_minutes_of_silence_are_enough_while_the_token_is_still_fresh() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    world.advance(1800);
    keeper.refresh().await.unwrap();
    assert_eq!(asked(&world), 0);
    world.advance(1);
    let asked_now = keeper.refresh().await.unwrap();
    assert_eq!(asked_now["start_push"], json!({ "why": "silence", "answer": "in a normal state" }));
    keeper.state.take();
    let asked_before = keeper.refresh().await.unwrap();
    let not_before = world.now() + 600;
    assert_eq!(asked_before["start_push"], json!({ "why": "silence", "not_before": not_before }));
    assert_eq!(keeper.state.take(), (2, 0));
    assert_eq!(asked(&world), 1);
}

#[tokio::test]
async fn a_start_push_that_fails_is_reported_and_fails_nothing_else() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    world.advance(1801);
    world.wechat.inject(Fault::errcode(61004).on(Endpoint::StartPushTicket));
    let answer = keeper.refresh().await.unwrap();
    assert_eq!(answer["start_push"], json!({ "why": "silence", "problem": "Config.EgressIpNotRegistered" }));
    assert_eq!((asked(&world), keeper.gauge("EgressIpRefused")), (1, Some(1.0)));
}

#[tokio::test]
async fn with_minting_off_no_tickets_are_asked_for() {
    let world = world_of(SimConfig::default()).await;
    let keeper = KeeperHarness::with(&world, |services| services.minting = false);
    assert_eq!(keeper.refresh().await.unwrap_err().0, "Token.Missing");
    assert_eq!(asked(&world), 0);
}

#[tokio::test]
async fn an_operator_may_ask_at_any_time_and_the_schedule_then_need_not() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    world.wechat.set_pushing(false);
    for word in ["ok", "in a normal state"] {
        let answer = keeper.invoke(json!({ "action": "start_push_ticket" })).await.unwrap();
        assert_eq!(answer, json!({ "action": "start_push_ticket", "why": "asked", "answer": word }));
        world.advance(1);
    }
    world.advance(1800);
    keeper.refresh().await.unwrap();
    assert_eq!(asked(&world), 3);
}

#[tokio::test]
async fn a_refused_appsecret_is_read_again_before_the_call_fails() {
    let world = world().await;
    let right = world.wechat.config().component_appsecret.clone();
    world.credentials.set(Ok(document(world.wechat.config(), "0123456789abcdef0123456789abcdef")));
    let keeper = KeeperHarness::new(&world);
    let ask = || keeper.invoke(json!({ "action": "start_push_ticket" }));
    assert_eq!(ask().await.unwrap_err().0, "Config.AppSecretRejected");
    assert_eq!(asked(&world), 1);
    world.credentials.set(Ok(document(world.wechat.config(), &right)));
    // The credentials are read again at most every ten seconds.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    ask().await.unwrap();
    assert_eq!(asked(&world), 3);
}
