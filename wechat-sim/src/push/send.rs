//! Sends pushes as WeChat does: with a time limit, without redirects, and again until the answer is `success`.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::build::BuiltPush;
use crate::SimConfig;

/// The only answer that confirms a push.
const SUCCESS: &str = "success";
/// Longest answer that is read.
const ANSWER_LIMIT: usize = 64 * 1024;

/// How the delivery of a push ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PushOutcome {
    /// Whether an attempt was answered with `success`.
    pub delivered: bool,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
}

impl PushOutcome {
    /// The HTTP status of the last attempt, if it was answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.attempts.last().and_then(|attempt| attempt.status)
    }
}

/// One attempt to deliver a push.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The answer's body.
    pub body: String,
    /// Why there was no answer, or why the answer is not a success.
    pub error: Option<String>,
    /// How long the attempt took.
    pub took_ms: u64,
}

impl Attempt {
    /// An attempt that failed before anything was sent.
    pub(crate) fn not_made(error: String) -> Self {
        Self { status: None, body: String::new(), error: Some(error), took_ms: 0 }
    }
}

/// The HTTP client for pushes.
pub(crate) struct Sender {
    tls: TlsConnector,
}

impl Sender {
    /// Trusts the public certificate authorities, and those in the file `extra`.
    pub(crate) fn new(extra: Option<&Path>) -> io::Result<Self> {
        let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidInput, error);
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(path) = extra {
            let named = |error: String| invalid(format!("{}: {error}", path.display()));
            for certificate in
                CertificateDer::pem_file_iter(path).map_err(|error| named(error.to_string()))?
            {
                let certificate = certificate.map_err(|error| named(error.to_string()))?;
                roots.add(certificate).map_err(|error| named(error.to_string()))?;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Sends a push, with retries.
    pub(crate) async fn send(&self, url: &str, push: &BuiltPush, config: &SimConfig) -> PushOutcome {
        let mut outcome = PushOutcome::default();
        for attempt in 0..=config.push_retries {
            if attempt > 0 {
                tokio::time::sleep(config.push_retry_delay).await;
            }
            let attempt = self.attempt(url, push, config.push_timeout).await;
            outcome.delivered = attempt.error.is_none();
            outcome.attempts.push(attempt);
            if outcome.delivered {
                break;
            }
        }
        outcome
    }

    /// One attempt. `limit` is the time from the name lookup to the end of the answer.
    async fn attempt(&self, url: &str, push: &BuiltPush, limit: Duration) -> Attempt {
        let started = Instant::now();
        let answered = tokio::time::timeout(limit, self.post(url, push)).await;
        let (status, body, error) = match answered {
            Err(_) => (None, String::new(), Some(format!("no answer within {} ms", limit.as_millis()))),
            Ok(Err(error)) => (None, String::new(), Some(error)),
            Ok(Ok((200, body))) if body == SUCCESS => (Some(200), body, None),
            Ok(Ok((status, body))) => (Some(status), body, Some("the answer is not `success`".to_owned())),
        };
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Attempt { status, body, error, took_ms }
    }

    async fn post(&self, url: &str, push: &BuiltPush) -> Result<(u16, String), String> {
        let (uri, tls) = parse_url(url)?;
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?;
        let separator = if uri.query().is_some() { '&' } else { '?' };
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{target}{separator}{}", push.query_string()))
            .header(HOST, uri.authority().map_or("", |authority| authority.as_str()))
            .header(USER_AGENT, "Mozilla/4.0")
            .header("accept", "*/*")
            .header(CONTENT_TYPE, "text/xml")
            .body(Full::new(Bytes::from(push.body.clone())))
            .map_err(|error| error.to_string())?;
        if tls {
            let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
            let stream = self.tls.connect(name, stream).await.map_err(|error| error.to_string())?;
            exchange(stream, request).await
        } else {
            exchange(stream, request).await
        }
    }
}

/// Whether pushes can be sent to this URL.
pub(crate) fn check_callback_url(url: &str) -> io::Result<()> {
    parse_url(url).map(drop).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// The URL, and whether it is an https one.
fn parse_url(url: &str) -> Result<(Uri, bool), &'static str> {
    let uri = url.parse::<Uri>().ok().filter(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    match uri.as_ref().and_then(Uri::scheme_str) {
        Some("https") => uri.map(|uri| (uri, true)),
        Some("http") => uri.map(|uri| (uri, false)),
        _ => None,
    }
    .ok_or("the callback URL must begin with http:// or https:// and name a host")
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(u16, String), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let text = |error: hyper::Error| error.to_string();
    let (mut requests, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
    let answer = async {
        let response = requests.send_request(request).await.map_err(text)?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_LIMIT)
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
    };
    tokio::pin!(answer, connection);
    // Both run in this task, so that the connection closes when the time limit ends the attempt.
    tokio::select! {
        answer = &mut answer => answer,
        _ = &mut connection => answer.await,
    }
}
