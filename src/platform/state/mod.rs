//! What all instances share: the ticket, the token with its lease and backoff, and the component's
//! appid. Two traits, tokens and tickets, because the functions have different rights on the two; their
//! implementations pass one suite of tests.
//!
//! Every change is conditional, so a write that comes too late changes nothing. Times are Unix seconds.
//!
//! | module | for |
//! |---|---|
//! | `tokens` | the token item: the token, the lease of the instance that mints, the last failure |
//! | `tickets` | the ticket item: the newest verify ticket, and when the last one arrived |

mod tickets;
mod tokens;

pub use tickets::{HEARTBEAT_AGE, MAX_TICKET_AHEAD, Ticket, TicketItem, TicketStore};
pub use tokens::{Backoff, Lease, MAX_LEASE_AHEAD, MAX_MINTED_AHEAD, StoredToken, TokenItem, TokenStore};

use super::cause::Cause;

/// The state cannot be read or changed.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct StateError(pub Cause);
