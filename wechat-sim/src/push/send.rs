//! Delivers pushes the way WeChat does: five seconds, exactly `success`, no redirects, a few retries.

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

use super::build::{BuiltPush, build};
use super::{Push, PushRecord};
use crate::shared::Shared;

/// The only reply that counts.
const SUCCESS: &str = "success";
/// No reply is read further than this.
const REPLY_LIMIT: usize = 64 * 1024;

/// What came of a push.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PushOutcome {
    /// Whether some attempt was answered with `success`.
    pub delivered: bool,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
}

impl PushOutcome {
    /// The last attempt's HTTP status, if it got that far.
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
    /// Why there was no answer, or why it does not count.
    pub error: Option<String>,
    /// How long it took.
    pub took_ms: u64,
}

/// The client that pushes are sent with.
pub(crate) struct Sender {
    tls: TlsConnector,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}

impl Sender {
    /// Trusts the usual authorities, and `extra` as well.
    pub(crate) fn new(extra: Option<&Path>) -> io::Result<Self> {
        let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidInput, error);
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
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

    /// One attempt, within `limit` from name lookup to the end of the answer.
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
        let uri: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
        let host = uri.host().ok_or_else(|| format!("{url}: no host"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(format!("{url}: neither http nor https")),
        };
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((bare, port)).await.map_err(|error| error.to_string())?;
        let separator = if uri.query().is_some() { '&' } else { '?' };
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{target}{separator}{}", push.query_string()))
            .header(HOST, uri.authority().map_or(host, |authority| authority.as_str()))
            .header(USER_AGENT, "Mozilla/4.0")
            .header("accept", "*/*")
            .header(CONTENT_TYPE, "text/xml")
            .body(Full::new(Bytes::from(push.body.clone())))
            .map_err(|error| error.to_string())?;
        if tls {
            let name = ServerName::try_from(bare.to_owned()).map_err(|error| error.to_string())?;
            let stream = self.tls.connect(name, stream).await.map_err(|error| error.to_string())?;
            exchange(stream, request).await
        } else {
            exchange(stream, request).await
        }
    }
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
        let body = Limited::new(response.into_body(), REPLY_LIMIT)
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
    };
    tokio::pin!(answer, connection);
    // Both run here, so that giving up on the answer closes the connection too.
    tokio::select! {
        answer = &mut answer => answer,
        _ = &mut connection => answer.await,
    }
}

/// Builds and delivers a push, with retries, and puts it on record.
pub(crate) async fn deliver(shared: &Shared, url: &str, push: &Push) -> PushOutcome {
    let config = &shared.config;
    let now = shared.clock.now();
    let ticket = shared.world().issued.current_ticket().to_owned();
    let mut outcome = PushOutcome::default();
    match build(push, config, now, &ticket) {
        Err(error) => outcome.attempts.push(Attempt {
            status: None,
            body: String::new(),
            error: Some(error.to_string()),
            took_ms: 0,
        }),
        Ok(built) => {
            for attempt in 0..=config.push_retries {
                if attempt > 0 {
                    tokio::time::sleep(config.push_retry_delay).await;
                }
                let attempt = shared.sender.attempt(url, &built, config.push_timeout).await;
                outcome.delivered = attempt.error.is_none();
                outcome.attempts.push(attempt);
                if outcome.delivered {
                    break;
                }
            }
        }
    }
    shared.remember_push(PushRecord {
        at: now,
        info_type: push.event.name().to_owned(),
        flaw: push.flaw,
        url: url.to_owned(),
        outcome: outcome.clone(),
    });
    outcome
}
