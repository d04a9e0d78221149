//! What a cold environment learns before its first request.

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use support::hanging::Hanging;
use support::service::TestService;
use wechat_preauth::api::preauthcode::PreAuthCodeHandler;
use wechat_preauth::platform::{
    CredentialsCache, CredentialsSource, SecretDocument, SecretsError, TokenStore as _,
};
use wechat_preauth::start;
use wechat_preauth::tls::TrustRoots;
use wechat_preauth::wechat::http::http_client;
use wechat_preauth::wechat::{ApiHosts, Client};
use wechat_sim::Endpoint;

/// A secret that never answers.
struct Hangs;

#[async_trait]
impl CredentialsSource for Hangs {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_token_found_in_the_table_is_kept_although_the_secret_never_answers() {
    let world = TestService::new().await;
    world.instance().issue().await.unwrap();

    let mut services = world.services();
    services.credentials = Arc::new(CredentialsCache::new(Hangs));
    let function = PreAuthCodeHandler::new(services.clone());
    // The clock of this part runs by itself.
    tokio::time::pause();
    start::warm_up(&services, function.tokens()).await;
    tokio::time::resume();

    // The table cannot tell the component any more: only the memory of this environment can.
    world.state.remember_component("wx0000000000000000").await.unwrap();
    let request = lambda_http::request::from_str("{}").unwrap();
    let answer = function.handle(request).await.unwrap();
    let answer: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(answer["component_appid"], world.appid.as_str());
    assert_eq!(world.mints(), 1);
    assert_eq!(world.wechat.calls(Endpoint::CreatePreAuthCode), 2);
}

/// A WeChat that takes connections and never answers on them.
#[tokio::test]
async fn the_start_does_not_wait_for_wechat() {
    let world = TestService::new().await;
    world.instance().issue().await.unwrap();
    let hanging = Hanging::start();
    let mut services = world.services();
    let http = http_client(&TrustRoots::default()).unwrap();
    services.wechat = Arc::new(Client::new(http, ApiHosts::parse(&hanging.url).unwrap()));
    let function = PreAuthCodeHandler::new(services.clone());
    // Time moves on by itself as soon as nothing but time is waited for.
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    start::warm_up(&services, function.tokens()).await;
    assert_eq!(started.elapsed(), std::time::Duration::ZERO);
    tokio::time::resume();
    // But the connection is on its way.
    while hanging.connections() == 0 {
        tokio::task::yield_now().await;
    }
}
