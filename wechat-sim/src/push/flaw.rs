//! What can be wrong with a push. Receivers must survive all of it.

use serde::{Deserialize, Serialize};

/// Something wrong. Unless the name says otherwise, `msg_signature` is right: the flaw lies behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// `msg_signature` of another body.
    WrongSignature,
    /// No `msg_signature` in the query, only the plain `signature`.
    MissingSignature,
    /// Encrypted with a key nobody has.
    WrongKey,
    /// The appid behind the message is another platform's.
    WrongAppId,
    /// The body ends half way.
    Truncated,
    /// The ciphertext is not made of whole blocks.
    TruncatedCiphertext,
    /// The last byte says more padding than WeChat ever adds.
    BadPadding,
    /// The message's length says more than there is.
    BadLength,
    /// `Encrypt` is not base64.
    BadBase64,
    /// A valid push of two megabytes.
    Oversized,
    /// An outer DOCTYPE with an external entity.
    Dtd,
    /// An outer DOCTYPE whose entities grow without end.
    EntityBomb,
    /// A DOCTYPE inside the encrypted message.
    InnerDtd,
    /// An entity bomb inside the encrypted message.
    InnerEntityBomb,
    /// The body is not XML.
    NotXml,
    /// The encrypted message is not XML.
    InnerNotXml,
    /// 明文模式: the message in clear, without `Encrypt` and `msg_signature`.
    PlainTextMode,
    /// Signed two days ago.
    StaleTimestamp,
    /// Signed one hour ahead.
    FutureTimestamp,
    /// One bit of the ciphertext changed after signing.
    FlippedBit,
    /// One bit of the ciphertext changed before signing.
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

/// A DOCTYPE whose last entity stands for a thousand million characters.
pub(super) fn entity_bomb() -> String {
    let mut doctype = String::from("<!DOCTYPE xml [<!ENTITY l0 \"lollollol\">");
    for level in 1..=9 {
        let below = format!("&l{};", level - 1).repeat(10);
        doctype.push_str(&format!("<!ENTITY l{level} \"{below}\">"));
    }
    doctype.push_str("]>\n");
    doctype
}
