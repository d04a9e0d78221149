//! How the operators' calls are made: with a token that is replaced once when WeChat refuses it, or
//! with the credentials, which are read again once when WeChat refuses those.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::platform::problem::{Problem, Result};
use crate::platform::retry::Attempts;
use crate::platform::token::{Held, TokenKeeper};
use crate::platform::{Credentials, Outside};
use crate::wechat::errcode::{Api, Class};
use crate::wechat::{CallError, TransportError};

/// The longest one call may take.
const LONGEST_CALL: Duration = Duration::from_secs(4);

/// Attempts of one call.
const MAX_CALLS: u32 = 3;

/// A call that reads, with a token. Repeated on passing faults; a refused token is replaced once, by
/// the token rules.
pub(super) async fn by_token<T, F>(
    outside: &Outside,
    tokens: &TokenKeeper,
    api: Api,
    deadline: Instant,
    call: impl Fn(Held, Duration) -> F,
) -> Result<T>
where
    F: Future<Output = std::result::Result<T, CallError>>,
{
    let mut held = tokens.get(deadline).await?;
    let mut attempts = Attempts::new(MAX_CALLS, LONGEST_CALL, deadline);
    let mut replaced = false;
    loop {
        let Some(timeout) = attempts.next_timeout() else {
            return Err(no_time(outside, api));
        };
        let called = Instant::now();
        let answer = call(held.clone(), timeout).await;
        outside.metrics.call(api.name(), called.elapsed());
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match error.class() {
            Some(Class::TokenRejected) if !std::mem::replace(&mut replaced, true) => {
                held = tokens.replace(&held, deadline).await?;
            }
            None | Some(Class::Busy) if attempts.pause().await => {}
            _ => return Err(outside.failed(&error)),
        }
    }
}

/// A call that changes something, by appid and secret. Repeated only when it cannot have arrived, or
/// with credentials that have changed since they were read.
pub(super) async fn by_secret<T, F>(
    outside: &Outside,
    api: Api,
    deadline: Instant,
    call: impl Fn(Arc<Credentials>, Duration) -> F,
) -> Result<T>
where
    F: Future<Output = std::result::Result<T, CallError>>,
{
    let mut credentials = outside.credentials.get().await?;
    let mut attempts = Attempts::new(MAX_CALLS, LONGEST_CALL, deadline);
    loop {
        let Some(timeout) = attempts.next_timeout() else {
            return Err(no_time(outside, api));
        };
        let called = Instant::now();
        let answer = call(credentials.clone(), timeout).await;
        outside.metrics.call(api.name(), called.elapsed());
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match (&error, error.class()) {
            (_, Some(Class::AppId | Class::AppSecret)) => {
                let newest = outside.credentials.reread().await.ok();
                match newest.filter(|newest| newest.version != credentials.version) {
                    Some(newest) => credentials = newest,
                    None => return Err(outside.failed(&error)),
                }
            }
            (CallError::Transport(lost), _) if !lost.may_have_arrived() && attempts.pause().await => {}
            _ => return Err(outside.failed(&error)),
        }
    }
}

fn no_time(outside: &Outside, api: Api) -> Box<Problem> {
    outside.failed(&CallError::Transport(TransportError::no_time(api)))
}
