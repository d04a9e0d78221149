//! The calls that operators and the keeper need beside the two that issue a code:
//! `api_start_push_ticket`, `clear_quota/v2`, `openapi/quota/get`, `openapi/rid/get`, and a look at
//! each API host. As in `client`, one call is one attempt.
//!
//! Sources: <https://developers.weixin.qq.com/doc/oplatform/openApi/ticket-token/api_startpushticket.html>,
//! <https://developers.weixin.qq.com/doc/oplatform/openApi/openapi/api_componentclearquota_v2.html>,
//! <https://developers.weixin.qq.com/doc/oplatform/openApi/openapi/api_getapiquota.html>,
//! <https://developers.weixin.qq.com/doc/offiaccount/openApi/get_rid_info.html>.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::client::Client;
use super::errcode::Endpoint;
use super::http::{CallError, TransportKind, host_of, integer};
use super::request_record::RequestRecord;

/// Longest word of WeChat's kept from an answer that says yes, in characters.
const MAX_WORD_CHARS: usize = 80;

/// What is left of one call's daily quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// Calls allowed in a day.
    pub daily_limit: i64,
    /// Calls made today.
    pub used: i64,
    /// Calls left today.
    pub remain: i64,
    /// The limit of a shorter time, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// The same for the platform as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component_rate_limit: Option<RateLimit>,
}

impl Quota {
    /// Percent of the day's calls that are used; `None` without a limit.
    #[must_use]
    pub fn used_percent(&self) -> Option<f64> {
        (self.daily_limit > 0).then(|| self.used as f64 * 100.0 / self.daily_limit as f64)
    }
}

/// So many calls in so many seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RateLimit {
    /// The calls.
    pub call_count: i64,
    /// The seconds.
    pub refresh_second: i64,
}

/// How one API host answered a request for nothing.
#[derive(Debug, Clone)]
pub struct HostProbe {
    /// `host:port`.
    pub host: String,
    /// From asking to the answer's head, a new connection included where none was open; or why none came.
    pub answered: Result<Duration, TransportKind>,
}

impl Client {
    /// Asks WeChat to push verify tickets. Needs no token, so it works before the first ticket.
    /// Returns WeChat's word: `ok`, or `in a normal state` when the pushes were running.
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
        // This call, and no other, names the secret `component_secret`.
        let body = json!({ "component_appid": component_appid, "component_secret": secret });
        self.acknowledged(Endpoint::StartPushTicket, &body, secret, timeout).await
    }

    /// Resets the platform's daily quotas, ten times a month. Needs no token, so it works when the
    /// quota of token requests is used up.
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
        let (host, answer) = self.call(Endpoint::GetQuota, Some(token), &body, &[], timeout).await?;
        quota(&answer).ok_or_else(|| host.error(Endpoint::GetQuota, TransportKind::InvalidAnswer("quota")))
    }

    /// What WeChat recorded of an earlier request of this platform, at most seven days old. The
    /// answer holds that request's secrets: they are dropped here, see [`RequestRecord`].
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
        let (host, answer) = self.call(Endpoint::GetRid, Some(token), &body, &[], timeout).await?;
        match answer.get("request") {
            Some(Value::Object(request)) => Ok(RequestRecord::of(request)),
            _ => Err(host.error(Endpoint::GetRid, TransportKind::InvalidAnswer("request"))),
        }
    }

    /// Asks every host for its root at the same time. Any HTTP answer will do.
    pub async fn probe_hosts(&self, timeout: Duration) -> Vec<HostProbe> {
        let mut probes = Vec::with_capacity(self.hosts.len());
        let mut asked = tokio::task::JoinSet::new();
        for (index, host) in self.hosts.iter().enumerate() {
            let (http, origin) = (self.http.clone(), host.origin.clone());
            asked.spawn(async move {
                let (started, host) = (Instant::now(), host_of(&origin));
                let answered = tokio::time::timeout(timeout, http.head(origin)).await;
                let answered = answered.unwrap_or(Err(TransportKind::Timeout)).map(|()| started.elapsed());
                (index, HostProbe { host, answered })
            });
        }
        while let Some(probe) = asked.join_next().await {
            probes.extend(probe);
        }
        probes.sort_by_key(|(index, _)| *index);
        probes.into_iter().map(|(_, probe)| probe).collect()
    }

    /// A call whose success is `{"errcode":0,"errmsg":…}`; returns the errmsg.
    async fn acknowledged(
        &self,
        api: Endpoint,
        body: &Value,
        secret: &str,
        timeout: Duration,
    ) -> Result<String, CallError> {
        let (host, answer) = self.call(api, None, body, &[secret], timeout).await?;
        if !answer.contains_key("errcode") {
            return Err(host.error(api, TransportKind::InvalidAnswer("errcode is missing")));
        }
        let word = answer.get("errmsg").and_then(Value::as_str).unwrap_or_default();
        if word.contains(secret) {
            return Ok("***".to_owned());
        }
        Ok(word.chars().filter(|c| !c.is_control()).take(MAX_WORD_CHARS).collect())
    }
}

fn quota(answer: &Map<String, Value>) -> Option<Quota> {
    let quota = answer.get("quota")?.as_object()?;
    Some(Quota {
        daily_limit: number(quota, "daily_limit")?,
        used: number(quota, "used")?,
        remain: number(quota, "remain")?,
        rate_limit: rate_limit(answer, "rate_limit"),
        component_rate_limit: rate_limit(answer, "component_rate_limit"),
    })
}

fn rate_limit(answer: &Map<String, Value>, name: &str) -> Option<RateLimit> {
    let limit = answer.get(name)?.as_object()?;
    Some(RateLimit {
        call_count: number(limit, "call_count")?,
        refresh_second: number(limit, "refresh_second")?,
    })
}

fn number(object: &Map<String, Value>, name: &str) -> Option<i64> {
    object.get(name).and_then(integer)
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
        let quota = quota(answer.as_object().unwrap()).unwrap();
        assert_eq!((quota.used, quota.used_percent()), (2500, Some(25.0)));
        assert_eq!(quota.rate_limit, Some(RateLimit { call_count: 100, refresh_second: 60 }));
        assert_eq!(quota.component_rate_limit, None);
        let unlimited = Quota { daily_limit: 0, used: 7, ..quota };
        assert_eq!(unlimited.used_percent(), None);
    }
}
