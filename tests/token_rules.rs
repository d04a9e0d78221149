//! The token rules, by count: how often WeChat is asked for a token, whatever happens.

mod support;

use std::time::Duration;

use futures_util::future::join_all;
use secrecy::ExposeSecret as _;
use support::service::{Instance, TestService, soon};
use wechat_preauth::platform::{
    Lease, LeaseAttempt, MemoryCredentials, ProblemCode, SecretDocument, SecretsError, StoredToken,
    TokenItem, TokenStore as _,
};
use wechat_preauth::telemetry::metric;
use wechat_sim::{Endpoint, Fault, FaultKind};

/// Issues with all instances at once; every request must succeed.
async fn all_issue(instances: &[Instance]) {
    for result in join_all(instances.iter().map(Instance::issue)).await {
        result.unwrap();
    }
}

async fn stored(world: &TestService) -> StoredToken {
    world.state.token_item(&world.appid).await.unwrap().token.unwrap()
}

fn value(token: &StoredToken) -> String {
    token.value.expose_secret().to_owned()
}

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
async fn ten_thousand_requests_under_61004_make_a_handful_of_calls() {
    let world = TestService::new().await;
    let instances: Vec<_> = (0..4).map(|_| world.instance()).collect();
    world.wechat.set_whitelist(vec!["203.0.113.7".parse().unwrap()]);
    for _round in 0..50 {
        for result in join_all(instances.iter().cycle().take(200).map(Instance::issue)).await {
            let problem = result.unwrap_err();
            assert_eq!(problem.code, ProblemCode::ConfigEgressIpNotRegistered);
            assert_eq!(problem.client_ip.as_deref(), Some("127.0.0.1"));
        }
    }
    assert_eq!((world.mints(), world.code_calls()), (1, 0));
    // With a token in the table it is the code call that is refused.
    world.wechat.set_whitelist(Vec::new());
    world.advance(15);
    instances[0].issue().await.unwrap();
    world.wechat.set_whitelist(vec!["203.0.113.7".parse().unwrap()]);
    // In the course of five minutes, each instance asks again after 3, 6, 12, 24 and then every 30 seconds.
    for _round in 0..50 {
        for instance in instances.iter().cycle().take(200) {
            assert_eq!(instance.issue().await.unwrap_err().code, ProblemCode::ConfigEgressIpNotRegistered);
        }
        world.advance(6);
    }
    let refused = world.code_calls() - 1;
    assert!(refused <= instances.len() * 14, "{refused} refused code calls");
    assert_eq!(world.mints(), 2);
}

#[tokio::test]
async fn failed_mints_back_off_and_everybody_is_told_how_long() {
    let world = TestService::new().await;
    world.wechat.inject(Fault::errcode(61004).on(Endpoint::ComponentToken).forever());
    let (one, other) = (world.instance(), world.instance());
    let mut waits = Vec::new();
    for _failure in 0..6 {
        let first = one.issue().await.unwrap_err();
        let second = other.issue().await.unwrap_err();
        assert_eq!(first.retry_after, second.retry_after);
        let wait = first.retry_after.unwrap();
        waits.push(wait);
        world.advance(u64::try_from(wait).unwrap());
    }
    assert_eq!(waits, [15, 30, 60, 120, 240, 300]);
    assert_eq!(world.mints(), 6);
}

#[tokio::test]
async fn a_renewal_that_fails_keeps_the_old_token() {
    let world = TestService::new().await;
    let instance = world.instance();
    instance.issue().await.unwrap();
    world.wechat.inject(Fault::errcode(61006).on(Endpoint::ComponentToken).forever());
    world.advance(7200 - 200);
    for _request in 0..10 {
        instance.issue().await.unwrap();
    }
    assert_eq!(world.mints(), 2, "one renewal was tried, and then backed off");
    let kept = stored(&world).await;
    assert_eq!(kept.expires_at - world.now(), 200, "a refusal is a clear answer: the life stays");
}

#[tokio::test]
async fn the_holder_of_a_lease_who_dies_is_followed_after_15_seconds() {
    let world = TestService::new().await;
    let lease = Lease { holder: "dead".into(), expires_at: world.now() + 15 };
    let taken =
        world.state.take_lease(&world.appid, &TokenItem::default(), &lease, world.now()).await.unwrap();
    assert!(matches!(taken, LeaseAttempt::Taken));
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
async fn a_mint_whose_answer_is_lost_shortens_the_old_tokens_life() {
    let world = TestService::new().await;
    let keeper = world.keeper();
    keeper.tokens().refresh(false, soon()).await.unwrap();
    let old = stored(&world).await;
    world.wechat.inject(Fault::new(FaultKind::ResetAfter).on(Endpoint::ComponentToken).forever());
    world.advance(60);
    let held = keeper.tokens().refresh(true, soon()).await.unwrap();
    assert_eq!(value(&held.token), value(&old), "the old token is used meanwhile");
    let kept = stored(&world).await;
    assert_eq!((value(&kept), kept.expires_at - world.now()), (value(&old), 300));
    // The next mint clears it up before the old token dies, and nobody calls it foreign.
    world.wechat.clear_faults();
    world.advance(16);
    keeper.tokens().refresh(false, soon()).await.unwrap();
    assert_ne!(value(&stored(&world).await), value(&old));
    let instance = world.instance();
    instance.issue().await.unwrap();
    assert_eq!(instance.metrics.sum(metric::FOREIGN_MINT), 0.0);
}

#[tokio::test]
async fn a_connection_that_was_never_made_shortens_nothing() {
    let world = TestService::new().await;
    let keeper = world.keeper();
    keeper.tokens().refresh(false, soon()).await.unwrap();
    let old = stored(&world).await;
    world.wechat.stop().await;
    world.advance(60);
    keeper.tokens().refresh(true, soon()).await.unwrap();
    assert_eq!(stored(&world).await.expires_at, old.expires_at);
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
async fn codes_go_on_while_secrets_manager_is_down() {
    let world = TestService::new().await;
    world.instance().issue().await.unwrap();
    world.credentials.set(Err(SecretsError::Unavailable("down".into())));
    let cold = world.instance();
    for _request in 0..3 {
        cold.issue().await.unwrap();
    }
    let warmed = world.instance();
    warmed.issuer.tokens().warm_up().await;
    warmed.issue().await.unwrap();
    assert_eq!(world.mints(), 1);
    // Without a token the outage is the answer.
    world.advance(7200);
    assert_eq!(cold.issue().await.unwrap_err().code, ProblemCode::SecretsUnavailable);
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
async fn the_next_ticket_ends_a_ticket_problem_at_once() {
    let world = TestService::new().await;
    let instance = world.instance();
    world.wechat.inject(Fault::errcode(61005).on(Endpoint::ComponentToken));
    let problem = instance.issue().await.unwrap_err();
    assert_eq!((problem.code, problem.retry_after), (ProblemCode::TicketRejected, Some(600)));
    let again = instance.issue().await.unwrap_err();
    assert_eq!((again.code, again.retry_after), (ProblemCode::TicketRejected, Some(600)));
    assert_eq!(world.mints(), 1);
    world.advance(1);
    world.ticket_arrives().await;
    instance.issue().await.unwrap();
    assert_eq!(world.mints(), 2);
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

#[tokio::test]
async fn a_new_appsecret_is_read_before_the_error_is_believed() {
    let world = TestService::new().await;
    let right = world.wechat.config().component_appsecret.clone();
    let json = |secret: &str| {
        serde_json::json!({"component_appid": world.appid, "component_appsecret": secret}).to_string()
    };
    let document =
        |secret: &str, version: &str| SecretDocument { json: json(secret).into(), version: version.into() };
    world.credentials.set(Ok(document("wrong-secret-000000000000000000", "1")));
    let instance = world.instance();
    assert_eq!(instance.issuer.tokens().appid().await.unwrap(), world.appid);
    // The operator mends the secret; this instance still remembers the old one.
    world.credentials.set(Ok(document(&right, "2")));
    // The keeper of credentials reads again at most every ten seconds, counted from the first read.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    instance.issue().await.unwrap();
    assert_eq!(world.mints(), 2);
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

#[tokio::test]
async fn a_busy_wechat_is_asked_again() {
    let world = TestService::new().await;
    world.wechat.inject(Fault::errcode(-1).on(Endpoint::ComponentToken).times(2));
    world.wechat.inject(Fault::errcode(-1).on(Endpoint::CreatePreAuthCode).times(2));
    let instance = world.instance();
    instance.issue().await.unwrap();
    assert_eq!((world.mints(), world.code_calls()), (3, 3));
    world.wechat.inject(Fault::errcode(-1).on(Endpoint::CreatePreAuthCode).forever());
    assert_eq!(instance.issue().await.unwrap_err().code, ProblemCode::WeChatBusy);
    assert_eq!(world.code_calls(), 6);
}

#[tokio::test]
async fn a_sporadic_48001_on_the_mint_call_is_tried_once_more() {
    let world = TestService::new().await;
    world.wechat.inject(Fault::errcode(48001).on(Endpoint::ComponentToken));
    world.instance().issue().await.unwrap();
    assert_eq!(world.mints(), 2);
    let world = TestService::new().await;
    world.wechat.inject(Fault::errcode(48001).on(Endpoint::ComponentToken).forever());
    assert_eq!(world.instance().issue().await.unwrap_err().code, ProblemCode::WeChatUnauthorized);
    assert_eq!(world.mints(), 2);
}

#[tokio::test]
async fn the_second_host_answers_when_the_first_is_down() {
    let world = TestService::new().await;
    let dead = support::process::free_port();
    let hosts = format!("http://127.0.0.1:{dead},{}", world.wechat.url());
    let instance = world.instance_with(|services| {
        let http = wechat_preauth::wechat::http::http_client(&Default::default()).unwrap();
        let hosts = wechat_preauth::wechat::ApiHosts::parse(&hosts).unwrap();
        services.wechat = std::sync::Arc::new(wechat_preauth::wechat::Client::new(http, hosts));
    });
    instance.issue().await.unwrap();
    instance.issue().await.unwrap();
    assert_eq!((world.mints(), world.code_calls()), (1, 2));
}

#[tokio::test]
async fn a_wrong_secret_document_is_the_operators_problem() {
    let world = TestService::new().await;
    let instance = world.instance_with(|services| {
        let source = MemoryCredentials::new(r#"{"component_appid":"wx1"}"#);
        services.credentials = std::sync::Arc::new(wechat_preauth::platform::CredentialsCache::new(source));
    });
    let problem = instance.issue().await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::SecretsInvalid);
    assert!(problem.detail.contains("component_appsecret"), "{problem:?}");
}
