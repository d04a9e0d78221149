//! A component access token that was minted elsewhere, for owners with `MINTING=off`: stored as it is
//! handed over, and never asked for.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::Keeper;
use crate::platform::clock::rfc3339;
use crate::platform::problem::{Problem, ProblemCode, Result};
use crate::platform::state::StoredToken;

/// Longest token accepted, in characters. Real ones have 86 to 157; WeChat advises to keep room for 512.
const MAX_TOKEN_CHARS: usize = 1024;

/// The furthest a token's end may lie ahead, in seconds. WeChat's live two hours; the third is for
/// clocks that differ, and against milliseconds.
const MAX_LIFE: i64 = 3 * 3600;

/// A token was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenStored {
    /// The component it is used for.
    pub component_appid: String,
    /// When it ends, in UTC.
    pub expires_at: String,
    /// Seconds until then.
    pub seconds_left: i64,
}

impl Keeper {
    /// Stores a token that was minted elsewhere. `expires_at` is in Unix seconds.
    ///
    /// # Errors
    /// `Request.Invalid` while `MINTING` is on, or when the token or its end cannot be right.
    pub async fn put_token(
        &self,
        token: &SecretString,
        expires_at: i64,
        replace: bool,
    ) -> Result<TokenStored> {
        let invalid = |detail: String| Err(Problem::new(ProblemCode::RequestInvalid, detail));
        if self.services.minting {
            return invalid(
                "put_token is for MINTING=off: this service mints tokens itself, and two minters kill each \
                 other's tokens"
                    .to_owned(),
            );
        }
        let text = token.expose_secret();
        if text.is_empty() || text.chars().count() > MAX_TOKEN_CHARS {
            return invalid(format!("component_access_token must have 1 to {MAX_TOKEN_CHARS} characters"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return invalid("component_access_token must be printable ASCII without spaces".to_owned());
        }
        let now = self.services.clock.now();
        let seconds_left = expires_at.saturating_sub(now);
        if !(1..=MAX_LIFE).contains(&seconds_left) {
            return invalid(format!(
                "expires_at must be Unix seconds, after now ({now}) and at most {MAX_LIFE} s later"
            ));
        }
        // Not from memory: the operator may have changed the component a moment ago.
        let appid = self.services.credentials.read_now().await?.component_appid.clone();
        let stored = StoredToken { value: token.clone(), expires_at, minted_at: now, uncertain: false };
        self.services.tokens.remember_component(&appid).await?;
        if !self.services.tokens.put_token(&appid, &stored, replace).await? {
            return invalid("a token that was stored later is there already; nothing was changed".to_owned());
        }
        tracing::info!(component_appid = appid, expires_at, "a component access token was handed over");
        Ok(TokenStored { component_appid: appid, expires_at: rfc3339(expires_at), seconds_left })
    }
}
