//! The token item: the component access token, the lease of the instance that mints, and the last failure.

use async_trait::async_trait;
use secrecy::SecretString;

use super::StateError;
use crate::platform::problem::ProblemCode;

/// The furthest the end of a lease may lie ahead, in seconds; leases last 15.
pub const MAX_LEASE_AHEAD: i64 = 60;

/// The furthest the end of a backoff may lie ahead, in seconds; the longest lasts 300.
pub const MAX_BACKOFF_AHEAD: i64 = 360;

/// If `minted_at` is more than this many seconds in the future, a wrong clock wrote it, and the token's age
/// is unknown.
pub const MAX_MINTED_AHEAD: i64 = 60;

/// A component access token, as stored.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// The token.
    pub value: SecretString,
    /// When WeChat will refuse it.
    pub expires_at: i64,
    /// When it was minted, or handed over.
    pub minted_at: i64,
    /// Whether an earlier call of the same mint got no answer: WeChat may have processed that one later,
    /// and then this token is not the newest and dies about five minutes after its mint.
    pub uncertain: bool,
}

/// The right to mint, for 15 seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// A random name for this attempt.
    pub holder: String,
    /// When anyone may take it over.
    pub expires_at: i64,
}

/// The pause after a failed mint: until when no instance mints, and which problem callers get until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    /// The problem.
    pub code: ProblemCode,
    /// WeChat's errcode, when there was one.
    pub errcode: Option<i64>,
    /// The address WeChat saw, when it named one.
    pub client_ip: Option<String>,
    /// How many mints have failed in a row.
    pub count: u32,
    /// When the next one may be tried.
    pub until: i64,
    /// `create_time` of the ticket that was used: a newer one ends a `Ticket.*` backoff.
    pub ticket_create_time: Option<i64>,
    /// Version of the credentials that were used: another one ends the backoff.
    pub credentials_version: Option<String>,
}

/// The item `token#<component_appid>`.
#[derive(Debug, Clone, Default)]
pub struct TokenItem {
    /// The newest token that was stored. It may have expired.
    pub token: Option<StoredToken>,
    /// The instance that is minting, or that stopped while minting.
    pub lease: Option<Lease>,
    /// The last failure, when no mint has succeeded since.
    pub backoff: Option<Backoff>,
}

impl TokenItem {
    /// The lease, when it is live at `now`. One that ends more than 60 seconds ahead was written by a wrong
    /// clock and is void.
    pub fn live_lease(&self, now: i64) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| is_ahead(lease.expires_at, now, MAX_LEASE_AHEAD))
    }

    /// The backoff, when it is live at `now`. One that ends more than 360 seconds ahead was written by a wrong
    /// clock and is void.
    pub fn live_backoff(&self, now: i64) -> Option<&Backoff> {
        self.backoff.as_ref().filter(|backoff| is_ahead(backoff.until, now, MAX_BACKOFF_AHEAD))
    }
}

/// Whether `at` lies after `now`, by at most `limit` seconds.
fn is_ahead(at: i64, now: i64, limit: i64) -> bool {
    (1..=limit).contains(&at.saturating_sub(now))
}

/// The tokens. Reads are strongly consistent.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The token item; empty when there is none.
    async fn token_item(&self, appid: &str) -> Result<TokenItem, StateError>;

    /// Takes the lease when no other lease is live at `now` and the item still holds the token and
    /// the backoff of `seen`. `false`: nothing was changed. Repeating the call with the same holder succeeds
    /// again.
    async fn take_lease(
        &self,
        appid: &str,
        seen: &TokenItem,
        lease: &Lease,
        now: i64,
    ) -> Result<bool, StateError>;

    /// Stores a minted token and clears lease and backoff, when `holder` still holds the lease.
    /// `false`: it does not, and nothing was changed.
    async fn store_token(&self, appid: &str, holder: &str, token: &StoredToken) -> Result<bool, StateError>;

    /// Stores a failure and clears the lease, when `holder` still holds it. `expires_at` replaces
    /// the stored token's. `false`: another instance holds the lease, and nothing was changed.
    async fn store_failure(
        &self,
        appid: &str,
        holder: &str,
        backoff: &Backoff,
        expires_at: Option<i64>,
    ) -> Result<bool, StateError>;

    /// Gives the lease back when no mint call was made. Nothing happens when `holder` does not hold it.
    async fn release_lease(&self, appid: &str, holder: &str) -> Result<(), StateError>;

    /// Stores a token that was handed over, and leaves lease and backoff alone. `false`: the stored token was
    /// minted later, or is valid at `token.minted_at` and expires later, and nothing was changed. With
    /// `replace` the expiry does not matter.
    async fn put_token(&self, appid: &str, token: &StoredToken, replace: bool) -> Result<bool, StateError>;

    /// The component whose token was stored last. It lets codes be issued while the credentials
    /// cannot be read.
    async fn component(&self) -> Result<Option<String>, StateError>;

    /// Remembers the component.
    async fn remember_component(&self, appid: &str) -> Result<(), StateError>;
}
