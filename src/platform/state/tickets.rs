//! The ticket item: the newest verify ticket, and when the last one arrived.

use async_trait::async_trait;
use secrecy::SecretString;

use super::StateError;

/// The furthest a ticket's `create_time` may lie ahead, in seconds.
pub const MAX_TICKET_AHEAD: i64 = 600;

/// A ticket push counts as a heartbeat while it is younger than this, in seconds. WeChat pushes every ten
/// minutes; an older push may be a replay.
pub const HEARTBEAT_AGE: i64 = 1800;

/// A verify ticket, as it arrived.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// The ticket.
    pub value: SecretString,
    /// WeChat's `CreateTime`: which of two tickets is newer.
    pub create_time: i64,
    /// In a stored ticket: when the last heartbeat arrived, whatever its value. In one to be stored: when it
    /// arrived.
    pub received_at: i64,
}

impl Ticket {
    /// Whether the push shows that WeChat's pushes arrive now: it is younger than 30 minutes.
    pub const fn is_heartbeat(&self) -> bool {
        self.received_at.saturating_sub(self.create_time) < HEARTBEAT_AGE
    }
}

/// The item `ticket#<component_appid>`.
#[derive(Debug, Clone, Default)]
pub struct TicketItem {
    /// The newest ticket.
    pub ticket: Option<Ticket>,
    /// When WeChat was last asked to push tickets.
    pub start_push_at: Option<i64>,
}

/// The verify tickets. Reads are strongly consistent.
#[async_trait]
pub trait TicketStore: Send + Sync {
    /// The ticket item; empty when there is none.
    async fn ticket_item(&self, appid: &str) -> Result<TicketItem, StateError>;

    /// Keeps the ticket's value when its `create_time` is later than the stored one's, or when the stored one's
    /// lies more than 10 minutes after the arrival: a ticket from the future must not block later ones.
    /// `received_at` never goes back. A heartbeat sets it, whether its value is kept or not; another push sets it
    /// only in an empty item, to its `create_time`. `true`: the value was kept.
    async fn put_ticket(&self, appid: &str, ticket: &Ticket) -> Result<bool, StateError>;

    /// Notes that WeChat is asked to push, unless that was noted after `not_since`. `true`: it was noted now, so
    /// the caller must ask.
    async fn claim_start_push(&self, appid: &str, now: i64, not_since: i64) -> Result<bool, StateError>;
}
