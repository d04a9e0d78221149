//! One mint: the lease, the call, the stored result. Whatever goes wrong in between leaves the item in a state
//! that the next instance can judge.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};

use super::mint_result::{HeldLease, Minted};
use super::rules::LIFE_AFTER_UNCLEAR_MINT;
use crate::platform::call::Attempts;
use crate::platform::problem::{Problem, Result};
use crate::platform::state::{Lease, StoredToken, Ticket, TokenItem};
use crate::platform::{Credentials, Services};
use crate::wechat::errcode::{Endpoint, ErrcodeClass};
use crate::wechat::{CallError, ComponentToken};

/// How long a lease lives, counted from before the write that takes it. Longer than a mint may take, so that
/// nobody starts a second one beside it.
const LEASE: Duration = Duration::from_secs(15);

/// Every call ends at least this long before the lease ends, because the clocks of two instances may differ
/// by this much.
const CLOCK_RESERVE: Duration = Duration::from_secs(2);

/// Kept for storing the result after the last call: one attempt of the AWS SDK.
const STORE_RESERVE: Duration = Duration::from_millis(1500);

/// The longest that one mint call may take; WeChat has been seen to take four seconds.
const LONGEST_CALL: Duration = Duration::from_secs(5);

/// No mint call begins with less time than this: one that is cut off may have replaced the old token by a new
/// one that was never received.
const SHORTEST_CALL: Duration = Duration::from_millis(4500);

/// Mint calls in one mint, whatever the reason for the next one.
const MAX_CALLS: u32 = 3;

/// For this many seconds after a mint, WeChat may still process a call of it that had no answer.
const UNCLEAR_FOR: i64 = 15;

/// The longest life that is believed, in seconds. WeChat's tokens live 7200.
const LONGEST_LIFE: i64 = 24 * 3600;

/// Takes the lease, which is free in `seen`, and mints.
///
/// # Errors
/// Why no call could be made: credentials, ticket, table or time are missing.
pub(super) async fn mint(
    services: &Services,
    appid: &str,
    seen: &TokenItem,
    deadline: Instant,
) -> Result<Minted> {
    let credentials = services.credentials.get().await?;
    let appsecret = credentials.appsecret()?.clone();
    if credentials.component_appid != appid {
        return Err(Problem::other_component());
    }
    let Some(ticket) = services.tickets.ticket_item(appid).await?.ticket else {
        return Err(Problem::ticket_missing());
    };
    let (began, now) = (Instant::now(), services.clock.now());
    let call_by = (began + LEASE - CLOCK_RESERVE).min(deadline) - STORE_RESERVE;
    if call_by.saturating_duration_since(began) < SHORTEST_CALL {
        return Err(Problem::token_pending());
    }
    let lease =
        Lease { holder: uuid::Uuid::new_v4().to_string(), expires_at: now + LEASE.as_secs().cast_signed() };
    match services.tokens.take_lease(appid, seen, &lease, now).await {
        Ok(true) => {}
        Ok(false) => return Ok(Minted::NotTaken(None)),
        Err(error) => {
            tracing::warn!(%error, "the lease could not be taken");
            return Ok(Minted::NotTaken(Some(error.into())));
        }
    }
    let ends = (began + LEASE).min(deadline);
    let held = HeldLease { services, appid, holder: lease.holder, seen, ticket, ends };
    if call_by.saturating_duration_since(Instant::now()) < SHORTEST_CALL {
        held.release().await;
        return Err(Problem::token_pending());
    }
    // WeChat may process a call of the mint before this one only now.
    let is_open = |token: &StoredToken| token.uncertain && now.saturating_sub(token.minted_at) < UNCLEAR_FOR;
    let unclear = seen.token.as_ref().is_some_and(is_open);
    let mut calls = Calls { credentials, appsecret, unclear, unauthorized: false };
    Ok(match ask(services, &mut calls, &held.ticket, call_by).await {
        Ok(token) => held.store(token).await,
        Err(error) => {
            // If the last holder of the lease died, WeChat may still process its call.
            let unclear = calls.unclear || seen.lease.is_some();
            let problem = services.record_call_failure(&error);
            held.store_failure(&calls.credentials, problem, unclear).await
        }
    })
}

/// What the calls of one mint have brought so far.
struct Calls {
    credentials: Arc<Credentials>,
    appsecret: SecretString,
    /// A call that brought no answer may have been processed.
    unclear: bool,
    unauthorized: bool,
}

impl Calls {
    /// After an unclear call the token may not be the newest: see [`StoredToken::uncertain`].
    fn stored(&self, token: ComponentToken, minted_at: i64) -> StoredToken {
        let longest = if self.unclear { LIFE_AFTER_UNCLEAR_MINT } else { LONGEST_LIFE };
        let expires_at = minted_at.saturating_add(token.expires_in.min(longest));
        StoredToken { value: token.value, expires_at, minted_at, uncertain: self.unclear }
    }

    /// Whether to call WeChat again after `error`.
    async fn again(&mut self, services: &Services, error: &CallError) -> bool {
        match error {
            CallError::Transport(error) => {
                self.unclear |= error.may_have_arrived();
                true
            }
            CallError::Refused(refusal) => match refusal.meaning().class {
                ErrcodeClass::Busy => true,
                // Seen to pass by itself: nine times in one outage, with the same parameters.
                ErrcodeClass::Unauthorized => !std::mem::replace(&mut self.unauthorized, true),
                ErrcodeClass::AppId | ErrcodeClass::AppSecret => {
                    let appid = self.credentials.component_appid.clone();
                    let changed = services.credentials.replace_refused(&mut self.credentials).await;
                    match self.credentials.appsecret() {
                        Ok(appsecret) if changed && self.credentials.component_appid == appid => {
                            self.appsecret = appsecret.clone();
                            true
                        }
                        _ => false,
                    }
                }
                _ => false,
            },
        }
    }
}

/// Calls WeChat until a token or a final answer is there, or the time is over.
async fn ask(
    services: &Services,
    calls: &mut Calls,
    ticket: &Ticket,
    call_by: Instant,
) -> std::result::Result<StoredToken, CallError> {
    let mut attempts = Attempts::new(MAX_CALLS, LONGEST_CALL, call_by).shortest(SHORTEST_CALL);
    loop {
        let minted_at = services.clock.now();
        let (appid, appsecret) = (&calls.credentials.component_appid, &calls.appsecret);
        let mint = |timeout| services.wechat.component_token(appid, appsecret, &ticket.value, timeout);
        let error = match attempts.make(services, Endpoint::ComponentToken, mint).await {
            Ok(token) => return Ok(calls.stored(token, minted_at)),
            Err(error) => error,
        };
        // Reading the credentials again must not take the time that a call needs.
        let again = timeout_at(call_by, calls.again(services, &error)).await;
        if !again.unwrap_or(false) || !attempts.pause().await {
            return Err(error);
        }
    }
}
