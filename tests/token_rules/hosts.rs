//! Connections and hosts that are no longer good.

use std::sync::Arc;

use tokio::runtime::Builder;
use wechat_preauth::platform::{ProblemCode, Services};
use wechat_preauth::tls::TrustRoots;
use wechat_preauth::wechat::http::http_client;
use wechat_preauth::wechat::{ApiHosts, Client};
use wechat_sim::{Endpoint, Fault, FaultKind};

use crate::stored;
use crate::support::process::free_port;
use crate::support::service::{TestService, soon};

/// WeChat closes every connection while the environment is frozen: the instance's runtime is a second one, which does
/// not run meanwhile and so does not notice.
#[test]
fn a_connection_that_went_stale_in_a_frozen_environment_costs_no_code_and_no_mint() {
    let outside = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let environment = Builder::new_current_thread().enable_all().build().unwrap();
    let world = outside.block_on(TestService::new());
    let goes_stale = || {
        outside.block_on(async {
            world.wechat.stop().await;
            world.wechat.resume().await.unwrap();
        });
    };
    let (instance, keeper) = (world.instance(), world.keeper());
    for calls in 1..=5 {
        environment.block_on(instance.issue()).unwrap();
        assert_eq!((world.code_calls(), world.mints()), (calls, 1));
        goes_stale();
    }
    // The service cannot know that its call never arrived, so such a token may be stored as uncertain.
    for mints in 2..=5 {
        environment.block_on(keeper.tokens().refresh(true, soon())).unwrap();
        assert_eq!(world.mints(), mints);
        goes_stale();
    }
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_replaced() {
    let world = TestService::new().await;
    let instance = world.instance();
    instance.issue().await.unwrap();
    world.wechat.inject(Fault::new(FaultKind::Close).on(Endpoint::CreatePreAuthCode));
    instance.issue().await.unwrap();
    assert_eq!((world.mints(), world.wechat.codes_issued()), (1, 2));
    // A mint call that was sent and not answered may have been processed.
    world.wechat.inject(Fault::new(FaultKind::Close).on(Endpoint::ComponentToken));
    instance.issuer.tokens().refresh(true, soon()).await.unwrap();
    assert_eq!((world.mints(), stored(&world).await.uncertain), (3, true));
}

fn hosts(services: &mut Services, origins: &str) {
    let http = http_client(&TrustRoots::default()).unwrap();
    services.wechat = Arc::new(Client::new(http, ApiHosts::parse(origins).unwrap()));
}

#[tokio::test]
async fn while_all_hosts_cool_down_the_next_request_is_sent_all_the_same() {
    let world = TestService::new().await;
    let only = world.instance();
    let two = format!("{},http://127.0.0.1:{}", world.wechat.url(), free_port());
    let both = world.instance_with(|services| hosts(services, &two));
    for instance in [&only, &both] {
        instance.issue().await.unwrap();
    }
    world.wechat.stop().await;
    for instance in [&only, &both] {
        assert_eq!(instance.issue().await.unwrap_err().code, ProblemCode::WeChatUnreachable);
    }
    // Long before the minute of their cool-down is over.
    world.wechat.resume().await.unwrap();
    for instance in [&only, &both] {
        instance.issue().await.unwrap();
    }
    assert_eq!((world.mints(), world.wechat.codes_issued()), (1, 4));
}
