//! WeChat calls that the keeper makes for its schedule and for operators: `api_start_push_ticket`,
//! `clear_quota/v2`, `openapi/quota/get`, `openapi/rid/get`, and a probe of each API host. `client` has the
//! token call and the code call. As there, one call is one attempt.
//!
//! Sources: <https://developers.weixin.qq.com/doc/oplatform/openApi/ticket-token/api_startpushticket.html>,
//! <https://developers.weixin.qq.com/doc/oplatform/openApi/openapi/api_componentclearquota_v2.html>,
//! <https://developers.weixin.qq.com/doc/oplatform/openApi/openapi/api_getapiquota.html>,
//! <https://developers.weixin.qq.com/doc/offiaccount/openApi/get_rid_info.html>.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::answer::{integer, or_none, text};
use super::client::Client;
use super::endpoint::Endpoint;
use super::error::{CallError, TransportKind};
use super::hosts::Host;
use super::http::host_of;
use super::refusal::safe_errmsg;
use super::request_record::{RawRecord, RequestRecord};

/// What is left of one call's daily quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Calls allowed in a day.
    #[serde(deserialize_with = "integer")]
    pub daily_limit: i64,
    /// Calls made today.
    #[serde(deserialize_with = "integer")]
    pub used: i64,
    /// Calls left today.
    #[serde(deserialize_with = "integer")]
    pub remain: i64,
    /// The call's rate limit, if it has one.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// The same limit for calls made on behalf of authorizers (代调用频率限制).
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub component_rate_limit: Option<RateLimit>,
}

impl Quota {
    /// Percent of the day's calls that are used; `None` without a limit.
    pub fn used_percent(&self) -> Option<f64> {
        (self.daily_limit > 0).then(|| self.used as f64 * 100.0 / self.daily_limit as f64)
    }
}

/// A number of calls in a number of seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// The calls.
    #[serde(deserialize_with = "integer")]
    pub call_count: i64,
    /// The seconds.
    #[serde(deserialize_with = "integer")]
    pub refresh_second: i64,
}

/// The answer of `openapi/quota/get`. WeChat sends `{}` for a rate limit that does not exist.
#[derive(Deserialize)]
struct QuotaAnswer {
    quota: Quota,
    #[serde(default, deserialize_with = "or_none")]
    rate_limit: Option<RateLimit>,
    #[serde(default, deserialize_with = "or_none")]
    component_rate_limit: Option<RateLimit>,
}

impl From<QuotaAnswer> for Quota {
    fn from(answer: QuotaAnswer) -> Self {
        let QuotaAnswer { quota, rate_limit, component_rate_limit } = answer;
        Self { rate_limit, component_rate_limit, ..quota }
    }
}

/// The answer of `openapi/rid/get`.
#[derive(Deserialize)]
struct RidAnswer {
    request: RawRecord,
}

/// The answer of a call that returns nothing: `{"errcode":0,"errmsg":…}`.
#[derive(Deserialize)]
struct Acknowledgement {
    #[serde(rename = "errcode", deserialize_with = "integer")]
    _errcode: i64,
    #[serde(default, deserialize_with = "text")]
    errmsg: String,
}

/// How one API host answered a `HEAD` request.
#[derive(Debug, Clone)]
pub struct HostProbe {
    /// `host:port`.
    pub host: String,
    /// The time until the answer's head came, with the time for a new connection if none was open; or why no answer
    /// came.
    pub answered: Result<Duration, TransportKind>,
}

impl Client {
    /// Asks WeChat to push verify tickets. Needs no token, so it works before the first ticket. Returns WeChat's
    /// errmsg: `ok`, or `in a normal state` if WeChat was pushing already.
    ///
    /// # Errors
    /// A refusal, or no usable answer within `timeout`.
    pub async fn start_push_ticket(
        &self,
        component_appid: &str,
        component_appsecret: &SecretString,
        timeout: Duration,
    ) -> Result<String, CallError> {
        let secret = component_appsecret.expose_secret();
        // Only this call names the appsecret `component_secret`.
        let body = json!({ "component_appid": component_appid, "component_secret": secret });
        self.acknowledged(Endpoint::StartPushTicket, &body, secret, timeout).await
    }

    /// Resets the daily quotas. WeChat allows ten resets a month. Needs no token, so it works when the quota
    /// of token requests is used up.
    ///
    /// # Errors
    /// A refusal, or no usable answer within `timeout`.
    pub async fn clear_quota(
        &self,
        component_appid: &str,
        component_appsecret: &SecretString,
        timeout: Duration,
    ) -> Result<String, CallError> {
        let secret = component_appsecret.expose_secret();
        let body = json!({ "component_appid": component_appid, "appsecret": secret });
        self.acknowledged(Endpoint::ClearQuota, &body, secret, timeout).await
    }

    /// What is left of the daily quota of the call at `cgi_path` (`/cgi-bin/…`, without host).
    ///
    /// # Errors
    /// A refusal, or no usable answer within `timeout`.
    pub async fn get_quota(
        &self,
        token: &SecretString,
        cgi_path: &str,
        timeout: Duration,
    ) -> Result<Quota, CallError> {
        let body = json!({ "cgi_path": cgi_path });
        let answer: QuotaAnswer = self.call(Endpoint::GetQuota, Some(token), &body, &[], timeout).await?;
        Ok(answer.into())
    }

    /// What WeChat recorded of an earlier request of this platform, at most seven days old. The answer
    /// holds that request's secrets; [`RequestRecord`] drops them.
    ///
    /// # Errors
    /// A refusal, or no usable answer within `timeout`.
    pub async fn get_rid(
        &self,
        token: &SecretString,
        rid: &str,
        timeout: Duration,
    ) -> Result<RequestRecord, CallError> {
        let body = json!({ "rid": rid });
        let answer: RidAnswer = self.call(Endpoint::GetRid, Some(token), &body, &[], timeout).await?;
        Ok(answer.request.into())
    }

    /// Sends each host a `HEAD` request, all at the same time. Any HTTP answer counts.
    pub async fn probe_hosts(&self, timeout: Duration) -> Vec<HostProbe> {
        let probe = |host: &Host| {
            let (transport, origin) = (self.transport.clone(), host.origin.clone());
            tokio::spawn(async move {
                let (started, host) = (Instant::now(), host_of(&origin));
                let answered = tokio::time::timeout(timeout, transport.head(origin)).await;
                let answered = answered.unwrap_or(Err(TransportKind::Timeout)).map(|()| started.elapsed());
                HostProbe { host, answered }
            })
        };
        let tasks: Vec<_> = self.hosts.all().iter().map(probe).collect();
        let mut probes = Vec::new();
        for task in tasks {
            probes.extend(task.await);
        }
        probes
    }

    /// A call that returns nothing but an errmsg.
    async fn acknowledged(
        &self,
        endpoint: Endpoint,
        body: &Value,
        secret: &str,
        timeout: Duration,
    ) -> Result<String, CallError> {
        let answer: Acknowledgement = self.call(endpoint, None, body, &[secret], timeout).await?;
        Ok(safe_errmsg(&answer.errmsg, &[secret]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_read_with_and_without_rate_limits() {
        let answer = json!({
            "errcode": 0,
            "quota": { "daily_limit": 10000, "used": "2500", "remain": 7500 },
            "rate_limit": { "call_count": 100, "refresh_second": 60 },
            "component_rate_limit": {},
        });
        let quota = Quota::from(serde_json::from_value::<QuotaAnswer>(answer).unwrap());
        assert_eq!((quota.used, quota.used_percent()), (2500, Some(25.0)));
        assert_eq!(quota.rate_limit, Some(RateLimit { call_count: 100, refresh_second: 60 }));
        assert_eq!(quota.component_rate_limit, None);
        let unlimited = Quota { daily_limit: 0, used: 7, ..quota };
        assert_eq!(unlimited.used_percent(), None);
    }
}
