//! One mint, from the lease to the stored result. Everything that may go wrong in between leaves the
//! item in a state that the next one can judge.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::platform::problem::{Problem, Result};
use crate::platform::retry::Attempts;
use crate::platform::state::{Backoff, Lease, LeaseAttempt, StateError, StoredToken, Ticket, TokenItem};
use crate::platform::{Credentials, Services};
use crate::telemetry::metric;
use crate::wechat::errcode::{Endpoint, ErrcodeClass};
use crate::wechat::{CallError, TransportError};

/// How long a lease lives. Longer than a mint may take, so that nobody starts a second one beside it.
const LEASE_SECONDS: i64 = 15;

/// From taking the lease until the result is stored: well inside the lease.
const MINT_BUDGET: Duration = Duration::from_secs(8);

/// Of the budget, what is kept for storing the result.
const STORE_RESERVE: Duration = Duration::from_secs(1);

/// The longest one mint call may take; WeChat has been seen to take four seconds.
const LONGEST_CALL: Duration = Duration::from_secs(5);

/// A mint with less time than this is left to somebody who has more: one that is cut off may have
/// killed the old token for a new one that nobody knows.
const SHORTEST_MINT: Duration = Duration::from_secs(5);

/// Mint calls in one mint, whatever the reason for the next one.
const MAX_CALLS: u32 = 3;

/// First pause after a failed mint, in seconds; it doubles up to the longest.
const FIRST_BACKOFF: i64 = 15;
/// Longest pause after failed mints, in seconds.
const LONGEST_BACKOFF: i64 = 300;

/// Life left to a token, in seconds, after a mint that may have reached WeChat: when it did, the old
/// token dies about five minutes later.
const LIFE_AFTER_UNCLEAR_MINT: i64 = 300;

/// What became of a mint.
#[derive(Debug)]
pub(super) enum Minted {
    /// A token, stored for everyone.
    Stored(StoredToken),
    /// A token that could not be stored, because somebody else took the lease over: good for this
    /// request only.
    NotStored(StoredToken),
    /// Somebody else was first; the item as it is now.
    NotTaken(TokenItem),
}

struct Failure {
    error: CallError,
    /// Whether some attempt may have reached WeChat and brought no answer.
    unclear: bool,
    credentials: Arc<Credentials>,
}

/// Takes the lease that `seen` leaves open and mints.
///
/// # Errors
/// The problem, which has also been stored as backoff when a call was made.
pub(super) async fn mint(
    services: &Services,
    appid: &str,
    seen: &TokenItem,
    deadline: Instant,
) -> Result<Minted> {
    let credentials = services.credentials.get().await?;
    if credentials.component_appid != appid {
        return Err(Problem::other_component());
    }
    let Some(ticket) = services.tickets.ticket_item(appid).await?.ticket else {
        return Err(Problem::ticket_missing());
    };
    if deadline.saturating_duration_since(Instant::now()) < SHORTEST_MINT {
        return Err(Problem::token_pending());
    }
    let now = services.clock.now();
    let lease = Lease { holder: uuid::Uuid::new_v4().to_string(), expires_at: now + LEASE_SECONDS };
    let store_by = (Instant::now() + MINT_BUDGET).min(deadline);
    let call_by = store_by - STORE_RESERVE;
    match services.tokens.take_lease(appid, seen, &lease, now).await? {
        LeaseAttempt::Taken => {}
        LeaseAttempt::NotTaken(item) => return Ok(Minted::NotTaken(item)),
    }
    match call(services, credentials, &ticket, call_by).await {
        Ok(token) => Ok(store(services, appid, &lease.holder, token, store_by).await),
        Err(failure) => {
            Err(record_failed_mint(services, appid, &lease.holder, seen, &ticket, failure, store_by).await)
        }
    }
}

/// Calls WeChat until a token or a final answer is there, or the time is over.
async fn call(
    services: &Services,
    mut credentials: Arc<Credentials>,
    ticket: &Ticket,
    call_by: Instant,
) -> std::result::Result<StoredToken, Failure> {
    let mut attempts = Attempts::new(MAX_CALLS, LONGEST_CALL, call_by);
    let mut unclear = false;
    let mut unauthorized = false;
    loop {
        let Some(timeout) = attempts.next_timeout() else {
            let error = CallError::Transport(TransportError::no_time(Endpoint::ComponentToken));
            return Err(Failure { error, unclear, credentials });
        };
        let (called, minted_at) = (Instant::now(), services.clock.now());
        let answer = services
            .wechat
            .component_token(
                &credentials.component_appid,
                &credentials.component_appsecret,
                &ticket.value,
                timeout,
            )
            .await;
        services.metrics.call(Endpoint::ComponentToken.name(), called.elapsed());
        let error = match answer {
            Ok(token) => {
                return Ok(StoredToken {
                    value: token.value,
                    expires_at: minted_at.saturating_add(token.expires_in),
                    minted_at,
                });
            }
            Err(error) => error,
        };
        let again = match &error {
            CallError::Transport(error) => {
                unclear |= error.may_have_arrived();
                true
            }
            CallError::Refused(refusal) => match refusal.meaning().class {
                ErrcodeClass::Busy => true,
                // Seen to pass by itself: nine times in one outage, with the same parameters.
                ErrcodeClass::Unauthorized => !std::mem::replace(&mut unauthorized, true),
                ErrcodeClass::AppId | ErrcodeClass::AppSecret => {
                    let newest = timeout_at(call_by, services.credentials.reread()).await;
                    match newest.ok().and_then(std::result::Result::ok).filter(|newest| {
                        newest.version != credentials.version
                            && newest.component_appid == credentials.component_appid
                    }) {
                        Some(newest) => {
                            credentials = newest;
                            true
                        }
                        None => false,
                    }
                }
                _ => false,
            },
        };
        if !again || !attempts.pause().await {
            return Err(Failure { error, unclear, credentials });
        }
    }
}

/// Stores a minted token. It is the component's newest, so it is used whatever becomes of the write.
async fn store(
    services: &Services,
    appid: &str,
    holder: &str,
    token: StoredToken,
    store_by: Instant,
) -> Minted {
    services.metrics.count(metric::TOKEN_MINTED);
    tracing::info!(component_appid = appid, expires_at = token.expires_at, "minted a component access token");
    let stored = timeout_at(store_by, async {
        let mut attempts = Attempts::new(u32::MAX, MINT_BUDGET, store_by);
        loop {
            match services.tokens.store_token(appid, holder, &token).await {
                Err(error) => {
                    tracing::warn!(%error, "the minted token could not be stored");
                    if !attempts.pause().await {
                        break None;
                    }
                }
                Ok(stored) => break Some(stored),
            }
        }
    })
    .await
    .unwrap_or(None);
    // Only needed while Secrets Manager is down; the next mint tries again.
    match timeout_at(store_by, services.tokens.remember_component(appid)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the component could not be remembered"),
        Err(_elapsed) => tracing::warn!("there was no time to remember the component"),
    }
    match stored {
        Some(true) => Minted::Stored(token),
        Some(false) => {
            services.metrics.count(metric::LEASE_LOST);
            tracing::warn!("the lease was taken over before the minted token was stored");
            Minted::NotStored(token)
        }
        None => {
            tracing::error!(
                "the minted token is known to this instance only: the state table cannot be written"
            );
            Minted::Stored(token)
        }
    }
}

/// Stores why the mint failed, so that nobody repeats it at once.
async fn record_failed_mint(
    services: &Services,
    appid: &str,
    holder: &str,
    seen: &TokenItem,
    ticket: &Ticket,
    failure: Failure,
    store_by: Instant,
) -> Box<Problem> {
    let now = services.clock.now();
    let mut problem = services.record_call_failure(&failure.error);
    let count = seen.backoff.as_ref().map_or(0, |backoff| backoff.count).saturating_add(1);
    let pause = backoff_seconds(count);
    let backoff = Backoff {
        code: problem.code,
        errcode: problem.errcode,
        client_ip: problem.client_ip.clone(),
        count,
        until: now + pause,
        ticket_create_time: Some(ticket.create_time),
        credentials_version: Some(failure.credentials.version.clone()),
    };
    let shortened = now + LIFE_AFTER_UNCLEAR_MINT;
    let expires_at = seen
        .token
        .as_ref()
        .filter(|token| failure.unclear && token.expires_at > shortened)
        .map(|_| shortened);
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
    let stored =
        timeout_at(store_by, services.tokens.store_failure(appid, holder, &backoff, expires_at)).await;
    match stored.unwrap_or_else(|_elapsed| Err(StateError("no answer in time".into()))) {
        Ok(true) => {}
        Ok(false) => {
            services.metrics.count(metric::LEASE_LOST);
            tracing::warn!("the lease was taken over before the failed mint was stored");
        }
        Err(error) => tracing::warn!(%error, "the failed mint could not be stored"),
    }
    problem.retry_after = Some(problem.retry_after.unwrap_or(0).max(pause));
    problem
}

/// 15, 30, 60, 120, 240, 300, 300, … seconds after that many failures in a row.
fn backoff_seconds(count: u32) -> i64 {
    FIRST_BACKOFF.saturating_mul(1_i64 << count.saturating_sub(1).min(10)).min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    #[test]
    fn pauses_double_from_15_seconds_to_5_minutes() {
        let pauses: Vec<i64> = (1..=7).map(super::backoff_seconds).collect();
        assert_eq!(pauses, [15, 30, 60, 120, 240, 300, 300]);
        assert_eq!(super::backoff_seconds(u32::MAX), 300);
    }
}
