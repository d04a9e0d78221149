//! What the service decides: issue a code, keep the token, take in a push, build the links.
//!
//! This floor defines the traits it needs ([`CredentialsSource`], [`State`], [`EventBus`], [`Clock`]) and knows
//! neither Lambda nor AWS nor the HTTP client. In-memory implementations stand beside the traits.

pub mod bus;
pub mod clock;
pub mod credentials;
pub mod egress;
pub mod issue;
pub mod keeper;
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
pub use issue::{IssueRequest, IssuedCode, Issuer};
pub use keeper::Keeper;
pub use links::{AuthorizationUrls, LinkOptions};
pub use problem::{Code, Problem, Result};
pub use push::{ArrivedPush, Intake, Taken};
pub use state::{
    Backoff, Lease, LeaseAttempt, State, StateError, StoredToken, Ticket, TicketItem, TokenItem,
};
pub use state_memory::MemoryState;
pub use token::{Role, TokenKeeper};

use std::sync::Arc;

use crate::telemetry::{Metrics, metric};
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

impl Outside {
    /// The problem that a failed call to WeChat is. A refused address is counted, and named in the log.
    pub(crate) fn failed(&self, error: &wechat::CallError) -> Box<Problem> {
        let problem = Problem::from_call(error, &self.egress);
        if problem.code == Code::ConfigEgressIpNotRegistered {
            self.metrics.count(metric::EGRESS_IP_REFUSED);
            tracing::error!(
                egress_ip_refused = true,
                client_ip = problem.client_ip,
                is_egress_ip = problem.client_ip.as_deref().map(|address| self.egress.contains(address)),
                errcode = problem.errcode,
                rid = problem.rid,
                remedy = problem.remedy,
                "WeChat refuses the address it sees"
            );
        }
        problem
    }
}
