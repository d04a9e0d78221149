//! Tickets, tokens and codes: what was given out, and what it is still worth.

use std::collections::HashMap;
use std::time::Duration;

use crate::random;

/// Codes are forgotten this long after they expired; WeChat then calls them invalid too.
const CODE_MEMORY: u64 = 24 * 3600;
/// Expired codes are swept out whenever this many have been given out.
const SWEEP_EVERY: usize = 10_000;

/// A refusal: the errcode to answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) i64);

/// What a pre-authorization code is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    /// Given out and not used yet.
    Valid,
    /// Used: a second use is refused.
    Used,
    /// Too old.
    Expired,
    /// Never given out.
    Unknown,
}

#[derive(Debug)]
struct Token {
    expires_at: u64,
    /// When a newer token ends this one, if there is a newer one.
    superseded_at: Option<u64>,
    revoked: bool,
}

#[derive(Debug)]
struct ProblemCode {
    expires_at: u64,
    used: bool,
}

/// Everything given out so far.
#[derive(Debug, Default)]
pub(crate) struct Issued {
    tickets: HashMap<String, u64>,
    current_ticket: String,
    tokens: HashMap<String, Token>,
    current_token: Option<String>,
    codes: HashMap<String, ProblemCode>,
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

    /// A new token. Every older one has `overlap` left, or less if it had less.
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
        if self.codes_issued % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.codes.retain(|_, code| now < code.expires_at + CODE_MEMORY);
        }
        let value = random::pre_auth_code();
        self.codes.insert(value.clone(), ProblemCode { expires_at: now + lifetime.as_secs(), used: false });
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

    /// Uses a code up. The answer is the state before: only [`CodeState::Valid`] is a success.
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
