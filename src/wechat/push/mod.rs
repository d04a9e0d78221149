//! WeChat's push format: what arrives on the authorization-event URL (授权事件接收URL), opened and read.
//!
//! A push is a POST whose query carries `timestamp`, `nonce`, `encrypt_type` and `msg_signature`, and whose
//! body is `<xml>` with an `<Encrypt>` element in it. [`open`] checks and decrypts it into a [`Push`].
//! Storing, forwarding and answering are left to others, and so is the clock: `now` comes in from outside.
//!
//! The format: <https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html>
//!
//! | module | for |
//! |---|---|
//! | `query` | the query parameters of a push, and how old it is |
//! | `signature` | `msg_signature` |
//! | `crypto` | the keys, and AES |
//! | `xml` | a small strict XML reader for both layers |
//! | `event` | the message inside, as a [`Push`] |

mod crypto;
mod error;
mod event;
mod query;
mod signature;
mod xml;

pub use crypto::{PushKey, PushKeyError};
pub use error::PushError;
pub use event::Push;
pub use query::{MAX_AGE_S, MAX_AHEAD_S, PushQuery};
pub use xml::XmlError;

/// The largest body that is looked at, in bytes. Ticket pushes have about 700, the richest event a few
/// thousand; whoever sends more is not WeChat, and nothing is computed for them.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Opens one push: signature, age, decryption, message, in this order.
///
/// `keys` are tried in their order, and every one whose signature fits is tried for decryption: the same
/// Token may stand beside several `EncodingAESKey`s while one of them is being replaced. `now` is Unix seconds.
///
/// # Errors
///
/// See [`PushError`]; [`PushError::is_unauthentic`] tells the 401s from the 400s.
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

    // Nothing is decoded for someone who does not know the Token.
    let mut signers = keys.iter().filter(|key| signature::fits(key, query, &encrypt)).peekable();
    if signers.peek().is_none() {
        return Err(PushError::Signature);
    }
    query.check_age(now)?;

    let message =
        signers.find_map(|key| key.decrypt(&encrypt, component_appid)).ok_or(PushError::Undecryptable)?;
    let push = Push::from_xml(&message)?;
    match &push {
        // The encrypted layer named our component already. A ticket of another one would only be refused
        // by WeChat later, and far from here.
        Push::Ticket { app_id, .. } if app_id != component_appid => Err(PushError::Field { name: "AppId" }),
        _ => Ok(push),
    }
}

/// The text of the one `<Encrypt>` of the outer XML. The other elements (`AppId`, in some modes the plain
/// message too) are covered by no signature and are not looked at.
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
