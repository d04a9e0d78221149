//! Builds the services of a function from its configuration, and prepares them for the first request. `preauthcode`
//! and `keeper` start here; `callback` and `authorize` have files of their own.

pub mod authorize;
pub mod callback;

use std::sync::Arc;
use std::time::Duration;

use crate::aws::{Aws, DynamoDbState, SecretsManagerCredentials};
use crate::config::{CommonConfig, Config};
use crate::platform::{CredentialsCache, Services, SystemClock, TokenProvider};
use crate::telemetry::Metrics;
use crate::tls::{TrustError, TrustRoots};
use crate::wechat;

/// How long a function prepares its first request. Lambda allows ten seconds. A function that is not ready by then
/// answers requests nevertheless.
const WARM_UP: Duration = Duration::from_secs(3);

/// Why a function cannot start. `main` prints its error with `Debug`, so `Debug` shows the message.
pub struct StartError(Box<dyn std::error::Error + Send + Sync>);

impl std::fmt::Debug for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for StartError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// Builds what `preauthcode` and `keeper` work with.
///
/// # Errors
/// When TLS cannot be set up, or the extra CA file is unusable.
pub fn services(config: &Config) -> Result<Services, StartError> {
    let roots = roots(&config.common)?;
    let aws = Aws::from_env(&roots)?;
    let state = state(&aws, &config.common);
    let http = wechat::http::http_client(&roots)?;
    Ok(Services {
        clock: Arc::new(SystemClock),
        tokens: state.clone(),
        tickets: state,
        credentials: credentials(&aws, &config.credentials_secret_id),
        wechat: Arc::new(wechat::Client::new(http, config.wechat_api_hosts.clone())),
        egress: config.egress_ips.clone(),
        pages: config.page_origins.clone(),
        minting: config.minting,
        metrics: metrics(&config.common),
    })
}

fn roots(config: &CommonConfig) -> Result<TrustRoots, TrustError> {
    config.tls_extra_ca_file.as_deref().map_or_else(|| Ok(TrustRoots::default()), TrustRoots::with_extra_file)
}

fn credentials(aws: &Aws, secret_id: &str) -> Arc<CredentialsCache> {
    Arc::new(CredentialsCache::new(SecretsManagerCredentials::new(aws.secrets_manager(), secret_id.into())))
}

fn state(aws: &Aws, config: &CommonConfig) -> Arc<DynamoDbState> {
    Arc::new(DynamoDbState::new(aws.dynamodb(), config.state_table.clone()))
}

fn metrics(config: &CommonConfig) -> Metrics {
    Metrics::stdout(&config.metrics_namespace, &config.service_name)
}

/// Reads the credentials and the token item, and begins to connect to WeChat. A failure here stops nothing: the first
/// request tries again.
pub async fn warm_up(services: &Services, tokens: &TokenProvider) {
    // Not waited for: the first request may need the connection only after a mint, or find it just in time.
    let wechat = services.wechat.clone();
    tokio::spawn(async move { wechat.preconnect(WARM_UP).await });
    within(WARM_UP, tokens.warm_up()).await;
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) {
    if tokio::time::timeout(limit, work).await.is_err() {
        tracing::warn!(
            limit_ms = limit.as_millis() as u64,
            "start-up is slow; the first request does the rest"
        );
    }
}
