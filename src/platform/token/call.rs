//! A call that sends the token: a token that WeChat refuses is replaced.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::memory::ActiveToken;
use super::provider::TokenProvider;
use super::rules::REMINT_AFTER;
use crate::platform::call::Attempts;
use crate::platform::problem::Problem;
use crate::platform::services::Services;
use crate::wechat::{CallError, Endpoint, ErrcodeClass};

/// The longest that one attempt may take.
const LONGEST_CALL: Duration = Duration::from_secs(4);

/// Attempts with one token. A code whose answer is lost is wasted, which harms nobody.
const MAX_CALLS: u32 = 3;

/// Tokens tried: the one in memory, one that another instance has stored since, and one that is minted when
/// neither works.
const MAX_TOKENS: u32 = 3;

/// Why a call brought no answer.
#[derive(Debug)]
pub enum CallFailure {
    /// WeChat refused it or gave no usable answer.
    Call(CallError),
    /// No token is available.
    Problem(Box<Problem>),
}

impl From<Box<Problem>> for CallFailure {
    fn from(problem: Box<Problem>) -> Self {
        Self::Problem(problem)
    }
}

impl CallFailure {
    /// Converts the failure into a problem. Counts and logs it if WeChat refused the egress address.
    pub(crate) fn record(self, services: &Services) -> Box<Problem> {
        match self {
            Self::Call(error) => services.record_call_failure(&error),
            Self::Problem(problem) => problem,
        }
    }
}

impl TokenProvider {
    /// Makes a call with the token. It is repeated when WeChat is busy or gives no answer, and made again with
    /// another token when WeChat refuses this one.
    ///
    /// # Errors
    /// Why there is no answer, or no token.
    pub async fn call<T, F>(
        &self,
        endpoint: Endpoint,
        deadline: Instant,
        attempt: impl Fn(ActiveToken, Duration) -> F,
    ) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let services = &self.services;
        let first_attempts = || Attempts::new(MAX_CALLS, LONGEST_CALL, deadline);
        let (mut attempts, mut tokens_left) = (first_attempts(), MAX_TOKENS);
        let mut token = self.get(deadline).await?;
        loop {
            let error =
                match attempts.make(services, endpoint, |timeout| attempt(token.clone(), timeout)).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                };
            match &error {
                CallError::Refused(refusal) if refusal.meaning().class == ErrcodeClass::TokenRejected => {
                    tokens_left -= 1;
                    if tokens_left == 0 {
                        // One token after another was refused, the last of them just stored or minted.
                        return Err(
                            Problem::token_rejected(Some(refusal), services.minting, REMINT_AFTER).into()
                        );
                    }
                    token = self.replace(&token, refusal, deadline).await?;
                    attempts = first_attempts();
                }
                _ if matches!(error.class(), None | Some(ErrcodeClass::Busy)) && attempts.pause().await => {}
                _ => return Err(CallFailure::Call(error)),
            }
        }
    }
}
