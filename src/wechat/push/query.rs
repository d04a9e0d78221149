//! The query parameters of a push, and how old it is.

use super::PushError;

/// How old a push may be, in seconds. Generous, because another receiver may hand pushes on to us, and it
/// costs nothing: a replayed ticket never replaces a later one.
pub const MAX_AGE_S: i64 = 24 * 60 * 60;

/// How far ahead of our clock a push may be, in seconds: clocks differ, but not by more.
pub const MAX_AHEAD_S: i64 = 10 * 60;

/// The query parameters of a push that count. What else is in the query is ignored, above all `signature`,
/// which does not cover the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushQuery {
    pub(super) timestamp: String,
    pub(super) nonce: String,
    pub(super) msg_signature: String,
    sent_at: i64,
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

    /// Refuses what was sent more than [`MAX_AGE_S`] ago or [`MAX_AHEAD_S`] ahead.
    pub(super) fn check_age(&self, now: i64) -> Result<(), PushError> {
        let age_s = now.saturating_sub(self.sent_at);
        if (-MAX_AHEAD_S..=MAX_AGE_S).contains(&age_s) { Ok(()) } else { Err(PushError::Stale { age_s }) }
    }
}

/// Decimal digits only: `i64::from_str` alone would take signs too.
fn unix_seconds(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}
