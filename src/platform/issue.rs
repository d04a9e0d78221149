//! Issues one pre-auth code: gets a token and makes one call, which is repeated while there is time and a repetition
//! can help.

use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tokio::time::Instant;

use super::Services;
use super::authorization_urls::{AuthorizationUrls, UrlOptions};
use super::clock::rfc3339;
use super::problem::{Problem, Result, texts};
use super::token::{ActiveToken, CallFailure, Role, TokenProvider};
use crate::wechat::{CallError, Endpoint, ErrcodeClass, PreAuthCode, code_fingerprint};

/// After a refusal that concerns every caller (whitelist, appid, quota), WeChat is not asked for this many seconds, and
/// callers get the same problem. First and longest pause: it doubles while the refusals go on. Long enough to spare
/// WeChat a flood of calls, short enough to end soon after the operator has solved the problem.
const REFUSAL_MEMORY: (i64, i64) = (3, 30);

/// What a caller asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueRequest {
    /// The component that the caller expects. A request for another component is refused.
    pub component_appid: Option<String>,
    /// Links to add to the answer.
    pub links: Option<UrlOptions>,
    /// The caller's own text, which is in the answer and in the log.
    pub reference: Option<String>,
}

/// A code, and what a caller needs to use it.
#[derive(Debug, Clone, Serialize)]
pub struct IssuedCode {
    /// The component that the merchant will authorize.
    pub component_appid: String,
    /// The code: single use, one merchant.
    #[serde(skip)]
    pub pre_auth_code: SecretString,
    /// Its life in seconds, as WeChat said.
    pub expires_in: i64,
    /// When it expires, in UTC.
    pub expires_at: String,
    /// Names the code in logs and events.
    pub code_fingerprint: String,
    /// The caller's `reference`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The links, when they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_urls: Option<AuthorizationUrls>,
}

/// Issues codes for one process.
pub struct Issuer {
    services: Services,
    tokens: TokenProvider,
    /// The last refusal, when it concerned every caller.
    refused: Mutex<Option<Refused>>,
}

struct Refused {
    problem: Box<Problem>,
    /// When WeChat may be asked again, in Unix seconds.
    until: i64,
    /// How long the pause is, in seconds.
    pause: i64,
}

impl Issuer {
    /// Creates an issuer from these services.
    pub fn new(services: Services, role: Role) -> Self {
        let tokens = TokenProvider::new(services.clone(), role);
        Self { services, tokens, refused: Mutex::default() }
    }

    /// The token that codes are issued with.
    pub const fn tokens(&self) -> &TokenProvider {
        &self.tokens
    }

    /// Issues one code by `deadline`.
    ///
    /// # Errors
    /// The problem, ready to be shown to the caller.
    pub async fn issue(&self, request: &IssueRequest, deadline: Instant) -> Result<IssuedCode> {
        if request.component_appid.is_some() {
            check_component(request, &self.tokens.appid().await?)?;
        }
        if let Some(problem) = self.refused_a_moment_ago() {
            return Err(problem);
        }
        let services = &self.services;
        let create = |token: ActiveToken, timeout| async move {
            let asked_at = services.clock.now();
            let code = services.wechat.create_preauthcode(&token.appid, &token.token.value, timeout).await?;
            Ok((token.appid, code, asked_at))
        };
        match self.tokens.call(Endpoint::CreatePreAuthCode, deadline, create).await {
            Ok((appid, code, asked_at)) => {
                *self.memory() = None;
                // The operator may have changed the component meanwhile.
                check_component(request, &appid)?;
                Ok(issued(services, request, appid, &code, asked_at))
            }
            Err(CallFailure::Call(error)) => Err(self.failed(&error)),
            Err(CallFailure::Problem(problem)) => Err(problem),
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

fn check_component(request: &IssueRequest, appid: &str) -> Result<()> {
    let other = request.component_appid.as_ref().filter(|asked| *asked != appid);
    other.map_or(Ok(()), |_| Err(Problem::invalid(texts::OTHER_APPID.with(&[("appid", &appid)]))))
}

/// Whether a refusal holds for every caller, until the operator acts or the quota's period ends.
const fn is_lasting(class: ErrcodeClass) -> bool {
    use ErrcodeClass::{AppId, DailyQuota, EgressIp, RateLimited, Unauthorized};
    matches!(class, EgressIp | AppId | Unauthorized | DailyQuota | RateLimited)
}

fn issued(
    services: &Services,
    request: &IssueRequest,
    appid: String,
    code: &PreAuthCode,
    asked_at: i64,
) -> IssuedCode {
    let value = code.value.expose_secret();
    IssuedCode {
        expires_in: code.expires_in,
        expires_at: rfc3339(asked_at.saturating_add(code.expires_in)),
        code_fingerprint: code_fingerprint(value),
        reference: request.reference.clone(),
        authorization_urls: request.links.as_ref().map(|links| links.urls(&services.pages, &appid, value)),
        pre_auth_code: code.value.clone(),
        component_appid: appid,
    }
}
