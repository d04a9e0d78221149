//! The schedule's action, every minute: renews the token when it is time, watches the ticket, and measures the quotas
//! once an hour. When there is nothing to do, it reads two items of the table and nothing else.

use serde::Serialize;
use tokio::time::Instant;

use super::quota::CallQuota;
use super::{Keeper, StartPush};
use crate::platform::problem::{Problem, ProblemCode, Result, texts};
use crate::platform::state::{TicketItem, TokenItem};
use crate::platform::token::rules::{FRESH, is_same};
use crate::telemetry::metric::{self, Unit};

/// What a refresh found and did. A field is absent if its step was not necessary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refreshed {
    /// The component.
    pub component_appid: String,
    /// Seconds until the token expires.
    pub token_seconds_left: i64,
    /// Whether the token is another one than before: minted here or by another instance.
    pub renewed: bool,
    /// Why the last mint failed, when none has succeeded since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_mint_failed: Option<ProblemCode>,
    /// Seconds since the last ticket push; absent when none has arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_age_s: Option<i64>,
    /// The result of asking WeChat to push tickets, when that was necessary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_push: Option<StartPush>,
    /// The daily quotas, when they were measured; empty when WeChat did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Vec<CallQuota>>,
}

impl Keeper {
    /// Renews the token if it is time, and watches the ticket and the quotas. `force` mints although the token is valid,
    /// also during a backoff.
    ///
    /// # Errors
    /// Why no valid token is available; with `force`, why no new one is. The ticket is watched in this case too.
    pub async fn refresh(&self, force: bool, deadline: Instant) -> Result<Refreshed> {
        if force && !self.services.minting {
            return Err(Problem::invalid(texts::FORCE_WITHOUT_MINTING));
        }
        let appid = self.tokens().appid().await?;
        let (before, ticket) = self.items(&appid).await?;
        let (token, renewed) = match force || !self.is_fresh(&before) {
            false => (before, Ok(false)),
            true => self.renew(&appid, &before, force, deadline).await?,
        };
        self.gauges(&token, &ticket);
        let start_push = self.watch_ticket(&appid, &ticket, &token, deadline).await;
        let renewed = renewed?;
        let now = self.services.clock.now();
        Ok(Refreshed {
            quota: self.watch_quota(deadline).await,
            token_seconds_left: seconds_left(&token, now),
            renewed,
            last_mint_failed: token.backoff.map(|backoff| backoff.code),
            ticket_age_s: ticket.ticket.map(|ticket| now - ticket.received_at),
            start_push,
            component_appid: appid,
        })
    }

    /// The token item and the ticket item.
    pub(super) async fn items(&self, appid: &str) -> Result<(TokenItem, TicketItem)> {
        let (tokens, tickets) = (&self.services.tokens, &self.services.tickets);
        let (token, ticket) = tokio::join!(tokens.token_item(appid), tickets.ticket_item(appid));
        Ok((token?, ticket?))
    }

    /// Renews by the token rules. Returns the item as it is then, and whether its token is new or why
    /// there is no valid one.
    async fn renew(
        &self,
        appid: &str,
        before: &TokenItem,
        force: bool,
        deadline: Instant,
    ) -> Result<(TokenItem, Result<bool>)> {
        match self.tokens().refresh(force, deadline).await {
            // A new token ends lease and backoff, so the item need not be read again.
            Ok(active) if before.token.as_ref().is_none_or(|old| !is_same(old, &active.token)) => {
                Ok((TokenItem { token: Some(active.token), ..TokenItem::default() }, Ok(true)))
            }
            result => {
                let after = self.services.tokens.token_item(appid).await?;
                Ok((after, result.map(|_same| false)))
            }
        }
    }

    /// Whether the stored token needs no renewal. Without minting, a valid one never does.
    fn is_fresh(&self, item: &TokenItem) -> bool {
        let margin = if self.services.minting { FRESH } else { 0 };
        seconds_left(item, self.services.clock.now()) > margin
    }

    fn gauges(&self, token: &TokenItem, ticket: &TicketItem) {
        let (metrics, now) = (&self.services.metrics, self.services.clock.now());
        metrics.put(&[metric::TOKEN_SECONDS_LEFT], Unit::Seconds, seconds_left(token, now) as f64, &[]);
        if let Some(ticket) = &ticket.ticket {
            let age = (now - ticket.received_at).max(0);
            metrics.put(&[metric::TICKET_AGE], Unit::Seconds, age as f64, &[]);
        }
    }
}

/// Seconds until the stored token expires; 0 without one.
fn seconds_left(item: &TokenItem, now: i64) -> i64 {
    item.token.as_ref().map_or(0, |token| token.expires_at.saturating_sub(now).max(0))
}
