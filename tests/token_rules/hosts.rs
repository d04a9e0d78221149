//! Connections and hosts that are no longer good.

use std::sync::Arc;

use wechat_preauth::platform::ProblemCode;
use wechat_preauth::platform::Services;
use wechat_preauth::tls::TrustRoots;
use wechat_preauth::wechat::http::http_client;
use wechat_preauth::wechat::{ApiHosts, Client};
use wechat_sim::{Endpoint, Fault, FaultKind};

use crate::stored;
use crate::support::process::free_port;
use crate::support::service::{TestService, soon};

/// WeChat closes every connection that the instance has in its pool.
async fn pooled_connections_go_stale(world: &TestService) {
    world.wechat.stop().await;
    world.wechat.resume().await.unwrap();
}

#[tokio::test]
async fn a_stale_connection_costs_no_code_and_no_mint() {
    let world = TestService::new().await;
    let keeper = world.keeper();
    keeper.tokens().refresh(false, soon()).await.unwrap();
    let instance = world.instance();
    for codes in 1..=5 {
        instance.issue().await.unwrap();
        assert_eq!((world.mints(), world.code_calls()), (1, codes));
        pooled_connections_go_stale(&world).await;
    }
    keeper.tokens().refresh(true, soon()).await.unwrap();
    assert_eq!(world.mints(), 2);
    assert!(!stored(&world).await.uncertain, "nothing was sent over the stale connection");
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_replaced() {
    let world = TestService::new().await;
    let instance = world.instance();
    instance.issue().await.unwrap();
    world.wechat.inject(Fault::new(FaultKind::Close).on(Endpoint::CreatePreAuthCode));
    instance.issue().await.unwrap();
    assert_eq!((world.mints(), world.wechat.codes_issued()), (1, 2));
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
