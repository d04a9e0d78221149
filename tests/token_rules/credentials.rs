//! Credentials that cannot be read, are wrong, or have changed.

use std::time::Duration;

use wechat_preauth::platform::{MemoryCredentials, ProblemCode, SecretDocument, SecretsError};

use crate::support::service::TestService;

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
