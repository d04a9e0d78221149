//! WeChat refuses the token: what replaces it.

use futures_util::future::join_all;
use wechat_preauth::platform::ProblemCode;
use wechat_preauth::telemetry::metric;
use wechat_sim::{Endpoint, Fault};

use crate::all_issue;
use crate::support::service::{Instance, TestService, soon};

#[tokio::test]
async fn a_token_that_somebody_else_has_replaced_is_picked_up_without_a_mint() {
    let world = TestService::new().await;
    let (ours, theirs) = (world.instance(), world.keeper());
    ours.issue().await.unwrap();
    theirs.tokens().refresh(true, soon()).await.unwrap();
    assert_eq!(world.mints(), 2);
    // The old token has died, five minutes after the new one was minted.
    world.advance(301);
    ours.issue().await.unwrap();
    assert_eq!((world.mints(), ours.metrics.sum(metric::FOREIGN_MINT)), (2, 0.0));
}

#[tokio::test]
async fn a_refusal_that_never_ends_costs_one_renewal_in_five_minutes() {
    let world = TestService::new().await;
    let instances: Vec<_> = (0..5).map(|_| world.instance()).collect();
    all_issue(&instances).await;
    world.advance(1000);
    world.wechat.inject(Fault::errcode(40001).on(Endpoint::CreatePreAuthCode).forever());
    for _round in 0..20 {
        for result in join_all(instances.iter().map(Instance::issue)).await {
            let problem = result.unwrap_err();
            assert_eq!(problem.code, ProblemCode::WeChatTokenRejected);
            assert!((1..=300).contains(&problem.retry_after.unwrap()), "{problem:?}");
        }
    }
    assert_eq!(world.mints(), 2);
    world.advance(301);
    join_all(instances.iter().map(Instance::issue)).await;
    assert_eq!(world.mints(), 3);
}

#[tokio::test]
async fn a_second_minter_is_named_loudly() {
    let world = TestService::new().await;
    let instance = world.instance();
    instance.issue().await.unwrap();
    world.wechat.foreign_mint();
    world.advance(301);
    instance.issue().await.unwrap();
    assert_eq!((world.mints(), instance.metrics.sum(metric::FOREIGN_MINT)), (2, 1.0));
}
