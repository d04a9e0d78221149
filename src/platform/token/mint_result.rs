//! What is stored of a mint: the token, or why there is none.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::rules::LIFE_AFTER_UNCLEAR_MINT;
use crate::platform::call::Attempts;
use crate::platform::problem::{Problem, ProblemCode};
use crate::platform::state::{Backoff, StateError, StoredToken, Ticket, TokenItem};
use crate::platform::{Credentials, Services};
use crate::telemetry::metric;

/// First pause after a failed mint, in seconds; it doubles up to the longest.
const FIRST_BACKOFF: i64 = 15;
/// Longest pause after failed mints, in seconds.
const LONGEST_BACKOFF: i64 = 300;

/// What became of a mint.
#[derive(Debug)]
pub(super) enum Minted {
    /// A token, stored for everyone, or known to this process only because the table cannot be written.
    Done(StoredToken),
    /// A token that could not be stored because another instance took the lease over: good for this
    /// request only.
    LeaseLost(StoredToken),
    /// Another instance was first, or the table could not be written, and why. No call was made.
    NotTaken(Option<Box<Problem>>),
    /// WeChat gave no token, and why is stored. `unclear`: a call may have been processed all the same.
    Failed { problem: Box<Problem>, unclear: bool },
}

/// The lease of one mint, while it lasts, and what the mint began with.
pub(super) struct HeldLease<'a> {
    pub services: &'a Services,
    pub appid: &'a str,
    pub holder: String,
    /// The item as it was read before the lease was taken.
    pub seen: &'a TokenItem,
    pub ticket: Ticket,
    /// When the lease, or the request, ends.
    pub ends: Instant,
}

impl HeldLease<'_> {
    /// Stores a minted token.
    pub async fn store(&self, token: StoredToken) -> Minted {
        let Self { services, appid, holder, .. } = self;
        services.metrics.count(metric::TOKEN_MINTED);
        tracing::info!(
            component_appid = appid,
            expires_at = token.expires_at,
            uncertain = token.uncertain,
            "minted a component access token"
        );
        let tokens = &services.tokens;
        let stored = self.written(u32::MAX, || tokens.store_token(appid, holder, &token)).await;
        if stored.is_some() {
            // Only needed while Secrets Manager is down; the next mint tries again.
            self.written(3, || tokens.remember_component(appid)).await;
        }
        match stored {
            Some(true) => Minted::Done(token),
            Some(false) => {
                services.metrics.count(metric::LEASE_LOST);
                tracing::warn!("the lease was taken over before the minted token was stored");
                Minted::LeaseLost(token)
            }
            None => {
                tracing::error!(
                    "the minted token is known to this instance only: the state table cannot be written"
                );
                Minted::Done(token)
            }
        }
    }

    /// Stores why no token was minted, so that no instance tries again at once. `unclear`: a call may have been
    /// processed all the same.
    pub async fn store_failure(
        &self,
        credentials: &Credentials,
        mut problem: Box<Problem>,
        unclear: bool,
    ) -> Minted {
        let Self { services, appid, holder, seen, .. } = self;
        let now = services.clock.now();
        let count = seen.backoff.as_ref().map_or(0, |backoff| backoff.count).saturating_add(1);
        let pause = backoff_seconds(problem.code, count);
        let backoff = Backoff {
            code: problem.code,
            errcode: problem.errcode,
            client_ip: problem.client_ip.clone(),
            count,
            until: now + pause,
            ticket_create_time: Some(self.ticket.create_time),
            credentials_version: Some(credentials.version.clone()),
        };
        let shortened = now + LIFE_AFTER_UNCLEAR_MINT;
        let outlives = seen.token.as_ref().is_some_and(|token| token.expires_at > shortened);
        let expires_at = (unclear && outlives).then_some(shortened);
        tracing::warn!(
            code = problem.code.as_str(),
            errcode = problem.errcode,
            rid = problem.rid,
            client_ip = problem.client_ip,
            failed_mints = count,
            pause_s = pause,
            token_life_shortened = expires_at.is_some(),
            "a component access token could not be minted"
        );
        let tokens = &services.tokens;
        let stored = self.written(3, || tokens.store_failure(appid, holder, &backoff, expires_at)).await;
        if stored == Some(false) {
            services.metrics.count(metric::LEASE_LOST);
            tracing::warn!("the lease was taken over before the failed mint was stored");
        }
        problem.retry_after = Some(problem.retry_after.unwrap_or(0).max(pause));
        Minted::Failed { problem, unclear }
    }

    /// Gives the lease back, because no call was made. If that fails, it ends by itself.
    pub async fn release(&self) {
        self.written(1, || self.services.tokens.release_lease(self.appid, &self.holder)).await;
    }

    /// Repeats a write until the table takes it. `None`: it did not, in time or after so many tries.
    async fn written<T, F>(&self, tries: u32, write: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = std::result::Result<T, StateError>>,
    {
        let written = timeout_at(self.ends, async {
            let mut attempts = Attempts::new(tries, Duration::MAX, self.ends);
            loop {
                match write().await {
                    Ok(written) => break Some(written),
                    Err(error) => tracing::warn!(%error, "the state table could not be written"),
                }
                if !attempts.pause().await {
                    break None;
                }
            }
        });
        written.await.unwrap_or_default()
    }
}

/// 15, 30, 60, 120, 240, 300, 300, … seconds after that many failures in a row. A refused address pauses
/// for 15 seconds only: another instance may leave from another zone, whose address is registered.
fn backoff_seconds(code: ProblemCode, count: u32) -> i64 {
    if code == ProblemCode::ConfigEgressIpNotRegistered {
        return FIRST_BACKOFF;
    }
    FIRST_BACKOFF.saturating_mul(1_i64 << count.saturating_sub(1).min(10)).min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::{ProblemCode, backoff_seconds};

    #[test]
    fn pauses_double_from_15_seconds_to_5_minutes() {
        let pauses: Vec<i64> = (1..=7).map(|count| backoff_seconds(ProblemCode::WeChatBusy, count)).collect();
        assert_eq!(pauses, [15, 30, 60, 120, 240, 300, 300]);
        assert_eq!(backoff_seconds(ProblemCode::WeChatBusy, u32::MAX), 300);
    }

    #[test]
    fn a_refused_address_pauses_for_15_seconds_only() {
        assert_eq!(backoff_seconds(ProblemCode::ConfigEgressIpNotRegistered, 9), 15);
    }
}
