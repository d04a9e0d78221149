//! The HTTP client, and one exchange with WeChat: a JSON body is sent, a bounded JSON object comes back.
//!
//! WeChat sends its errors with HTTP 200 and various content types. So an answer is a JSON object under
//! HTTP 200, whatever its content type, and everything else is a transport error.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::answer::Status;
use super::endpoint::Endpoint;
use super::error::{CallError, TransportError, TransportKind};
use super::refusal::Refusal;
use crate::tls::TrustRoots;

/// How long TCP and TLS may take to connect. WeChat's hosts need a fraction of it from anywhere. If one needs longer,
/// the next host is the better choice.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long an idle connection is kept. WeChat closes idle connections without notice, and a frozen function does not
/// see it.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest answer read, in bytes. Answers have less than 1 KiB, but `openapi/rid/get` repeats a request.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The HTTP client of all calls: one TLS configuration, IPv4 only, no proxy, no redirects.
///
/// # Errors
/// When reqwest refuses the TLS configuration, which is a bug.
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

/// How a request reaches WeChat: over the network, or, in a simulation, a WeChat in memory.
#[async_trait]
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Posts a JSON text. Returns the HTTP status, and with 200 a body of at most [`MAX_ANSWER_BYTES`].
    async fn post(&self, url: reqwest::Url, body: String) -> Result<(u16, Vec<u8>), TransportKind>;

    /// Sends a `HEAD` request. Any HTTP answer is a success.
    async fn head(&self, url: reqwest::Url) -> Result<(), TransportKind>;
}

#[async_trait]
impl Transport for reqwest::Client {
    async fn post(&self, url: reqwest::Url, body: String) -> Result<(u16, Vec<u8>), TransportKind> {
        let request = Self::post(self, url).header(reqwest::header::CONTENT_TYPE, "application/json");
        let mut response = request.body(body).send().await?;
        let (status, mut bytes) = (response.status().as_u16(), Vec::new());
        if status != 200 {
            return Ok((status, bytes));
        }
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(TransportKind::TooLong);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((status, bytes))
    }

    async fn head(&self, url: reqwest::Url) -> Result<(), TransportKind> {
        Self::head(self, url).send().await?;
        Ok(())
    }
}

/// Posts `body` and reads the answer. An errcode other than 0 is a refusal.
///
/// `url` may hold secrets in its query; `secrets` are all secret values of the request.
pub(super) async fn post<T: DeserializeOwned>(
    transport: &dyn Transport,
    endpoint: Endpoint,
    url: reqwest::Url,
    body: &Value,
    secrets: &[&str],
    timeout: Duration,
) -> Result<T, CallError> {
    let host = host_of(&url);
    let fail = |kind| CallError::Transport(TransportError { endpoint, host, kind });
    let (status, bytes) = match tokio::time::timeout(timeout, transport.post(url, body.to_string())).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(kind)) => return Err(fail(kind)),
        Err(_elapsed) => return Err(fail(TransportKind::Timeout)),
    };
    if status != 200 {
        return Err(fail(TransportKind::Status(status)));
    }
    let Ok(answer) = serde_json::from_slice::<Map<String, Value>>(&bytes) else {
        return Err(fail(TransportKind::InvalidAnswer("not a JSON object")));
    };
    match Status::deserialize(&answer) {
        Ok(Status { errcode: 0, .. }) => {}
        Ok(status) => {
            let refusal = Refusal::new(endpoint, status.errcode, &status.errmsg, secrets);
            return Err(CallError::Refused(refusal));
        }
        Err(_) => return Err(fail(TransportKind::InvalidAnswer("errcode is not an integer"))),
    }
    // serde's error would repeat values of the answer, so it is dropped.
    T::deserialize(answer)
        .map_err(|_| fail(TransportKind::InvalidAnswer("a documented field is missing or wrong")))
}

/// `host:port`, for errors and logs.
pub(super) fn host_of(url: &reqwest::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
