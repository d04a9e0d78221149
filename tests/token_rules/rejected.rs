//! `WeChat.TokenRejected` comes with what WeChat said, however it arises.

use wechat_preauth::platform::{Problem, ProblemCode, StoredToken, TokenStore as _};
use wechat_sim::{Endpoint, Fault, FaultKind};

use crate::support::service::{Instance, TestService, soon};

const RID: &str = "6169608f-0de54fa8-55d1ed1d";

/// WeChat refuses every token from now on, with this errcode.
fn refuse_tokens(world: &TestService, errcode: i64) {
    let errmsg = Some(format!("invalid credential {errcode} rid: {RID}"));
    let refusal = FaultKind::Errcode { errcode, errmsg };
    world.wechat.inject(Fault::new(refusal).on(Endpoint::CreatePreAuthCode).forever());
}

async fn refused(instance: &Instance, errcode: i64) -> Problem {
    let problem = *instance.issue().await.unwrap_err();
    assert_eq!((problem.code, problem.errcode), (ProblemCode::WeChatTokenRejected, Some(errcode)));
    assert_eq!(problem.errmsg, Some(format!("invalid credential {errcode} rid: {RID}")));
    assert_eq!(problem.rid.as_deref(), Some(RID));
    problem
}

#[tokio::test]
async fn a_young_token() {
    for errcode in [40001, 40014, 42001, 42006] {
        let world = TestService::new().await;
        let instance = world.instance();
        instance.issue().await.unwrap();
        world.advance(100);
        refuse_tokens(&world, errcode);
        let problem = refused(&instance, errcode).await;
        assert_eq!((problem.retry_after, world.mints(), world.code_calls()), (Some(200), 1, 2));
        // The next request asks WeChat again.
        refused(&instance, errcode).await;
        assert_eq!(world.code_calls(), 3);
    }
}

#[tokio::test]
async fn an_old_token_and_the_one_that_replaced_it() {
    let world = TestService::new().await;
    let instance = world.instance();
    instance.issue().await.unwrap();
    world.advance(400);
    refuse_tokens(&world, 40001);
    let problem = refused(&instance, 40001).await;
    assert_eq!((problem.retry_after, world.mints(), world.code_calls()), (Some(300), 2, 3));
}

#[tokio::test]
async fn a_third_token() {
    let world = TestService::new().await;
    let (instance, keeper) = (world.instance(), world.keeper());
    instance.issue().await.unwrap();
    world.advance(400);
    keeper.tokens().refresh(true, soon()).await.unwrap();
    world.advance(400);
    // The one in memory, the one in the table, and the one that is minted then.
    refuse_tokens(&world, 40001);
    let problem = refused(&instance, 40001).await;
    assert_eq!((problem.retry_after, world.mints(), world.code_calls()), (Some(300), 3, 4));
}

#[tokio::test]
async fn a_token_that_was_handed_over_while_minting_is_off() {
    let world = TestService::new().await;
    let instance = world.instance_with(|services| services.minting = false);
    let (value, now) = (world.wechat.mint().into(), world.now());
    let token = StoredToken { value, expires_at: now + 7200, minted_at: now, uncertain: false };
    world.state.put_token(&world.appid, &token, false).await.unwrap();
    instance.issue().await.unwrap();
    refuse_tokens(&world, 42001);
    for age in [0, 1000] {
        world.advance(age);
        let problem = refused(&instance, 42001).await;
        assert!(problem.remedy.unwrap().contains("put_token"));
    }
    assert_eq!(world.mints(), 0);
}

#[tokio::test]
async fn an_operators_call() {
    let world = TestService::new().await;
    let keeper = wechat_preauth::operator::Keeper::new(world.services());
    keeper.refresh(false, soon()).await.unwrap();
    let errmsg = Some(format!("invalid credential 40001 rid: {RID}"));
    let refusal = FaultKind::Errcode { errcode: 40001, errmsg };
    world.wechat.inject(Fault::new(refusal).on(Endpoint::GetQuota).forever());
    let problem = keeper.get_quota(None, soon()).await.unwrap_err();
    assert_eq!((problem.code, problem.errcode), (ProblemCode::WeChatTokenRejected, Some(40001)));
    assert_eq!(problem.rid.as_deref(), Some(RID));
}
