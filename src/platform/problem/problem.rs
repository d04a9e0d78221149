//! Every way in which a request can fail, under the stable `code` that callers match on.
//!
//! A [`Problem`] holds only what a caller may see; nothing secret can be in it. How a code becomes an
//! HTTP status or a Lambda function error is the `api` floor's business.

use serde::{Deserialize, Serialize};

use crate::platform::bus::BusError;
use crate::platform::egress::EgressIps;
use crate::platform::state::{Backoff, StateError};
use crate::wechat::errcode::{Endpoint, Errcode, ErrcodeClass};
use crate::wechat::http::{CallError, TransportKind};
use crate::wechat::{Refusal, TransportError};

/// Seconds a caller should wait for a new ticket: WeChat pushes one every ten minutes.
const TICKET_RETRY_AFTER: i64 = 600;
/// Seconds after a minute's quota is reached: the next minute.
const MINUTE_QUOTA_RETRY_AFTER: i64 = 60;
/// Seconds after a passing fault of WeChat, the network or AWS.
const FAULT_RETRY_AFTER: i64 = 5;
/// Seconds after which another instance's mint has ended, one way or the other.
const PENDING_RETRY_AFTER: i64 = 2;

/// What the platform's functions return.
pub type Result<T> = std::result::Result<T, Box<Problem>>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $retryable:literal;)+) => {
        /// The stable name of a failure: `code` in a problem, `errorType` on direct invocation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The code with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)+ _ => None }
            }

            /// Whether the same request can succeed later without anybody changing anything.
            #[must_use]
            pub const fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)+ }
            }
        }
    };
}

codes! {
    /// Bad JSON, an unknown or bad field, or another component's appid. The caller must act.
    RequestInvalid = "Request.Invalid", false;
    /// No such path.
    RequestNotFound = "Request.NotFound", false;
    /// No such method on this path.
    RequestMethodNotAllowed = "Request.MethodNotAllowed", false;
    /// WeChat answered -1, also after retries.
    WeChatBusy = "WeChat.Busy", true;
    /// WeChat refuses the component access token, and a new one may not be minted yet.
    WeChatTokenRejected = "WeChat.TokenRejected", true;
    /// 45011: the quota of this minute.
    WeChatRateLimited = "WeChat.RateLimited", true;
    /// 45009: the quota of this day.
    WeChatDailyQuotaExhausted = "WeChat.DailyQuotaExhausted", false;
    /// 48001: the API is not open to the platform.
    WeChatUnauthorized = "WeChat.Unauthorized", false;
    /// 41001, 47001: WeChat could not read our request.
    WeChatRequestRejected = "WeChat.RequestRejected", false;
    /// Any other errcode.
    WeChatError = "WeChat.Error", false;
    /// No connection, a gateway's error, or an answer that is not the promised JSON.
    WeChatUnreachable = "WeChat.Unreachable", true;
    /// No answer in time.
    WeChatTimeout = "WeChat.Timeout", true;
    /// 61004, 40164, 45035: the address that WeChat saw is not in the whitelist.
    ConfigEgressIpNotRegistered = "Config.EgressIpNotRegistered", false;
    /// 40013, 61011, 61000, 61001, 41002, 41018: the appid is wrong.
    ConfigAppIdRejected = "Config.AppIdRejected", false;
    /// 40125, 41004, and 40001 on the mint call: the appsecret is wrong.
    ConfigAppSecretRejected = "Config.AppSecretRejected", false;
    /// No verify ticket has arrived yet.
    TicketMissing = "Ticket.Missing", true;
    /// 61005, 61006, 40091: WeChat refuses the ticket.
    TicketRejected = "Ticket.Rejected", true;
    /// Minting is off and no valid token was handed over.
    TokenMissing = "Token.Missing", true;
    /// Another instance is minting.
    TokenPending = "Token.Pending", true;
    /// Secrets Manager does not answer.
    SecretsUnavailable = "Secrets.Unavailable", true;
    /// The secret is missing, denied, unfilled or wrong.
    SecretsInvalid = "Secrets.Invalid", false;
    /// DynamoDB does not answer, throttles or denies.
    StateUnavailable = "State.Unavailable", true;
    /// No configured key gives the push's signature: not WeChat, or `push_keys` is behind.
    PushSignatureRejected = "Push.SignatureRejected", false;
    /// A push with a good signature that is too old or too far ahead.
    PushStale = "Push.Stale", false;
    /// No push at all, or none of 安全模式: refused before its signature was looked at.
    PushMalformed = "Push.Malformed", false;
    /// A push with a good signature that no configured key decrypts for this component.
    PushUndecryptable = "Push.Undecryptable", false;
    /// A push that was decrypted and is not what WeChat documents.
    PushUnreadable = "Push.Unreadable", false;
    /// `EventBridge` does not answer, throttles, denies or did not take the event.
    EventsUnavailable = "Events.Unavailable", true;
    /// A bug.
    Internal = "Internal", false;
}

impl std::fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure, as a caller may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable name.
    pub code: ProblemCode,
    /// What happened, for a person.
    pub detail: String,
    /// What to do about it, where something is known.
    pub remedy: Option<String>,
    /// WeChat's errcode.
    pub errcode: Option<i64>,
    /// WeChat's errmsg.
    pub errmsg: Option<String>,
    /// WeChat's request id.
    pub rid: Option<String>,
    /// The address WeChat saw.
    pub client_ip: Option<String>,
    /// Seconds to wait, where waiting helps.
    pub retry_after: Option<i64>,
}

impl Problem {
    /// A problem with nothing but a code and a sentence.
    #[must_use]
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            code,
            detail: detail.into(),
            remedy: None,
            errcode: None,
            errmsg: None,
            rid: None,
            client_ip: None,
            retry_after: None,
        })
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn remedy(mut self: Box<Self>, remedy: impl Into<String>) -> Box<Self> {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same with the seconds to wait.
    #[must_use]
    pub fn retry_after(mut self: Box<Self>, seconds: i64) -> Box<Self> {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// What a failed call to WeChat means to a caller.
    #[must_use]
    pub fn from_call(error: &CallError, egress: &EgressIps) -> Box<Self> {
        match error {
            CallError::Refused(refusal) => Self::from_refusal(refusal, egress),
            CallError::Transport(error) => Self::from_transport(error),
        }
    }

    fn from_refusal(refusal: &Refusal, egress: &EgressIps) -> Box<Self> {
        let mut problem = Self::refused(refusal.api, refusal.errcode, refusal.client_ip.clone(), egress);
        problem.errmsg = Some(refusal.errmsg.clone());
        problem.rid.clone_from(&refusal.rid);
        problem
    }

    fn from_transport(error: &TransportError) -> Box<Self> {
        let code = match error.kind {
            TransportKind::Timeout | TransportKind::NoTime => ProblemCode::WeChatTimeout,
            _ => ProblemCode::WeChatUnreachable,
        };
        Self::new(code, format!("WeChat gave no usable answer: {error}")).retry_after(FAULT_RETRY_AFTER)
    }

    /// A mint that failed a moment ago, as the table tells it. `retry_after` is what is left.
    #[must_use]
    pub fn from_backoff(backoff: &Backoff, egress: &EgressIps, now: i64) -> Box<Self> {
        let mut problem = match backoff.errcode {
            Some(errcode) => Self::refused(
                Endpoint::ComponentToken,
                Errcode::from_number(errcode),
                backoff.client_ip.clone(),
                egress,
            ),
            None => Self::new(backoff.code, "WeChat gave no usable answer to the last token request"),
        };
        problem.code = backoff.code;
        problem.detail.push_str("; WeChat is not asked for a token again before Retry-After has passed");
        let wait = problem.retry_after.unwrap_or_default().max(backoff.until - now);
        problem.retry_after(wait)
    }

    fn refused(api: Endpoint, errcode: Errcode, client_ip: Option<String>, egress: &EgressIps) -> Box<Self> {
        let meaning = errcode.meaning(api);
        let code = match meaning.class {
            ErrcodeClass::Busy => ProblemCode::WeChatBusy,
            ErrcodeClass::TokenRejected => ProblemCode::WeChatTokenRejected,
            ErrcodeClass::RateLimited => ProblemCode::WeChatRateLimited,
            ErrcodeClass::DailyQuota => ProblemCode::WeChatDailyQuotaExhausted,
            ErrcodeClass::Unauthorized => ProblemCode::WeChatUnauthorized,
            ErrcodeClass::RequestRejected => ProblemCode::WeChatRequestRejected,
            ErrcodeClass::EgressIp => ProblemCode::ConfigEgressIpNotRegistered,
            ErrcodeClass::AppId => ProblemCode::ConfigAppIdRejected,
            ErrcodeClass::AppSecret => ProblemCode::ConfigAppSecretRejected,
            ErrcodeClass::Ticket => ProblemCode::TicketRejected,
            ErrcodeClass::Other => ProblemCode::WeChatError,
        };
        let mut problem = Self::new(
            code,
            format!("{} was refused with errcode {}: {}", api.path(), errcode.number(), meaning.text),
        );
        problem.errcode = Some(errcode.number());
        problem.remedy = match meaning.class {
            ErrcodeClass::EgressIp => Some(egress.remedy(client_ip.as_deref())),
            class => remedy(class).map(str::to_owned),
        };
        problem.client_ip = client_ip;
        problem.retry_after = match meaning.class {
            ErrcodeClass::Busy => Some(FAULT_RETRY_AFTER),
            ErrcodeClass::RateLimited => Some(MINUTE_QUOTA_RETRY_AFTER),
            ErrcodeClass::Ticket => Some(TICKET_RETRY_AFTER),
            _ => None,
        };
        problem
    }

    /// No ticket has arrived.
    #[must_use]
    pub fn ticket_missing() -> Box<Self> {
        Self::new(ProblemCode::TicketMissing, "no component_verify_ticket has arrived yet")
            .remedy(
                "WeChat pushes a ticket every 10 minutes to the platform's 授权事件接收URL. Check that it is \
                 this service's callback URL and that its 消息校验Token and EncodingAESKey are in push_keys \
                 of the credentials secret. The keeper's start_push_ticket asks WeChat to push again.",
            )
            .retry_after(TICKET_RETRY_AFTER)
    }

    /// Minting is off, and nobody handed over a token that is still valid.
    #[must_use]
    pub fn token_missing() -> Box<Self> {
        Self::new(
            ProblemCode::TokenMissing,
            "MINTING is off and no valid component access token was handed over",
        )
        .remedy(
            "Hand one over with the keeper's put_token, or set MINTING=on once no other program mints \
                 tokens for this component.",
        )
        .retry_after(FAULT_RETRY_AFTER)
    }

    /// Another instance is minting, and this request's time ran out first.
    #[must_use]
    pub fn token_pending() -> Box<Self> {
        Self::new(ProblemCode::TokenPending, "another instance is obtaining a component access token")
            .retry_after(PENDING_RETRY_AFTER)
    }

    /// The operator has put another component into the secret; the next request starts with it.
    #[must_use]
    pub fn other_component() -> Box<Self> {
        Self::new(ProblemCode::TokenPending, "the credentials secret names another component now")
            .retry_after(PENDING_RETRY_AFTER)
    }

    /// The state table cannot be used.
    #[must_use]
    pub fn state_unavailable(error: &StateError) -> Box<Self> {
        Self::new(ProblemCode::StateUnavailable, format!("the state table cannot be used: {error}"))
            .retry_after(FAULT_RETRY_AFTER)
    }

    /// Secrets Manager does not answer.
    #[must_use]
    pub fn secrets_unavailable(detail: String) -> Box<Self> {
        Self::new(ProblemCode::SecretsUnavailable, detail).retry_after(FAULT_RETRY_AFTER)
    }

    /// The request's time ran out before anything else ended it.
    #[must_use]
    pub fn timeout() -> Box<Self> {
        Self::new(ProblemCode::WeChatTimeout, "there was no time left to ask WeChat")
            .retry_after(FAULT_RETRY_AFTER)
    }
}

impl From<StateError> for Box<Problem> {
    fn from(error: StateError) -> Self {
        Problem::state_unavailable(&error)
    }
}

impl From<BusError> for Box<Problem> {
    fn from(error: BusError) -> Self {
        Problem::new(ProblemCode::EventsUnavailable, format!("the event bus did not take the event: {error}"))
            .retry_after(FAULT_RETRY_AFTER)
    }
}

const fn remedy(class: ErrcodeClass) -> Option<&'static str> {
    match class {
        ErrcodeClass::DailyQuota => Some(
            "Wait for the next day, or reset the quotas with the keeper's clear_quota (ten times a month). \
             Find out who makes so many calls: the keeper's get_quota shows them.",
        ),
        ErrcodeClass::Unauthorized => Some(
            "Check in open.weixin.qq.com that the component is a reviewed platform (平台型第三方平台) and that \
             component_appid in the credentials secret is the component's.",
        ),
        ErrcodeClass::RequestRejected => Some("Report this as a bug of this service, with rid."),
        ErrcodeClass::AppId => Some(
            "Correct component_appid in the credentials secret: it is the AppID of the third-party platform \
             (第三方平台), not of an official account or mini program.",
        ),
        ErrcodeClass::AppSecret => Some(
            "Correct component_appsecret in the credentials secret: it is the AppSecret of the third-party \
             platform (第三方平台 - 开发配置). Was it reset in WeChat's console?",
        ),
        ErrcodeClass::Ticket => Some(
            "A new ticket ends this; WeChat pushes one every 10 minutes. If none arrives, check the callback \
             URL, and ask WeChat to push again with the keeper's start_push_ticket.",
        ),
        ErrcodeClass::Busy
        | ErrcodeClass::TokenRejected
        | ErrcodeClass::RateLimited
        | ErrcodeClass::EgressIp
        | ErrcodeClass::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_agree_both_ways() {
        for code in ProblemCode::ALL {
            assert_eq!(ProblemCode::from_name(code.as_str()), Some(*code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        assert_eq!(ProblemCode::from_name("Nonsense"), None);
    }
}
