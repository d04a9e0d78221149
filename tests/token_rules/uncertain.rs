//! An attempt without an answer is followed by one that succeeds: WeChat may process the first one last, so the
//! token of the second is not trusted for long.

use tokio::time::sleep;
use wechat_preauth::platform::{ProblemCode, StoredToken};

use crate::scripted_wechat::{Call, Reply};
use crate::timed_service::{TimedInstance, TimedService, secs};
use crate::value;

/// A stored token that is not WeChat's newest: WeChat processed the call before it afterwards.
async fn with_an_uncertain_token(instance: &TimedInstance, service: &TimedService) -> StoredToken {
    service.wechat.next_mints([Reply::USUAL.after(secs(6)), Reply::USUAL]);
    instance.issue().await.unwrap();
    let stored = service.stored().await;
    assert_eq!((stored.uncertain, stored.expires_at), (true, stored.minted_at + 300));
    sleep(secs(2)).await;
    assert_ne!(value(&stored), service.wechat.newest());
    stored
}

/// Waits until the token has this age in seconds.
async fn until_age(service: &TimedService, token: &StoredToken, age: i64) {
    sleep(secs((token.minted_at + age - service.now()).cast_unsigned())).await;
}

#[tokio::test(start_paused = true)]
async fn the_keeper_renews_an_uncertain_token_from_60_seconds() {
    let service = TimedService::new().await;
    let keeper = service.keeper();
    let uncertain = with_an_uncertain_token(&keeper, &service).await;
    until_age(&service, &uncertain, 59).await;
    assert_eq!(value(&keeper.refresh(false).await.unwrap()), value(&uncertain));
    until_age(&service, &uncertain, 60).await;
    keeper.refresh(false).await.unwrap();
    let renewed = service.stored().await;
    assert_eq!((value(&renewed), renewed.uncertain), (service.wechat.newest(), false));
    assert_eq!(renewed.expires_at, renewed.minted_at + 7200);
    assert_eq!((service.wechat.mints(), service.wechat.refused_tokens()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn callers_renew_an_uncertain_token_from_180_seconds() {
    let service = TimedService::new().await;
    let callers = [service.caller(), service.caller()];
    let uncertain = with_an_uncertain_token(&callers[0], &service).await;
    for (age, mints) in [(100, 2), (179, 2), (195, 3), (290, 3), (400, 3)] {
        until_age(&service, &uncertain, age).await;
        for caller in &callers {
            caller.issue().await.unwrap();
        }
        assert_eq!(service.wechat.mints(), mints, "{age} s old");
    }
    assert_eq!(service.wechat.refused_tokens(), 0);
    assert_eq!(callers.each_ref().map(TimedInstance::foreign_mints), [0.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_renews_an_uncertain_token_at_once_and_blames_nobody() {
    // A younger one is replaced by an uncertain one: the lost call may only now be processed.
    for age in [15, 100, 179] {
        let service = TimedService::new().await;
        let caller = service.caller();
        let uncertain = with_an_uncertain_token(&caller, &service).await;
        until_age(&service, &uncertain, age).await;
        let mut refusals = 0;
        service.wechat.decide(move |call| match call {
            Call::Code if refusals == 0 => {
                refusals += 1;
                Reply::errcode(40001)
            }
            _ => Reply::USUAL,
        });
        caller.issue().await.unwrap();
        let renewed = service.stored().await;
        assert_eq!((service.wechat.mints(), renewed.uncertain), (3, false), "{age} s old");
        assert_eq!(caller.foreign_mints(), 0.0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_uncertain_token_that_nobody_renewed_dies_without_a_report_of_a_foreign_mint() {
    let service = TimedService::new().await;
    let caller = service.caller();
    let uncertain = with_an_uncertain_token(&caller, &service).await;
    until_age(&service, &uncertain, 1000).await;
    caller.issue().await.unwrap();
    assert_eq!((service.wechat.mints(), caller.foreign_mints()), (3, 0.0));
}

#[tokio::test(start_paused = true)]
async fn while_no_mint_is_answered_the_old_token_is_used_to_its_end() {
    let service = TimedService::new().await;
    let (keeper, caller) = (service.keeper(), service.caller());
    let old = keeper.refresh(false).await.unwrap();
    service.wechat.decide(|call| match call {
        Call::Mint => Reply::BROKEN,
        Call::Code => Reply::USUAL,
    });
    sleep(secs(3000)).await;
    keeper.refresh(true).await.unwrap_err();
    let kept = service.stored().await;
    assert_eq!((value(&kept), kept.expires_at), (value(&old), service.now() + 300));
    // No mint has replaced it, so WeChat takes it for two hours.
    while service.now() < old.minted_at + 7190 {
        caller.issue().await.unwrap();
        assert_eq!(service.wechat.seen().last().unwrap().token, Some(value(&old)));
        sleep(secs(9)).await;
    }
    sleep(secs(20)).await;
    assert_eq!(caller.issue().await.unwrap_err().code, ProblemCode::WeChatUnreachable);
    let mints = service.wechat.mints();
    assert!(mints < 100, "{mints} mint calls in 70 minutes, three in each mint");
}
