//! One HTTP exchange with WeChat: a JSON body out, a bounded JSON object back, and errors that hold
//! no URL (the token is in its query) and no body.
//!
//! WeChat answers errors with HTTP 200 and the content types vary, so neither decides anything: the
//! body is an answer when it is a JSON object, and a broken transport otherwise.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::errcode::{Endpoint, ErrcodeClass};
use super::refusal::Refusal;
use crate::tls::TrustRoots;

/// How long a TCP and TLS connection may take to open. WeChat's hosts answer in a fraction of it
/// from anywhere; a host that does not is better replaced by the next one.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long an idle connection is kept. Kept short because WeChat closes idle connections without a
/// word, and a frozen function does not see it.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest answer read, in bytes. Real ones are below 1 KiB; `openapi/rid/get` repeats a request.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What can go wrong with a call.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// WeChat answered with an errcode: [`Refusal::meaning`] says who must act.
    #[error("{0}")]
    Refused(Refusal),
    /// No usable answer: the network, a proxy, or WeChat's gateway. Another try may succeed.
    #[error(transparent)]
    Transport(TransportError),
}

impl CallError {
    /// The kind of refusal; `None` when no usable answer came.
    #[must_use]
    pub const fn class(&self) -> Option<ErrcodeClass> {
        match self {
            Self::Refused(refusal) => Some(refusal.meaning().class),
            Self::Transport(_) => None,
        }
    }
}

/// No usable answer came.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{api} on {host}: {kind}")]
pub struct TransportError {
    /// The call.
    pub api: Endpoint,
    /// The host that was asked, without scheme, path and query.
    pub host: String,
    /// What happened.
    pub kind: TransportKind,
}

/// Why no usable answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportKind {
    /// The caller's time was over before anything was sent.
    #[error("no time was left to ask")]
    NoTime,
    /// No connection: DNS, TCP or TLS. Nothing was sent.
    #[error("no connection ({0})")]
    Connect(String),
    /// No answer in time, though the request may have been processed.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke after the request may have been sent.
    #[error("the connection broke ({0})")]
    Broken(String),
    /// An HTTP status other than 200: a gateway, not the API.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The answer is longer than 64 KiB.
    #[error("the answer is too long")]
    TooLong,
    /// The answer is not the JSON that the documentation promises.
    #[error("the answer is not the promised JSON ({0})")]
    InvalidAnswer(&'static str),
}

impl TransportError {
    /// The time was over before `api` could be called.
    #[must_use]
    pub const fn no_time(api: Endpoint) -> Self {
        Self { api, host: String::new(), kind: TransportKind::NoTime }
    }

    /// Whether WeChat may have processed the request although no answer came.
    #[must_use]
    pub const fn may_have_arrived(&self) -> bool {
        !matches!(self.kind, TransportKind::Connect(_) | TransportKind::NoTime)
    }
}

/// The HTTP client all calls share: one TLS configuration, IPv4 only, no proxy, no redirects.
///
/// # Errors
/// When the TLS configuration is refused; a bug.
pub fn http_client(roots: &TrustRoots) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(roots.client_config())
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .pool_max_idle_per_host(4)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // The whitelist holds IPv4 addresses: a dual-stack network must not choose IPv6.
        .local_address(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
        .user_agent(concat!("wechat-preauth/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// How a request reaches WeChat: over the network, or into a stand-in that a simulation schedules.
#[async_trait]
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Posts a JSON text; returns the HTTP status, and with 200 a body of at most [`MAX_ANSWER_BYTES`].
    async fn post(&self, url: reqwest::Url, body: String) -> Result<(u16, Vec<u8>), TransportKind>;

    /// Asks for nothing but an answer's head.
    async fn head(&self, url: reqwest::Url) -> Result<(), TransportKind>;
}

#[async_trait]
impl Transport for reqwest::Client {
    async fn post(&self, url: reqwest::Url, body: String) -> Result<(u16, Vec<u8>), TransportKind> {
        let request = Self::post(self, url).header(reqwest::header::CONTENT_TYPE, "application/json");
        let mut response = request.body(body).send().await.map_err(kind_of)?;
        let (status, mut bytes) = (response.status(), Vec::new());
        if status != reqwest::StatusCode::OK {
            return Ok((status.as_u16(), bytes));
        }
        while let Some(chunk) = response.chunk().await.map_err(kind_of)? {
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(TransportKind::TooLong);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((status.as_u16(), bytes))
    }

    async fn head(&self, url: reqwest::Url) -> Result<(), TransportKind> {
        Self::head(self, url).send().await.map(drop).map_err(kind_of)
    }
}

/// Posts `body` and reads the JSON object that comes back; an errcode other than 0 is a refusal.
///
/// `url` may hold secrets in its query; `secrets` are all secret values of the request.
pub(super) async fn post(
    http: &dyn Transport,
    api: Endpoint,
    url: reqwest::Url,
    body: &Value,
    secrets: &[&str],
    timeout: Duration,
) -> Result<Map<String, Value>, CallError> {
    let host = host_of(&url);
    let transport = |kind| CallError::Transport(TransportError { api, host: host.clone(), kind });
    let (status, bytes) = tokio::time::timeout(timeout, http.post(url, body.to_string()))
        .await
        .unwrap_or(Err(TransportKind::Timeout))
        .map_err(transport)?;
    if status != 200 {
        return Err(transport(TransportKind::Status(status)));
    }
    let Ok(Value::Object(answer)) = serde_json::from_slice(&bytes) else {
        return Err(transport(TransportKind::InvalidAnswer("not a JSON object")));
    };
    match answer.get("errcode") {
        None => Ok(answer),
        Some(errcode) => match integer(errcode) {
            Some(0) => Ok(answer),
            Some(errcode) => {
                let errmsg = answer.get("errmsg").and_then(Value::as_str).unwrap_or_default();
                Err(CallError::Refused(Refusal::new(api, errcode, errmsg, secrets)))
            }
            None => Err(transport(TransportKind::InvalidAnswer("errcode is not a number"))),
        },
    }
}

/// A number, or a string that holds one: WeChat sends both.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `host:port`, for errors and logs.
pub(super) fn host_of(url: &reqwest::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// reqwest prints the URL, and the token with it: the URL goes first, and of the rest only the
/// innermost cause is kept.
pub(super) fn kind_of(error: reqwest::Error) -> TransportKind {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_connect() {
        TransportKind::Connect(cause.to_string())
    } else if error.is_timeout() {
        TransportKind::Timeout
    } else {
        TransportKind::Broken(cause.to_string())
    }
}
