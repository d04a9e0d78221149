//! The AWS SDK's configuration: one HTTP client, and time limits that leave a request time for
//! an answer. And what the SDK's errors mean to the platform.

use std::time::Duration;

use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::config::retry::{ReconnectMode, RetryConfig};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_types::SdkConfig;

use super::environment::sdk_config;
use super::http::http_client;
use crate::platform::Cause;
use crate::tls::TrustRoots;

/// One attempt. AWS answers these calls in tens of milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
/// A call with all its retries. The callback has less than four seconds for two such calls.
const OPERATION_TIMEOUT: Duration = Duration::from_millis(3000);
/// Attempts of one call.
const MAX_ATTEMPTS: u32 = 3;
/// reqwest drops broken connections by itself. The SDK knows no connection of reqwest's that it could close.
pub const RECONNECT: ReconnectMode = ReconnectMode::ReuseAllConnections;

/// The shared configuration of all AWS clients.
pub struct Aws(SdkConfig);

impl Aws {
    /// Reads region, credentials and endpoints from the environment variables that the AWS SDK defines.
    ///
    /// # Errors
    /// When the TLS roots are refused.
    pub fn from_env(roots: &TrustRoots) -> Result<Self, String> {
        let http = http_client(roots).map_err(|error| format!("TLS for AWS cannot be set up: {error}"))?;
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(MAX_ATTEMPTS)
            .with_reconnect_mode(RECONNECT)
            .with_initial_backoff(Duration::from_millis(100));
        let config = sdk_config()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(timeouts)
            .retry_config(retries);
        Ok(Self(config.build()))
    }

    /// A DynamoDB client.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.0)
    }

    /// An EventBridge client.
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.0)
    }

    /// A Lambda client. An invocation waits for the function's work, and is not repeated: each one takes a code.
    pub fn lambda(&self, timeout: Duration) -> aws_sdk_lambda::Client {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(timeout).operation_timeout(timeout);
        let config = aws_sdk_lambda::config::Builder::from(&self.0)
            .timeout_config(timeouts.build())
            .retry_config(RetryConfig::disabled().with_reconnect_mode(RECONNECT));
        aws_sdk_lambda::Client::from_conf(config.build())
    }

    /// A Secrets Manager client.
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.0)
    }
}

/// The service's error code, or how the call failed, in words that hold no value; and the error behind it,
/// without the raw answer, which may hold secrets.
pub(super) fn cause<E, R>(error: SdkError<E, R>) -> Cause
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let message = match &error {
        SdkError::ServiceError(error) => error.err().code().unwrap_or("unknown error").to_owned(),
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "no answer in time".to_owned(),
        SdkError::DispatchFailure(_) => "no connection".to_owned(),
        SdkError::ConstructionFailure(_) => "the request could not be made".to_owned(),
        _ => "the answer could not be read".to_owned(),
    };
    match error.into_source() {
        Ok(source) => Cause::new(message, source),
        Err(_) => Cause::from(&*message),
    }
}
