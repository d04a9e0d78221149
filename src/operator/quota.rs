//! Shows the daily quotas to operators, measures them once an hour for the metric, and resets them.
//!
//! The first refresh of an hour measures them. An instance does not measure in the hour in which it started: a refresh
//! with nothing to do makes no call, also in a new instance. The keeper runs every minute, so one instance or another
//! is there when an hour begins.

use std::sync::atomic::Ordering;

use serde::Serialize;
use tokio::time::Instant;

use super::Keeper;
use super::calls::log;
use crate::platform::problem::Result;
use crate::platform::token::ActiveToken;
use crate::telemetry::metric::{self, Unit};
use crate::wechat::Quota;
use crate::wechat::errcode::Endpoint;

/// The calls that are needed to issue codes.
const WATCHED: [Endpoint; 2] = [Endpoint::ComponentToken, Endpoint::CreatePreAuthCode];

/// One call's quota.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallQuota {
    /// The call's path.
    pub cgi_path: String,
    /// The quota as WeChat reports it.
    #[serde(flatten)]
    pub quota: Quota,
    /// Percent of the day's calls that are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_percent: Option<f64>,
}

/// The quotas were reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuotaCleared {
    /// WeChat's errmsg.
    pub answer: String,
}

/// The hour that a time lies in.
const fn hour(unix_seconds: i64) -> i64 {
    unix_seconds.div_euclid(3600)
}

impl Keeper {
    /// The daily quota of the call at `cgi_path`, or of the two calls that issuing codes needs.
    ///
    /// # Errors
    /// Why they are not available.
    pub async fn get_quota(&self, cgi_path: Option<&str>, deadline: Instant) -> Result<Vec<CallQuota>> {
        let paths = cgi_path.map_or_else(|| WATCHED.map(Endpoint::path).to_vec(), |path| vec![path]);
        let mut quotas = Vec::new();
        for path in paths {
            let wechat = &self.services.wechat;
            let call = |active: ActiveToken, timeout| async move {
                wechat.get_quota(&active.token.value, path, timeout).await
            };
            let quota = self.by_token(Endpoint::GetQuota, deadline, call).await?;
            self.gauge(path, &quota);
            quotas.push(CallQuota { cgi_path: path.to_owned(), used_percent: quota.used_percent(), quota });
        }
        Ok(quotas)
    }

    /// Resets the daily quotas of all the platform's calls. WeChat allows it ten times a month.
    ///
    /// # Errors
    /// Why they were not reset.
    pub async fn clear_quota(&self, deadline: Instant) -> Result<QuotaCleared> {
        let wechat = &self.services.wechat;
        let call = |appid: String, appsecret, timeout| async move {
            wechat.clear_quota(&appid, &appsecret, timeout).await
        };
        let answer = self.by_secret(Endpoint::ClearQuota, deadline, call).await?;
        tracing::warn!(answer, "the daily quotas were reset");
        Ok(QuotaCleared { answer })
    }

    /// Measures the quotas when a new hour has begun. `None`: it has not.
    pub(super) async fn watch_quota(&self, deadline: Instant) -> Option<Vec<CallQuota>> {
        let now = self.services.clock.now();
        if hour(self.quotas_seen_at.swap(now, Ordering::Relaxed)) == hour(now) {
            return None;
        }
        match self.get_quota(None, deadline).await {
            Ok(quotas) => Some(quotas),
            Err(problem) => {
                log(&problem, "the daily quotas could not be measured");
                Some(Vec::new())
            }
        }
    }

    fn gauge(&self, path: &str, quota: &Quota) {
        let watched = WATCHED.into_iter().find(|endpoint| endpoint.path() == path);
        if let (Some(endpoint), Some(percent)) = (watched, quota.used_percent()) {
            let name = format!("{}.{}", metric::QUOTA_USED, endpoint.name());
            self.services.metrics.put(&[&name], Unit::Percent, percent, &[]);
        }
    }
}
