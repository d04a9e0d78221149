//! The services that the platform uses: the clock, the stores, the credentials, WeChat, the bus and the metrics. They
//! are built at start.

use std::sync::Arc;

use super::authorization_urls::WechatPages;
use super::clock::Clock;
use super::credentials::CredentialsCache;
use super::egress::EgressIps;
use super::problem::{Problem, ProblemCode};
use super::state::{TicketStore, TokenStore};
use crate::telemetry::{Metrics, metric};
use crate::wechat;

/// What issuing a code and keeping the token need.
#[derive(Clone)]
pub struct Services {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The token with its lease and backoff.
    pub tokens: Arc<dyn TokenStore>,
    /// The verify ticket.
    pub tickets: Arc<dyn TicketStore>,
    /// The component's appid and secrets.
    pub credentials: Arc<CredentialsCache>,
    /// WeChat.
    pub wechat: Arc<wechat::Client>,
    /// The addresses that WeChat should see.
    pub egress: EgressIps,
    /// Where WeChat's authorization pages are.
    pub pages: WechatPages,
    /// Whether tokens may be minted at all.
    pub minting: bool,
    /// Where metrics go.
    pub metrics: Metrics,
}

impl Services {
    /// Makes a problem of a failed call to WeChat. A refused address is counted and logged here.
    pub(crate) fn record_call_failure(&self, error: &wechat::CallError) -> Box<Problem> {
        let problem = Problem::from_call(error, &self.egress);
        if problem.code == ProblemCode::ConfigEgressIpNotRegistered {
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
