//! The typed client for WeChat's component API: `api_component_token` and
//! `api_create_preauthcode`. One call is one attempt; who may try again is the platform's decision.
//!
//! Sources: <https://developers.weixin.qq.com/doc/oplatform/openApi/ticket-token/api_getcomponentaccesstoken.html>,
//! <https://developers.weixin.qq.com/doc/oplatform/openApi/ticket-token/api_getpreauthcode.html>.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::errcode::Endpoint;
use super::http::{CallError, Transport, TransportError, TransportKind, host_of, integer, post};

/// How long a host that failed is passed over while another one is left.
const HOST_COOLDOWN: Duration = Duration::from_secs(60);

/// The name of the token's query parameter. The current documentation says `access_token`; the old
/// one said `component_access_token`, which WeChat still takes.
const TOKEN_PARAMETER: &str = "access_token";

/// What `api_component_token` answers with.
#[derive(Debug, Clone)]
pub struct ComponentToken {
    /// The component access token.
    pub value: SecretString,
    /// Its life in seconds, as WeChat said (7200 in practice).
    pub expires_in: i64,
}

/// What `api_create_preauthcode` answers with.
#[derive(Debug, Clone)]
pub struct PreAuthCode {
    /// The pre-authorization code.
    pub value: SecretString,
    /// Its life in seconds, as WeChat said (1800 in practice; the documentation also shows 600).
    pub expires_in: i64,
}

/// An origin that cannot be used for WeChat's API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin:?} {problem}")]
pub struct ApiHostsError {
    origin: String,
    problem: &'static str,
}

/// WeChat's API origins, in order of preference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiHosts(Vec<Url>);

impl ApiHosts {
    /// The nearest entry point, and the one WeChat names for disaster recovery.
    pub const DEFAULT: &str = "https://api.weixin.qq.com,https://api2.weixin.qq.com";

    /// Parses a comma-separated list of origins: `https://`, or `http://` to a loopback address.
    ///
    /// # Errors
    /// Names the first origin that is not usable.
    pub fn parse(list: &str) -> Result<Self, ApiHostsError> {
        let origins: Vec<Url> = list
            .split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .map(parse_origin)
            .collect::<Result<_, _>>()?;
        if origins.is_empty() {
            return Err(ApiHostsError { origin: list.to_owned(), problem: "names no origin" });
        }
        Ok(Self(origins))
    }
}

fn parse_origin(origin: &str) -> Result<Url, ApiHostsError> {
    let fail = |problem| ApiHostsError { origin: origin.to_owned(), problem };
    let url = Url::parse(origin).map_err(|_| fail("is not an origin such as https://api.weixin.qq.com"))?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !bare {
        return Err(fail("must be an origin only: scheme, host and port"));
    }
    let loopback = url.host_str().is_some_and(|host| {
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    });
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => Err(fail("must be https:// (http:// is only for a loopback address)")),
        _ => Err(fail("must be https://")),
    }
}

/// The client. Cheap to share behind a reference; holds no secret.
#[derive(Debug)]
pub struct Client {
    pub(super) http: Arc<dyn Transport>,
    pub(super) hosts: Vec<Host>,
    started: Instant,
}

#[derive(Debug)]
pub(super) struct Host {
    pub(super) origin: Url,
    /// Milliseconds after `started` until which the host rests.
    rests_until: AtomicU64,
}

impl Client {
    /// A client for these hosts.
    #[must_use]
    pub fn new(http: impl Transport + 'static, hosts: ApiHosts) -> Self {
        let hosts = hosts.0.into_iter().map(|origin| Host { origin, rests_until: AtomicU64::new(0) });
        Self { http: Arc::new(http), hosts: hosts.collect(), started: Instant::now() }
    }

    /// Mints a component access token from the verify ticket. **The token that was valid before
    /// dies some five minutes later.**
    ///
    /// # Errors
    /// A refusal, or no usable answer within `timeout`.
    pub async fn component_token(
        &self,
        component_appid: &str,
        component_appsecret: &SecretString,
        component_verify_ticket: &SecretString,
        timeout: Duration,
    ) -> Result<ComponentToken, CallError> {
        let (secret, ticket) = (component_appsecret.expose_secret(), component_verify_ticket.expose_secret());
        let body = json!({
            "component_appid": component_appid,
            "component_appsecret": secret,
            "component_verify_ticket": ticket,
        });
        let (host, answer) =
            self.call(Endpoint::ComponentToken, None, &body, &[secret, ticket], timeout).await?;
        let (value, expires_in) = promised(&answer, "component_access_token")
            .map_err(|kind| host.error(Endpoint::ComponentToken, kind))?;
        Ok(ComponentToken { value, expires_in })
    }

    /// Creates a pre-authorization code. Every call makes a new one; earlier ones stay valid.
    ///
    /// # Errors
    /// A refusal, or no usable answer within `timeout`.
    pub async fn create_preauthcode(
        &self,
        component_appid: &str,
        token: &SecretString,
        timeout: Duration,
    ) -> Result<PreAuthCode, CallError> {
        let body = json!({ "component_appid": component_appid });
        let (host, answer) = self.call(Endpoint::CreatePreAuthCode, Some(token), &body, &[], timeout).await?;
        let (value, expires_in) = promised(&answer, "pre_auth_code")
            .map_err(|kind| host.error(Endpoint::CreatePreAuthCode, kind))?;
        Ok(PreAuthCode { value, expires_in })
    }

    /// Opens a connection to the preferred host, so that the first call finds it open. The answer
    /// does not matter.
    pub async fn preconnect(&self, timeout: Duration) {
        let url = self.pick().origin.clone();
        if let Ok(Err(error)) = tokio::time::timeout(timeout, self.http.head(url)).await {
            tracing::debug!(%error, "no connection to WeChat at start-up");
        }
    }

    /// One attempt on the host that is preferred at the moment.
    pub(super) async fn call(
        &self,
        api: Endpoint,
        token: Option<&SecretString>,
        body: &Value,
        secrets: &[&str],
        timeout: Duration,
    ) -> Result<(&Host, Map<String, Value>), CallError> {
        let host = self.pick();
        let mut url = host.origin.clone();
        url.set_path(api.path());
        let mut secrets = secrets.to_vec();
        if let Some(token) = token {
            url.query_pairs_mut().append_pair(TOKEN_PARAMETER, token.expose_secret());
            secrets.push(token.expose_secret());
        }
        match post(&*self.http, api, url, body, &secrets, timeout).await {
            Ok(answer) => Ok((host, answer)),
            Err(error) => {
                if matches!(error, CallError::Transport(_)) {
                    let until = self.elapsed_ms() + HOST_COOLDOWN.as_millis() as u64;
                    host.rests_until.store(until, Ordering::Relaxed);
                }
                Err(error)
            }
        }
    }

    /// The first host that does not rest; when all do, the one that has rested longest.
    fn pick(&self) -> &Host {
        let now = self.elapsed_ms();
        let rest = |host: &&Host| host.rests_until.load(Ordering::Relaxed);
        let awake = self.hosts.iter().find(|host| rest(host) <= now);
        #[expect(clippy::expect_used, reason = "ApiHosts::parse refuses an empty list")]
        awake.or_else(|| self.hosts.iter().min_by_key(rest)).expect("at least one host")
    }

    fn elapsed_ms(&self) -> u64 {
        self.started.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
    }
}

impl Host {
    pub(super) fn error(&self, api: Endpoint, kind: TransportKind) -> CallError {
        CallError::Transport(TransportError { api, host: host_of(&self.origin), kind })
    }
}

/// The field that makes an answer a success, with its life: both must be there and mean something.
fn promised(answer: &Map<String, Value>, field: &str) -> Result<(SecretString, i64), TransportKind> {
    let value = answer.get(field).and_then(Value::as_str).filter(|value| !value.is_empty());
    let expires_in = answer.get("expires_in").and_then(integer).filter(|seconds| *seconds > 0);
    match (value, expires_in) {
        (Some(value), Some(expires_in)) => Ok((value.into(), expires_in)),
        (None, _) => Err(TransportKind::InvalidAnswer("the promised field is missing or empty")),
        (_, None) => Err(TransportKind::InvalidAnswer("expires_in is missing or not positive")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_must_be_origins_and_http_is_for_loopback() {
        assert_eq!(ApiHosts::parse(ApiHosts::DEFAULT).unwrap().0.len(), 2);
        assert!(ApiHosts::parse("http://127.0.0.1:8090, http://localhost:1").is_ok());
        for (list, problem) in [
            ("", r#""" names no origin"#),
            (" , ", r#"" , " names no origin"#),
            (
                "api.weixin.qq.com",
                r#""api.weixin.qq.com" is not an origin such as https://api.weixin.qq.com"#,
            ),
            (
                "https://api.weixin.qq.com/cgi-bin",
                r#""https://api.weixin.qq.com/cgi-bin" must be an origin only: scheme, host and port"#,
            ),
            (
                "http://api.weixin.qq.com",
                r#""http://api.weixin.qq.com" must be https:// (http:// is only for a loopback address)"#,
            ),
            ("ftp://127.0.0.1", r#""ftp://127.0.0.1" must be https://"#),
        ] {
            assert_eq!(ApiHosts::parse(list).unwrap_err().to_string(), problem);
        }
    }
}
