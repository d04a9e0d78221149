//! The component access token: one for all instances, minted by one at a time, renewed before
//! anybody waits for it.
//!
//! `token_decision` says what to do and `mint` does it; here is what one process remembers, and how
//! its requests share one look at the table.

use std::sync::{Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::mint::{Minted, mint};
use super::rules::{Decision, FRESH, REMINT_AFTER_REFUSAL, TokenRequest, decide, is_foreign_mint};
use crate::platform::problem::{Problem, ProblemCode, Result};
use crate::platform::retry::jittered;
use crate::platform::services::Services;
use crate::platform::state::{Backoff, StateError, StoredToken, TokenItem};
use crate::telemetry::metric;

/// While the old token is still valid, the table is asked for a newer one at most this often, in seconds.
const REREAD_INTERVAL: i64 = 15;

/// While a failed mint keeps everybody waiting, one process reads the table at most this often, in
/// seconds.
const BACKOFF_REREAD_INTERVAL: i64 = 1;

/// How often the table is looked at while another instance mints: first and longest interval.
const POLL: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(1000));

/// Who asks for the token: it decides when the token is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A request for a code. Renews from 5 minutes before expiry, when the keeper has failed to.
    Caller,
    /// The keeper. Renews from 10 minutes before expiry.
    Keeper,
}

impl Role {
    const fn renew_before(self) -> i64 {
        match self {
            Self::Caller => 300,
            Self::Keeper => FRESH,
        }
    }
}

/// A token and the component it belongs to.
#[derive(Debug, Clone)]
pub struct ActiveToken {
    /// The component.
    pub appid: String,
    /// Its token.
    pub token: StoredToken,
}

/// What this process knows about the token.
pub struct TokenProvider {
    services: Services,
    role: Role,
    /// The newest token seen. Only ever locked for a moment.
    memory: SyncMutex<Option<ActiveToken>>,
    /// Held while one request looks at the table for all.
    flight: Mutex<SingleFlight>,
}

#[derive(Default)]
struct SingleFlight {
    read_at: Option<i64>,
    /// The problem of the last look, when it was a backoff.
    backoff: Option<Backoff>,
}

impl TokenProvider {
    /// A keeper that knows nothing yet.
    #[must_use]
    pub fn new(services: Services, role: Role) -> Self {
        Self { services, role, memory: SyncMutex::default(), flight: Mutex::default() }
    }

    /// The component's appid: from the credentials, or, while they cannot be read, from the table.
    ///
    /// # Errors
    /// When neither is there.
    pub async fn appid(&self) -> Result<String> {
        let known = match self.services.credentials.known() {
            Some(credentials) => Some(credentials.component_appid.clone()),
            None => self.remembered().map(|held| held.appid),
        };
        if let Some(appid) = known {
            return Ok(appid);
        }
        match self.services.credentials.get().await {
            Ok(credentials) => Ok(credentials.component_appid.clone()),
            Err(error) => match self.services.tokens.component().await {
                Ok(Some(appid)) => {
                    tracing::warn!(%error, "going on with the stored token");
                    Ok(appid)
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Reads what the first request will need: the credentials, and, at the same time, the token of
    /// the component that the table names. Never mints, never fails.
    pub async fn warm_up(&self) {
        let stored = async {
            let appid = self.services.tokens.component().await?;
            match appid {
                Some(appid) => Ok(Some((self.services.tokens.token_item(&appid).await?.token, appid))),
                None => Ok::<_, StateError>(None),
            }
        };
        let (credentials, stored) = tokio::join!(self.services.credentials.get(), stored);
        if let Err(error) = &credentials {
            tracing::warn!(%error, "no credentials at start-up");
        }
        match stored {
            Ok(Some((Some(token), appid)))
                if credentials.as_ref().is_ok_and(|ours| ours.component_appid != appid) =>
            {
                drop(token);
                tracing::warn!(component_appid = appid, "the stored token is another component's");
            }
            Ok(Some((Some(token), appid))) => {
                if token.expires_at > self.now() {
                    self.remember(&appid, token);
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "no stored token at start-up"),
        }
    }

    /// A valid token, by `deadline`.
    ///
    /// # Errors
    /// The problem that keeps one from being had.
    pub async fn get(&self, deadline: Instant) -> Result<ActiveToken> {
        let valid = self.valid();
        if let Some(held) = valid.clone().filter(|held| held.token.expires_at - self.now() > FRESH) {
            return Ok(held);
        }
        let mut flight = match &valid {
            // Someone is looking already: no need to wait for it with a valid token in hand.
            Some(held) => match self.flight.try_lock() {
                Ok(flight) => flight,
                Err(_) => return Ok(held.clone()),
            },
            None => self.lock(deadline).await?,
        };
        if let Some(held) = self.valid() {
            let looked = flight.read_at.is_some_and(|at| self.now() - at < REREAD_INTERVAL);
            if looked || held.token.expires_at - self.now() > FRESH {
                return Ok(held);
            }
        }
        self.look(&mut flight, None, false, deadline).await
    }

    /// A token instead of one that WeChat has refused. Mints at most once.
    ///
    /// # Errors
    /// `WeChat.TokenRejected` while it is too early for another mint, or the problem of the mint.
    pub async fn replace(&self, refused: &ActiveToken, deadline: Instant) -> Result<ActiveToken> {
        let mut flight = self.lock(deadline).await?;
        if let Some(held) = self.valid()
            && held.token.minted_at > refused.token.minted_at
        {
            return Ok(held);
        }
        self.look(&mut flight, Some(&refused.token), false, deadline).await
    }

    /// What the schedule asks for: renews when it is time, or at once with `force`.
    ///
    /// # Errors
    /// The problem that keeps a fresh token from being had.
    pub async fn refresh(&self, force: bool, deadline: Instant) -> Result<ActiveToken> {
        let mut flight = self.lock(deadline).await?;
        flight.backoff = None;
        self.look(&mut flight, None, force, deadline).await
    }

    /// One look at the table, and whatever follows from it.
    async fn look(
        &self,
        flight: &mut MutexGuard<'_, SingleFlight>,
        refused: Option<&StoredToken>,
        force: bool,
        deadline: Instant,
    ) -> Result<ActiveToken> {
        let appid = self.appid().await?;
        let mut need = TokenRequest {
            renew_before: self.role.renew_before(),
            refused,
            force,
            minting: self.services.minting,
        };
        let just_read = flight.read_at.is_some_and(|at| self.now() - at < BACKOFF_REREAD_INTERVAL);
        if let Some(backoff) = flight.backoff.as_ref().filter(|b| just_read && b.until > self.now()) {
            return Err(Problem::from_backoff(backoff, &self.services.egress, self.now()));
        }
        flight.backoff = None;
        let mut item = self.read(flight, &appid, refused).await?;
        let (mut poll, longest_poll) = POLL;
        let mut lost = 0;
        if let Some(refused) = refused.filter(|_| need.minting) {
            self.watch_for_foreign_mints(&item, refused);
        }
        loop {
            let backoff_is_obsolete = self.backoff_is_obsolete(&appid, &item).await;
            match decide(&item, need, self.now(), backoff_is_obsolete) {
                Decision::Use(token) => return Ok(self.remember(&appid, token)),
                Decision::Missing => return Err(Problem::token_missing()),
                Decision::Refused(wait) => return Err(self.token_rejected(wait)),
                Decision::BackOff(backoff) => {
                    let problem = Problem::from_backoff(&backoff, &self.services.egress, self.now());
                    // A new ticket ends this backoff at once, so the table is read every time.
                    flight.backoff =
                        Some(backoff).filter(|backoff| backoff.code != ProblemCode::TicketRejected);
                    return Err(problem);
                }
                Decision::Wait => {
                    let pause = jittered(poll);
                    if Instant::now() + pause >= deadline {
                        return Err(Problem::token_pending());
                    }
                    tokio::time::sleep(pause).await;
                    poll = (poll * 2).min(longest_poll);
                    let waited_for = item.lease.take();
                    item = self.read(flight, &appid, refused).await?;
                    // A mint has ended meanwhile: that is what was asked for.
                    need.force &= item.lease == waited_for;
                }
                Decision::Mint => match mint(&self.services, &appid, &item, deadline).await {
                    Ok(Minted::Stored(token)) => return Ok(self.remember(&appid, token)),
                    Ok(Minted::NotStored(token)) => {
                        // What the successor has stored is read by the next request.
                        flight.read_at = None;
                        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = None;
                        return Ok(ActiveToken { appid, token });
                    }
                    // Whoever was first has done what was asked for.
                    Ok(Minted::NotTaken(newer)) => {
                        if Instant::now() + poll >= deadline {
                            return Err(Problem::token_pending());
                        }
                        need.force = false;
                        item = newer;
                        lost += 1;
                        // Once is a lost race; more than that needs a pause.
                        if lost > 1 {
                            tokio::time::sleep(jittered(poll)).await;
                        }
                    }
                    Err(problem) => {
                        self.mistrust_memory();
                        let token = self.still_valid(&item, need).ok_or(problem)?;
                        return Ok(ActiveToken { appid, token });
                    }
                },
            }
        }
    }

    /// After a failed mint the old token may die in five minutes: it is looked up again before.
    fn mistrust_memory(&self) {
        let soon = self.now() + REMINT_AFTER_REFUSAL;
        if let Some(held) = &mut *self.memory.lock().unwrap_or_else(PoisonError::into_inner) {
            held.token.expires_at = held.token.expires_at.min(soon);
        }
    }

    /// After a failed mint: a stored token that is still good, for this request.
    fn still_valid(&self, item: &TokenItem, need: TokenRequest<'_>) -> Option<StoredToken> {
        let need = TokenRequest { force: false, minting: false, ..need };
        match decide(item, need, self.now(), false) {
            Decision::Use(token) => Some(token),
            _ => None,
        }
    }

    /// Reads the item. While the old token is still valid, an outage of the table changes nothing.
    async fn read(
        &self,
        flight: &mut MutexGuard<'_, SingleFlight>,
        appid: &str,
        refused: Option<&StoredToken>,
    ) -> Result<TokenItem> {
        flight.read_at = Some(self.now());
        match self.services.tokens.token_item(appid).await {
            Ok(item) => Ok(match self.valid() {
                Some(held) if item.token.as_ref().is_none_or(|t| t.minted_at < held.token.minted_at) => {
                    self.make_up(appid, held.token, item).await
                }
                _ => item,
            }),
            Err(error) => match self.valid().filter(|_| refused.is_none()) {
                Some(held) => {
                    tracing::warn!(%error, "the state table cannot be read; the old token is still valid");
                    // A token that counts as fresh to `decide`, whatever its age: without the table
                    // nobody may mint.
                    Ok(TokenItem { token: Some(held.token), lease: Some(unreadable()), backoff: None })
                }
                None => Err(error.into()),
            },
        }
    }

    /// A minted token that could not be stored is the newest all the same: it is stored now.
    async fn make_up(&self, appid: &str, token: StoredToken, item: TokenItem) -> TokenItem {
        match self.services.tokens.put_token(appid, &token).await {
            Ok(true) => TokenItem { token: Some(token), lease: None, backoff: None },
            Ok(false) => item,
            Err(error) => {
                tracing::warn!(%error, "the minted token could still not be stored");
                TokenItem { token: Some(token), ..item }
            }
        }
    }

    /// Whether the reason of a backoff is gone: a newer ticket, or other credentials.
    async fn backoff_is_obsolete(&self, appid: &str, item: &TokenItem) -> bool {
        let Some(backoff) = item.backoff.as_ref().filter(|backoff| backoff.until > self.now()) else {
            return false;
        };
        match backoff.code {
            ProblemCode::TicketRejected => {
                let ticket = self.services.tickets.ticket_item(appid).await.ok().and_then(|item| item.ticket);
                ticket.is_some_and(|ticket| Some(ticket.create_time) > backoff.ticket_create_time)
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
                token_age_s = now - refused.minted_at,
                token_seconds_left = refused.expires_at - now,
                "another program mints tokens for this component: WeChat refuses ours long before it expires"
            );
        }
    }

    pub(in crate::platform) fn token_rejected(&self, wait: i64) -> Box<Problem> {
        let problem = Problem::new(
            ProblemCode::WeChatTokenRejected,
            "WeChat refuses the newest component access token",
        );
        let remedy = if self.services.minting {
            "If this comes again, another program mints tokens for this component, and every new token kills \
             the last (foreign_mint in the logs). Find it (a test environment, an SDK, an old server) and stop \
             it, or set MINTING=off and hand its tokens over with the keeper's put_token."
        } else {
            "Hand over the newest token with the keeper's put_token: MINTING is off, and this one is not the \
             newest any more."
        };
        problem.remedy(remedy).retry_after(wait)
    }

    async fn lock(&self, deadline: Instant) -> Result<MutexGuard<'_, SingleFlight>> {
        tokio::time::timeout_at(deadline, self.flight.lock())
            .await
            .map_err(|_elapsed| Problem::token_pending())
    }

    fn remember(&self, appid: &str, token: StoredToken) -> ActiveToken {
        let held = ActiveToken { appid: appid.to_owned(), token };
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(held.clone());
        held
    }

    fn remembered(&self) -> Option<ActiveToken> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn valid(&self) -> Option<ActiveToken> {
        self.remembered().filter(|held| held.token.expires_at > self.now())
    }

    fn now(&self) -> i64 {
        self.services.clock.now()
    }
}

/// A lease that never ends, for an item that could not be read.
fn unreadable() -> crate::platform::Lease {
    crate::platform::Lease { holder: String::new(), expires_at: i64::MAX }
}
