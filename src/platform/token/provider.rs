//! The token of one process: what it remembers, and how its requests share one look at the table.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout, timeout_at};

use super::memory::{ActiveToken, TokenMemory};
use super::resolve::{Progress, Resolution};
use super::rules::{Role, TokenRequest, is_due};
use crate::platform::problem::{Problem, Result};
use crate::platform::services::Services;
use crate::platform::state::StateError;
use crate::wechat::Refusal;

/// While a valid token is due for renewal, the table is read at most this often, in seconds.
const REREAD_INTERVAL: i64 = 15;

/// How long a request waits for the credentials when it knows a token already.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(1);

/// The token of one process.
pub struct TokenProvider {
    pub(super) services: Services,
    role: Role,
    memory: TokenMemory,
    /// Locked while one request reads the table for all. Holds when the last read began.
    table_read: Mutex<Option<i64>>,
}

impl TokenProvider {
    /// A provider that knows nothing yet.
    pub fn new(services: Services, role: Role) -> Self {
        Self { services, role, memory: TokenMemory::default(), table_read: Mutex::default() }
    }

    /// The component's appid: from the credentials, or, while they cannot be read, the one of the remembered
    /// token or of the table.
    ///
    /// # Errors
    /// When neither is there.
    pub async fn appid(&self) -> Result<String> {
        let credentials = self.services.credentials.get();
        if let Some(remembered) = self.memory.appid() {
            return match timeout(CREDENTIALS_TIMEOUT, credentials).await {
                Ok(Ok(credentials)) => Ok(credentials.component_appid.clone()),
                _ => Ok(remembered),
            };
        }
        match credentials.await {
            Ok(credentials) => Ok(credentials.component_appid.clone()),
            Err(error) => match self.services.tokens.component().await {
                Ok(Some(appid)) => Ok(appid),
                _ => Err(error.into()),
            },
        }
    }

    /// Reads the credentials and the stored token before the first request. What fails is logged only.
    pub async fn warm_up(&self) {
        let stored = async {
            let Some(appid) = self.services.tokens.component().await? else { return Ok(()) };
            let item = self.services.tokens.token_item(&appid).await?;
            // Should the credentials name another component, this token is never used: memory is asked by appid.
            self.memory.merge(&item, &appid, self.request(), self.now());
            Ok::<_, StateError>(())
        };
        let (credentials, stored) = tokio::join!(self.services.credentials.get(), stored);
        if let Err(error) = credentials {
            tracing::warn!(%error, "no credentials at start-up");
        }
        if let Err(error) = stored {
            tracing::warn!(%error, "no stored token at start-up");
        }
    }

    /// A valid token, by `deadline`.
    ///
    /// # Errors
    /// Why no token is available.
    pub async fn get(&self, deadline: Instant) -> Result<ActiveToken> {
        let appid = self.appid().await?;
        let is_fresh = |active: &ActiveToken| !is_due(&active.token, Role::Keeper, self.now());
        let valid = self.memory.valid(&appid, self.now());
        if let Some(active) = valid.clone().filter(is_fresh) {
            return Ok(active);
        }
        let mut table_read = match (valid, self.table_read.try_lock()) {
            (_, Ok(table_read)) => table_read,
            // Another request looks already: with a valid token there is no need to wait for it.
            (Some(active), Err(_)) => return Ok(active),
            (None, Err(_)) => self.lock(deadline).await?,
        };
        let read_lately = table_read.is_some_and(|at| (0..REREAD_INTERVAL).contains(&(self.now() - at)));
        let valid = self.memory.valid(&appid, self.now());
        if let Some(active) = valid.filter(|active| read_lately || is_fresh(active)) {
            return Ok(active);
        }
        self.resolve(&mut table_read, &appid, self.request(), None, deadline).await
    }

    /// A token instead of one that WeChat has refused with `refusal`. Mints at most once.
    ///
    /// # Errors
    /// `WeChat.TokenRejected` while it is too early for another mint, or the problem of the mint.
    pub async fn replace(
        &self,
        refused: &ActiveToken,
        refusal: &Refusal,
        deadline: Instant,
    ) -> Result<ActiveToken> {
        let appid = self.appid().await?;
        if appid != refused.appid {
            // The operator has changed the component meanwhile.
            return self.get(deadline).await;
        }
        let mut table_read = self.lock(deadline).await?;
        if let Some(active) = self.memory.newer_than(refused, self.now()) {
            return Ok(active);
        }
        let request = TokenRequest { refused: Some(&refused.token), ..self.request() };
        self.resolve(&mut table_read, &appid, request, Some(refusal), deadline).await
    }

    /// What the schedule asks for: renews when it is time, or at once with `force`.
    ///
    /// # Errors
    /// Why no fresh token is available; with `force`, why no new one is.
    pub async fn refresh(&self, force: bool, deadline: Instant) -> Result<ActiveToken> {
        let appid = self.appid().await?;
        let mut table_read = self.lock(deadline).await?;
        let request = TokenRequest { force, ..self.request() };
        self.resolve(&mut table_read, &appid, request, None, deadline).await
    }

    async fn resolve(
        &self,
        read_at: &mut Option<i64>,
        appid: &str,
        request: TokenRequest<'_>,
        refusal: Option<&Refusal>,
        deadline: Instant,
    ) -> Result<ActiveToken> {
        let (services, memory, progress) = (&self.services, &self.memory, Progress::default());
        *read_at = Some(self.now());
        Resolution { services, memory, appid, request, refusal, deadline, progress }.run().await
    }

    const fn request(&self) -> TokenRequest<'static> {
        TokenRequest { role: self.role, refused: None, force: false, minting: self.services.minting }
    }

    async fn lock(&self, deadline: Instant) -> Result<MutexGuard<'_, Option<i64>>> {
        timeout_at(deadline, self.table_read.lock()).await.map_err(|_elapsed| Problem::token_pending())
    }

    fn now(&self) -> i64 {
        self.services.clock.now()
    }
}
