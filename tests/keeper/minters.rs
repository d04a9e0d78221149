//! Minting: none while `MINTING` is off, and with two minters each mints at most once in five minutes.

use secrecy::ExposeSecret as _;
use serde_json::json;
use wechat_preauth::platform::{ProblemCode, TokenStore as _};
use wechat_sim::{Endpoint, Fault, FaultKind};

use crate::harness::{KeeperHarness, handed_over, stored, world};
use crate::support::service::{Instance, TestService};

/// Another stack for the same component: the same WeChat, a state of its own.
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

#[tokio::test]
async fn two_minters_mint_at_most_once_each_in_five_minutes_and_are_reported() {
    let first = world().await;
    let stacks = [&first, &second_stack(&first).await];
    let keepers = stacks.map(KeeperHarness::new);
    let callers: [Instance; 2] = stacks.map(TestService::instance);
    let mut mints: [Vec<i64>; 2] = Default::default();
    // Both run for half an hour, every twenty seconds.
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
        assert!(mints.len() >= 2, "only one of them minted: {mints:?}");
        assert!(mints.windows(2).all(|pair| pair[1] - pair[0] >= 300), "{mints:?}");
    }
    let named: f64 = callers.iter().map(|caller| caller.metrics.sum("ForeignMint")).sum();
    assert!(named >= 1.0);
}

#[tokio::test]
async fn a_code_that_is_refused_for_a_foreign_mint_comes_with_the_remedy() {
    let world = world().await;
    let (keeper, caller) = (KeeperHarness::new(&world), world.instance());
    keeper.refresh().await.unwrap();
    caller.issue().await.unwrap();
    world.wechat.foreign_mint();
    world.advance(301);
    // The refused token is replaced, and the foreign mint is reported.
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
async fn a_token_refused_within_five_minutes_of_its_mint_is_not_reported_as_foreign() {
    let world = world().await;
    let (keeper, caller) = (KeeperHarness::new(&world), world.instance());
    keeper.refresh().await.unwrap();
    caller.issue().await.unwrap();
    // WeChat ends an old token within five minutes of a mint, so this may still be the end of ours.
    world.wechat.revoke_tokens();
    let reported = |expected: f64| {
        let named = keeper.metrics.sum("ForeignMint") + caller.metrics.sum("ForeignMint");
        assert!((named - expected).abs() < f64::EPSILON, "{named} != {expected}");
    };
    for age in [100, 299] {
        world.advance(age - u64::try_from(7200 - seconds_left(&world).await).unwrap());
        assert_eq!(caller.issue().await.unwrap_err().code, ProblemCode::WeChatTokenRejected);
        let quota = keeper.invoke(json!({ "action": "get_quota" })).await;
        assert_eq!(quota.unwrap_err().0, "WeChat.TokenRejected");
        reported(0.0);
    }
    assert_eq!(world.mints(), 1);
    world.advance(1);
    caller.issue().await.unwrap();
    reported(1.0);
    assert_eq!(world.mints(), 2);
}

/// Seconds until the stored token expires.
async fn seconds_left(world: &TestService) -> i64 {
    let item = world.state.token_item(&world.appid).await.unwrap();
    item.token.unwrap().expires_at - world.now()
}

#[tokio::test]
async fn a_mint_of_ours_whose_answer_was_lost_is_not_reported_as_foreign() {
    let world = world().await;
    let (keeper, caller) = (KeeperHarness::new(&world), world.instance());
    keeper.refresh().await.unwrap();
    caller.issue().await.unwrap();
    world.advance(6601);
    world.ticket_arrives().await;
    // WeChat mints, and the answer is lost: the old token ends within five minutes.
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
    let (keeper, caller) = (KeeperHarness::with(&world, off), world.instance_with(off));
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
