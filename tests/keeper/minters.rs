//! Who mints: nobody while `MINTING` is off, and of two that both do, each at most once in five minutes.

use secrecy::ExposeSecret as _;
use serde_json::json;
use wechat_preauth::platform::{ProblemCode, TokenStore as _};
use wechat_sim::{Endpoint, Fault, FaultKind};

use crate::harness::{Actor, handed_over, world};
use crate::support::service::{Instance, TestService};

/// Another installation for the same component: the same WeChat, a state of its own.
async fn second_stack(first: &TestService) -> TestService {
    let world = TestService {
        wechat: first.wechat.clone(),
        state: std::sync::Arc::default(),
        credentials: first.credentials.clone(),
        appid: first.appid.clone(),
    };
    world.ticket_arrives().await;
    world
}

/// The tokens of all mint calls so far, as WeChat answered them.
fn minted(world: &TestService) -> Vec<String> {
    let calls = world.wechat.requests().into_iter().filter(|r| r.api == Endpoint::ComponentToken);
    let token = |answer: &str| {
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        answer["component_access_token"].as_str().map(str::to_owned)
    };
    calls.filter_map(|call| token(&call.answer)).collect()
}

async fn stored(world: &TestService) -> Option<String> {
    let item = world.state.token_item(&world.appid).await.unwrap();
    item.token.map(|token| token.value.expose_secret().to_owned())
}

#[tokio::test]
async fn two_live_minters_mint_at_most_once_each_in_five_minutes_and_are_named() {
    let first = world().await;
    let stacks = [&first, &second_stack(&first).await];
    let keepers = stacks.map(Actor::new);
    let callers: [Instance; 2] = stacks.map(TestService::instance);
    let mut mints: [Vec<i64>; 2] = Default::default();
    // Half an hour of both, every twenty seconds.
    for _ in 0..90 {
        for (index, world) in stacks.into_iter().enumerate() {
            let before = minted(world).len();
            let _ = keepers[index].refresh().await;
            let _ = callers[index].issue().await;
            for _ in before..minted(world).len() {
                mints[index].push(world.now());
            }
        }
        first.advance(20);
        if first.now() % 600 < 20 {
            first.ticket_arrives().await;
            stacks[1].ticket_arrives().await;
        }
    }
    for mints in &mints {
        assert!(mints.len() >= 2, "there was no contest: {mints:?}");
        assert!(mints.windows(2).all(|pair| pair[1] - pair[0] >= 300), "{mints:?}");
    }
    let named: f64 = callers.iter().map(|caller| caller.metrics.sum("ForeignMint")).sum();
    assert!(named >= 1.0);
}

#[tokio::test]
async fn a_code_that_is_refused_for_a_foreign_mint_comes_with_the_remedy() {
    let world = world().await;
    let (keeper, caller) = (Actor::new(&world), world.instance());
    keeper.refresh().await.unwrap();
    caller.issue().await.unwrap();
    world.wechat.foreign_mint();
    world.advance(301);
    // The refused token is replaced, and the stranger is named.
    caller.issue().await.unwrap();
    assert!((caller.metrics.sum("ForeignMint") - 1.0).abs() < f64::EPSILON);
    world.wechat.revoke_tokens();
    let problem = caller.issue().await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::WeChatTokenRejected);
    assert!(problem.remedy.unwrap().contains("another program mints tokens"));
    let report = keeper.diagnose().await;
    assert_eq!(report["failed"], json!(["token"]));
}

#[tokio::test]
async fn our_own_lost_answer_is_not_called_foreign() {
    let world = world().await;
    let (keeper, caller) = (Actor::new(&world), world.instance());
    keeper.refresh().await.unwrap();
    caller.issue().await.unwrap();
    world.advance(6601);
    world.ticket_arrives().await;
    // Minted, and the answer is lost: the old token dies in five minutes.
    world.wechat.inject(Fault::new(FaultKind::ResetAfter).on(Endpoint::ComponentToken).times(3));
    let answer = keeper.refresh().await.unwrap();
    assert_eq!(answer["last_mint_failed"], "WeChat.Unreachable");
    for _ in 0..20 {
        world.advance(30);
        let _ = keeper.refresh().await;
        caller.issue().await.unwrap();
    }
    let named = keeper.metrics.sum("ForeignMint") + caller.metrics.sum("ForeignMint");
    assert!(named.abs() < f64::EPSILON, "{named}");
}

#[tokio::test]
async fn with_minting_off_a_token_is_handed_over_and_none_is_ever_minted() {
    let world = world().await;
    let off = |services: &mut wechat_preauth::platform::Services| services.minting = false;
    let (keeper, caller) = (Actor::with(&world, off), world.instance_with(off));
    assert_eq!(keeper.refresh().await.unwrap_err().0, "Token.Missing");
    assert_eq!(caller.issue().await.unwrap_err().code, ProblemCode::TokenMissing);

    let token = handed_over(&world);
    let expires_at = world.now() + 7200;
    let put = |token: &str| json!({ "action": "put_token", "component_access_token": token, "expires_at": expires_at });
    let answer = keeper.invoke(put(token.expose_secret())).await.unwrap();
    assert_eq!((&answer["seconds_left"], &answer["component_appid"]), (&json!(7200), &json!(world.appid)));
    assert_eq!(world.state.component().await.unwrap().as_deref(), Some(world.appid.as_str()));
    assert_eq!(stored(&world).await.as_deref(), Some(token.expose_secret()));
    keeper.refresh().await.unwrap();
    caller.issue().await.unwrap();

    // In its last minutes, after 40001, by force: nothing is minted.
    world.advance(7100);
    keeper.refresh().await.unwrap();
    caller.issue().await.unwrap();
    world.wechat.revoke_tokens();
    assert_eq!(caller.issue().await.unwrap_err().code, ProblemCode::WeChatTokenRejected);
    for action in ["get_quota", "diagnose"] {
        let _ = keeper.invoke(json!({ "action": action })).await;
    }
    let forced = keeper.invoke(json!({ "action": "refresh", "force": true })).await.unwrap_err();
    assert_eq!(forced.0, "Request.Invalid");
    world.advance(200);
    assert_eq!(keeper.refresh().await.unwrap_err().0, "Token.Missing");
    assert_eq!(world.mints(), 0);
}

#[tokio::test]
async fn what_cannot_be_a_token_is_not_stored_and_not_repeated() {
    let world = world().await;
    let keeper = Actor::with(&world, |services| services.minting = false);
    let now = world.now();
    let long = "planted".repeat(200);
    for (token, expires_at, field) in [
        ("", now + 7200, "component_access_token"),
        (long.as_str(), now + 7200, "component_access_token"),
        ("planted with spaces", now + 7200, "component_access_token"),
        ("planted-令牌", now + 7200, "component_access_token"),
        ("planted", now, "expires_at"),
        ("planted", now - 1, "expires_at"),
        ("planted", now + 3 * 3600 + 1, "expires_at"),
        ("planted", (now + 7200) * 1000, "expires_at"),
        ("planted", i64::MIN, "expires_at"),
    ] {
        let put = json!({ "action": "put_token", "component_access_token": token, "expires_at": expires_at });
        let (code, problem) = keeper.invoke(put).await.unwrap_err();
        assert_eq!(code, "Request.Invalid");
        assert!(problem["detail"].as_str().unwrap().starts_with(field), "{problem}");
        assert!(!problem.to_string().contains("planted"), "{problem}");
    }
    assert_eq!((stored(&world).await, keeper.state.take().1), (None, 0));
}

#[tokio::test]
async fn put_token_is_refused_clearly_while_minting_is_on() {
    let world = world().await;
    let keeper = Actor::new(&world);
    let put = json!({
        "action": "put_token", "component_access_token": "planted", "expires_at": world.now() + 7200,
    });
    let (code, problem) = keeper.invoke(put).await.unwrap_err();
    assert_eq!(code, "Request.Invalid");
    assert!(problem["detail"].as_str().unwrap().starts_with("put_token is for MINTING=off"));
    assert_eq!(stored(&world).await, None);
}
