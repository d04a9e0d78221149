//! The keeper: the token is fresh before anyone waits for it, tickets keep coming, and operators
//! see and steer.
//!
//! | module | for |
//! |---|---|
//! | `refresh` | what the schedule wakes it for, every minute |
//! | `ticket_watch` | asks WeChat to push tickets when they stay away |
//! | `quota` | daily quotas: shown, measured once an hour, reset |
//! | `handover` | a token from elsewhere, for owners with `MINTING=off` |
//! | `calls` | how the operators' calls are tried again |
//! | `diagnose`, `links`, `report` | the whole chain, link by link |

mod calls;
mod diagnosis;
mod put_token;
mod quota;
mod refresh;
mod ticket_watch;

use std::sync::atomic::AtomicI64;

use serde::Serialize;
use tokio::time::Instant;

pub use diagnosis::{Check, CheckStatus, Diagnosis};
pub use put_token::TokenStored;
pub use quota::{CallQuota, QuotaCleared};
pub use refresh::Refreshed;
pub use ticket_watch::{StartPush, StartPushReason};

use crate::platform::{ActiveToken, Issuer, Result, Role, Services, TokenProvider};
use crate::wechat::RequestRecord;
use crate::wechat::errcode::Endpoint;

/// The keeper's decisions, for as long as its process lives.
pub struct Keeper {
    services: Services,
    issuer: Issuer,
    /// The hour (Unix seconds / 3600) in which the quotas were last measured.
    quota_hour: AtomicI64,
}

/// An earlier request, explained.
#[derive(Debug, Serialize)]
pub struct ExplainedRid {
    /// The request's id.
    pub rid: String,
    /// What WeChat recorded of it, without secrets.
    #[serde(flatten)]
    pub report: RequestRecord,
    /// Whether WeChat saw one of `EGRESS_IPS`; `None` when one of the two is not known.
    pub is_egress_ip: Option<bool>,
}

impl Keeper {
    /// A keeper on these means.
    #[must_use]
    pub fn new(services: Services) -> Self {
        let quota_hour = AtomicI64::new(quota::hour(services.clock.now()));
        Self { issuer: Issuer::new(services.clone(), Role::Keeper), services, quota_hour }
    }

    /// The token, for warming up.
    #[must_use]
    pub const fn tokens(&self) -> &TokenProvider {
        self.issuer.tokens()
    }

    /// What this keeper works with.
    #[must_use]
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// What WeChat recorded of an earlier request.
    ///
    /// # Errors
    /// The problem that keeps it from being had.
    pub async fn explain_rid(&self, rid: &str, deadline: Instant) -> Result<ExplainedRid> {
        let services = &self.services;
        let ask = |token: ActiveToken, timeout| async move {
            services.wechat.get_rid(&token.token.value, rid, timeout).await
        };
        let report = calls::by_token(services, self.tokens(), Endpoint::GetRid, deadline, ask).await?;
        let known = report.client_ip.as_deref().filter(|_| !services.egress.addresses().is_empty());
        Ok(ExplainedRid {
            rid: rid.to_owned(),
            is_egress_ip: known.map(|address| services.egress.contains(address)),
            report,
        })
    }
}
