//! Stores a component access token that was minted elsewhere, for owners with `MINTING=off`.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::Keeper;
use crate::platform::clock::rfc3339;
use crate::platform::problem::{Problem, Result, texts};
use crate::platform::state::StoredToken;

/// Longest token accepted, in characters. Real ones have 86 to 157; WeChat advises to reserve 512.
const MAX_TOKEN_CHARS: usize = 1024;

/// The furthest an expiry may lie ahead, in seconds. WeChat's tokens live two hours; ten minutes are for
/// clocks that differ.
const MAX_LIFE: i64 = 2 * 3600 + 600;

/// When a token that is handed over expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenExpiry {
    /// At this time, in Unix seconds.
    At(i64),
    /// After so many seconds, as WeChat's answer says.
    In(i64),
}

/// A token was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenStored {
    /// The component it is used for.
    pub component_appid: String,
    /// When it expires, in UTC.
    pub expires_at: String,
    /// Seconds until then.
    pub seconds_left: i64,
}

impl Keeper {
    /// Stores a token that was minted elsewhere. A valid token that expires later stays, unless
    /// `replace` is true.
    ///
    /// # Errors
    /// `Request.Invalid` while `MINTING` is on, when the token or its expiry cannot be right, or when the
    /// stored token stays.
    pub async fn put_token(
        &self,
        token: &SecretString,
        expiry: TokenExpiry,
        replace: bool,
    ) -> Result<TokenStored> {
        if self.services.minting {
            return Err(Problem::invalid(texts::PUT_TOKEN_MINTING));
        }
        let text = token.expose_secret();
        if text.is_empty() || text.chars().count() > MAX_TOKEN_CHARS {
            return Err(Problem::invalid(texts::TOKEN_LENGTH.with(&[("most", &MAX_TOKEN_CHARS)])));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Problem::invalid(texts::TOKEN_CHARACTERS));
        }
        let now = self.services.clock.now();
        let (seconds_left, wrong) = match expiry {
            TokenExpiry::At(time) => (time.saturating_sub(now), texts::EXPIRES_AT),
            TokenExpiry::In(seconds) => (seconds, texts::EXPIRES_IN),
        };
        if !(1..=MAX_LIFE).contains(&seconds_left) {
            return Err(Problem::invalid(wrong.with(&[("now", &now), ("most", &MAX_LIFE)])));
        }
        let expires_at = now + seconds_left;
        // Not from memory: the operator may have changed the component a moment ago.
        let appid = self.services.credentials.read_now().await?.component_appid.clone();
        let given = StoredToken { value: token.clone(), expires_at, minted_at: now, uncertain: false };
        let tokens = &self.services.tokens;
        tokens.remember_component(&appid).await?;
        if !tokens.put_token(&appid, &given, replace).await? {
            let stored = tokens.token_item(&appid).await?.token;
            return Err(Problem::invalid(match stored.filter(|token| token.minted_at <= now && !replace) {
                Some(token) => texts::TOKEN_EXPIRES_LATER.with(&[("expires_at", &rfc3339(token.expires_at))]),
                None => texts::TOKEN_STORED_LATER.into(),
            }));
        }
        tracing::info!(component_appid = appid, expires_at, "a component access token was handed over");
        Ok(TokenStored { component_appid: appid, expires_at: rfc3339(expires_at), seconds_left })
    }
}
