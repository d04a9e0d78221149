//! From configuration to working parts, for all three binaries.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::aws::{Aws, DynamoDbState, EventBridgeBus, SecretsManagerCredentials};
use crate::config::{CallbackConfig, Config};
use crate::platform::{CredentialsCache, PushServices, Services, SystemClock, TokenProvider};
use crate::telemetry::Metrics;
use crate::tls::TrustRoots;
use crate::wechat;

/// How long start-up may take to prepare the first request. Lambda allows ten seconds; a function
/// that is not ready by then serves all the same.
const WARM_UP: Duration = Duration::from_secs(3);

/// The same for the callback: a push may be waiting for the start-up, and WeChat waits five seconds in all.
const WARM_UP_PUSH: Duration = Duration::from_millis(1000);

/// Why a function cannot start. `main` prints its error with `Debug`, so that is the message itself.
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

/// Builds the parts that a function with AWS behind it works with.
///
/// # Errors
/// When TLS cannot be set up, or the extra CA file is unusable.
pub async fn services(config: &Config) -> Result<Services, StartError> {
    let roots = roots(config.tls_extra_ca_file.as_deref())?;
    let aws = Aws::from_env(&roots).await?;
    let credentials =
        SecretsManagerCredentials::new(aws.secrets_manager(), config.credentials_secret_id.clone());
    let state = Arc::new(DynamoDbState::new(aws.dynamodb(), config.state_table.clone()));
    Ok(Services {
        clock: Arc::new(SystemClock),
        tokens: state.clone(),
        tickets: state,
        credentials: Arc::new(CredentialsCache::new(credentials)),
        wechat: Arc::new(wechat::Client::new(
            wechat::http::http_client(&roots)?,
            config.wechat_api_hosts.clone(),
        )),
        egress: config.egress_ips.clone(),
        minting: config.minting,
        metrics: Metrics::stdout(&config.metrics_namespace, &config.service_name),
    })
}

/// Builds what the callback works with: AWS only, it never calls WeChat.
///
/// # Errors
/// When TLS cannot be set up, or the extra CA file is unusable.
pub async fn push_services(config: &CallbackConfig) -> Result<PushServices, StartError> {
    let aws = Aws::from_env(&roots(config.tls_extra_ca_file.as_deref())?).await?;
    let credentials =
        SecretsManagerCredentials::new(aws.secrets_manager(), config.credentials_secret_id.clone());
    Ok(PushServices {
        clock: Arc::new(SystemClock),
        tickets: Arc::new(DynamoDbState::new(aws.dynamodb(), config.state_table.clone())),
        credentials: Arc::new(CredentialsCache::new(credentials)),
        bus: Arc::new(EventBridgeBus::new(aws.eventbridge(), config.event_bus_name.clone())),
        metrics: Metrics::stdout(&config.metrics_namespace, &config.service_name),
    })
}

fn roots(extra_ca_file: Option<&Path>) -> Result<TrustRoots, StartError> {
    Ok(match extra_ca_file {
        Some(path) => TrustRoots::with_extra_file(path)?,
        None => TrustRoots::default(),
    })
}

/// Reads the credentials and opens the connection to the table, both at once. What fails here fails
/// nothing: the first push tries again.
pub async fn warm_up_push(push_services: &PushServices) {
    let work = async {
        // The read is for its connection. No appid is needed for that, and tickets are all that this
        // function's role may read.
        tokio::join!(push_services.credentials.get(), push_services.tickets.ticket_item("warm-up"))
    };
    if tokio::time::timeout(WARM_UP_PUSH, work).await.is_err() {
        tracing::warn!(limit_ms = WARM_UP_PUSH.as_millis() as u64, "start-up took too long; going on");
    }
}

/// Reads the credentials and the token item and opens the connection to WeChat, all at once. What
/// fails here fails nothing: the first request tries again.
pub async fn warm_up(services: &Services, tokens: &TokenProvider) {
    let work = async {
        tokio::join!(tokens.warm_up(), services.wechat.preconnect(WARM_UP));
    };
    if tokio::time::timeout(WARM_UP, work).await.is_err() {
        tracing::warn!(limit_ms = WARM_UP.as_millis() as u64, "start-up took too long; going on");
    }
}
