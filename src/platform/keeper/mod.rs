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
mod diagnose;
mod handover;
mod links;
mod quota;
mod refresh;
mod report;
mod ticket_watch;

use std::sync::atomic::AtomicI64;

use serde::Serialize;
use tokio::time::Instant;

pub use handover::HandedOver;
pub use quota::{CallQuota, QuotaCleared};
pub use refresh::Refreshed;
pub use report::{Link, Report, Status};
pub use ticket_watch::{StartPush, WhyStartPush};

use super::Outside;
use super::issue::Issuer;
use super::problem::Result;
use super::token::{Role, TokenKeeper};
use crate::wechat::RidReport;
use crate::wechat::errcode::Api;

/// The keeper's decisions, for as long as its process lives.
pub struct Keeper {
    outside: Outside,
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
    pub report: RidReport,
    /// Whether WeChat saw one of `EGRESS_IPS`; `None` when one of the two is not known.
    pub is_egress_ip: Option<bool>,
}

impl Keeper {
    /// A keeper on these means.
    #[must_use]
    pub fn new(outside: Outside) -> Self {
        let quota_hour = AtomicI64::new(quota::hour(outside.clock.now()));
        Self { issuer: Issuer::new(outside.clone(), Role::Keeper), outside, quota_hour }
    }

    /// The token, for warming up.
    #[must_use]
    pub const fn tokens(&self) -> &TokenKeeper {
        self.issuer.tokens()
    }

    /// What this keeper works with.
    #[must_use]
    pub const fn outside(&self) -> &Outside {
        &self.outside
    }

    /// What WeChat recorded of an earlier request.
    ///
    /// # Errors
    /// The problem that keeps it from being had.
    pub async fn explain_rid(&self, rid: &str, deadline: Instant) -> Result<ExplainedRid> {
        let outside = &self.outside;
        let ask = |token: super::token::Held, timeout| async move {
            outside.wechat.get_rid(&token.token.value, rid, timeout).await
        };
        let report = calls::by_token(outside, self.tokens(), Api::GetRid, deadline, ask).await?;
        let known = report.client_ip.as_deref().filter(|_| !outside.egress.addresses().is_empty());
        Ok(ExplainedRid {
            rid: rid.to_owned(),
            is_egress_ip: known.map(|address| outside.egress.contains(address)),
            report,
        })
    }
}
