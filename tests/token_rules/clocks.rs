//! Instances whose clocks differ. Up to two seconds nothing changes; beyond that each wrong clock may cost one more
//! mint, and everybody has codes all the same.

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use crate::scripted_wechat::Reply;
use crate::timed_service::{TimedInstance, TimedService, millis, secs};

async fn all_issue(instances: &[TimedInstance]) {
    for result in join_all(instances.iter().map(TimedInstance::issue)).await {
        result.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn clocks_that_differ_by_two_seconds_mint_once() {
    for skew in [-2, -1, 0, 1, 2] {
        let service = TimedService::new().await;
        let instances = [service.caller(), service.caller_ahead(skew)];
        service.wechat.next_mints([Reply::USUAL.after(millis(4900))]);
        all_issue(&instances).await;
        for _minute in 0..100 {
            sleep(secs(60)).await;
            all_issue(&instances).await;
        }
        assert_eq!((service.wechat.mints(), service.wechat.refused_tokens()), (1, 0), "{skew} s ahead");
        // The renewal too is made once.
        sleep(secs(1000)).await;
        all_issue(&instances).await;
        assert_eq!((service.wechat.mints(), service.wechat.refused_tokens()), (2, 0), "{skew} s ahead");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_two_seconds_ahead_does_not_begin_a_mint_beside_the_last_call_of_another() {
    for skew in [-2, 2] {
        let service = TimedService::new().await;
        let first = service.caller();
        let others: Vec<_> = (0..30).map(|_| service.caller_ahead(skew)).collect();
        // Without the two seconds for clocks that differ, a third call would begin. It would end 1.5 s before the
        // lease, which clocks ahead see end 2 s before its time.
        let (busy, silent) = (Reply::errcode(-1).after(secs(4)), Reply::USUAL.after(secs(60)));
        let mut calls = 0;
        service.wechat.decide(move |_| {
            calls += 1;
            if calls <= 2 { busy } else { silent }
        });
        let late = async {
            sleep(millis(10)).await;
            join_all(others.iter().map(TimedInstance::issue)).await
        };
        let (failed, others) = tokio::join!(first.issue(), late);
        assert!(failed.is_err() && others.iter().all(Result::is_err));
        assert_eq!(service.wechat.most_open_mints(), 1, "{skew} s ahead");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_an_hour_off_costs_one_more_mint_and_everybody_has_codes() {
    for (skew, wrong_first) in [(-3600, false), (-3600, true), (3600, false), (3600, true)] {
        let service = TimedService::new().await;
        let mut instances = [service.caller(), service.caller_ahead(skew)];
        if wrong_first {
            instances.reverse();
        }
        service.wechat.decide(|_| Reply::USUAL.after(millis(500)));
        all_issue(&instances).await;
        let first = service.wechat.mints();
        assert!(first <= 2, "{skew} s ahead: {first} mints at the beginning");
        for _minute in 0..10 {
            sleep(secs(60)).await;
            all_issue(&instances).await;
        }
        assert_eq!(service.wechat.mints(), first, "{skew} s ahead: it is over after ten minutes");
        // A day of requests once a minute: twelve tokens are needed.
        for _minute in 0..24 * 60 {
            sleep(secs(60)).await;
            all_issue(&instances).await;
        }
        let mints = service.wechat.mints();
        assert!((12..=24).contains(&mints), "{skew} s ahead: {mints} mints in a day");
        let right = service.caller();
        right.issue().await.unwrap();
        assert_eq!(service.wechat.mints(), mints, "{skew} s ahead: a new instance needs none");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_and_a_backoff_of_a_clock_an_hour_ahead_lock_nobody_out() {
    let service = TimedService::new().await;
    let wrong = service.caller_ahead(3600);
    // It ends while it mints, and its lease stays.
    let _ended = timeout(secs(1), async {
        service.wechat.decide(|_| Reply::USUAL.after(secs(60)));
        wrong.issue().await
    })
    .await;
    assert!(service.item().await.lease.is_some());
    service.wechat.works();
    let began = Instant::now();
    service.caller().issue().await.unwrap();
    assert!(began.elapsed() < secs(1), "it waits for a lease of the future");

    // Its mint fails, and its backoff stays.
    let service = TimedService::new().await;
    service.wechat.decide(|_| Reply::errcode(-1));
    service.caller_ahead(3600).issue().await.unwrap_err();
    assert!(service.item().await.backoff.is_some());
    service.wechat.works();
    service.caller().issue().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_that_a_clock_an_hour_ahead_has_minted_is_replaced_at_once() {
    let service = TimedService::new().await;
    service.caller_ahead(3600).issue().await.unwrap();
    let caller = service.caller();
    caller.issue().await.unwrap();
    sleep(secs(600)).await;
    service.wechat.revoke_tokens();
    caller.issue().await.unwrap();
    assert_eq!((service.wechat.mints(), service.wechat.refused_tokens()), (2, 1));
    assert_eq!(caller.foreign_mints(), 0.0, "the age of such a token says nothing");
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_of_a_clock_an_hour_ahead_is_replaced_once_for_all_processes() {
    let service = TimedService::new().await;
    service.caller_ahead(3600).issue().await.unwrap();
    let callers: Vec<_> = (0..5).map(|_| service.caller()).collect();
    all_issue(&callers).await;
    service.wechat.revoke_tokens();
    for caller in &callers {
        caller.issue().await.unwrap();
    }
    assert_eq!((service.wechat.mints(), service.wechat.refused_tokens()), (2, 5));
}
