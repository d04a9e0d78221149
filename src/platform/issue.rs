//! Issues one pre-auth code: a token, one call, and what may be tried again within the time there is.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Services;
use super::authorization_urls::{AuthorizationUrls, LinkOptions};
use super::clock::rfc3339;
use super::problem::{Problem, ProblemCode, Result};
use super::retry::Attempts;
use super::token::rules::REMINT_AFTER;
use super::token::{ActiveToken, Role, TokenProvider};
use crate::wechat::CallError;
use crate::wechat::errcode::{Endpoint, ErrcodeClass};
use crate::wechat::{PreAuthCode, TransportError, code_fingerprint};

use secrecy::{ExposeSecret as _, SecretString};

/// The longest one code call may take.
const LONGEST_CALL: Duration = Duration::from_secs(4);

/// Code calls for one request with one token. A call whose answer is lost wastes a code, which
/// harms nobody: several may be outstanding.
const MAX_CALLS: u32 = 3;

/// Tokens tried for one request: the one in memory, one that another instance has stored since, and
/// one that is minted for want of a better.
const MAX_TOKENS: u32 = 3;

/// For this many seconds a refusal that concerns every caller (whitelist, appid, quota) is answered
/// without asking again: first and longest time, doubling while the refusals go on. Long enough to spare
/// WeChat a flood, short enough to be over soon after the operator has mended it.
const REFUSAL_MEMORY: (i64, i64) = (3, 30);

/// What a caller asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueRequest {
    /// Must be ours, when given.
    pub component_appid: Option<String>,
    /// Links to add to the answer.
    pub links: Option<LinkOptions>,
    /// Echoed and logged.
    pub reference: Option<String>,
}

/// A code, and what a caller needs to use it.
#[derive(Debug, Clone)]
pub struct IssuedCode {
    /// The component that the merchant will authorize.
    pub component_appid: String,
    /// The code: single use, one merchant.
    pub pre_auth_code: SecretString,
    /// Its life in seconds, as WeChat said.
    pub expires_in: i64,
    /// When it expires, in UTC.
    pub expires_at: String,
    /// Names the code in logs and events.
    pub code_fingerprint: String,
    /// The caller's own word.
    pub reference: Option<String>,
    /// The links, when they were asked for.
    pub authorization_urls: Option<AuthorizationUrls>,
}

/// Issues codes for one process.
pub struct Issuer {
    services: Services,
    tokens: TokenProvider,
    /// The last refusal that no repetition can change.
    refused: Mutex<Option<Refused>>,
}

struct Refused {
    problem: Box<Problem>,
    /// When to ask again, and how long it was until then.
    until: i64,
    pause: i64,
}

impl Issuer {
    /// An issuer on these means.
    #[must_use]
    pub fn new(services: Services, role: Role) -> Self {
        let tokens = TokenProvider::new(services.clone(), role);
        Self { services, tokens, refused: Mutex::default() }
    }

    /// The token that codes are issued with.
    #[must_use]
    pub const fn tokens(&self) -> &TokenProvider {
        &self.tokens
    }

    /// Issues one code by `deadline`.
    ///
    /// # Errors
    /// The problem, ready to be shown to the caller.
    pub async fn issue(&self, request: &IssueRequest, deadline: Instant) -> Result<IssuedCode> {
        if let Some(asked) = &request.component_appid {
            let appid = self.tokens.appid().await?;
            if *asked != appid {
                return Err(Problem::new(
                    ProblemCode::RequestInvalid,
                    format!("component_appid: this service issues codes for {appid} only"),
                ));
            }
        }
        if let Some(problem) = self.refused_a_moment_ago() {
            return Err(problem);
        }
        let mut held = self.tokens.get(deadline).await?;
        let mut tokens_left = MAX_TOKENS;
        loop {
            match create(&self.services, &held, deadline).await {
                Ok((code, asked_at)) => {
                    *self.memory() = None;
                    return Ok(issued(request, held.appid, &code, asked_at));
                }
                Err(CallError::Refused(refusal))
                    if refusal.meaning().class == ErrcodeClass::TokenRejected =>
                {
                    tokens_left -= 1;
                    if tokens_left == 0 {
                        // One token after another was refused, the last of them just stored or minted.
                        return Err(Problem::token_rejected(
                            Some(&refusal),
                            self.services.minting,
                            REMINT_AFTER,
                        ));
                    }
                    held = self.tokens.replace(&held, &refusal, deadline).await?;
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
    }

    fn failed(&self, error: &CallError) -> Box<Problem> {
        let problem = self.services.record_call_failure(error);
        if let CallError::Refused(refusal) = error
            && is_lasting(refusal.meaning().class)
        {
            let mut memory = self.memory();
            let (first, longest) = REFUSAL_MEMORY;
            let pause = memory.as_ref().map_or(first, |last| (last.pause * 2).min(longest));
            let until = self.services.clock.now() + pause;
            *memory = Some(Refused { problem: problem.clone(), until, pause });
        }
        problem
    }

    fn refused_a_moment_ago(&self) -> Option<Box<Problem>> {
        let now = self.services.clock.now();
        self.memory().as_ref().filter(|last| now < last.until).map(|last| last.problem.clone())
    }

    fn memory(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a refusal holds for every caller until somebody acts or the quota's time has passed.
const fn is_lasting(class: ErrcodeClass) -> bool {
    matches!(
        class,
        ErrcodeClass::EgressIp
            | ErrcodeClass::AppId
            | ErrcodeClass::Unauthorized
            | ErrcodeClass::DailyQuota
            | ErrcodeClass::RateLimited
    )
}

/// Calls until a code or a final answer is there, or the time is over. With the code comes when it was
/// asked for: its life is counted from there.
async fn create(
    services: &Services,
    held: &ActiveToken,
    deadline: Instant,
) -> std::result::Result<(PreAuthCode, i64), CallError> {
    let mut attempts = Attempts::new(MAX_CALLS, LONGEST_CALL, deadline);
    loop {
        let Some(timeout) = attempts.next_timeout() else {
            return Err(CallError::Transport(TransportError::no_time(Endpoint::CreatePreAuthCode)));
        };
        let (called, asked_at) = (Instant::now(), services.clock.now());
        let answer = services.wechat.create_preauthcode(&held.appid, &held.token.value, timeout).await;
        services.metrics.call(Endpoint::CreatePreAuthCode.name(), called.elapsed());
        let error = match answer {
            Ok(code) => return Ok((code, asked_at)),
            Err(error) => error,
        };
        let passing = match &error {
            CallError::Transport(_) => true,
            CallError::Refused(refusal) => refusal.meaning().class == ErrcodeClass::Busy,
        };
        if !passing || !attempts.pause().await {
            return Err(error);
        }
        tracing::debug!(%error, "asking WeChat again");
    }
}

fn issued(request: &IssueRequest, appid: String, code: &PreAuthCode, asked_at: i64) -> IssuedCode {
    let value = code.value.expose_secret();
    IssuedCode {
        expires_in: code.expires_in,
        expires_at: rfc3339(asked_at.saturating_add(code.expires_in)),
        code_fingerprint: code_fingerprint(value),
        reference: request.reference.clone(),
        authorization_urls: request.links.as_ref().map(|links| links.urls(&appid, value)),
        pre_auth_code: code.value.clone(),
        component_appid: appid,
    }
}
