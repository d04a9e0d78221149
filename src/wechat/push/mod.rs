//! WeChat's push format: what arrives on the authorization-event URL (授权事件接收URL), opened and read.
//!
//! A push is a POST whose query carries `timestamp`, `nonce`, `encrypt_type` and `msg_signature`, and whose
//! body is `<xml>` with an `<Encrypt>` element in it. [`open`] checks and decrypts it into a [`Push`].
//! Others store it, forward it and answer. The caller also says what time it is.
//!
//! The format: <https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html>
//!
//! | module | for |
//! |---|---|
//! | `limits` | how large and how old a push may be |
//! | `query` | the query parameters of a push |
//! | `signature` | `msg_signature` |
//! | `crypto` | the keys, and AES |
//! | `xml` | a small strict XML reader for both layers |
//! | `event` | the message inside, as a [`Push`] |

mod crypto;
mod error;
mod event;
mod limits;
mod query;
mod signature;
mod xml;

pub use crypto::{PushKey, PushKeyError};
pub use error::PushError;
pub use event::Push;
pub use limits::{MAX_AGE_S, MAX_AHEAD_S, MAX_BODY_BYTES};
pub use query::PushQuery;
pub use xml::XmlError;

use secrecy::SecretString;

/// Opens one push. Checks in this order: signature, age of the query, decryption, message, age of the message.
///
/// The age counts twice. The query's `timestamp` is checked before anything is decrypted, but whoever has
/// captured a push can change it without breaking the signature. `CreateTime` is encrypted, so a push never
/// becomes younger than that. An event without `CreateTime` (WeChat documents none) has only the first check.
///
/// `keys` are tried in their order. Every key whose signature fits is tried for decryption: the same Token
/// may stand beside several `EncodingAESKey`s while one of them is being replaced. `now` is Unix seconds.
///
/// # Errors
///
/// See [`PushError`].
pub fn open(
    query: &PushQuery,
    body: &[u8],
    keys: &[PushKey],
    component_appid: &str,
    now: i64,
) -> Result<Push, PushError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(PushError::TooLarge { bytes: body.len() });
    }
    let encrypt = encrypted_part(body)?;

    // Nothing is decoded for a sender that does not know the Token.
    let mut signers = keys.iter().filter(|key| signature::fits(key.token(), query, &encrypt)).peekable();
    if signers.peek().is_none() {
        return Err(PushError::Signature);
    }
    check_age(query.sent_at, now)?;

    let message =
        signers.find_map(|key| key.decrypt(&encrypt, component_appid)).ok_or(PushError::Undecryptable)?;
    let push = Push::from_xml(&message)?;
    match &push {
        // The encrypted layer has named our component already. WeChat would refuse the ticket of another
        // component much later, when it is used.
        Push::Ticket { app_id, .. } if app_id != component_appid => {
            return Err(PushError::Field { name: "AppId" });
        }
        Push::Ticket { create_time, .. } | Push::Event { create_time: Some(create_time), .. } => {
            check_age(*create_time, now)?;
        }
        Push::Event { create_time: None, .. } | Push::Message => {}
    }
    Ok(push)
}

/// Whether a push is signed with this Token. It says nothing else about the push.
pub fn is_signed_with(token: &SecretString, query: &PushQuery, body: &[u8]) -> bool {
    encrypted_part(body).is_ok_and(|encrypt| signature::fits(token, query, &encrypt))
}

/// Refuses what was sent more than [`MAX_AGE_S`] ago or lies more than [`MAX_AHEAD_S`] ahead.
fn check_age(sent_at: i64, now: i64) -> Result<(), PushError> {
    let age_s = now.saturating_sub(sent_at);
    if (-MAX_AHEAD_S..=MAX_AGE_S).contains(&age_s) { Ok(()) } else { Err(PushError::Stale { age_s }) }
}

/// The text of the one `<Encrypt>` of the outer XML. No signature covers the other elements (`AppId`, in some
/// modes the plain message too), so they are ignored.
fn encrypted_part(body: &[u8]) -> Result<String, PushError> {
    let text = std::str::from_utf8(body).map_err(|_| PushError::Envelope(XmlError::Encoding))?;
    let fields = xml::fields(text, MAX_BODY_BYTES).map_err(PushError::Envelope)?;
    let mut parts = fields.into_iter().filter(|(name, _)| name == "Encrypt");
    match (parts.next(), parts.next()) {
        (None, _) => Err(PushError::NotEncrypted),
        (Some((_, xml::Content::Text(text))), None) if !text.is_empty() => Ok(text),
        _ => Err(PushError::Envelope(XmlError::Encrypt)),
    }
}
