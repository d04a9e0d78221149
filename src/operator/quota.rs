//! Daily quotas: shown to operators, measured once an hour for the gauge, and reset.
//!
//! The gauge is taken with the first refresh of a new hour. An instance measures nothing in the hour it
//! started in, so that a refresh with nothing to do asks WeChat for nothing, however young the
//! instance; and since the keeper is woken every minute, one instance or another sees each hour begin.

use std::sync::atomic::Ordering;

use serde::Serialize;
use tokio::time::Instant;

use super::Keeper;
use super::calls::{by_secret, by_token};
use crate::platform::problem::Result;
use crate::platform::token::ActiveToken;
use crate::telemetry::metric::{self, Unit};
use crate::wechat::Quota;
use crate::wechat::errcode::Endpoint;

/// The calls that issuing codes lives on.
const WATCHED: [Endpoint; 2] = [Endpoint::ComponentToken, Endpoint::CreatePreAuthCode];

/// One call's quota.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallQuota {
    /// The call's path.
    pub cgi_path: String,
    /// What WeChat says.
    #[serde(flatten)]
    pub quota: Quota,
    /// Percent of the day's calls that are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_percent: Option<f64>,
}

/// The quotas were reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuotaCleared {
    /// WeChat's word.
    pub answer: String,
}

/// The hour that a time lies in.
pub(super) const fn hour(unix_seconds: i64) -> i64 {
    unix_seconds.div_euclid(3600)
}

impl Keeper {
    /// The daily quota of the call at `cgi_path`, or of the two calls that issuing codes needs.
    ///
    /// # Errors
    /// The problem that keeps them from being had.
    pub async fn get_quota(&self, cgi_path: Option<&str>, deadline: Instant) -> Result<Vec<CallQuota>> {
        let paths = cgi_path.map_or_else(|| WATCHED.map(Endpoint::path).to_vec(), |path| vec![path]);
        let mut quotas = Vec::new();
        for path in paths {
            let wechat = &self.services.wechat;
            let ask = |held: ActiveToken, timeout| async move {
                wechat.get_quota(&held.token.value, path, timeout).await
            };
            let quota = by_token(&self.services, self.tokens(), Endpoint::GetQuota, deadline, ask).await?;
            self.gauge(path, &quota);
            quotas.push(CallQuota { cgi_path: path.to_owned(), used_percent: quota.used_percent(), quota });
        }
        Ok(quotas)
    }

    /// Resets the daily quotas of all the platform's calls. WeChat allows it ten times a month.
    ///
    /// # Errors
    /// The problem that kept them from being reset.
    pub async fn clear_quota(&self, deadline: Instant) -> Result<QuotaCleared> {
        let wechat = &self.services.wechat;
        let ask = |appid: String, appsecret, timeout| async move {
            wechat.clear_quota(&appid, &appsecret, timeout).await
        };
        let answer = by_secret(&self.services, Endpoint::ClearQuota, deadline, ask).await?;
        tracing::warn!(answer, "the daily quotas were reset");
        Ok(QuotaCleared { answer })
    }

    /// Measures the quotas when a new hour has begun. `None`: it has not.
    pub(super) async fn watch_quota(&self, deadline: Instant) -> Option<Vec<CallQuota>> {
        let now = hour(self.services.clock.now());
        if self.quota_hour.swap(now, Ordering::Relaxed) == now {
            return None;
        }
        match self.get_quota(None, deadline).await {
            Ok(quotas) => Some(quotas),
            Err(problem) => {
                tracing::warn!(
                    code = problem.code.as_str(),
                    detail = problem.detail,
                    errcode = problem.errcode,
                    rid = problem.rid,
                    "the daily quotas could not be measured"
                );
                Some(Vec::new())
            }
        }
    }

    fn gauge(&self, path: &str, quota: &Quota) {
        let watched = WATCHED.into_iter().find(|api| api.path() == path);
        if let (Some(api), Some(percent)) = (watched, quota.used_percent()) {
            let name = format!("{}.{}", metric::QUOTA_USED, api.name());
            self.services.metrics.put(&name, Unit::Percent, percent, &[]);
        }
    }
}
