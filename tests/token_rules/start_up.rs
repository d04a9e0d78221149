//! Environments that start while Secrets Manager hangs. `tests/start.rs` has `preauthcode` with its warm-up.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout};
use wechat_preauth::operator::Keeper;
use wechat_preauth::platform::{
    CredentialsCache, CredentialsSource, ProblemCode, Role, SecretDocument, SecretsError,
};

use crate::timed_service::{A, LIMIT, TimedInstance, TimedService, secs};

/// A secret that takes this long to fail, or never answers.
struct Hangs(Option<u64>);

#[async_trait]
impl CredentialsSource for Hangs {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        match self.0 {
            Some(seconds) => tokio::time::sleep(secs(seconds)).await,
            None => std::future::pending().await,
        }
        Err(SecretsError::Unavailable("no answer in time".into()))
    }
}

fn without_the_secret(service: &TimedService, secret: Hangs) -> TimedInstance {
    service.instance(Role::Caller, |services| services.credentials = Arc::new(CredentialsCache::new(secret)))
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_cut_off_leaves_the_token_of_the_table_and_codes_are_issued() {
    let service = TimedService::new().await;
    service.caller().issue().await.unwrap();
    let instance = without_the_secret(&service, Hangs(None));
    timeout(secs(3), instance.issuer.tokens().warm_up()).await.unwrap_err();
    for _request in 0..3 {
        // A failed read of the secret is remembered for 5 s.
        sleep(secs(6)).await;
        let began = Instant::now();
        let issued = timeout(LIMIT, instance.issue()).await.expect("it waits for the secret");
        assert_eq!(issued.unwrap().component_appid, A);
        assert!(began.elapsed() <= secs(1), "{:?}", began.elapsed());
    }
    assert_eq!(service.wechat.mints(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_keeper_whose_secret_hangs_finds_the_token_fresh() {
    let service = TimedService::new().await;
    service.caller().issue().await.unwrap();
    let mut services = None;
    let _unused = service.instance(Role::Keeper, |built| {
        built.credentials = Arc::new(CredentialsCache::new(Hangs(None)));
        services = Some(built.clone());
    });
    let keeper = Keeper::new(services.unwrap());
    timeout(secs(3), keeper.tokens().warm_up()).await.unwrap_err();
    let refreshed = keeper.refresh(false, Instant::now() + secs(20)).await.unwrap();
    assert_eq!((refreshed.component_appid.as_str(), refreshed.renewed), (A, false));
    assert!(refreshed.token_seconds_left > 7000);
    assert_eq!(service.wechat.mints(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_times_out_is_an_outage_only_while_there_is_no_token() {
    let service = TimedService::new().await;
    let instance = without_the_secret(&service, Hangs(Some(4)));
    assert_eq!(instance.issue().await.unwrap_err().code, ProblemCode::SecretsUnavailable);
    assert_eq!(service.wechat.seen().len(), 0);
    service.caller().issue().await.unwrap();
    assert_eq!(instance.issue().await.unwrap().component_appid, A);
    assert_eq!(service.wechat.mints(), 1);
}
