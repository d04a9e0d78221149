//! The issued tickets, tokens and codes, and whether each is still valid.

use std::collections::HashMap;
use std::time::Duration;

use crate::errcode::Refusal;
use crate::random;

/// How long an expired code is kept. After that it is unknown; WeChat calls both invalid.
const EXPIRED_CODE_KEPT_SECS: u64 = 24 * 3600;
/// Old codes are removed every time this many codes have been issued.
const REMOVE_EVERY: usize = 10_000;

/// The state of a pre-authorization code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    /// Issued and not used yet.
    Valid,
    /// Used. A second use is refused.
    Used,
    /// Its lifetime is over.
    Expired,
    /// Never issued.
    Unknown,
}

struct Token {
    expires_at: u64,
    /// When this token ends because of a newer one.
    superseded_at: Option<u64>,
    revoked: bool,
}

struct Code {
    expires_at: u64,
    used: bool,
}

/// Everything issued so far.
#[derive(Default)]
pub(crate) struct Issued {
    /// Each ticket with the time of its issue.
    tickets: HashMap<String, u64>,
    current_ticket: String,
    tokens: HashMap<String, Token>,
    current_token: Option<String>,
    codes: HashMap<String, Code>,
    pub(crate) tokens_minted: usize,
    pub(crate) codes_issued: usize,
}

impl Issued {
    pub(crate) fn issue_ticket(&mut self, now: u64) -> String {
        self.current_ticket = random::ticket();
        self.tickets.insert(self.current_ticket.clone(), now);
        self.current_ticket.clone()
    }

    pub(crate) fn current_ticket(&self) -> &str {
        &self.current_ticket
    }

    pub(crate) fn check_ticket(&self, ticket: &str, now: u64, lifetime: Duration) -> Result<(), Refusal> {
        match self.tickets.get(ticket) {
            None => Err(Refusal(61006)),
            Some(issued) if now >= issued + lifetime.as_secs() => Err(Refusal(61005)),
            Some(_) => Ok(()),
        }
    }

    /// Issues a new token. Every older one ends after `overlap`, or earlier if it would end earlier anyway.
    pub(crate) fn mint(&mut self, now: u64, lifetime: Duration, overlap: Duration) -> String {
        let end = now + overlap.as_secs();
        for old in self.tokens.values_mut() {
            old.superseded_at.get_or_insert(end);
        }
        let value = random::token();
        let expires_at = now + lifetime.as_secs();
        self.tokens.insert(value.clone(), Token { expires_at, superseded_at: None, revoked: false });
        self.current_token = Some(value.clone());
        self.tokens_minted += 1;
        value
    }

    pub(crate) fn current_token(&self) -> Option<&str> {
        self.current_token.as_deref()
    }

    pub(crate) fn revoke_tokens(&mut self) {
        for token in self.tokens.values_mut() {
            token.revoked = true;
        }
    }

    pub(crate) fn check_token(&self, value: &str, now: u64) -> Result<(), Refusal> {
        let token = self.tokens.get(value).ok_or(Refusal(40001))?;
        let superseded_at = token.superseded_at.unwrap_or(u64::MAX);
        if token.revoked || (now >= superseded_at && superseded_at < token.expires_at) {
            Err(Refusal(40001))
        } else if now >= token.expires_at {
            Err(Refusal(42001))
        } else {
            Ok(())
        }
    }

    pub(crate) fn issue_code(&mut self, now: u64, lifetime: Duration) -> String {
        if self.codes_issued % REMOVE_EVERY == REMOVE_EVERY - 1 {
            self.codes.retain(|_, code| now < code.expires_at + EXPIRED_CODE_KEPT_SECS);
        }
        let value = random::pre_auth_code();
        self.codes.insert(value.clone(), Code { expires_at: now + lifetime.as_secs(), used: false });
        self.codes_issued += 1;
        value
    }

    pub(crate) fn code_state(&self, value: &str, now: u64) -> CodeState {
        match self.codes.get(value) {
            None => CodeState::Unknown,
            Some(code) if code.used => CodeState::Used,
            Some(code) if now >= code.expires_at => CodeState::Expired,
            Some(_) => CodeState::Valid,
        }
    }

    /// Whether the lifetime of a code is over, used or not.
    pub(crate) fn code_expired(&self, value: &str, now: u64) -> bool {
        self.codes.get(value).is_none_or(|code| now >= code.expires_at)
    }

    /// Marks a code as used. Returns its state before; only [`CodeState::Valid`] is a success.
    pub(crate) fn use_code(&mut self, value: &str, now: u64) -> CodeState {
        let state = self.code_state(value, now);
        if state == CodeState::Valid
            && let Some(code) = self.codes.get_mut(value)
        {
            code.used = true;
        }
        state
    }
}
