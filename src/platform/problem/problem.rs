//! A [`Problem`] is what a caller sees of a failure. Nothing secret can be in it.
//!
//! Here each failure of the platform gets its code, texts and waiting time. The `api` layer makes an HTTP answer
//! or a Lambda function error of it.

use serde::Serialize;

use super::codes::ProblemCode;
use super::texts::{self, Text};
use crate::platform::egress::EgressIps;
use crate::platform::state::Backoff;
use crate::wechat::errcode::meaning;
use crate::wechat::{CallError, Endpoint, ErrcodeClass, Refusal, TransportError, TransportKind};

/// What the platform's functions return.
pub type Result<T> = std::result::Result<T, Box<Problem>>;

/// A failure, as a caller may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The stable name.
    pub code: ProblemCode,
    /// What happened, for a person.
    pub detail: String,
    /// What to do about it, where something is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// WeChat's errcode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errcode: Option<i64>,
    /// WeChat's errmsg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errmsg: Option<String>,
    /// WeChat's request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
    /// The address that WeChat saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
    /// Seconds to wait, where waiting helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<i64>,
}

impl Problem {
    /// A problem with a detail, and with the code's waiting time.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            code,
            detail: detail.into(),
            remedy: None,
            errcode: None,
            errmsg: None,
            rid: None,
            client_ip: None,
            retry_after: code.retry_after(),
        })
    }

    /// A wrong request.
    pub fn invalid(detail: impl Into<String>) -> Box<Self> {
        Self::new(ProblemCode::RequestInvalid, detail)
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

    /// The same problem with the errcode, errmsg, rid and address of this refusal.
    fn relay(mut self: Box<Self>, refusal: &Refusal) -> Box<Self> {
        self.errcode = Some(refusal.errcode);
        self.errmsg = Some(refusal.errmsg.clone());
        self.rid.clone_from(&refusal.rid);
        self.client_ip.clone_from(&refusal.client_ip);
        self
    }

    /// A call to WeChat failed.
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
        let problem = Self::new(code, texts::NO_ANSWER.with(&[("error", error)]));
        if error.kind.is_answer() { problem.remedy(texts::GATEWAY_REMEDY) } else { problem }
    }

    /// A mint failed, and its backoff has not ended. `retry_after` is the rest of it.
    pub fn from_backoff(backoff: &Backoff, egress: &EgressIps, now: i64) -> Box<Self> {
        let mut problem = match backoff.errcode {
            Some(errcode) => {
                Self::refused(Endpoint::ComponentToken, errcode, backoff.client_ip.as_deref(), egress)
            }
            None => Self::new(backoff.code, texts::MINT_UNANSWERED).remedy(texts::MINT_UNANSWERED_REMEDY),
        };
        problem.code = backoff.code;
        problem.detail = texts::BACKOFF.with(&[("detail", &problem.detail)]);
        let at_least = backoff.errcode.and(problem.retry_after).unwrap_or_default();
        problem.retry_after(backoff.until.saturating_sub(now).max(at_least))
    }

    fn refused(endpoint: Endpoint, errcode: i64, client_ip: Option<&str>, egress: &EgressIps) -> Box<Self> {
        let meaning = meaning(errcode, endpoint);
        let (code, remedy) = answer(meaning.class);
        let detail = texts::REFUSED.with(&[
            ("path", &endpoint.path()),
            ("errcode", &errcode),
            ("meaning", &meaning.text),
        ]);
        let mut problem = Self::new(code, detail);
        problem.remedy = match meaning.class {
            ErrcodeClass::EgressIp => Some(egress.remedy(client_ip)),
            _ => remedy.map(String::from),
        };
        problem.errcode = Some(errcode);
        problem.client_ip = client_ip.map(str::to_owned);
        problem
    }

    /// WeChat refuses the newest token, and a new one may not be minted for `wait` seconds. `refusal` is
    /// what WeChat said.
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
    pub fn ticket_missing() -> Box<Self> {
        Self::new(ProblemCode::TicketMissing, texts::TICKET_MISSING).remedy(texts::TICKET_MISSING_REMEDY)
    }

    /// Minting is off, and nobody handed over a token that is still valid.
    pub fn token_missing() -> Box<Self> {
        Self::new(ProblemCode::TokenMissing, texts::TOKEN_MISSING).remedy(texts::TOKEN_MISSING_REMEDY)
    }

    /// Another instance is minting, and this request's time ended first.
    pub fn token_pending() -> Box<Self> {
        Self::new(ProblemCode::TokenPending, texts::TOKEN_PENDING)
    }

    /// The operator has put another component into the secret. The next request uses it.
    pub fn other_component() -> Box<Self> {
        Self::new(ProblemCode::TokenPending, texts::OTHER_COMPONENT)
    }

    /// The time ran out before an answer came from where `code` says: WeChat, the table or the secret.
    pub fn no_answer_in_time(code: ProblemCode) -> Box<Self> {
        Self::new(code, texts::NO_ANSWER_IN_TIME)
    }
}

/// The code and the remedy of each class of errcodes. The remedy of `EgressIp` depends on the address, see
/// [`EgressIps::remedy`].
const fn answer(class: ErrcodeClass) -> (ProblemCode, Option<Text>) {
    use ErrcodeClass::*;
    use ProblemCode::*;
    use texts::*;
    match class {
        Busy => (WeChatBusy, None),
        TokenRejected => (WeChatTokenRejected, None),
        RateLimited => (WeChatRateLimited, None),
        DailyQuota => (WeChatDailyQuotaExhausted, Some(DAILY_QUOTA_REMEDY)),
        Unauthorized => (WeChatUnauthorized, Some(UNAUTHORIZED_REMEDY)),
        RequestRejected => (WeChatRequestRejected, Some(REQUEST_REJECTED_REMEDY)),
        EgressIp => (ConfigEgressIpNotRegistered, None),
        AppId => (ConfigAppIdRejected, Some(APPID_REMEDY)),
        AppSecret => (ConfigAppSecretRejected, Some(APPSECRET_REMEDY)),
        Ticket => (TicketRejected, Some(TICKET_REMEDY)),
        Restricted => (WeChatError, Some(RESTRICTED_REMEDY)),
        WrongTokenKind => (WeChatError, Some(WRONG_TOKEN_KIND_REMEDY)),
        Unpublished => (WeChatError, Some(UNPUBLISHED_REMEDY)),
        Other => (WeChatError, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
