//! What can be wrong with a push. A receiver must handle all of it.

use serde::{Deserialize, Serialize};

/// One thing that is wrong with a push. The `msg_signature` is correct unless the flaw is about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// The `msg_signature` is that of another body.
    WrongSignature,
    /// The query has no `msg_signature`, only the plain `signature`.
    MissingSignature,
    /// The message is encrypted with an unknown key.
    WrongKey,
    /// The appid after the message is another platform's.
    WrongAppId,
    /// The body ends in the middle.
    Truncated,
    /// The ciphertext does not consist of whole blocks.
    TruncatedCiphertext,
    /// The last byte announces more padding than WeChat ever adds.
    BadPadding,
    /// The length field is larger than the message.
    BadLength,
    /// `Encrypt` is not base64.
    BadBase64,
    /// The push is valid and has two megabytes.
    Oversized,
    /// The body has a DOCTYPE with an external entity.
    Dtd,
    /// The body has a DOCTYPE with an entity bomb: each entity repeats the one before it ten times.
    EntityBomb,
    /// The encrypted message has a DOCTYPE with an external entity.
    InnerDtd,
    /// The encrypted message has an entity bomb.
    InnerEntityBomb,
    /// The body is not XML.
    NotXml,
    /// The encrypted message is not XML.
    InnerNotXml,
    /// 明文模式: the message is not encrypted, and there is no `Encrypt` and no `msg_signature`.
    PlainTextMode,
    /// The push was signed two days ago.
    StaleTimestamp,
    /// The push is signed for a time one hour ahead.
    FutureTimestamp,
    /// One bit of the ciphertext was changed after signing.
    FlippedBit,
    /// One bit of the ciphertext was changed before signing.
    FlippedBitSigned,
}

impl Flaw {
    /// Every flaw.
    pub const ALL: [Flaw; 21] = [
        Flaw::WrongSignature,
        Flaw::MissingSignature,
        Flaw::WrongKey,
        Flaw::WrongAppId,
        Flaw::Truncated,
        Flaw::TruncatedCiphertext,
        Flaw::BadPadding,
        Flaw::BadLength,
        Flaw::BadBase64,
        Flaw::Oversized,
        Flaw::Dtd,
        Flaw::EntityBomb,
        Flaw::InnerDtd,
        Flaw::InnerEntityBomb,
        Flaw::NotXml,
        Flaw::InnerNotXml,
        Flaw::PlainTextMode,
        Flaw::StaleTimestamp,
        Flaw::FutureTimestamp,
        Flaw::FlippedBit,
        Flaw::FlippedBitSigned,
    ];
}

/// A DOCTYPE that reads a file.
pub(super) const DTD: &str = "<!DOCTYPE xml [<!ENTITY file SYSTEM \"file:///etc/passwd\">]>\n";

/// A DOCTYPE whose last entity expands to nine thousand million characters.
pub(super) fn entity_bomb() -> String {
    let mut doctype = String::from("<!DOCTYPE xml [<!ENTITY l0 \"lollollol\">");
    for level in 1..=9 {
        let below = format!("&l{};", level - 1).repeat(10);
        doctype.push_str(&format!("<!ENTITY l{level} \"{below}\">"));
    }
    doctype.push_str("]>\n");
    doctype
}
