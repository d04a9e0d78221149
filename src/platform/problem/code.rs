//! The stable names of failures. Callers match on them, so a name never changes its meaning.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $retryable:literal;)+) => {
        /// The stable name of a failure: `code` in a problem, `errorType` of a direct invocation.
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

            /// Whether the same request can succeed later although nobody changes anything.
            #[must_use]
            pub const fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)+ }
            }
        }
    };
}

codes! {
    /// The request is not JSON, or a field is unknown, wrong or names another component.
    RequestInvalid = "Request.Invalid", false;
    /// No such path.
    RequestNotFound = "Request.NotFound", false;
    /// No such method on this path.
    RequestMethodNotAllowed = "Request.MethodNotAllowed", false;
    /// WeChat answered -1, even after retries.
    WeChatBusy = "WeChat.Busy", true;
    /// WeChat refuses the component access token, and a new one may not be minted yet.
    WeChatTokenRejected = "WeChat.TokenRejected", true;
    /// 45011: the quota of this minute.
    WeChatRateLimited = "WeChat.RateLimited", true;
    /// 45009: the quota of this day.
    WeChatDailyQuotaExhausted = "WeChat.DailyQuotaExhausted", false;
    /// 48001: the platform or its token may not use the API.
    WeChatUnauthorized = "WeChat.Unauthorized", false;
    /// 41001, 47001: WeChat could not read the request that this service sent.
    WeChatRequestRejected = "WeChat.RequestRejected", false;
    /// Any other errcode.
    WeChatError = "WeChat.Error", false;
    /// No connection, an error of a gateway, or an answer that is not the documented JSON.
    WeChatUnreachable = "WeChat.Unreachable", true;
    /// No answer in time.
    WeChatTimeout = "WeChat.Timeout", true;
    /// 61004, 40164, 45035: the address that WeChat saw is not in the platform's whitelist.
    ConfigEgressIpNotRegistered = "Config.EgressIpNotRegistered", false;
    /// 40013, 61011, 61000, 61001, 41002, 41018: the appid is wrong.
    ConfigAppIdRejected = "Config.AppIdRejected", false;
    /// 40125, 41004, and 40001 on the mint call: the appsecret is wrong.
    ConfigAppSecretRejected = "Config.AppSecretRejected", false;
    /// No verify ticket has arrived yet.
    TicketMissing = "Ticket.Missing", true;
    /// 61005, 61006, 40091: WeChat refuses the ticket.
    TicketRejected = "Ticket.Rejected", true;
    /// `MINTING` is off, and no valid token was handed over.
    TokenMissing = "Token.Missing", true;
    /// Another instance is minting.
    TokenPending = "Token.Pending", true;
    /// Secrets Manager does not answer.
    SecretsUnavailable = "Secrets.Unavailable", true;
    /// The secret is missing, denied, unfilled or wrong.
    SecretsInvalid = "Secrets.Invalid", false;
    /// DynamoDB does not answer, throttles or denies.
    StateUnavailable = "State.Unavailable", true;
    /// No configured key gives the push's signature: WeChat did not send it, or `push_keys` is out of date.
    PushSignatureRejected = "Push.SignatureRejected", false;
    /// The push has a valid signature, but is too old or in the future.
    PushStale = "Push.Stale", false;
    /// Not a push, or a push that is not in 安全模式. Refused before its signature was checked.
    PushMalformed = "Push.Malformed", false;
    /// The push has a valid signature, but no configured key decrypts it for this component.
    PushUndecryptable = "Push.Undecryptable", false;
    /// The push was decrypted, but is not what WeChat documents.
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
