//! Why a push was refused.

use super::XmlError;
use super::limits::{MAX_AGE_S, MAX_AHEAD_S, MAX_BODY_BYTES};

/// Why a push was refused. Of the push itself it holds names, counts and times only, so it may be logged.
///
/// The first two are answered with 401, the others with 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    // 401: the push is not known to come from WeChat, or not to be sent now.
    /// No key in `push_keys` gives this `msg_signature`. If WeChat sent the push, the Token (消息校验Token) in
    /// `push_keys` is not the one on the platform's page, and the operator must add it. Otherwise there is
    /// nothing to do.
    #[error("the msg_signature fits none of the configured push keys")]
    Signature,
    /// The signature is right, but the query's `timestamp` or the message's `CreateTime` is too old or too far
    /// ahead: a replay, or a receiver that forwards pushes too late. If it lasts, the operator must find out
    /// which.
    #[error(
        "the push is {age_s} s old: accepted are at most {MAX_AGE_S} s, and at most {MAX_AHEAD_S} s ahead"
    )]
    Stale {
        /// Seconds since the push was sent; negative when that lies ahead.
        age_s: i64,
    },

    // 400, before the signature was checked: anyone on the Internet can cause these.
    /// The body is longer than [`MAX_BODY_BYTES`]. WeChat did not send it; there is nothing to do.
    #[error("the body has {bytes} bytes: accepted are at most {MAX_BODY_BYTES}")]
    TooLarge {
        /// Length of the body.
        bytes: usize,
    },
    /// A query parameter is absent. WeChat did not send the push, or a proxy on the way drops the query.
    #[error("the query parameter {name} is missing")]
    MissingParameter {
        /// The parameter's name.
        name: &'static str,
    },
    /// A query parameter is there more than once, so it is unclear which one was signed. WeChat did not send it.
    #[error("the query parameter {name} is there more than once")]
    RepeatedParameter {
        /// The parameter's name.
        name: &'static str,
    },
    /// A query parameter is not of the documented form (`timestamp`: Unix seconds in ten digits). WeChat did not
    /// send it.
    #[error("the query parameter {name} is not of the documented form")]
    InvalidParameter {
        /// The parameter's name.
        name: &'static str,
    },
    /// `encrypt_type` is not `aes`, or there is no `<Encrypt>` in the body. A push in plain text could be
    /// forged by anyone. The operator must choose 安全模式 for the platform's messages.
    #[error("the push is not encrypted: only 安全模式 (encrypt_type=aes) is accepted")]
    NotEncrypted,
    /// The outer XML cannot be read. WeChat did not send it, or a proxy on the way changes bodies.
    #[error("the body is not a push: {0}")]
    Envelope(XmlError),

    // 400, after the signature was checked: only holders of the Token can cause these.
    /// Signed with our Token, but no key decrypts it for this component. All causes (base64, length, padding,
    /// message length, appid, UTF-8) give the same error, so that a forger learns nothing. The operator must
    /// compare `encoding_aes_key` and `component_appid` with the platform's page.
    #[error("no configured encoding_aes_key decrypts the push for this component")]
    Undecryptable,
    /// Decrypted, but the message is not the XML that WeChat documents. WeChat changed its format: report it.
    #[error("the decrypted message cannot be read: {0}")]
    Unreadable(XmlError),
    /// Decrypted, but a field that this service depends on is absent, empty, repeated or of the wrong form.
    /// WeChat changed its format: report it.
    #[error("the decrypted message's {name} is missing, repeated or not of the documented form")]
    Field {
        /// The element's name.
        name: &'static str,
    },
}
