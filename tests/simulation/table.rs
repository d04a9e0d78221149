//! The state table and Secrets Manager as one instance reaches them. Like the AWS SDK, a call that got no
//! answer is repeated, so that a write may be applied twice and late.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use wechat_preauth::platform::{
    Backoff, CredentialsSource, Lease, SecretDocument, SecretsError, StateError, StoredToken, Ticket,
    TicketItem, TicketStore, TokenItem, TokenStore,
};

use crate::checks;
use crate::waits;
use crate::world::{Hit, World};

/// As in `aws/clients.rs`.
const ATTEMPT: Duration = Duration::from_millis(1500);
const OPERATION: Duration = Duration::from_millis(3000);

/// One instance's way to the table and the secret.
#[derive(Clone)]
pub struct SimTable {
    pub world: Arc<World>,
    pub instance: usize,
}

impl SimTable {
    async fn call<T: Send + 'static>(
        &self,
        apply: impl Fn(&World) -> T + Clone + Send + 'static,
    ) -> Result<T, StateError> {
        let attempts = async {
            for attempt in 0..3 {
                if let Some(result) = self.attempt(apply.clone()).await {
                    return Ok(result);
                }
                sleep(Duration::from_millis(50 << attempt)).await;
            }
            Err(StateError("throttled".into()))
        };
        timeout(OPERATION, attempts).await.unwrap_or_else(|_| Err(StateError("no answer in time".into())))
    }

    async fn attempt<T: Send + 'static>(&self, apply: impl Fn(&World) -> T + Send + 'static) -> Option<T> {
        let (world, faults) = (self.world.clone(), self.world.plan.table);
        if world.time.ms() < world.truth().table_down_until || world.roll(faults.refused) {
            world.fault(Some(self.instance), Hit::Table);
            sleep(Duration::from_millis(20)).await;
            return None;
        }
        let there = world.way(&faults, 4, self.instance, Hit::Table);
        let back = world.way(&faults, 4, self.instance, Hit::Table);
        let (lost_request, lost_answer) = (world.roll(faults.lost_request), world.roll(faults.lost_answer));
        if lost_request || lost_answer {
            world.fault(Some(self.instance), Hit::Table);
        }
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            sleep(there).await;
            if !lost_request {
                let result = apply(&world);
                sleep(back).await;
                if !lost_answer {
                    drop(answer.send(result));
                }
            }
        });
        timeout(ATTEMPT, answered).await.ok()?.ok()
    }

    async fn change<T: Send + 'static>(
        &self,
        appid: &str,
        what: &'static str,
        holder: Option<String>,
        apply: impl Fn(&World) -> Result<T, StateError> + Clone + Send + 'static,
    ) -> Result<T, StateError> {
        let (appid, instance) = (appid.to_owned(), self.instance);
        self.call(move |world| {
            checks::change(world, instance, &appid, what, holder.as_deref(), || apply(world))
        })
        .await?
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the state in memory answers at once")
}

#[async_trait]
impl TokenStore for SimTable {
    async fn token_item(&self, appid: &str) -> Result<TokenItem, StateError> {
        waits::read_begins(&self.world);
        let key = appid.to_owned();
        let item = self.call(move |world| now(world.table.token_item(&key))).await??;
        waits::item_is_read(&self.world, self.instance, &item);
        Ok(item)
    }

    async fn take_lease(
        &self,
        appid: &str,
        seen: &TokenItem,
        lease: &Lease,
        at: i64,
    ) -> Result<bool, StateError> {
        let (key, seen, lease) = (appid.to_owned(), seen.clone(), lease.clone());
        let holder = Some(lease.holder.clone());
        self.change(appid, "take_lease", holder, move |world| {
            now(world.table.take_lease(&key, &seen, &lease, at))
        })
        .await
    }

    async fn store_token(&self, appid: &str, holder: &str, token: &StoredToken) -> Result<bool, StateError> {
        let (key, by, token) = (appid.to_owned(), holder.to_owned(), token.clone());
        self.change(appid, "store_token", Some(by.clone()), move |world| {
            now(world.table.store_token(&key, &by, &token))
        })
        .await
    }

    async fn store_failure(
        &self,
        appid: &str,
        holder: &str,
        backoff: &Backoff,
        expires_at: Option<i64>,
    ) -> Result<bool, StateError> {
        checks::failure_is_stored(&self.world, self.instance, backoff);
        let (key, by, backoff) = (appid.to_owned(), holder.to_owned(), backoff.clone());
        self.change(appid, "store_failure", Some(by.clone()), move |world| {
            now(world.table.store_failure(&key, &by, &backoff, expires_at))
        })
        .await
    }

    async fn release_lease(&self, appid: &str, holder: &str) -> Result<(), StateError> {
        let (key, by) = (appid.to_owned(), holder.to_owned());
        self.change(appid, "release_lease", Some(by.clone()), move |world| {
            now(world.table.release_lease(&key, &by))
        })
        .await
    }

    async fn put_token(&self, appid: &str, token: &StoredToken, replace: bool) -> Result<bool, StateError> {
        let (key, token) = (appid.to_owned(), token.clone());
        self.change(appid, "put_token", None, move |world| now(world.table.put_token(&key, &token, replace)))
            .await
    }

    async fn component(&self) -> Result<Option<String>, StateError> {
        self.call(|world| now(world.table.component())).await?
    }

    async fn remember_component(&self, appid: &str) -> Result<(), StateError> {
        let appid = appid.to_owned();
        self.call(move |world| now(world.table.remember_component(&appid))).await?
    }
}

#[async_trait]
impl TicketStore for SimTable {
    async fn ticket_item(&self, appid: &str) -> Result<TicketItem, StateError> {
        let appid = appid.to_owned();
        self.call(move |world| now(world.table.ticket_item(&appid))).await?
    }

    async fn put_ticket(&self, appid: &str, ticket: &Ticket) -> Result<bool, StateError> {
        let (appid, ticket) = (appid.to_owned(), ticket.clone());
        self.call(move |world| now(world.table.put_ticket(&appid, &ticket))).await?
    }

    async fn claim_start_push(&self, appid: &str, at: i64, not_since: i64) -> Result<bool, StateError> {
        let appid = appid.to_owned();
        self.call(move |world| now(world.table.claim_start_push(&appid, at, not_since))).await?
    }
}

#[async_trait]
impl CredentialsSource for SimTable {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        sleep(Duration::from_millis(5 + self.world.below(10))).await;
        let down = self.world.time.ms() < self.world.truth().secrets_down_until;
        if down {
            self.world.fault(Some(self.instance), Hit::Secrets);
            sleep(OPERATION).await;
            return Err(SecretsError::Unavailable("no answer in time".into()));
        }
        Ok(self.world.secret())
    }
}
