//! A [`Problem`] is what a caller sees of a failure. Nothing secret can be in it.
//!
//! Here each failure of the platform gets its code, texts and waiting time. How a code becomes an HTTP
//! status or a Lambda function error is the `api` floor's business.

use super::code::ProblemCode;
use super::texts::{self, Text};
use crate::platform::egress::EgressIps;
use crate::platform::state::Backoff;
use crate::wechat::errcode::meaning;
use crate::wechat::{CallError, Endpoint, ErrcodeClass, Refusal, TransportError, TransportKind};

/// Seconds until a new ticket can be expected: WeChat pushes one every ten minutes.
const TICKET_RETRY_AFTER: i64 = 600;
/// Seconds until the next minute, after a minute's quota is used up.
const MINUTE_QUOTA_RETRY_AFTER: i64 = 60;
/// Seconds after a passing fault of WeChat, the network or AWS.
pub(super) const FAULT_RETRY_AFTER: i64 = 5;
/// Seconds after which another instance's mint has succeeded or failed.
const PENDING_RETRY_AFTER: i64 = 2;

/// What the platform's functions return.
pub type Result<T> = std::result::Result<T, Box<Problem>>;

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
    /// The address that WeChat saw.
    pub client_ip: Option<String>,
    /// Seconds to wait, where waiting helps.
    pub retry_after: Option<i64>,
}

impl Problem {
    /// A problem with a code and a detail only.
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

    /// The same problem with a remedy.
    #[must_use]
    pub fn remedy(mut self: Box<Self>, remedy: impl Into<String>) -> Box<Self> {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same problem with the seconds to wait.
    #[must_use]
    pub fn retry_after(mut self: Box<Self>, seconds: i64) -> Box<Self> {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// The same problem with what WeChat said.
    fn relay(mut self: Box<Self>, refusal: &Refusal) -> Box<Self> {
        self.errcode = Some(refusal.errcode);
        self.errmsg = Some(refusal.errmsg.clone());
        self.rid.clone_from(&refusal.rid);
        self.client_ip.clone_from(&refusal.client_ip);
        self
    }

    /// A call to WeChat failed.
    #[must_use]
    pub fn from_call(error: &CallError, egress: &EgressIps) -> Box<Self> {
        match error {
            CallError::Refused(refusal) => {
                let client_ip = refusal.client_ip.as_deref();
                Self::refused(refusal.endpoint, refusal.errcode, client_ip, egress).relay(refusal)
            }
            CallError::Transport(error) => Self::from_transport(error),
        }
    }

    fn from_transport(error: &TransportError) -> Box<Self> {
        let code = match error.kind {
            TransportKind::Timeout | TransportKind::NoTime => ProblemCode::WeChatTimeout,
            _ => ProblemCode::WeChatUnreachable,
        };
        let problem = Self::new(code, texts::NO_ANSWER.with(&[("error", &error.to_string())]))
            .retry_after(FAULT_RETRY_AFTER);
        if error.kind.is_answer() { problem.remedy(texts::GATEWAY_REMEDY) } else { problem }
    }

    /// A mint failed a moment ago, and its backoff still runs. `retry_after` is what is left of it.
    #[must_use]
    pub fn from_backoff(backoff: &Backoff, egress: &EgressIps, now: i64) -> Box<Self> {
        let mut problem = match backoff.errcode {
            Some(errcode) => {
                Self::refused(Endpoint::ComponentToken, errcode, backoff.client_ip.as_deref(), egress)
            }
            None => Self::new(backoff.code, texts::MINT_UNANSWERED).remedy(texts::MINT_UNANSWERED_REMEDY),
        };
        problem.code = backoff.code;
        problem.detail = texts::BACKOFF.with(&[("detail", &problem.detail)]);
        let wait = problem.retry_after.unwrap_or_default().max(backoff.until.saturating_sub(now));
        problem.retry_after(wait)
    }

    fn refused(endpoint: Endpoint, errcode: i64, client_ip: Option<&str>, egress: &EgressIps) -> Box<Self> {
        let meaning = meaning(errcode, endpoint);
        let (code, remedy, retry_after) = answer(meaning.class);
        let number = errcode.to_string();
        let values = [("path", endpoint.path()), ("errcode", &number), ("meaning", meaning.text)];
        let mut problem = Self::new(code, texts::REFUSED.with(&values));
        problem.remedy = match meaning.class {
            ErrcodeClass::EgressIp => Some(egress.remedy(client_ip)),
            _ => remedy.map(String::from),
        };
        problem.errcode = Some(errcode);
        problem.client_ip = client_ip.map(str::to_owned);
        problem.retry_after = retry_after;
        problem
    }

    /// WeChat refuses the newest token, and a new one may not be minted for `wait` seconds. `refusal` is
    /// what WeChat said.
    #[must_use]
    pub fn token_rejected(refusal: Option<&Refusal>, minting: bool, wait: i64) -> Box<Self> {
        let remedy = match minting {
            true => texts::TOKEN_REJECTED_MINTING_REMEDY,
            false => texts::TOKEN_REJECTED_HANDED_OVER_REMEDY,
        };
        let problem = Self::new(ProblemCode::WeChatTokenRejected, texts::TOKEN_REJECTED)
            .remedy(remedy)
            .retry_after(wait);
        match refusal {
            Some(refusal) => problem.relay(refusal),
            None => problem,
        }
    }

    /// No ticket has arrived.
    #[must_use]
    pub fn ticket_missing() -> Box<Self> {
        Self::new(ProblemCode::TicketMissing, texts::TICKET_MISSING)
            .remedy(texts::TICKET_MISSING_REMEDY)
            .retry_after(TICKET_RETRY_AFTER)
    }

    /// Minting is off, and nobody handed over a token that is still valid.
    #[must_use]
    pub fn token_missing() -> Box<Self> {
        Self::new(ProblemCode::TokenMissing, texts::TOKEN_MISSING)
            .remedy(texts::TOKEN_MISSING_REMEDY)
            .retry_after(FAULT_RETRY_AFTER)
    }

    /// Another instance is minting, and this request's time ran out first.
    #[must_use]
    pub fn token_pending() -> Box<Self> {
        Self::new(ProblemCode::TokenPending, texts::TOKEN_PENDING).retry_after(PENDING_RETRY_AFTER)
    }

    /// The operator has put another component into the secret. The next request uses it.
    #[must_use]
    pub fn other_component() -> Box<Self> {
        Self::new(ProblemCode::TokenPending, texts::OTHER_COMPONENT).retry_after(PENDING_RETRY_AFTER)
    }

    /// The request's time ran out.
    #[must_use]
    pub fn timeout() -> Box<Self> {
        Self::new(ProblemCode::WeChatTimeout, texts::NO_TIME).retry_after(FAULT_RETRY_AFTER)
    }
}

/// What each class of errcodes becomes: the code, the remedy, and the seconds to wait where waiting helps.
/// The remedy of `EgressIp` depends on the address, see [`EgressIps::remedy`].
const fn answer(class: ErrcodeClass) -> (ProblemCode, Option<Text>, Option<i64>) {
    use texts::*;
    match class {
        ErrcodeClass::Busy => (ProblemCode::WeChatBusy, None, Some(FAULT_RETRY_AFTER)),
        ErrcodeClass::TokenRejected => (ProblemCode::WeChatTokenRejected, None, None),
        ErrcodeClass::RateLimited => (ProblemCode::WeChatRateLimited, None, Some(MINUTE_QUOTA_RETRY_AFTER)),
        ErrcodeClass::DailyQuota => (ProblemCode::WeChatDailyQuotaExhausted, Some(DAILY_QUOTA_REMEDY), None),
        ErrcodeClass::Unauthorized => (ProblemCode::WeChatUnauthorized, Some(UNAUTHORIZED_REMEDY), None),
        ErrcodeClass::RequestRejected => {
            (ProblemCode::WeChatRequestRejected, Some(REQUEST_REJECTED_REMEDY), None)
        }
        ErrcodeClass::EgressIp => (ProblemCode::ConfigEgressIpNotRegistered, None, None),
        ErrcodeClass::AppId => (ProblemCode::ConfigAppIdRejected, Some(APPID_REMEDY), None),
        ErrcodeClass::AppSecret => (ProblemCode::ConfigAppSecretRejected, Some(APPSECRET_REMEDY), None),
        ErrcodeClass::Ticket => (ProblemCode::TicketRejected, Some(TICKET_REMEDY), Some(TICKET_RETRY_AFTER)),
        ErrcodeClass::Restricted => (ProblemCode::WeChatError, Some(RESTRICTED_REMEDY), None),
        ErrcodeClass::WrongTokenKind => (ProblemCode::WeChatError, Some(WRONG_TOKEN_KIND_REMEDY), None),
        ErrcodeClass::Unpublished => (ProblemCode::WeChatError, Some(UNPUBLISHED_REMEDY), None),
        ErrcodeClass::Other => (ProblemCode::WeChatError, None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::bus::BusError;
    use crate::platform::state::StateError;
    use crate::wechat::ERRCODES;

    fn refusal(errcode: i64) -> Refusal {
        let errmsg = "invalid credential rid: 6169608f-0de54fa8-55d1ed1d";
        Refusal::new(Endpoint::CreatePreAuthCode, errcode, errmsg, &[])
    }

    #[test]
    fn a_refused_token_comes_with_what_wechat_said() {
        let problem = Problem::token_rejected(Some(&refusal(40001)), true, 300);
        assert_eq!((problem.code, problem.errcode), (ProblemCode::WeChatTokenRejected, Some(40001)));
        assert_eq!(problem.rid.as_deref(), Some("6169608f-0de54fa8-55d1ed1d"));
        assert!(problem.errmsg.as_deref().is_some_and(|errmsg| errmsg.starts_with("invalid credential")));
        assert_eq!((problem.retry_after, problem.client_ip), (Some(300), None));
        assert!(problem.remedy.as_deref().is_some_and(|remedy| remedy.contains("foreign_mint")));
        let handed_over = Problem::token_rejected(None, false, 5);
        assert!(handed_over.remedy.as_deref().is_some_and(|remedy| remedy.contains("put_token")));
        assert_eq!(handed_over.errcode, None);
    }

    #[test]
    fn only_a_missing_answer_leaves_the_network_in_doubt() {
        for (kind, answered) in [
            (TransportKind::Status(502), true),
            (TransportKind::TooLong, true),
            (TransportKind::InvalidAnswer("not a JSON object"), true),
            (TransportKind::Timeout, false),
            (TransportKind::connect("refused"), false),
            (TransportKind::broken("reset"), false),
        ] {
            let error = TransportError { endpoint: Endpoint::GetQuota, host: "host".into(), kind };
            let problem = Problem::from_call(&CallError::Transport(error), &EgressIps::default());
            let says_answered =
                problem.remedy.is_some_and(|remedy| remedy.contains("answered with an error"));
            assert_eq!(says_answered, answered, "{}", problem.detail);
        }
    }

    #[test]
    fn no_text_reaches_a_caller_with_an_empty_place() {
        let egress = [EgressIps::default(), EgressIps::parse("203.0.113.7").unwrap()];
        let mut problems = vec![
            Problem::ticket_missing(),
            Problem::token_missing(),
            Problem::token_pending(),
            Problem::other_component(),
            Problem::timeout(),
            Problem::token_rejected(None, true, 1),
            StateError("throttled".into()).into(),
            BusError("throttled".into()).into(),
        ];
        for egress in &egress {
            for (errcode, ..) in ERRCODES {
                let mut refusal = refusal(*errcode);
                problems.push(Problem::from_call(&CallError::Refused(refusal.clone()), egress));
                for seen in ["203.0.113.7", "198.51.100.1"] {
                    refusal.client_ip = Some(seen.into());
                    problems.push(Problem::from_call(&CallError::Refused(refusal.clone()), egress));
                }
            }
            for errcode in [None, Some(61004)] {
                let backoff = Backoff {
                    code: ProblemCode::WeChatUnreachable,
                    errcode,
                    client_ip: None,
                    count: 1,
                    until: 15,
                    ticket_create_time: None,
                    credentials_version: None,
                };
                problems.push(Problem::from_backoff(&backoff, egress, 0));
            }
        }
        for problem in problems {
            let text = format!("{} {}", problem.detail, problem.remedy.unwrap_or_default());
            assert!(!text.contains('{') && !text.contains('}'), "{text}");
        }
    }
}
