//! What a failed mint costs, and how long it counts.

use futures_util::future::join_all;
use wechat_preauth::platform::ProblemCode;
use wechat_preauth::telemetry::metric;
use wechat_sim::{Endpoint, Fault, FaultKind};

use crate::support::process;
use crate::support::service::{Instance, TestService, soon};
use crate::{stored, value};

#[tokio::test]
async fn failed_mints_back_off_and_everybody_is_told_how_long() {
    let world = TestService::new().await;
    world.wechat.inject(Fault::errcode(48001).on(Endpoint::ComponentToken).forever());
    let (one, other) = (world.instance(), world.instance());
    for (mints, wait) in [15, 30, 60, 120, 240, 300, 300].into_iter().enumerate() {
        for instance in [&one, &other] {
            assert_eq!(instance.issue().await.unwrap_err().retry_after, Some(wait));
        }
        assert_eq!(world.mints(), 2 * (mints + 1), "48001 is tried twice, and then backed off");
        world.advance(u64::try_from(wait).unwrap());
    }
}

#[tokio::test]
async fn a_refused_address_pauses_mints_for_15_seconds_however_often() {
    let world = TestService::new().await;
    world.wechat.inject(Fault::errcode(61004).on(Endpoint::ComponentToken).forever());
    let instance = world.instance();
    for mints in 1..=6 {
        assert_eq!(instance.issue().await.unwrap_err().retry_after, Some(15));
        assert_eq!(world.mints(), mints);
        world.advance(15);
    }
    world.wechat.clear_faults();
    instance.issue().await.unwrap();
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
async fn a_mint_whose_answer_is_lost_shortens_the_old_tokens_life() {
    let world = TestService::new().await;
    let keeper = world.keeper();
    keeper.tokens().refresh(false, soon()).await.unwrap();
    let old = stored(&world).await;
    world.wechat.inject(Fault::new(FaultKind::ResetAfter).on(Endpoint::ComponentToken).forever());
    world.advance(400);
    assert_eq!(keeper.tokens().refresh(true, soon()).await.unwrap_err().code, ProblemCode::WeChatUnreachable);
    let used = keeper.tokens().get(soon()).await.unwrap();
    assert_eq!(value(&used.token), value(&old), "the old token is used meanwhile");
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
    assert_eq!(keeper.tokens().refresh(true, soon()).await.unwrap_err().code, ProblemCode::WeChatUnreachable);
    assert_eq!(stored(&world).await.expires_at, old.expires_at);
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
    let dead = process::free_port();
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
