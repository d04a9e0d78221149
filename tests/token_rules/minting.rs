//! Who mints, and how often.

use std::time::Duration;

use wechat_preauth::platform::{Lease, ProblemCode, StoredToken, TokenItem, TokenStore as _};
use wechat_preauth::telemetry::metric;
use wechat_sim::{Endpoint, Fault};

use crate::support::service::{TestService, soon};
use crate::{all_issue, stored, value};

#[tokio::test]
async fn two_hundred_concurrent_requests_on_an_empty_item_mint_once() {
    let world = TestService::new().await;
    all_issue(&vec![world.instance(); 200]).await;
    assert_eq!((world.mints(), world.code_calls()), (1, 200));
}

#[tokio::test]
async fn a_thousand_cold_environments_mint_once() {
    let world = TestService::new().await;
    let wechat = world.services().wechat;
    let instances: Vec<_> =
        (0..1000).map(|_| world.instance_with(|services| services.wechat = wechat.clone())).collect();
    all_issue(&instances).await;
    assert_eq!((world.mints(), world.code_calls()), (1, 1000));
}

#[tokio::test]
async fn fifty_instances_mint_once_also_when_a_mint_takes_four_seconds() {
    let world = TestService::new().await;
    world.wechat.inject(Fault::delay(Duration::from_secs(4)).on(Endpoint::ComponentToken).forever());
    let instances: Vec<_> = (0..50).map(|_| world.instance()).collect();
    all_issue(&instances).await;
    assert_eq!((world.mints(), world.code_calls()), (1, 50));
}

#[tokio::test]
async fn a_fresh_token_is_used_without_a_look_at_the_table() {
    let world = TestService::new().await;
    let instance = world.instance();
    instance.issue().await.unwrap();
    world.advance(7200 - 601);
    instance.issue().await.unwrap();
    assert_eq!(world.mints(), 1);
}

#[tokio::test]
async fn the_holder_of_a_lease_who_dies_is_followed_after_15_seconds() {
    let world = TestService::new().await;
    let lease = Lease { holder: "dead".into(), expires_at: world.now() + 15 };
    let taken =
        world.state.take_lease(&world.appid, &TokenItem::default(), &lease, world.now()).await.unwrap();
    assert!(taken);
    let instance = world.instance();
    let pending = instance.issue_within(Duration::from_millis(500)).await.unwrap_err();
    assert_eq!(pending.code, ProblemCode::TokenPending);
    world.advance(14);
    let (waited, ()) = tokio::join!(instance.issue(), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(world.mints(), 0);
        world.advance(1);
    });
    waited.unwrap();
    assert_eq!(world.mints(), 1);
}

#[tokio::test]
async fn a_caller_without_time_leaves_the_mint_to_others() {
    let world = TestService::new().await;
    let hurried = world.instance();
    let problem = hurried.issue_within(Duration::from_secs(2)).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::TokenPending);
    let item = world.state.token_item(&world.appid).await.unwrap();
    assert!(item.lease.is_none() && item.backoff.is_none());
    assert_eq!(world.mints(), 0);
    hurried.issue().await.unwrap();
}

#[tokio::test]
async fn a_forced_refresh_waits_for_the_mint_that_is_under_way() {
    let world = TestService::new().await;
    let (keeper, other) = (world.keeper(), world.keeper());
    keeper.tokens().refresh(false, soon()).await.unwrap();
    let old = value(&stored(&world).await);
    world.wechat.inject(Fault::delay(Duration::from_secs(1)).on(Endpoint::ComponentToken));
    let (first, second) = tokio::join!(keeper.tokens().refresh(true, soon()), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        other.tokens().refresh(true, soon()).await
    });
    let (first, second) = (value(&first.unwrap().token), value(&second.unwrap().token));
    assert_eq!(first, second);
    assert_ne!(first, old);
    assert_eq!(world.mints(), 2);
}

#[tokio::test]
async fn a_holder_that_comes_too_late_does_not_overwrite_its_successor() {
    let world = TestService::new().await;
    let (late, successor) = (world.instance(), world.instance());
    world.wechat.inject(Fault::delay(Duration::from_secs(2)).on(Endpoint::ComponentToken));
    let (answer, ()) = tokio::join!(late.issue(), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        world.advance(16);
        successor.issue().await.unwrap();
    });
    answer.unwrap();
    assert_eq!((world.mints(), late.metrics.sum(metric::LEASE_LOST)), (2, 1.0));
    let kept = value(&stored(&world).await);
    late.issue().await.unwrap();
    let last = world.wechat.requests().last().unwrap().query_value("access_token").unwrap().to_owned();
    assert_eq!(last, kept, "the next request uses what the successor has stored");
}

#[tokio::test]
async fn nothing_is_ever_minted_while_minting_is_off() {
    let world = TestService::new().await;
    let instance = world.instance_with(|services| services.minting = false);
    assert_eq!(instance.issue().await.unwrap_err().code, ProblemCode::TokenMissing);
    let token = StoredToken {
        value: world.wechat.mint().into(),
        expires_at: world.now() + 7200,
        minted_at: world.now(),
        uncertain: false,
    };
    world.state.put_token(&world.appid, &token, false).await.unwrap();
    instance.issue().await.unwrap();
    world.advance(7100);
    instance.issue().await.unwrap();
    world.wechat.revoke_tokens();
    let refused = instance.issue().await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::WeChatTokenRejected);
    assert!(refused.remedy.unwrap().contains("put_token"));
    world.advance(200);
    assert_eq!(instance.issue().await.unwrap_err().code, ProblemCode::TokenMissing);
    assert_eq!(world.mints(), 0);
}

#[tokio::test]
async fn without_a_ticket_wechat_is_not_asked() {
    let world = TestService::without_ticket().await;
    let instance = world.instance();
    for _request in 0..3 {
        assert_eq!(instance.issue().await.unwrap_err().code, ProblemCode::TicketMissing);
    }
    assert_eq!(world.mints(), 0);
    world.ticket_arrives().await;
    instance.issue().await.unwrap();
}
