//! The authorizations, their codes and their tokens.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::account::Account;
use crate::errcode::Refusal;
use crate::random;

/// How long the code of an event can be redeemed, as in a captured push.
pub(crate) const EVENT_CODE_LIFETIME: u64 = 3600;

/// An account that has authorized the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Authorization {
    /// The account.
    pub account: Account,
    /// The granted permission sets, by id, in ascending order.
    pub permission_sets: Vec<u32>,
    /// When the account was authorized first, in Unix seconds by the simulator's clock.
    pub auth_time: u64,
    /// It stays the same until the authorization is withdrawn.
    pub refresh_token: String,
    /// Whether a code was redeemed. Before that, `api_get_authorizer_list` does not show the refresh token.
    pub redeemed: bool,
}

/// The codes of one authorization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssuedAuthCode {
    /// `auth_code` of the redirect.
    pub auth_code: String,
    /// `expires_in` of the redirect.
    pub expires_in: u64,
    /// `AuthorizationCode` of the event.
    #[serde(skip)]
    pub(crate) event_code: String,
    /// `AuthorizationCodeExpiredTime` of the event.
    #[serde(skip)]
    pub(crate) event_code_expires_at: u64,
}

/// What an authorization changed, and so which event is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The account had not authorized the platform.
    First,
    /// It had, with other permission sets.
    Update,
    /// It had, with the same permission sets: no event.
    None,
}

struct AuthCode {
    appid: String,
    expires_at: u64,
}

/// Everything that merchants have authorized.
#[derive(Default)]
pub(crate) struct Authorizers {
    authorizations: BTreeMap<String, Authorization>,
    /// The codes that were not redeemed.
    codes: HashMap<String, AuthCode>,
    access_tokens: HashSet<String>,
}

impl Authorizers {
    /// Records that `account` grants these permission sets.
    pub(crate) fn grant(&mut self, account: Account, mut permission_sets: Vec<u32>, now: u64) -> Change {
        permission_sets.sort_unstable();
        permission_sets.dedup();
        let Some(known) = self.authorizations.get_mut(&account.appid) else {
            let granted = Authorization {
                permission_sets,
                auth_time: now,
                refresh_token: random::refresh_token(),
                redeemed: false,
                account,
            };
            self.authorizations.insert(granted.account.appid.clone(), granted);
            return Change::First;
        };
        if known.permission_sets == permission_sets {
            return Change::None;
        }
        known.permission_sets = permission_sets;
        Change::Update
    }

    /// Issues the codes of an authorization.
    pub(crate) fn issue(&mut self, appid: &str, expires_in: u64, one_code: bool, now: u64) -> IssuedAuthCode {
        self.codes.retain(|_, code| now < code.expires_at + EVENT_CODE_LIFETIME);
        let mut add = |expires_at| {
            let code = random::authorization_code();
            self.codes.insert(code.clone(), AuthCode { appid: appid.to_owned(), expires_at });
            code
        };
        let event_code_expires_at = now + EVENT_CODE_LIFETIME;
        let event_code = add(event_code_expires_at);
        let auth_code = if one_code { event_code.clone() } else { add(now + expires_in) };
        IssuedAuthCode { auth_code, expires_in, event_code, event_code_expires_at }
    }

    /// Ends the authorization of an account: its codes and tokens are worthless. `false` if there was none.
    pub(crate) fn withdraw(&mut self, appid: &str) -> bool {
        self.codes.retain(|_, code| code.appid != appid);
        self.authorizations.remove(appid).is_some()
    }

    /// Redeems a code: 61009 if it is unknown or redeemed, 61010 if it has expired.
    pub(crate) fn redeem(&mut self, code: &str, now: u64) -> Result<Authorization, Refusal> {
        let known = self.codes.get(code).ok_or(Refusal(61009))?;
        if now >= known.expires_at {
            return Err(Refusal(61010));
        }
        let authorization = self.authorizations.get_mut(&known.appid).ok_or(Refusal(61009))?;
        authorization.redeemed = true;
        self.codes.remove(code);
        Ok(authorization.clone())
    }

    pub(crate) fn get(&self, appid: &str) -> Option<&Authorization> {
        self.authorizations.get(appid)
    }

    /// The authorizations in the order of their appids.
    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = &Authorization> {
        self.authorizations.values()
    }

    /// A new `authorizer_access_token`.
    pub(crate) fn access_token(&mut self) -> String {
        let token = random::token();
        self.access_tokens.insert(token.clone());
        token
    }

    /// Whether this is an authorizer's token, which no call of the platform accepts.
    pub(crate) fn is_access_token(&self, token: &str) -> bool {
        self.access_tokens.contains(token)
    }
}
