//! Why a push was refused.

use super::{MAX_AGE_S, MAX_AHEAD_S, MAX_BODY_BYTES, XmlError};

/// Why a push was refused. No variant carries anything of the push but names, counts and times, so all
/// of it may be logged.
///
/// The first two are answered with 401 (see [`is_unauthentic`](Self::is_unauthentic)), the others with 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    // 401: not shown to be WeChat, or not now.
    /// No key in `push_keys` gives this `msg_signature`. From WeChat: the Token (消息校验Token) in
    /// `push_keys` is not the one on the platform's page, and the operator must add it. From anyone else:
    /// nothing to do.
    #[error("the msg_signature fits none of the configured push keys")]
    Signature,
    /// Well signed, but too old or too far ahead of our clock: a replay, or a receiver that hands pushes on
    /// too late. The operator must look when it lasts.
    #[error(
        "the push is {age_s} s old: accepted are at most {MAX_AGE_S} s, and at most {MAX_AHEAD_S} s ahead"
    )]
    Stale {
        /// Seconds from the push's timestamp to now; negative when it lies ahead.
        age_s: i64,
    },

    // 400, before the signature was looked at: anyone on the Internet can cause these.
    /// The body is longer than [`MAX_BODY_BYTES`]. Not WeChat; nothing to do.
    #[error("the body has {bytes} bytes: accepted are at most {MAX_BODY_BYTES}")]
    TooLarge {
        /// Length of the body.
        bytes: usize,
    },
    /// A query parameter is absent. Not WeChat, or a proxy before us that drops the query.
    #[error("the query parameter {name} is missing")]
    MissingParameter {
        /// The parameter's name.
        name: &'static str,
    },
    /// A query parameter is there more than once, so that it is unclear which one was signed. Not WeChat.
    #[error("the query parameter {name} is there more than once")]
    RepeatedParameter {
        /// The parameter's name.
        name: &'static str,
    },
    /// A query parameter is not of the documented form (`timestamp`: Unix seconds in decimal digits). Not WeChat.
    #[error("the query parameter {name} is not of the documented form")]
    InvalidParameter {
        /// The parameter's name.
        name: &'static str,
    },
    /// `encrypt_type` is not `aes`, or there is no `<Encrypt>` in the body: a push in plain text, which
    /// nobody could tell from a forged one. The operator must choose 安全模式 for the platform's messages.
    #[error("the push is not encrypted: only 安全模式 (encrypt_type=aes) is accepted")]
    NotEncrypted,
    /// The outer XML cannot be read. Not WeChat, or a proxy before us that changes bodies.
    #[error("the body is not a push: {0}")]
    Envelope(XmlError),

    // 400, after the signature fitted: only holders of the Token can cause these.
    /// Signed with our Token, but no key decrypts it for this component. One error for every cause (base64,
    /// length, padding, message length, appid, UTF-8), so that it tells a forger nothing. The operator must
    /// compare `encoding_aes_key` and `component_appid` with the platform's page.
    #[error("no configured encoding_aes_key decrypts the push for this component")]
    Undecryptable,
    /// Decrypted, but the message is not XML as WeChat documents it. WeChat changed its format: report it.
    #[error("the decrypted message cannot be read: {0}")]
    Unreadable(XmlError),
    /// Decrypted, but a field that decides what happens is absent, empty, repeated or of the wrong form.
    /// WeChat changed its format: report it.
    #[error("the decrypted message's {name} is missing, repeated or not of the documented form")]
    Field {
        /// The element's name.
        name: &'static str,
    },
}

impl PushError {
    /// Whether the push is not shown to come from WeChat now, which is answered with 401. All else is a 400.
    #[must_use]
    pub const fn is_unauthentic(&self) -> bool {
        matches!(self, Self::Signature | Self::Stale { .. })
    }
}
