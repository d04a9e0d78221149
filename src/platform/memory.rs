//! The state in memory: for tests, and for `make run`. It ends with the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use secrecy::ExposeSecret as _;

use super::state::{
    Backoff, Lease, MAX_MINTED_AHEAD, MAX_TICKET_AHEAD, StateError, StoredToken, Ticket, TicketItem,
    TicketStore, TokenItem, TokenStore,
};

/// State that all holders of this value share.
#[derive(Debug, Default)]
pub struct MemoryState(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    tokens: HashMap<String, TokenItem>,
    tickets: HashMap<String, TicketItem>,
    component: Option<String>,
}

impl MemoryState {
    fn table(&self) -> MutexGuard<'_, Table> {
        // No method can panic half-way through a change, so a poisoned table is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn as_holder(&self, appid: &str, holder: &str, change: impl FnOnce(&mut TokenItem)) -> bool {
        let mut table = self.table();
        let item = table.tokens.entry(appid.to_owned()).or_default();
        let holds = item.lease.as_ref().is_some_and(|lease| lease.holder == holder);
        if holds {
            change(item);
        }
        holds
    }
}

/// The parts of a token item that must be unchanged for a lease to be taken.
fn mark(item: &TokenItem) -> (Option<i64>, Option<i64>) {
    (item.token.as_ref().map(|token| token.minted_at), item.backoff.as_ref().map(|backoff| backoff.until))
}

#[async_trait]
impl TokenStore for MemoryState {
    async fn token_item(&self, appid: &str) -> Result<TokenItem, StateError> {
        Ok(self.table().tokens.get(appid).cloned().unwrap_or_default())
    }

    async fn take_lease(
        &self,
        appid: &str,
        seen: &TokenItem,
        lease: &Lease,
        now: i64,
    ) -> Result<bool, StateError> {
        let mut table = self.table();
        let item = table.tokens.entry(appid.to_owned()).or_default();
        // As in DynamoDB, where the SDK repeats a write whose answer was lost: the lease is already ours.
        if item.lease.as_ref().is_some_and(|held| held.holder == lease.holder) {
            return Ok(true);
        }
        if item.live_lease(now).is_some() || mark(item) != mark(seen) {
            return Ok(false);
        }
        item.lease = Some(lease.clone());
        Ok(true)
    }

    async fn store_token(&self, appid: &str, holder: &str, token: &StoredToken) -> Result<bool, StateError> {
        let stored = self.as_holder(appid, holder, |item| {
            *item = TokenItem { token: Some(token.clone()), lease: None, backoff: None };
        });
        // A repeated write whose first try had succeeded.
        let item = self.token_item(appid).await?;
        let value = |token: &StoredToken| token.value.expose_secret().to_owned();
        Ok(stored || item.token.as_ref().map(value) == Some(value(token)))
    }

    async fn store_failure(
        &self,
        appid: &str,
        holder: &str,
        backoff: &Backoff,
        expires_at: Option<i64>,
    ) -> Result<bool, StateError> {
        let stored = self.as_holder(appid, holder, |item| {
            item.lease = None;
            item.backoff = Some(backoff.clone());
            if let (Some(token), Some(expires_at)) = (&mut item.token, expires_at) {
                token.expires_at = expires_at;
            }
        });
        Ok(stored || self.token_item(appid).await?.backoff.as_ref() == Some(backoff))
    }

    async fn release_lease(&self, appid: &str, holder: &str) -> Result<(), StateError> {
        self.as_holder(appid, holder, |item| item.lease = None);
        Ok(())
    }

    async fn put_token(&self, appid: &str, token: &StoredToken, replace: bool) -> Result<bool, StateError> {
        let mut table = self.table();
        let item = table.tokens.entry(appid.to_owned()).or_default();
        let gives_way = |stored: &StoredToken| {
            let shorter = stored.expires_at <= token.minted_at || stored.expires_at <= token.expires_at;
            let void = stored.minted_at > token.minted_at.saturating_add(MAX_MINTED_AHEAD);
            (stored.minted_at <= token.minted_at || void) && (shorter || replace)
        };
        let stores = item.token.as_ref().is_none_or(gives_way);
        if stores {
            item.token = Some(token.clone());
        }
        Ok(stores)
    }

    async fn component(&self) -> Result<Option<String>, StateError> {
        Ok(self.table().component.clone())
    }

    async fn remember_component(&self, appid: &str) -> Result<(), StateError> {
        self.table().component = Some(appid.to_owned());
        Ok(())
    }
}

#[async_trait]
impl TicketStore for MemoryState {
    async fn ticket_item(&self, appid: &str) -> Result<TicketItem, StateError> {
        Ok(self.table().tickets.get(appid).cloned().unwrap_or_default())
    }

    async fn put_ticket(&self, appid: &str, ticket: &Ticket) -> Result<bool, StateError> {
        let mut table = self.table();
        let item = table.tickets.entry(appid.to_owned()).or_default();
        let stored = item.ticket.take();
        let last = stored.as_ref().map(|stored| stored.received_at);
        let heartbeat = ticket.is_heartbeat().then_some(ticket.received_at);
        let received_at = last.max(heartbeat).unwrap_or(ticket.create_time);
        let void = ticket.received_at.saturating_add(MAX_TICKET_AHEAD);
        let stays = stored.filter(|stored| (ticket.create_time..=void).contains(&stored.create_time));
        let kept = stays.is_none();
        item.ticket = Some(Ticket { received_at, ..stays.unwrap_or_else(|| ticket.clone()) });
        Ok(kept)
    }

    async fn claim_start_push(&self, appid: &str, now: i64, not_since: i64) -> Result<bool, StateError> {
        let mut table = self.table();
        let item = table.tickets.entry(appid.to_owned()).or_default();
        let free = item.start_push_at.is_none_or(|at| at <= not_since || at > now);
        if free {
            item.start_push_at = Some(now);
        }
        Ok(free)
    }
}
