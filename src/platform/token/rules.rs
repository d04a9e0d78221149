//! The token rules as one pure function: what to do, given the item, the time and the need.

use secrecy::ExposeSecret as _;

use crate::platform::state::{Backoff, StoredToken, TokenItem};

/// For this long after a mint nobody mints again because a token was refused: a refusal that no mint
/// can end must not cost one for every request.
pub const REMINT_AFTER_REFUSAL: i64 = 300;

/// A token with more life than this is fresh: nobody looks any further. WeChat advises to renew at
/// 1 h 50 min of 2 h.
pub const FRESH: i64 = 600;

/// Why a token is looked for, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// A token with less life than this, in seconds, is renewed.
    pub renew_before: i64,
    /// The token that WeChat has just refused.
    pub refused: Option<&'a StoredToken>,
    /// Mint whatever is there.
    pub force: bool,
    /// Whether minting is allowed at all.
    pub minting: bool,
}

/// What to do.
#[derive(Debug)]
pub enum Decision {
    /// Use this token.
    Use(StoredToken),
    /// Take the lease and mint.
    Mint,
    /// Somebody else is minting and there is nothing to use meanwhile.
    Wait,
    /// A mint failed a moment ago and there is nothing to use meanwhile.
    BackOff(Backoff),
    /// WeChat refuses the newest token, and it is too early for another; seconds to wait.
    Refused(i64),
    /// Minting is off and there is no valid token.
    Missing,
}

/// What to do about `item` at `now`. `backoff_is_obsolete` says that the reason of its backoff is gone.
#[must_use]
pub fn decide(item: &TokenItem, need: TokenRequest<'_>, now: i64, backoff_is_obsolete: bool) -> Decision {
    let usable = item
        .token
        .as_ref()
        .filter(|token| token.expires_at > now)
        .filter(|token| need.refused.is_none_or(|refused| is_newer(token, refused)));
    if let Some(token) = usable
        && !need.force
        && (token.expires_at - now > need.renew_before || !need.minting)
    {
        return Decision::Use(token.clone());
    }
    let or_use = |decision| match usable {
        Some(token) => Decision::Use(token.clone()),
        None => decision,
    };
    if !need.minting {
        return match need.refused {
            Some(_) => Decision::Refused(REMINT_AFTER_REFUSAL),
            None => Decision::Missing,
        };
    }
    if usable.is_none() && need.refused.is_some() {
        let minted_at = item.token.as_ref().map_or(i64::MIN, |token| token.minted_at);
        let wait = minted_at.saturating_add(REMINT_AFTER_REFUSAL) - now;
        if wait > 0 {
            return Decision::Refused(wait);
        }
    }
    if item.lease.as_ref().is_some_and(|lease| lease.expires_at > now) {
        // Who forces a mint wants the result of the one that is under way.
        return if need.force { Decision::Wait } else { or_use(Decision::Wait) };
    }
    match &item.backoff {
        Some(backoff) if backoff.until > now && !backoff_is_obsolete && !need.force => {
            or_use(Decision::BackOff(backoff.clone()))
        }
        _ => Decision::Mint,
    }
}

/// Whether `item` shows that somebody else mints for this component: WeChat refused its token long
/// before it expired and long after it was minted, and no mint of ours explains it.
#[must_use]
pub fn is_foreign_mint(item: &TokenItem, refused: &StoredToken, now: i64) -> bool {
    item.lease.is_none()
        && item.token.as_ref().is_some_and(|token| {
            token.value.expose_secret() == refused.value.expose_secret()
                && token.expires_at - now > FRESH
                && now - token.minted_at >= REMINT_AFTER_REFUSAL
        })
}

fn is_newer(token: &StoredToken, refused: &StoredToken) -> bool {
    token.minted_at >= refused.minted_at && token.value.expose_secret() != refused.value.expose_secret()
}
