//! The state of one instance, which fails, is slow or loses answers as a test decides. The state behind it is
//! shared with other instances.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use wechat_preauth::platform::{
    Backoff, Lease, MemoryState, StateError, StoredToken, Ticket, TicketItem, TicketStore, TokenItem,
    TokenStore,
};

/// One access to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadToken,
    TakeLease,
    StoreToken,
    StoreFailure,
    ReleaseLease,
    PutToken,
    ReadComponent,
    RememberComponent,
    Tickets,
}

impl Access {
    pub fn is_write(self) -> bool {
        !matches!(self, Self::ReadToken | Self::ReadComponent | Self::Tickets)
    }
}

/// What becomes of an access.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    before: Duration,
    after: Duration,
    reaches_the_table: bool,
    is_answered: bool,
}

impl Fate {
    pub const WORKS: Self =
        Self { before: Duration::ZERO, after: Duration::ZERO, reaches_the_table: true, is_answered: true };
    pub const FAILS: Self = Self { reaches_the_table: false, is_answered: false, ..Self::WORKS };
    pub const ANSWER_LOST: Self = Self { is_answered: false, ..Self::WORKS };

    /// The request takes this long to the table.
    pub fn slow(self, time: Duration) -> Self {
        Self { before: time, ..self }
    }

    /// The answer takes this long to the instance.
    pub fn slow_answer(self, time: Duration) -> Self {
        Self { after: time, ..self }
    }
}

type Decide = Box<dyn FnMut(Access) -> Fate + Send>;

/// The table as one instance reaches it.
pub struct FaultyState {
    table: Arc<MemoryState>,
    decide: Mutex<Decide>,
    accesses: Mutex<Vec<(Instant, Access)>>,
}

impl FaultyState {
    /// Works until [`Self::decide`] says otherwise.
    pub fn new(table: Arc<MemoryState>) -> Arc<Self> {
        Arc::new(Self { table, decide: Mutex::new(Box::new(|_| Fate::WORKS)), accesses: Mutex::default() })
    }

    /// From now on this decides what becomes of each access.
    pub fn decide(&self, decide: impl FnMut(Access) -> Fate + Send + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }

    /// Everything works again.
    pub fn works(&self) {
        self.decide(|_| Fate::WORKS);
    }

    /// The accesses since the last time, and when each began.
    pub fn take_accesses(&self) -> Vec<(Instant, Access)> {
        std::mem::take(&mut *self.accesses.lock().unwrap())
    }

    /// How many accesses of this kind there were since the last [`Self::take_accesses`].
    pub fn count(&self, wanted: Access) -> usize {
        self.accesses.lock().unwrap().iter().filter(|(_, access)| *access == wanted).count()
    }

    async fn access<T>(
        &self,
        access: Access,
        work: impl Future<Output = Result<T, StateError>>,
    ) -> Result<T, StateError> {
        self.accesses.lock().unwrap().push((Instant::now(), access));
        let fate = (self.decide.lock().unwrap())(access);
        pause(fate.before).await;
        if !fate.reaches_the_table {
            return Err(StateError("throttled".into()));
        }
        let result = work.await;
        pause(fate.after).await;
        if fate.is_answered { result } else { Err(StateError("no answer".into())) }
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

#[async_trait]
impl TokenStore for FaultyState {
    async fn token_item(&self, appid: &str) -> Result<TokenItem, StateError> {
        self.access(Access::ReadToken, self.table.token_item(appid)).await
    }
    async fn take_lease(
        &self,
        appid: &str,
        seen: &TokenItem,
        lease: &Lease,
        now: i64,
    ) -> Result<bool, StateError> {
        self.access(Access::TakeLease, self.table.take_lease(appid, seen, lease, now)).await
    }
    async fn store_token(&self, appid: &str, holder: &str, token: &StoredToken) -> Result<bool, StateError> {
        self.access(Access::StoreToken, self.table.store_token(appid, holder, token)).await
    }
    async fn store_failure(
        &self,
        appid: &str,
        holder: &str,
        backoff: &Backoff,
        expires_at: Option<i64>,
    ) -> Result<bool, StateError> {
        let work = self.table.store_failure(appid, holder, backoff, expires_at);
        self.access(Access::StoreFailure, work).await
    }
    async fn release_lease(&self, appid: &str, holder: &str) -> Result<(), StateError> {
        self.access(Access::ReleaseLease, self.table.release_lease(appid, holder)).await
    }
    async fn put_token(&self, appid: &str, token: &StoredToken, replace: bool) -> Result<bool, StateError> {
        self.access(Access::PutToken, self.table.put_token(appid, token, replace)).await
    }
    async fn component(&self) -> Result<Option<String>, StateError> {
        self.access(Access::ReadComponent, self.table.component()).await
    }
    async fn remember_component(&self, appid: &str) -> Result<(), StateError> {
        self.access(Access::RememberComponent, self.table.remember_component(appid)).await
    }
}

#[async_trait]
impl TicketStore for FaultyState {
    async fn ticket_item(&self, appid: &str) -> Result<TicketItem, StateError> {
        self.access(Access::Tickets, self.table.ticket_item(appid)).await
    }
    async fn put_ticket(&self, appid: &str, ticket: &Ticket) -> Result<bool, StateError> {
        self.access(Access::Tickets, self.table.put_ticket(appid, ticket)).await
    }
    async fn claim_start_push(&self, appid: &str, now: i64, not_since: i64) -> Result<bool, StateError> {
        self.access(Access::Tickets, self.table.claim_start_push(appid, now, not_since)).await
    }
}
