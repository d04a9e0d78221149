//! The query parameters of a push.

use super::PushError;

/// Digits of a timestamp. A fixed length leaves fewer ways to cut timestamp and nonce elsewhere, which the
/// signature does not prevent.
const TIMESTAMP_DIGITS: usize = 10;

/// The query parameters of a push that count. All others are ignored, above all `signature`, which does not
/// cover the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushQuery {
    pub(super) timestamp: String,
    pub(super) nonce: String,
    pub(super) msg_signature: String,
    /// `timestamp` as a number.
    pub(super) sent_at: i64,
}

impl PushQuery {
    /// Reads percent-decoded parameters, each as often as it was sent.
    ///
    /// # Errors
    ///
    /// [`PushError::MissingParameter`], [`PushError::RepeatedParameter`], [`PushError::InvalidParameter`], or
    /// [`PushError::NotEncrypted`] when `encrypt_type` is absent or anything but `aes`.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, PushError> {
        let [mut timestamp, mut nonce, mut encrypt_type, mut msg_signature] = [None; 4];
        for (key, value) in pairs {
            let (name, slot) = match key {
                "timestamp" => ("timestamp", &mut timestamp),
                "nonce" => ("nonce", &mut nonce),
                "encrypt_type" => ("encrypt_type", &mut encrypt_type),
                "msg_signature" => ("msg_signature", &mut msg_signature),
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(PushError::RepeatedParameter { name });
            }
        }
        if encrypt_type != Some("aes") {
            return Err(PushError::NotEncrypted);
        }
        let required = |name, value: Option<&str>| match value {
            Some(value) if !value.is_empty() => Ok(value.to_owned()),
            _ => Err(PushError::MissingParameter { name }),
        };
        let timestamp = required("timestamp", timestamp)?;
        Ok(Self {
            sent_at: unix_seconds(&timestamp).ok_or(PushError::InvalidParameter { name: "timestamp" })?,
            timestamp,
            nonce: required("nonce", nonce)?,
            msg_signature: required("msg_signature", msg_signature)?,
        })
    }
}

fn unix_seconds(text: &str) -> Option<i64> {
    let is_timestamp = text.len() == TIMESTAMP_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_timestamp { text.parse().ok() } else { None }
}
