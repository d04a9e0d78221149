//! The codes that callers match on, each with its HTTP status, its waiting time and its title.

use super::code::codes;
use super::texts::Text;

/// A person must act first.
const NEVER: Option<i64> = None;
/// A passing fault of WeChat, the network or AWS.
const AFTER_FAULT: Option<i64> = Some(5);
/// Another instance's mint has succeeded or failed by then.
const AFTER_MINT: Option<i64> = Some(2);
/// The quota of the next minute.
const NEXT_MINUTE: Option<i64> = Some(60);
/// WeChat pushes a ticket every ten minutes.
const NEXT_TICKET: Option<i64> = Some(600);

codes! {
    /// The request is not JSON, or a field is unknown, wrong or names another component.
    RequestInvalid = "Request.Invalid", 400, NEVER, { en: "The request is not valid" };
    /// No such path.
    RequestNotFound = "Request.NotFound", 404, NEVER, { en: "There is nothing at this path" };
    /// No such method on this path.
    RequestMethodNotAllowed = "Request.MethodNotAllowed", 405, NEVER, { en: "This path does not take this method" };
    /// WeChat answered -1, even after retries.
    WeChatBusy = "WeChat.Busy", 503, AFTER_FAULT, { en: "WeChat is busy" };
    /// WeChat refuses the component access token, and a new one may not be minted yet. The token rules say how long.
    WeChatTokenRejected = "WeChat.TokenRejected", 503, AFTER_FAULT, { en: "WeChat refuses the component access token" };
    /// 45011: the quota of this minute.
    WeChatRateLimited = "WeChat.RateLimited", 429, NEXT_MINUTE, { en: "WeChat's quota for this minute is used up" };
    /// 45009: the quota of this day.
    WeChatDailyQuotaExhausted = "WeChat.DailyQuotaExhausted", 429, NEVER, { en: "WeChat's quota for this day is used up" };
    /// 48001: the platform or its token may not use the API.
    WeChatUnauthorized = "WeChat.Unauthorized", 502, NEVER, { en: "The platform may not use this API" };
    /// 41001, 47001: WeChat could not read the request that this service sent.
    WeChatRequestRejected = "WeChat.RequestRejected", 502, NEVER, { en: "WeChat could not read this service's request" };
    /// Any other errcode.
    WeChatError = "WeChat.Error", 502, NEVER, { en: "WeChat refused the call" };
    /// No connection, an error of a gateway, or an answer that is not the documented JSON.
    WeChatUnreachable = "WeChat.Unreachable", 502, AFTER_FAULT, { en: "WeChat gave no usable answer" };
    /// No answer in time.
    WeChatTimeout = "WeChat.Timeout", 504, AFTER_FAULT, { en: "WeChat did not answer in time" };
    /// 61004, 40164, 45035: the address that WeChat saw is not in the platform's whitelist.
    ConfigEgressIpNotRegistered = "Config.EgressIpNotRegistered", 502, NEVER, { en: "The egress IP is not in WeChat's whitelist" };
    /// 40013, 61011, 61000, 61001, 41002, 41018: the appid is wrong.
    ConfigAppIdRejected = "Config.AppIdRejected", 502, NEVER, { en: "WeChat refuses the component appid" };
    /// 40125, 41004, and 40001 on the mint call: the appsecret is wrong.
    ConfigAppSecretRejected = "Config.AppSecretRejected", 502, NEVER, { en: "WeChat refuses the component appsecret" };
    /// No verify ticket has arrived yet.
    TicketMissing = "Ticket.Missing", 503, NEXT_TICKET, { en: "No verify ticket has arrived" };
    /// 61005, 61006, 40091: WeChat refuses the ticket.
    TicketRejected = "Ticket.Rejected", 503, NEXT_TICKET, { en: "WeChat refuses the verify ticket" };
    /// `MINTING` is off, and no valid token was handed over.
    TokenMissing = "Token.Missing", 503, AFTER_FAULT, { en: "No component access token was handed over" };
    /// Another instance is minting.
    TokenPending = "Token.Pending", 503, AFTER_MINT, { en: "A component access token is being obtained" };
    /// Secrets Manager does not answer.
    SecretsUnavailable = "Secrets.Unavailable", 503, AFTER_FAULT, { en: "The credentials cannot be read" };
    /// The secret is missing, denied, unfilled or wrong.
    SecretsInvalid = "Secrets.Invalid", 500, NEVER, { en: "The credentials secret is not usable" };
    /// DynamoDB does not answer, throttles or denies.
    StateUnavailable = "State.Unavailable", 503, AFTER_FAULT, { en: "The state table cannot be used" };
    /// No configured key gives the push's signature: WeChat did not send it, or `push_keys` is out of date.
    PushSignatureRejected = "Push.SignatureRejected", 401, NEVER, { en: "The push is not signed with a known Token" };
    /// The push has a valid signature, but is too old or in the future.
    PushStale = "Push.Stale", 401, NEVER, { en: "The push is too old or in the future" };
    /// Not a push, or a push that is not in 安全模式. Refused before its signature was checked.
    PushMalformed = "Push.Malformed", 400, NEVER, { en: "This is not an encrypted push" };
    /// The push has a valid signature, but no configured key decrypts it for this component.
    PushUndecryptable = "Push.Undecryptable", 400, NEVER, { en: "The push cannot be decrypted" };
    /// The push was decrypted, but is not what WeChat documents.
    PushUnreadable = "Push.Unreadable", 400, NEVER, { en: "The push's message cannot be read" };
    /// `EventBridge` does not answer, throttles, denies or did not take the event.
    EventsUnavailable = "Events.Unavailable", 503, AFTER_FAULT, { en: "The event bus cannot be used" };
    /// No such authorization link, or one that ended long ago.
    LinkNotFound = "Link.NotFound", 404, NEVER, { en: "There is no such authorization link" };
    /// The link's `expires_in` has passed.
    LinkExpired = "Link.Expired", 410, NEVER, { en: "The authorization link has expired" };
    /// The link has taken as many codes as a link may.
    LinkExhausted = "Link.Exhausted", 429, NEVER, { en: "The authorization link was used too often" };
    /// The function `preauthcode` cannot be invoked, or did not answer.
    FunctionUnavailable = "Function.Unavailable", 503, AFTER_FAULT, { en: "The function preauthcode cannot be used" };
    /// A bug.
    Internal = "Internal", 500, NEVER, { en: "Internal error" };
}
