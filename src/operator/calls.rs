//! Makes the calls of operators: with a token, which is replaced when WeChat refuses it, or with appid and secret, which
//! are read again when WeChat refuses them.

use std::future::Future;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};

use super::Keeper;
use crate::platform::call::Attempts;
use crate::platform::problem::{Problem, ProblemCode, Result};
use crate::platform::token::ActiveToken;
use crate::wechat::CallError;
use crate::wechat::errcode::{Endpoint, ErrcodeClass};

/// The longest that one attempt may take.
const LONGEST_CALL: Duration = Duration::from_secs(4);

/// Attempts of one call.
const MAX_CALLS: u32 = 3;

impl Keeper {
    /// A call that reads, with a token.
    pub(super) async fn by_token<T, F>(
        &self,
        endpoint: Endpoint,
        deadline: Instant,
        attempt: impl Fn(ActiveToken, Duration) -> F,
    ) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, CallError>>,
    {
        let answer = self.tokens().call(endpoint, deadline, attempt).await;
        answer.map_err(|failure| failure.record(&self.services))
    }

    /// A call that changes something, by appid and secret. Repeated only when it cannot have arrived, or with
    /// credentials that have changed since they were read.
    ///
    /// The state table is read first, although the call needs nothing of it: a function that may not read the table is
    /// not in its network, and must not show WeChat an address that is not registered.
    pub(super) async fn by_secret<T, F>(
        &self,
        endpoint: Endpoint,
        deadline: Instant,
        attempt: impl Fn(String, SecretString, Duration) -> F,
    ) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, CallError>>,
    {
        let services = &self.services;
        let mut credentials = services.credentials.get().await?;
        let state = services.tokens.token_item(&credentials.component_appid);
        timeout_at(deadline, state)
            .await
            .map_err(|_elapsed| Problem::no_answer_in_time(ProblemCode::StateUnavailable))??;
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
                    let class = refusal.meaning().class;
                    matches!(class, ErrcodeClass::AppId | ErrcodeClass::AppSecret)
                        && services.credentials.replace_refused(&mut credentials).await
                }
                CallError::Transport(lost) => !lost.may_have_arrived(),
            };
            if !again || !attempts.pause().await {
                return Err(services.record_call_failure(&error));
            }
        }
    }
}

/// Logs a problem that does not end the action.
pub(super) fn log(problem: &Problem, message: &str) {
    tracing::warn!(
        code = problem.code.as_str(),
        detail = problem.detail,
        errcode = problem.errcode,
        rid = problem.rid,
        client_ip = problem.client_ip,
        remedy = problem.remedy,
        "{message}"
    );
}
