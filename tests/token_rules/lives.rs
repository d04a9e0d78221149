//! WeChat answers the mint call with an odd `expires_in`.

use wechat_preauth::platform::{IssueRequest, ProblemCode};
use wechat_sim::{Endpoint, Fault, FaultKind};

use crate::support::service::{TestService, soon};
use crate::{all_issue, stored, value};

async fn living(seconds: i64) -> TestService {
    let world = TestService::new().await;
    let life = FaultKind::ExpiresIn { seconds };
    world.wechat.inject(Fault::new(life).on(Endpoint::ComponentToken).forever());
    world
}

#[tokio::test]
async fn a_short_life_costs_no_more_mints_than_it_must() {
    // In 160 seconds.
    for (life, mints) in [(60, 3), (200, 1), (300, 1), (301, 1), (600, 1)] {
        let world = living(life).await;
        let instances: Vec<_> = (0..5).map(|_| world.instance()).collect();
        let keeper = world.keeper();
        all_issue(&instances).await;
        for _round in 0..10 {
            world.advance(16);
            keeper.tokens().refresh(false, soon()).await.unwrap();
            all_issue(&instances).await;
        }
        assert_eq!(world.mints(), mints, "a life of {life} s");
    }
}

#[tokio::test]
async fn a_token_of_a_short_life_is_used_to_its_end() {
    let world = living(200).await;
    let instance = world.instance();
    instance.issue().await.unwrap();
    let first = value(&stored(&world).await);
    world.advance(199);
    instance.issue().await.unwrap();
    assert_eq!((world.mints(), value(&stored(&world).await)), (1, first));
    world.advance(1);
    instance.issue().await.unwrap();
    assert_eq!(world.mints(), 2);
}

#[tokio::test]
async fn a_huge_life_is_believed_for_a_day() {
    for life in [1_000_000_000_000, i64::MAX] {
        let world = living(life).await;
        let instance = world.instance();
        instance.issue().await.unwrap();
        assert_eq!(stored(&world).await.expires_at - world.now(), 24 * 3600, "a life of {life} s");
        // WeChat refuses the token after two hours, and then it is replaced.
        world.advance(7201);
        instance.issue().await.unwrap();
        world.keeper().tokens().refresh(true, soon()).await.unwrap();
        assert_eq!(world.mints(), 3, "a life of {life} s");
    }
}

#[tokio::test]
async fn a_life_that_is_none_is_no_token() {
    for life in [0, -1, i64::MIN] {
        let world = living(life).await;
        let problem = world.instance().issue().await.unwrap_err();
        assert_eq!(problem.code, ProblemCode::WeChatUnreachable, "a life of {life} s");
        assert_eq!(world.code_calls(), 0);
    }
}

#[tokio::test]
async fn a_huge_life_of_a_code_is_relayed() {
    let world = TestService::new().await;
    let instance = world.instance();
    let life = FaultKind::ExpiresIn { seconds: i64::MAX };
    world.wechat.inject(Fault::new(life).on(Endpoint::CreatePreAuthCode));
    let issued = instance.issuer.issue(&IssueRequest::default(), soon()).await.unwrap();
    assert_eq!((issued.expires_in, issued.expires_at), (i64::MAX, i64::MAX.to_string()));
}
