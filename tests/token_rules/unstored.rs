//! The table fails around a mint: what is not stored is used by its process, and nothing is written late.

use tokio::time::{Instant, sleep, sleep_until};
use wechat_preauth::platform::ProblemCode;

use crate::faulty_state::{Access, Fate};
use crate::scripted_wechat::{Call, Reply};
use crate::timed_service::{TimedInstance, TimedService, millis, secs};
use crate::value;

/// Longest life of a lease.
const LEASE: std::time::Duration = secs(15);

/// An instance that has minted a token and could not store it, because the table takes no writes after the lease.
async fn with_an_unstored_token(service: &TimedService) -> TimedInstance {
    with_unstored(service, service.caller()).await
}

async fn with_unstored(service: &TimedService, instance: TimedInstance) -> TimedInstance {
    instance.table.decide(|access| match access {
        Access::StoreToken | Access::RememberComponent => Fate::FAILS.slow(millis(1500)),
        _ => Fate::WORKS,
    });
    let began = Instant::now();
    instance.issue().await.unwrap();
    assert_eq!((service.wechat.mints(), service.item().await.token.is_none()), (1, true));
    let accesses = instance.table.take_accesses();
    let stores = accesses.iter().filter(|(_, access)| *access == Access::StoreToken);
    assert!(stores.clone().count() > 1, "storing is tried again");
    assert!(stores.clone().all(|(at, _)| *at < began + LEASE), "and only while the lease lasts");
    instance.table.works();
    instance
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_stored_serves_its_process_until_wechat_refuses_it() {
    let service = TimedService::new().await;
    let (first, second) = (with_an_unstored_token(&service).await, service.caller());
    sleep(LEASE).await;
    second.issue().await.unwrap();
    assert_eq!(service.wechat.mints(), 2, "nobody else knows the first token");
    let newest = value(&service.stored().await);

    // The table works again, and the first token works beside the second for five minutes.
    for _request in 0..4 {
        sleep(secs(60)).await;
        first.issue().await.unwrap();
    }
    assert_eq!(first.table.take_accesses(), []);
    sleep(secs(61)).await;
    first.issue().await.unwrap();
    assert_eq!((service.wechat.mints(), service.wechat.refused_tokens()), (2, 1));
    assert_eq!(service.wechat.seen().last().unwrap().token.as_ref(), Some(&newest));
    assert!(first.table.take_accesses().iter().all(|(_, access)| !access.is_write()));
    assert_eq!((first.foreign_mints(), second.foreign_mints()), (0.0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn while_another_mints_a_keeper_with_an_unstored_token_touches_neither_its_lease_nor_its_token() {
    let service = TimedService::new().await;
    let (first, second) = (with_an_unstored_token(&service).await, service.caller());
    sleep(LEASE).await;
    service.wechat.next_mints([Reply::USUAL.after(secs(3))]);
    let mints = tokio::spawn(async move { second.issue().await.unwrap() });
    sleep(secs(1)).await;
    let lease = service.item().await.lease;
    assert!(lease.is_some());
    first.refresh(false).await.unwrap();
    assert_eq!(service.item().await.lease, lease);
    // By force it waits for the token of the other one.
    let new = first.refresh(true).await.unwrap();
    mints.await.unwrap();
    assert_eq!((value(&new), service.wechat.mints()), (service.wechat.newest(), 2));
    assert_eq!(value(&service.stored().await), service.wechat.newest());
    assert!(first.table.take_accesses().iter().all(|(_, access)| !access.is_write()));
}

#[tokio::test(start_paused = true)]
async fn a_process_with_an_unstored_token_takes_a_newer_one_when_its_own_is_due() {
    let service = TimedService::new().await;
    let (first, second) = (with_an_unstored_token(&service).await, service.caller());
    sleep(LEASE).await;
    second.issue().await.unwrap();
    let newest = value(&service.stored().await);
    sleep(secs(6600)).await;
    first.issue().await.unwrap();
    assert_eq!(service.wechat.seen().last().unwrap().token.as_ref(), Some(&newest));
    assert_eq!((service.wechat.mints(), service.wechat.refused_tokens()), (2, 0));
    assert!(first.table.take_accesses().iter().all(|(_, access)| !access.is_write()));
}

#[tokio::test(start_paused = true)]
async fn an_unstored_token_is_no_reason_to_mint_again_in_the_same_process() {
    let service = TimedService::new().await;
    let first = with_an_unstored_token(&service).await;
    for minutes in 1..115 {
        sleep(secs(60)).await;
        first.issue().await.unwrap();
        assert_eq!(service.wechat.mints(), 1, "after {minutes} minutes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_keeper_that_could_not_store_its_token_soon_mints_one_that_the_others_can_read() {
    let service = TimedService::new().await;
    let keeper = with_unstored(&service, service.keeper()).await;
    sleep(secs(40)).await;
    keeper.refresh(false).await.unwrap();
    assert_eq!(service.wechat.mints(), 1);
    sleep(secs(30)).await;
    keeper.refresh(false).await.unwrap();
    assert_eq!((service.wechat.mints(), value(&service.stored().await)), (2, service.wechat.newest()));
}

/// A caller whose token has this many seconds left.
async fn with_a_token_for(service: &TimedService, left: u64) -> TimedInstance {
    let instance = service.caller();
    instance.issue().await.unwrap();
    instance.table.take_accesses();
    sleep(secs(7200 - left)).await;
    instance
}

#[tokio::test(start_paused = true)]
async fn codes_go_on_during_an_outage_of_the_table_until_the_token_ends() {
    let service = TimedService::new().await;
    let instance = with_a_token_for(&service, 599).await;
    instance.table.decide(|_| Fate::FAILS.slow(millis(1500)));
    let end = Instant::now() + secs(599);
    while Instant::now() + secs(2) < end {
        instance.issue().await.unwrap();
        sleep(secs(5)).await;
    }
    assert!(instance.table.count(Access::ReadToken) > 20, "the table is asked again and again");
    sleep_until(end).await;
    let problem = instance.issue().await.unwrap_err();
    assert_eq!((problem.code, service.wechat.mints()), (ProblemCode::StateUnavailable, 1));
}

#[tokio::test(start_paused = true)]
async fn codes_go_on_while_the_table_can_be_read_and_not_written() {
    let service = TimedService::new().await;
    let instance = with_a_token_for(&service, 299).await;
    instance.table.decide(|access| if access.is_write() { Fate::FAILS } else { Fate::WORKS });
    let calls = |call| service.wechat.seen().iter().filter(|seen| seen.call == call).count();
    for _request in 0..29 {
        let began = Instant::now();
        instance.issue().await.unwrap();
        assert!(began.elapsed() < secs(1), "it waits although its token is valid");
        sleep(secs(10)).await;
    }
    assert_eq!((calls(Call::Mint), calls(Call::Code)), (1, 30));
    let attempts = instance.table.count(Access::TakeLease);
    assert!((2..=20).contains(&attempts), "{attempts} attempts to take the lease");
}
