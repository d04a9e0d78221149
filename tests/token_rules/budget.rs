//! The time of one mint: 15 s of the lease, from before the write that takes it. No call begins with less than
//! 4.5 s, and the store may use the rest.

use std::time::Duration;

use tokio::time::Instant;
use wechat_preauth::platform::ProblemCode;

use crate::faulty_state::{Access, Fate};
use crate::scripted_wechat::{Call, Reply};
use crate::timed_service::{TimedService, millis, secs};
use crate::value;

/// A WeChat that never answers in time.
const SILENT: Reply = Reply::USUAL.after(secs(60));

/// When the mint calls began, counted from `began`.
fn mint_calls(service: &TimedService, began: Instant) -> Vec<Duration> {
    let seen = service.wechat.seen().into_iter();
    seen.filter(|seen| seen.call == Call::Mint).map(|seen| seen.at - began).collect()
}

#[tokio::test(start_paused = true)]
async fn a_slow_write_of_the_lease_takes_its_time_from_the_calls() {
    // A call may take 5 s. Calls end 11.5 s after the beginning.
    for (slow, calls) in [(0, 2), (1700, 2), (2200, 1), (6900, 1), (7100, 0)] {
        let service = TimedService::new().await;
        let instance = service.caller();
        instance.table.decide(move |access| match access {
            Access::TakeLease => Fate::WORKS.slow(millis(slow)),
            _ => Fate::WORKS,
        });
        service.wechat.decide(|_| SILENT);
        let began = Instant::now();
        let problem = instance.issue().await.unwrap_err();
        let made = mint_calls(&service, began);
        assert_eq!(made.len(), calls, "a lease taken in {slow} ms: {made:?}");
        let late = made.iter().find(|at| **at + millis(4500) > millis(11_500));
        assert_eq!(late, None, "a call that may be cut off");
        let took = began.elapsed();
        assert!(took <= millis(11_500), "{took:?}");
        let item = service.item().await;
        assert_eq!((item.lease, item.backoff.is_some()), (None, calls > 0), "a lease taken in {slow} ms");
        let code = if calls > 0 { ProblemCode::WeChatTimeout } else { ProblemCode::TokenPending };
        assert_eq!(problem.code, code);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_taken_too_slowly_is_given_back_and_the_next_instance_mints_at_once() {
    let service = TimedService::new().await;
    let (slow, next) = (service.caller(), service.caller());
    slow.table.decide(|access| match access {
        Access::TakeLease => Fate::WORKS.slow_answer(secs(8)),
        _ => Fate::WORKS,
    });
    assert_eq!(slow.issue().await.unwrap_err().code, ProblemCode::TokenPending);
    assert_eq!((service.wechat.mints(), slow.table.count(Access::ReleaseLease)), (0, 1));
    let began = Instant::now();
    next.issue().await.unwrap();
    assert!(began.elapsed() < secs(1), "it waits for the lease");
}

#[tokio::test(start_paused = true)]
async fn a_busy_answer_after_four_seconds_is_not_followed_by_a_call_that_could_be_cut_off() {
    // Calls end 1.5 s before the deadline.
    for (limit, calls) in [(8, 1), (10, 1), (11, 2), (22, 2)] {
        let service = TimedService::new().await;
        let keeper = service.keeper();
        let old = keeper.refresh(false).await.unwrap();
        tokio::time::sleep(secs(6800)).await;
        service.wechat.decide(|_| Reply::errcode(-1).after(secs(4)));
        let began = Instant::now();
        let deadline = began + secs(limit);
        keeper.issuer.tokens().refresh(true, deadline).await.unwrap_err();
        let made = mint_calls(&service, began).len() - 1;
        assert_eq!(made, calls, "within {limit} s");
        let kept = service.stored().await;
        assert_eq!(
            (value(&kept), kept.expires_at),
            (value(&old), old.expires_at),
            "its life is not shortened"
        );
        assert_eq!(service.item().await.backoff.unwrap().code, ProblemCode::WeChatBusy);
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_has_the_time_until_the_lease_ends() {
    let service = TimedService::new().await;
    let instance = service.caller();
    service.wechat.next_mints([Reply::errcode(-1).after(secs(5) - millis(100)), Reply::USUAL.after(secs(4))]);
    // Each failure takes as long as one attempt of the AWS SDK.
    let began = Instant::now();
    instance.table.decide(move |access| match access {
        Access::StoreToken if began.elapsed() < secs(12) => Fate::FAILS.slow(millis(1500)),
        Access::StoreToken => Fate::WORKS.slow(millis(1200)),
        _ => Fate::WORKS,
    });
    instance.issue().await.unwrap();
    assert!(instance.table.count(Access::StoreToken) > 2);
    let took = began.elapsed();
    assert!((secs(13)..secs(15)).contains(&took), "{took:?}");
    assert_eq!(value(&service.stored().await), service.wechat.newest());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_ends_with_the_lease_and_the_request_has_its_code() {
    let service = TimedService::new().await;
    let instance = service.caller();
    instance.table.decide(|access| match access {
        Access::StoreToken | Access::RememberComponent => Fate::WORKS.slow(secs(600)),
        _ => Fate::WORKS,
    });
    let began = Instant::now();
    instance.issue().await.unwrap();
    let took = began.elapsed();
    assert!((secs(14)..=secs(15)).contains(&took), "{took:?}");
    tokio::time::sleep(secs(600)).await;
    assert!(service.item().await.token.is_none(), "nothing is written late");
}
