//! What the schedule asks for every minute, and the forced refresh.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::json;
use wechat_preauth::platform::TokenStore as _;
use wechat_sim::{Endpoint, Fault, FaultKind};

use crate::harness::{KeeperHarness, stored, world};
use crate::support::service::Instance;

#[tokio::test]
async fn a_refresh_with_nothing_to_do_reads_two_items_and_nothing_else() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    assert_eq!(world.mints(), 1);
    keeper.state.take();
    world.wechat.reset_requests();
    let secrets = keeper.secrets.load(std::sync::atomic::Ordering::Relaxed);
    world.advance(60);
    let answer = keeper.refresh().await.unwrap();
    assert_eq!(
        answer,
        json!({
            "action": "refresh", "component_appid": world.appid, "token_seconds_left": 7140,
            "renewed": false, "ticket_age_s": 60,
        })
    );
    assert_eq!(keeper.state.take(), (2, 0));
    assert_eq!(keeper.secrets.load(std::sync::atomic::Ordering::Relaxed), secrets);
    assert_eq!(world.wechat.requests().len(), 0);
}

#[tokio::test]
async fn a_renewing_refresh_reads_the_token_item_twice_and_the_ticket_item_twice() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    assert_eq!(keeper.refresh().await.unwrap()["renewed"], true);
    // Written: the lease, the token, the component.
    assert_eq!(keeper.state.take(), (4, 3));
}

#[tokio::test]
async fn a_new_keeper_makes_no_more_requests_than_an_old_one() {
    let world = world().await;
    KeeperHarness::new(&world).refresh().await.unwrap();
    world.wechat.reset_requests();
    let new = KeeperHarness::new(&world);
    new.refresh().await.unwrap();
    assert_eq!(new.state.take(), (2, 0));
    assert_eq!(world.wechat.requests().len(), 0);
}

#[tokio::test]
async fn at_1_h_49_min_nothing_happens_and_at_1_h_50_min_two_keepers_and_fifty_callers_mint_once() {
    let world = world().await;
    let keepers = [KeeperHarness::new(&world), KeeperHarness::new(&world)];
    let callers: Vec<_> = (0..50).map(|_| world.instance()).collect();
    for caller in &callers {
        caller.issue().await.unwrap();
    }
    assert_eq!(world.mints(), 1);

    world.advance(109 * 60);
    world.ticket_arrives().await;
    let (one, other) = join(keepers[0].refresh(), keepers[1].refresh()).await;
    assert_eq!((&one.unwrap()["renewed"], &other.unwrap()["renewed"]), (&json!(false), &json!(false)));
    keepers[0].state.take();
    keepers[0].refresh().await.unwrap();
    assert_eq!((world.mints(), keepers[0].state.take()), (1, (2, 0)));

    world.advance(60);
    let old = stored(&world).await;
    world.wechat.inject(Fault::delay(Duration::from_secs(3)).on(Endpoint::ComponentToken).forever());
    let refreshed = join_all(keepers.iter().map(KeeperHarness::refresh));
    let issued = async {
        for issued in join_all(callers.iter().map(Instance::issue)).await {
            issued.unwrap();
        }
        stored(&world).await
    };
    let (refreshed, stored_when_issued) = join(refreshed, issued).await;
    assert!(refreshed.iter().any(|answer| answer.as_ref().unwrap()["renewed"] == true));
    assert_eq!(world.mints(), 2);
    assert_eq!(stored_when_issued, old, "a caller waited for the mint");
    assert_ne!(stored(&world).await, old);
    assert_eq!(keepers[0].gauge("TicketAge"), Some(60.0));
}

#[tokio::test]
async fn quotas_are_measured_with_the_first_refresh_of_an_hour_and_that_counts_as_something_to_do() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    let to_the_hour = 3600 - u64::try_from(world.now()).unwrap() % 3600;
    world.advance(to_the_hour - 1);
    world.ticket_arrives().await;
    keeper.refresh().await.unwrap();
    assert_eq!(world.wechat.calls(Endpoint::GetQuota), 0);
    for _ in 0..3 {
        world.advance(1);
        keeper.refresh().await.unwrap();
    }
    assert_eq!(world.wechat.calls(Endpoint::GetQuota), 2);
    assert_eq!(keeper.gauge("QuotaUsed.component_token"), Some(0.01), "1 of 10 000");
    assert_eq!(keeper.gauge("QuotaUsed.create_preauthcode"), Some(0.0));
}

#[tokio::test]
async fn a_quota_that_cannot_be_measured_fails_nothing() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    world.wechat.inject(Fault::errcode(48001).on(Endpoint::GetQuota).forever());
    world.advance(3600);
    world.ticket_arrives().await;
    assert_eq!(keeper.refresh().await.unwrap()["quota"], json!([]));
}

#[tokio::test]
async fn a_failed_renewal_keeps_the_old_token_and_says_so() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    world.advance(7200 - 590);
    world.ticket_arrives().await;
    world.wechat.inject(Fault::errcode(61004).on(Endpoint::ComponentToken).forever());
    let answer = keeper.refresh().await.unwrap();
    assert_eq!(answer["last_mint_failed"], "Config.EgressIpNotRegistered");
    assert_eq!((&answer["renewed"], &answer["token_seconds_left"]), (&json!(false), &json!(590)));
    assert_eq!(keeper.gauge("EgressIpRefused"), Some(1.0));
    world.wechat.clear_faults();
    world.advance(60);
    let answer = keeper.refresh().await.unwrap();
    assert_eq!((&answer["renewed"], &answer["token_seconds_left"]), (&json!(true), &json!(7200)));
    assert_eq!(answer.get("last_mint_failed"), None);
}

#[tokio::test]
async fn without_any_token_the_refresh_fails_and_the_gauge_is_zero() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    world.wechat.inject(Fault::new(FaultKind::Html { status: 502 }).on(Endpoint::ComponentToken).forever());
    let (code, problem) = keeper.refresh().await.unwrap_err();
    assert_eq!((code.as_str(), problem["status"].as_i64()), ("WeChat.Unreachable", Some(502)));
    assert_eq!(keeper.gauge("TokenSecondsLeft"), Some(0.0));
    assert_eq!(keeper.gauge("Failure.WeChat.Unreachable"), Some(1.0));
}

#[tokio::test]
async fn force_mints_at_once_and_ends_a_backoff() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    world.wechat.inject(Fault::errcode(45009).on(Endpoint::ComponentToken));
    keeper.refresh().await.unwrap_err();
    let (_, backoff) = keeper.refresh().await.unwrap_err();
    assert_eq!((world.mints(), backoff["code"].as_str()), (1, Some("WeChat.DailyQuotaExhausted")));
    for mints in [2, 3] {
        let answer = keeper.invoke(json!({ "action": "refresh", "force": true })).await.unwrap();
        assert_eq!((world.mints(), &answer["renewed"]), (mints, &json!(true)));
    }
    assert!(world.state.token_item(&world.appid).await.unwrap().backoff.is_none());
}

#[tokio::test]
async fn a_failed_forced_refresh_is_a_failure_although_the_old_token_is_valid() {
    let world = world().await;
    world.wechat.set_client_ip(Some("203.0.113.7".parse().unwrap()));
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    world.advance(600);
    world.wechat.set_whitelist(vec!["192.0.2.1".parse().unwrap()]);
    let force = json!({ "action": "refresh", "force": true });
    let (code, problem) = keeper.invoke(force).await.unwrap_err();
    assert_eq!(code, "Config.EgressIpNotRegistered");
    assert_eq!((&problem["errcode"], &problem["client_ip"]), (&json!(61004), &json!("203.0.113.7")));
    assert!(problem["remedy"].as_str().unwrap().contains("Append 203.0.113.7"), "{problem}");
    assert!(problem["rid"].is_string(), "{problem}");
    // The old token is still in use, and the gauge shows it.
    assert_eq!((world.mints(), keeper.gauge("TokenSecondsLeft")), (2, Some(6600.0)));
}

#[tokio::test]
async fn two_keepers_forced_at_the_same_moment_mint_once_and_answer_with_the_new_token() {
    let world = world().await;
    let keepers = [KeeperHarness::new(&world), KeeperHarness::new(&world)];
    keepers[0].refresh().await.unwrap();
    let old = stored(&world).await;
    world.advance(600);
    world.wechat.inject(Fault::delay(Duration::from_millis(700)).on(Endpoint::ComponentToken).forever());
    let force = || json!({ "action": "refresh", "force": true });
    let (one, other) = join(keepers[0].invoke(force()), keepers[1].invoke(force())).await;
    for answer in [one.unwrap(), other.unwrap()] {
        let told = (&answer["renewed"], &answer["token_seconds_left"]);
        assert_eq!(told, (&json!(true), &json!(7200)), "{answer}");
    }
    assert_eq!(world.mints(), 2, "one at the beginning, and one for both");
    let new = stored(&world).await;
    assert_eq!(new, world.wechat.current_token());
    assert_ne!(new, old);
}

#[tokio::test]
async fn an_outage_of_the_table_is_state_unavailable() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    keeper.state.down.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(keeper.refresh().await.unwrap_err().0, "State.Unavailable");
    assert_eq!(world.mints(), 1);
}
