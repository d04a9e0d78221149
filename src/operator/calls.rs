//! How the operators' calls are made: with a token that is replaced once when WeChat refuses it, or
//! with the credentials, which are read again once when WeChat refuses those.

use std::future::Future;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use crate::platform::Services;
use crate::platform::problem::{Problem, Result};
use crate::platform::retry::Attempts;
use crate::platform::token::{ActiveToken, TokenProvider};
use crate::wechat::errcode::{Endpoint, ErrcodeClass};
use crate::wechat::{CallError, TransportError};

/// The longest one call may take.
const LONGEST_CALL: Duration = Duration::from_secs(4);

/// Attempts of one call.
const MAX_CALLS: u32 = 3;

/// A call that reads, with a token. Repeated on passing faults; a refused token is replaced once, by
/// the token rules.
pub(super) async fn by_token<T, F>(
    services: &Services,
    tokens: &TokenProvider,
    api: Endpoint,
    deadline: Instant,
    call: impl Fn(ActiveToken, Duration) -> F,
) -> Result<T>
where
    F: Future<Output = std::result::Result<T, CallError>>,
{
    let mut held = tokens.get(deadline).await?;
    let mut attempts = Attempts::new(MAX_CALLS, LONGEST_CALL, deadline);
    let mut replaced = false;
    loop {
        let Some(timeout) = attempts.next_timeout() else {
            return Err(no_time(services, api));
        };
        let called = Instant::now();
        let answer = call(held.clone(), timeout).await;
        services.metrics.call(api.name(), called.elapsed());
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match &error {
            CallError::Refused(refusal)
                if refusal.meaning().class == ErrcodeClass::TokenRejected
                    && !std::mem::replace(&mut replaced, true) =>
            {
                held = tokens.replace(&held, refusal, deadline).await?;
            }
            _ if matches!(error.class(), None | Some(ErrcodeClass::Busy)) && attempts.pause().await => {}
            _ => return Err(services.record_call_failure(&error)),
        }
    }
}

/// A call that changes something, by appid and secret. Repeated only when it cannot have arrived, or
/// with credentials that have changed since they were read.
pub(super) async fn by_secret<T, F>(
    services: &Services,
    api: Endpoint,
    deadline: Instant,
    call: impl Fn(String, SecretString, Duration) -> F,
) -> Result<T>
where
    F: Future<Output = std::result::Result<T, CallError>>,
{
    let mut credentials = services.credentials.get().await?;
    let mut attempts = Attempts::new(MAX_CALLS, LONGEST_CALL, deadline);
    loop {
        let Some(timeout) = attempts.next_timeout() else {
            return Err(no_time(services, api));
        };
        let (appid, appsecret) = (credentials.component_appid.clone(), credentials.appsecret()?.clone());
        let called = Instant::now();
        let answer = call(appid, appsecret, timeout).await;
        services.metrics.call(api.name(), called.elapsed());
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match (&error, error.class()) {
            (_, Some(ErrcodeClass::AppId | ErrcodeClass::AppSecret)) => {
                let newest = services.credentials.reread().await.ok();
                match newest.filter(|newest| newest.version != credentials.version) {
                    Some(newest) => credentials = newest,
                    None => return Err(services.record_call_failure(&error)),
                }
            }
            (CallError::Transport(lost), _) if !lost.may_have_arrived() && attempts.pause().await => {}
            _ => return Err(services.record_call_failure(&error)),
        }
    }
}

fn no_time(services: &Services, api: Endpoint) -> Box<Problem> {
    services.record_call_failure(&CallError::Transport(TransportError::no_time(api)))
}
