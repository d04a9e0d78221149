//! Builds the query and the body of a push, with its flaw.

use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::crypt::{self, PREFIX_LEN, PushCrypt, msg_signature};
use super::event::Event;
use super::flaw::{self, Flaw};
use super::options::Push;
use super::xml::{Field, XmlStyle};
use crate::{SimConfig, random};

/// Bytes of padding in an oversized push.
const OVERSIZED: usize = 2 * 1024 * 1024;
/// The age of a stale push.
const STALE_SECS: u64 = 48 * 3600;
/// How far ahead a push from the future is.
const FUTURE_SECS: u64 = 3600;

/// A push that is ready to be sent over HTTP, or to be given to a handler directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltPush {
    /// The query parameters, in WeChat's order.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The message before encryption.
    pub message: String,
}

impl BuiltPush {
    /// The query as text, encoded.
    #[must_use]
    pub fn query_string(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish()
    }
}

/// Builds `push` at the time `now`. `ticket` is the current ticket.
pub(crate) fn build(push: &Push, config: &SimConfig, now: u64, ticket: &str) -> io::Result<BuiltPush> {
    let (token, key) = match &push.keys {
        Some((token, key)) => (token.as_str(), key.as_str()),
        None => (config.push_token.as_str(), config.encoding_aes_key.as_str()),
    };
    let message = message(push, config, now, ticket);
    let timestamp = match push.flaw {
        Some(Flaw::StaleTimestamp) => now.saturating_sub(STALE_SECS),
        Some(Flaw::FutureTimestamp) => now + FUTURE_SECS,
        _ => push.timestamp.unwrap_or(now),
    }
    .to_string();
    let nonce = push.nonce.clone().unwrap_or_else(|| fastrand::u32(100_000_000..).to_string());
    let mut query = vec![
        ("signature".to_owned(), msg_signature(&[token, &timestamp, &nonce])),
        ("timestamp".to_owned(), timestamp.clone()),
        ("nonce".to_owned(), nonce.clone()),
    ];
    if push.flaw == Some(Flaw::PlainTextMode) {
        return Ok(BuiltPush { query, body: message.clone(), message });
    }

    let encrypt = encrypt(push.flaw, &PushCrypt::new(key)?, &message, &config.component_appid);
    let signed = match push.flaw {
        Some(Flaw::WrongSignature) => "another body",
        _ => encrypt.as_str(),
    };
    let signature = msg_signature(&[token, &timestamp, &nonce, signed]);
    query.push(("encrypt_type".to_owned(), "aes".to_owned()));
    if push.flaw != Some(Flaw::MissingSignature) {
        query.push(("msg_signature".to_owned(), signature));
    }
    let encrypt = if push.flaw == Some(Flaw::FlippedBit) { flip_bit(&encrypt) } else { encrypt };
    Ok(BuiltPush { query, body: envelope(push.flaw, &config.component_appid, &encrypt), message })
}

fn message(push: &Push, config: &SimConfig, now: u64, ticket: &str) -> String {
    let created = push.create_time.unwrap_or(now);
    let xml = |event: &Event, style| event.xml(&config.component_appid, created, ticket, style);
    match push.flaw {
        Some(Flaw::InnerNotXml) => "not xml at all".to_owned(),
        Some(Flaw::InnerDtd) => format!("{}{}", flaw::DTD, xml(&push.event, push.style)),
        Some(Flaw::InnerEntityBomb) => {
            let event = Event::info("authorized", vec![Field::text("AuthorizerAppid", "@bomb@")]);
            // Without CDATA, because a parser expands no entity inside CDATA.
            format!("{}{}", flaw::entity_bomb(), xml(&event, XmlStyle::Plain).replace("@bomb@", "&l9;"))
        }
        Some(Flaw::Oversized) => {
            let event = Event::info(push.event.name(), vec![Field::text("Padding", "x".repeat(OVERSIZED))]);
            xml(&event, push.style)
        }
        _ => xml(&push.event, push.style),
    }
}

fn encrypt(flaw: Option<Flaw>, crypt: &PushCrypt, message: &str, appid: &str) -> String {
    let mut prefix = [0; PREFIX_LEN];
    prefix.copy_from_slice(random::alphanumeric(PREFIX_LEN).as_bytes());
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let plain = crypt::plain(&prefix, length, message, appid);
    match flaw {
        Some(Flaw::WrongKey) => match PushCrypt::new(&random::alphanumeric(43)) {
            Ok(other_key) => other_key.encrypt_plain(&plain),
            Err(_) => crypt.encrypt_plain(&plain),
        },
        Some(Flaw::WrongAppId) => crypt.encrypt(&prefix, message, &random::appid()),
        Some(Flaw::BadLength) => {
            crypt.encrypt_plain(&crypt::plain(&prefix, length.saturating_add(1_000_000), message, appid))
        }
        Some(Flaw::BadPadding) => {
            let mut bytes = plain;
            bytes.resize(bytes.len().next_multiple_of(32), 200);
            if let Some(last) = bytes.last_mut() {
                *last = 200;
            }
            BASE64_STANDARD.encode(crypt.encrypt_blocks(bytes))
        }
        Some(Flaw::TruncatedCiphertext) => {
            let mut bytes = plain;
            bytes.resize(bytes.len().next_multiple_of(16) + 7, 0);
            BASE64_STANDARD.encode(crypt.encrypt_blocks(bytes))
        }
        Some(Flaw::BadBase64) => format!("%%%{}", crypt.encrypt_plain(&plain)),
        Some(Flaw::FlippedBitSigned) => flip_bit(&crypt.encrypt_plain(&plain)),
        _ => crypt.encrypt_plain(&plain),
    }
}

/// Flips a bit in the second block. Decrypted, that block with the length field becomes random bytes.
fn flip_bit(encrypt: &str) -> String {
    let mut bytes = BASE64_STANDARD.decode(encrypt).unwrap_or_default();
    if let Some(byte) = bytes.get_mut(16) {
        *byte ^= 1;
    }
    BASE64_STANDARD.encode(bytes)
}

fn envelope(flaw: Option<Flaw>, appid: &str, encrypt: &str) -> String {
    let xml = format!(
        "<xml>\n    <AppId><![CDATA[{appid}]]></AppId>\n    <Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>"
    );
    match flaw {
        Some(Flaw::NotXml) => "not xml at all".to_owned(),
        Some(Flaw::Truncated) => xml[..xml.len() / 2].to_owned(),
        Some(Flaw::Dtd) => format!("{}{}", flaw::DTD, xml.replace(&format!("<![CDATA[{appid}]]>"), "&file;")),
        Some(Flaw::EntityBomb) => {
            format!("{}{}", flaw::entity_bomb(), xml.replace(&format!("<![CDATA[{appid}]]>"), "&l9;"))
        }
        _ => xml,
    }
}
