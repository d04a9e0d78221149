//! How the operators' calls are made: with a token that is replaced when WeChat refuses it, or with the
//! credentials, which are read again when WeChat refuses those.

use std::future::Future;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use crate::platform::Services;
use crate::platform::call::Attempts;
use crate::platform::problem::Result;
use crate::platform::token::{ActiveToken, TokenProvider};
use crate::wechat::CallError;
use crate::wechat::errcode::{Endpoint, ErrcodeClass};

/// The longest that one attempt may take.
const LONGEST_CALL: Duration = Duration::from_secs(4);

/// Attempts of one call.
const MAX_CALLS: u32 = 3;

/// A call that reads, with a token.
pub(super) async fn by_token<T, F>(
    services: &Services,
    tokens: &TokenProvider,
    endpoint: Endpoint,
    deadline: Instant,
    attempt: impl Fn(ActiveToken, Duration) -> F,
) -> Result<T>
where
    F: Future<Output = std::result::Result<T, CallError>>,
{
    tokens.call(endpoint, deadline, attempt).await.map_err(|failure| failure.record(services))
}

/// A call that changes something, by appid and secret. Repeated only when it cannot have arrived, or with
/// credentials that have changed since they were read.
pub(super) async fn by_secret<T, F>(
    services: &Services,
    endpoint: Endpoint,
    deadline: Instant,
    attempt: impl Fn(String, SecretString, Duration) -> F,
) -> Result<T>
where
    F: Future<Output = std::result::Result<T, CallError>>,
{
    let mut credentials = services.credentials.get().await?;
    let mut attempts = Attempts::new(MAX_CALLS, LONGEST_CALL, deadline);
    loop {
        let (appid, appsecret) = (credentials.component_appid.clone(), credentials.appsecret()?.clone());
        let made = attempts.make(services, endpoint, |timeout| attempt(appid, appsecret, timeout)).await;
        let error = match made {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let again = match &error {
            CallError::Refused(refusal) => {
                let wrong = matches!(refusal.meaning().class, ErrcodeClass::AppId | ErrcodeClass::AppSecret);
                wrong && services.credentials.replace_refused(&mut credentials).await
            }
            CallError::Transport(lost) => !lost.may_have_arrived(),
        };
        if !again || !attempts.pause().await {
            return Err(services.record_call_failure(&error));
        }
    }
}
