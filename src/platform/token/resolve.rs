//! Reads the token item and does what the rules say, until there is a token or a reason why there is none.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::memory::{ActiveToken, TokenMemory};
use super::mint::mint;
use super::mint_result::Minted;
use super::rules::{Decision, TokenRequest, decide, is_foreign_mint, is_same, usable, without_a_mint};
use crate::platform::call::jittered;
use crate::platform::problem::{Problem, ProblemCode, Result};
use crate::platform::services::Services;
use crate::platform::state::{StateError, StoredToken, TokenItem};
use crate::telemetry::metric;
use crate::wechat::Refusal;

/// How often the table is read while another instance mints: first and longest interval.
const POLL: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(1000));

/// A request gives up after this many failures of the table, unless it has seen another instance mint.
const MAX_FAILURES: u32 = 3;

/// One request's way to a token.
pub(super) struct Resolution<'a> {
    pub services: &'a Services,
    pub memory: &'a TokenMemory,
    pub appid: &'a str,
    pub request: TokenRequest<'a>,
    /// What WeChat said of the refused token.
    pub refusal: Option<&'a Refusal>,
    pub deadline: Instant,
    pub progress: Progress,
}

/// What was seen so far.
#[derive(Default)]
pub(super) struct Progress {
    pauses: u32,
    /// Failures of the table.
    failures: u32,
    /// Whether another instance was seen minting: then it is worth waiting until the deadline.
    saw_a_mint: bool,
    /// The item as it was read first.
    first: Option<TokenItem>,
    /// Why the lease could not be taken; nothing when another instance has it.
    unwritable: Option<Box<Problem>>,
}

impl Resolution<'_> {
    /// # Errors
    /// Why there is no token.
    pub async fn run(&mut self) -> Result<ActiveToken> {
        loop {
            let read = timeout_at(self.deadline, self.services.tokens.token_item(self.appid)).await;
            let active = match read.unwrap_or_else(|_elapsed| Err(StateError("no answer in time".into()))) {
                Ok(stored) => self.act(&stored).await?,
                Err(error) => self.without_the_table(error).await?,
            };
            if let Some(active) = active {
                return Ok(active);
            }
        }
    }

    /// Does what the rules say about `stored`. `None`: the item must be read again.
    async fn act(&mut self, stored: &TokenItem) -> Result<Option<ActiveToken>> {
        self.compare_with_the_first(stored)?;
        let item = self.memory.merge(stored, self.appid, self.request, self.now());
        let obsolete = self.backoff_is_obsolete(&item).await;
        match decide(&item, self.request, self.now(), obsolete) {
            Decision::Use(token) => self.keep(token),
            Decision::Missing => Err(Problem::token_missing()),
            Decision::Refused(wait) => {
                Err(Problem::token_rejected(self.refusal, self.services.minting, wait))
            }
            Decision::BackOff(backoff) => {
                Err(Problem::from_backoff(&backoff, &self.services.egress, self.now()))
            }
            Decision::Wait => {
                (self.progress.saw_a_mint, self.progress.unwritable) = (true, None);
                let rest = item.live_lease(self.now()).map_or(1, |lease| lease.expires_at - self.now());
                self.pause().await.map_err(|problem| problem.retry_after(rest))
            }
            Decision::Mint => match mint(self.services, self.appid, stored, self.deadline).await {
                Ok(Minted::Done(token)) => self.keep(token),
                // Not remembered: the successor of the lease has a newer one.
                Ok(Minted::LeaseLost(token)) => Ok(Some(ActiveToken { appid: self.appid.to_owned(), token })),
                Ok(Minted::NotTaken(unwritable)) => {
                    (self.progress.saw_a_mint, self.progress.unwritable) = (true, unwritable);
                    match usable(&item, self.request.refused, self.now()) {
                        Some(token) if !self.request.force => self.keep(token.clone()),
                        _ => self.pause().await,
                    }
                }
                Ok(Minted::Failed { problem, unclear }) => {
                    if unclear {
                        self.memory.shorten_life(self.now());
                    }
                    self.without_a_mint(&item, problem)
                }
                Err(problem) => match self.without_a_mint(&item, problem) {
                    Err(problem) if problem.code == ProblemCode::StateUnavailable => {
                        self.table_failed(problem).await
                    }
                    Err(problem) if problem.code == ProblemCode::TokenPending => {
                        Err(self.progress.unwritable.take().unwrap_or(problem))
                    }
                    result => result,
                },
            },
        }
    }

    /// The table cannot be read. A valid token in memory is used, unless WeChat refused one or the refresh is
    /// forced. Otherwise the table is read again: until the deadline if another instance is minting, else up
    /// to `MAX_FAILURES` times.
    async fn without_the_table(&mut self, error: StateError) -> Result<Option<ActiveToken>> {
        let known = self.memory.valid(self.appid, self.now());
        if let Some(active) = known.filter(|_| self.request.refused.is_none() && !self.request.force) {
            tracing::warn!(%error, "the state table cannot be read; the token in memory is valid");
            return Ok(Some(active));
        }
        self.table_failed(error.into()).await
    }

    /// Pauses before the next try of a table that fails. Never a token.
    async fn table_failed(&mut self, problem: Box<Problem>) -> Result<Option<ActiveToken>> {
        self.progress.failures += 1;
        if self.progress.saw_a_mint {
            self.pause().await
        } else if self.progress.failures >= MAX_FAILURES {
            Err(problem)
        } else {
            self.pause().await.map_err(|_pending| problem)
        }
    }

    /// First read: reports a foreign mint. Later reads of a forced refresh: a new token of another instance
    /// is accepted; if that instance's mint failed, its problem is returned.
    fn compare_with_the_first(&mut self, stored: &TokenItem) -> Result<()> {
        let Some(first) = &self.progress.first else {
            self.progress.first = Some(stored.clone());
            if let Some(refused) = self.request.refused.filter(|_| self.request.minting) {
                self.watch_for_foreign_mints(stored, refused);
            }
            return Ok(());
        };
        if !self.request.force {
            return Ok(());
        }
        let is_new = |new: &StoredToken| first.token.as_ref().is_none_or(|old| !is_same(old, new));
        if stored.token.as_ref().is_some_and(is_new) {
            self.request.force = false;
        } else if let Some(backoff) = stored.live_backoff(self.now())
            && stored.backoff != first.backoff
        {
            return Err(Problem::from_backoff(backoff, &self.services.egress, self.now()));
        }
        Ok(())
    }

    /// After a mint that failed or could not begin: a token that is still good. A forced refresh wants no
    /// old one.
    fn without_a_mint(&self, item: &TokenItem, problem: Box<Problem>) -> Result<Option<ActiveToken>> {
        match without_a_mint(item, self.request.refused, self.now()) {
            Some(token) if !self.request.force => self.keep(token.clone()),
            _ => Err(problem),
        }
    }

    fn keep(&self, token: StoredToken) -> Result<Option<ActiveToken>> {
        Ok(Some(self.memory.remember(self.appid, token)))
    }

    /// Pauses before the next look at the table. Never a token.
    async fn pause(&mut self) -> Result<Option<ActiveToken>> {
        let pause = jittered(POLL.0.saturating_mul(1 << self.progress.pauses.min(8)).min(POLL.1));
        if Instant::now() + pause >= self.deadline {
            return Err(self.progress.unwritable.take().unwrap_or_else(Problem::token_pending));
        }
        tokio::time::sleep(pause).await;
        self.progress.pauses += 1;
        Ok(None)
    }

    /// Whether the reason of a backoff is gone: a newer ticket, or other credentials.
    async fn backoff_is_obsolete(&self, item: &TokenItem) -> bool {
        let Some(backoff) = item.live_backoff(self.now()) else { return false };
        match backoff.code {
            ProblemCode::TicketRejected => {
                let item = self.services.tickets.ticket_item(self.appid).await;
                let ticket = item.ok().and_then(|item| item.ticket);
                ticket.is_some_and(|ticket| Some(ticket.create_time) != backoff.ticket_create_time)
            }
            ProblemCode::ConfigAppIdRejected
            | ProblemCode::ConfigAppSecretRejected
            | ProblemCode::WeChatUnauthorized => {
                let credentials = self.services.credentials.reread().await;
                credentials.is_ok_and(|now| Some(&now.version) != backoff.credentials_version.as_ref())
            }
            _ => false,
        }
    }

    fn watch_for_foreign_mints(&self, item: &TokenItem, refused: &StoredToken) {
        let now = self.now();
        if is_foreign_mint(item, refused, now) {
            self.services.metrics.count(metric::FOREIGN_MINT);
            tracing::error!(
                foreign_mint = true,
                token_age_s = now.saturating_sub(refused.minted_at),
                token_seconds_left = refused.expires_at.saturating_sub(now),
                "another program mints tokens for this component: WeChat refuses ours long before it expires"
            );
        }
    }

    fn now(&self) -> i64 {
        self.services.clock.now()
    }
}
