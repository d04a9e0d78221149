//! What the service decides: issue a code, keep the token, take in a push, build the links.
//!
//! This floor defines the traits it needs ([`CredentialsSource`], [`State`], [`EventBus`], [`Clock`]) and knows
//! neither Lambda nor AWS nor the HTTP client. In-memory implementations stand beside the traits.

pub mod bus;
pub mod clock;
pub mod credentials;
pub mod egress;
pub mod issue;
pub mod links;
pub mod mint;
pub mod problem;
pub mod push;
pub mod retry;
pub mod state;
pub mod state_memory;
pub mod token;
pub mod token_decision;

pub use bus::{BusError, BusEvent, EventBus, MemoryBus};
pub use clock::{Clock, SystemClock};
pub use credentials::{
    Credentials, CredentialsKeeper, CredentialsSource, MemoryCredentials, SecretDocument, SecretsError,
};
pub use egress::EgressIps;
pub use issue::{IssueRequest, IssuedCode};
pub use links::{AuthorizationUrls, LinkOptions};
pub use problem::{Code, Problem, Result};
pub use push::{ArrivedPush, Intake, Taken};
pub use state::{Backoff, Lease, LeaseAttempt, State, StateError, StoredToken, Ticket, TicketItem, TokenItem};
pub use state_memory::MemoryState;
pub use token::{Role, TokenKeeper};

use std::sync::Arc;

use crate::telemetry::Metrics;
use crate::wechat;

/// Everything the decisions need from outside.
#[derive(Clone)]
pub struct Outside {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The ticket, the token and the lease.
    pub state: Arc<dyn State>,
    /// The component's appid and secrets.
    pub credentials: Arc<CredentialsKeeper>,
    /// WeChat.
    pub wechat: Arc<wechat::Client>,
    /// The addresses that WeChat should see.
    pub egress: EgressIps,
    /// Whether tokens may be minted at all.
    pub minting: bool,
    /// Where metrics go.
    pub metrics: Metrics,
}
