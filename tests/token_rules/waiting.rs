//! Another instance mints, or the lease cannot be taken: a request waits for the token, whatever the table does
//! meanwhile, and a forced refresh never ends with the old one.

use tokio::time::{Instant, sleep};
use wechat_preauth::platform::ProblemCode;

use crate::faulty_state::{Access, Fate};
use crate::scripted_wechat::Reply;
use crate::timed_service::{TimedInstance, TimedService, millis, secs};
use crate::value;

/// Two cold instances, of which the first mints for so long.
async fn while_the_first_mints(service: &TimedService, time: std::time::Duration) -> [TimedInstance; 2] {
    let instances = [service.caller(), service.caller()];
    service.wechat.next_mints([Reply::USUAL.after(time)]);
    let first = instances[0].clone();
    tokio::spawn(async move { first.issue().await.unwrap() });
    sleep(millis(10)).await;
    assert!(service.item().await.lease.is_some());
    instances
}

#[tokio::test(start_paused = true)]
async fn a_table_that_fails_every_second_read_ends_no_request_that_waits() {
    for begins_with_a_failure in [false, true] {
        let service = TimedService::new().await;
        let [_, waiting] = while_the_first_mints(&service, millis(4900)).await;
        let mut fails = !begins_with_a_failure;
        waiting.table.decide(move |access| {
            fails ^= access == Access::ReadToken;
            if fails { Fate::FAILS } else { Fate::WORKS }
        });
        waiting.issue().await.unwrap();
        assert!(waiting.table.count(Access::ReadToken) > 6, "it saw more failures than one request survives");
        assert_eq!(service.wechat.mints(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_saw_a_mint_waits_through_an_outage_of_the_table() {
    let service = TimedService::new().await;
    let [_, waiting] = while_the_first_mints(&service, secs(1)).await;
    let began = Instant::now();
    let mut reads = 0;
    waiting.table.decide(move |_| {
        reads += 1;
        if reads > 1 && began.elapsed() < secs(10) { Fate::FAILS } else { Fate::WORKS }
    });
    waiting.issue().await.unwrap();
    assert!(waiting.table.count(Access::ReadToken) > 6);
    assert_eq!(service.wechat.mints(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_could_not_take_the_lease_waits_through_an_outage_of_the_table() {
    let service = TimedService::new().await;
    let instance = service.caller();
    let mut accesses = 0;
    instance.table.decide(move |access| {
        accesses += usize::from(access != Access::Tickets && access != Access::ReadComponent);
        // The second is the lease, the others are reads.
        if (2..9).contains(&accesses) { Fate::FAILS } else { Fate::WORKS }
    });
    instance.issue().await.unwrap();
    assert_eq!((service.wechat.mints(), instance.table.count(Access::TakeLease)), (1, 2));
    assert_eq!(instance.table.count(Access::ReadToken), 8);
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_answer_was_lost_ends_by_itself() {
    let service = TimedService::new().await;
    let instance = service.caller();
    let mut leases = 0;
    instance.table.decide(move |access| {
        leases += usize::from(access == Access::TakeLease);
        if access == Access::TakeLease && leases == 1 { Fate::ANSWER_LOST } else { Fate::WORKS }
    });
    instance.issue().await.unwrap();
    assert_eq!((service.wechat.mints(), instance.table.count(Access::TakeLease)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_request_without_the_time_to_wait_is_told_when_the_lease_ends() {
    let service = TimedService::new().await;
    let [_, waiting] = while_the_first_mints(&service, millis(4900)).await;
    let problem = waiting.issue_within(secs(3)).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::TokenPending);
    let rest = problem.retry_after.unwrap();
    assert!((12..=14).contains(&rest), "{rest} s");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_saw_nobody_mint_survives_two_failures_of_the_table_and_no_more() {
    for failing in [Access::ReadToken, Access::Tickets] {
        for failures in [2, 3] {
            let service = TimedService::new().await;
            let instance = service.caller();
            let mut left = failures;
            instance.table.decide(move |access| {
                let fails = access == failing && left > 0;
                left -= usize::from(fails);
                if fails { Fate::FAILS } else { Fate::WORKS }
            });
            let began = Instant::now();
            let problem = instance.issue().await.err().map(|problem| problem.code);
            let expected = (failures == 3).then_some(ProblemCode::StateUnavailable);
            assert_eq!(problem, expected, "{failures} failures of {failing:?}");
            assert!(began.elapsed() < secs(2), "an outage is said at once");
        }
    }
}

/// Two keepers with an old token. The second is slower to take the lease.
async fn two_keepers(service: &TimedService) -> [TimedInstance; 2] {
    let keepers = [service.keeper(), service.keeper()];
    keepers[0].refresh(false).await.unwrap();
    sleep(secs(1000)).await;
    for (keeper, slow) in keepers.iter().zip([20, 50]) {
        keeper.table.decide(move |access| match access {
            Access::TakeLease => Fate::WORKS.slow(millis(slow)),
            _ => Fate::WORKS,
        });
    }
    keepers
}

#[tokio::test(start_paused = true)]
async fn a_forced_refresh_that_loses_the_race_for_the_lease_answers_with_the_winners_token() {
    let service = TimedService::new().await;
    let [winner, loser] = two_keepers(&service).await;
    let old = value(&service.stored().await);
    service.wechat.next_mints([Reply::USUAL.after(secs(3))]);
    let (won, lost) = tokio::join!(winner.refresh(true), loser.refresh(true));
    let (won, lost) = (value(&won.unwrap()), value(&lost.unwrap()));
    assert_eq!((&won, loser.table.count(Access::TakeLease)), (&lost, 1));
    assert_ne!(won, old);
    assert_eq!(service.wechat.mints(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_forced_refresh_that_loses_the_race_for_the_lease_fails_when_the_winner_fails() {
    let service = TimedService::new().await;
    let [winner, loser] = two_keepers(&service).await;
    service.wechat.decide(|_| Reply::errcode(-1));
    let (won, lost) = tokio::join!(winner.refresh(true), loser.refresh(true));
    assert_eq!(won.unwrap_err().code, ProblemCode::WeChatBusy);
    let lost = lost.unwrap_err();
    assert_eq!((lost.code, lost.errcode), (ProblemCode::WeChatBusy, Some(-1)));
    assert_eq!(loser.table.count(Access::TakeLease), 1);
    assert_eq!(service.wechat.mints(), 1 + 3, "one mint of three attempts");
}

#[tokio::test(start_paused = true)]
async fn a_forced_refresh_that_can_never_take_the_lease_fails_although_the_old_token_is_valid() {
    let service = TimedService::new().await;
    let [keeper, _] = two_keepers(&service).await;
    keeper.table.decide(|access| if access.is_write() { Fate::FAILS } else { Fate::WORKS });
    assert_eq!(keeper.refresh(true).await.unwrap_err().code, ProblemCode::StateUnavailable);
    assert_eq!(service.wechat.mints(), 1);
    keeper.refresh(false).await.unwrap();
}

/// A cold process reads a token that is due and still valid.
#[tokio::test(start_paused = true)]
async fn while_one_request_of_a_process_renews_a_valid_token_the_others_use_it() {
    let service = TimedService::new().await;
    service.caller().issue().await.unwrap();
    sleep(secs(7000)).await;
    let instance = service.caller();
    service.wechat.next_mints([Reply::USUAL.after(millis(4900))]);
    let renews = instance.clone();
    let renews = tokio::spawn(async move { renews.issue().await.map(drop) });
    sleep(millis(10)).await;
    assert!(service.item().await.lease.is_some());
    instance.issue_within(secs(2)).await.unwrap();
    renews.await.unwrap().unwrap();
    assert_eq!(service.wechat.mints(), 2);
}
