//! The token rules as pure functions: what to do, given the item, the time and the request.

use secrecy::ExposeSecret as _;

use crate::platform::state::{Backoff, MAX_MINTED_AHEAD, StoredToken, TokenItem};

/// After a mint, the next one waits at least this many seconds, even if WeChat refuses the token or its life
/// is short. Otherwise an error that no mint can fix would cost one mint for each request. Exceptions: an
/// expired token, a token whose age is unknown, `force`, and a token that is uncertain (see
/// [`StoredToken::uncertain`]).
pub const REMINT_AFTER: i64 = 300;

/// A token with more life than this, in seconds, is fresh. WeChat advises to renew at 1 h 50 min of 2 h.
pub const FRESH: i64 = 600;

/// Life, in seconds, that is assumed after an unclear mint. The old token stops working about five minutes
/// after a new one is minted.
pub const LIFE_AFTER_UNCLEAR_MINT: i64 = 300;

/// A refused token with at most this much life left, in seconds, may have expired on its way to WeChat, or
/// by a clock that differs.
const EXPIRY_TOLERANCE: i64 = 5;

/// Two clocks that are right may differ by this many seconds, and so may the times of two mints.
pub const CLOCK_SKEW: i64 = 2;

/// The life of every WeChat token, in seconds. A token whose expiry was brought forward after an unclear mint
/// may still work until then.
const FULL_LIFE: i64 = 7200;

/// Who asks for a token: it decides when a valid one is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A request for a pre-auth code. Renews the token when at most 5 minutes are left and the keeper has not
    /// renewed it.
    Caller,
    /// The keeper. Renews the token when at most 10 minutes are left.
    Keeper,
}

impl Role {
    /// Two limits in seconds: the remaining life at which a token is renewed, and the age at which an
    /// uncertain token ([`StoredToken::uncertain`]) is renewed.
    const fn renews(self) -> (i64, i64) {
        match self {
            Self::Caller => (300, 180),
            Self::Keeper => (FRESH, 60),
        }
    }
}

/// Who asks for a token, and for what reason.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// Decides when a valid token is renewed.
    pub role: Role,
    /// The token that WeChat has just refused.
    pub refused: Option<&'a StoredToken>,
    /// Mint although the stored token is valid.
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
    /// Another instance is minting and there is nothing to use meanwhile.
    Wait,
    /// A mint failed a moment ago and there is nothing to use meanwhile.
    BackOff(Backoff),
    /// WeChat refuses the newest token, and no mint is allowed: it is too early, or minting is off. Seconds
    /// to wait.
    Refused(i64),
    /// Minting is off and there is no valid token.
    Missing,
}

/// What to do about `item` at `now`. `backoff_is_obsolete` says that the reason of its backoff is gone.
pub fn decide(item: &TokenItem, request: TokenRequest<'_>, now: i64, backoff_is_obsolete: bool) -> Decision {
    let usable = usable(item, request.refused, now);
    if let Some(token) = usable
        && !request.force
        && !(request.minting && is_due(token, request.role, now))
    {
        return Decision::Use(token.clone());
    }
    if !request.minting {
        return match request.refused {
            Some(_) => Decision::Refused(REMINT_AFTER),
            None => Decision::Missing,
        };
    }
    if item.live_lease(now).is_some() {
        return match usable {
            Some(token) if !request.force => Decision::Use(token.clone()),
            // A forced mint wants the result of the one that is under way.
            _ => Decision::Wait,
        };
    }
    if usable.is_none()
        && request.refused.is_some()
        && let Some(wait) = item.token.as_ref().and_then(|token| too_early_to_remint(token, now))
    {
        return Decision::Refused(wait);
    }
    match item.live_backoff(now) {
        Some(backoff) if !backoff_is_obsolete && !request.force => {
            match without_a_mint(item, request.refused, now) {
                Some(token) => Decision::Use(token.clone()),
                None => Decision::BackOff(backoff.clone()),
            }
        }
        _ => Decision::Mint,
    }
}

/// The item's token, when it is valid at `now` and newer than the refused one.
pub fn usable<'a>(item: &'a TokenItem, refused: Option<&StoredToken>, now: i64) -> Option<&'a StoredToken> {
    newer(item, refused, now).filter(|token| token.expires_at > now)
}

/// The token to use when no new one can be minted: a valid one, or one whose expiry was brought forward after
/// an unclear mint. At worst WeChat refuses it once.
pub fn without_a_mint<'a>(
    item: &'a TokenItem,
    refused: Option<&StoredToken>,
    now: i64,
) -> Option<&'a StoredToken> {
    newer(item, refused, now)
        .filter(|token| token.expires_at > now || age(token, now).is_some_and(|age| age < FULL_LIFE))
}

/// Seconds until a refused token may be replaced by a mint. `None`: no wait, because the token is old enough,
/// uncertain or expired, or its age is unknown.
fn too_early_to_remint(token: &StoredToken, now: i64) -> Option<i64> {
    let wait = REMINT_AFTER - age(token, now)?;
    let may_have_expired = token.expires_at <= now.saturating_add(EXPIRY_TOLERANCE);
    (wait > 0 && !token.uncertain && !may_have_expired).then_some(wait)
}

fn newer<'a>(item: &'a TokenItem, refused: Option<&StoredToken>, now: i64) -> Option<&'a StoredToken> {
    item.token.as_ref().filter(|token| refused.is_none_or(|refused| is_newer(token, refused, now)))
}

/// Whether a valid token is to be renewed. An uncertain one ([`StoredToken::uncertain`]) is renewed soon; any
/// other not before it is five minutes old, whatever life WeChat gave it.
pub fn is_due(token: &StoredToken, role: Role, now: i64) -> bool {
    let ((life_left, uncertain_age), age) = (role.renews(), age(token, now));
    if token.uncertain {
        return age.is_none_or(|age| age >= uncertain_age);
    }
    token.expires_at.saturating_sub(now) <= life_left && age.is_none_or(|age| age >= REMINT_AFTER)
}

/// Seconds since the mint; `None` when `minted_at` comes from a wrong clock.
pub fn age(token: &StoredToken, now: i64) -> Option<i64> {
    let age = now.saturating_sub(token.minted_at);
    (age >= -MAX_MINTED_AHEAD).then_some(age.max(0))
}

/// Whether `item` shows that another program mints for this component: WeChat refused its token long
/// before it expired and long after it was minted, and no mint of ours explains it.
pub fn is_foreign_mint(item: &TokenItem, refused: &StoredToken, now: i64) -> bool {
    item.lease.is_none()
        && item.token.as_ref().is_some_and(|token| {
            is_same(token, refused)
                && !token.uncertain
                && token.expires_at.saturating_sub(now) > FRESH
                && age(token, now).is_some_and(|age| age >= REMINT_AFTER)
        })
}

/// Whether two tokens have the same value.
pub fn is_same(one: &StoredToken, other: &StoredToken) -> bool {
    one.value.expose_secret() == other.value.expose_secret()
}

/// Whether a token may be newer than the refused one. What a wrong clock has minted says nothing: it is tried.
pub fn is_newer(token: &StoredToken, refused: &StoredToken, now: i64) -> bool {
    let unknown = age(token, now).is_none() || age(refused, now).is_none();
    !is_same(token, refused) && (unknown || token.minted_at.saturating_add(CLOCK_SKEW) >= refused.minted_at)
}
