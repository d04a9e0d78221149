//! The newest token that one process has seen.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::rules::{CLOCK_SKEW, LIFE_AFTER_UNCLEAR_MINT, Role, TokenRequest, age, is_newer, is_same, usable};
use crate::platform::state::{StoredToken, TokenItem};

/// A token and the component it belongs to.
#[derive(Debug, Clone)]
pub struct ActiveToken {
    /// The component.
    pub appid: String,
    /// Its token.
    pub token: StoredToken,
}

/// Only ever locked for a moment.
#[derive(Default)]
pub(super) struct TokenMemory(Mutex<Option<ActiveToken>>);

impl TokenMemory {
    /// The component of the remembered token.
    pub fn appid(&self) -> Option<String> {
        self.lock().as_ref().map(|active| active.appid.clone())
    }

    /// The remembered token, when it is this component's and valid at `now`.
    pub fn valid(&self, appid: &str, now: i64) -> Option<ActiveToken> {
        self.lock().as_ref().filter(|active| active.appid == appid && active.token.expires_at > now).cloned()
    }

    /// The valid token, when it is newer than the refused one.
    pub fn newer_than(&self, refused: &ActiveToken, now: i64) -> Option<ActiveToken> {
        self.valid(&refused.appid, now).filter(|active| is_newer(&active.token, &refused.token, now))
    }

    pub fn remember(&self, appid: &str, token: StoredToken) -> ActiveToken {
        let active = ActiveToken { appid: appid.to_owned(), token };
        *self.lock() = Some(active.clone());
        active
    }

    /// After an unclear mint the token may stop working in five minutes. The shorter life makes the process
    /// read the table before that.
    pub fn shorten_life(&self, now: i64) {
        if let Some(active) = &mut *self.lock() {
            active.token.expires_at =
                active.token.expires_at.min(now.saturating_add(LIFE_AFTER_UNCLEAR_MINT));
        }
    }

    /// The item as this process sees it: a token that was minted here and could not be stored is the newest
    /// all the same, unless WeChat refused it. The keeper soon mints one that the others can read. Any other valid
    /// token is remembered, so that the process's other requests use it while this one mints.
    pub fn merge(&self, item: &TokenItem, appid: &str, request: TokenRequest<'_>, now: i64) -> TokenItem {
        let mut item = item.clone();
        let is_refused = |token: &StoredToken| request.refused.is_some_and(|refused| is_same(token, refused));
        if let Some(mut token) = self.valid(appid, now).map(|active| active.token)
            && !is_refused(&token)
            && let since = age(&token, now).map(|_age| token.minted_at - CLOCK_SKEW)
            && item.token.as_ref().is_none_or(|stored| since.is_some_and(|since| stored.minted_at < since))
        {
            token.uncertain |= request.role == Role::Keeper;
            item.token = Some(token);
        } else if let Some(token) = usable(&item, request.refused, now) {
            self.remember(appid, token.clone());
        }
        item
    }

    fn lock(&self) -> MutexGuard<'_, Option<ActiveToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
