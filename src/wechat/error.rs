//! Why a call to WeChat brought no result. No error holds a URL (the token is in its query) or a body.

use std::error::Error;
use std::sync::Arc;

use super::endpoint::Endpoint;
use super::errcode::ErrcodeClass;
use super::refusal::Refusal;

/// Why a call brought no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// WeChat answered with an errcode. [`Refusal::meaning`] says what it means.
    #[error("{0}")]
    Refused(Refusal),
    /// No usable answer came from the network, a proxy or WeChat's gateway. Another try may succeed.
    #[error(transparent)]
    Transport(TransportError),
}

impl CallError {
    /// The kind of refusal, or `None` when no usable answer came.
    pub fn class(&self) -> Option<ErrcodeClass> {
        match self {
            Self::Refused(refusal) => Some(refusal.meaning().class),
            Self::Transport(_) => None,
        }
    }
}

/// No usable answer came.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{endpoint} on {host}: {kind}")]
pub struct TransportError {
    /// The call.
    pub endpoint: Endpoint,
    /// The host that was called, without scheme, path and query.
    pub host: String,
    /// What happened.
    #[source]
    pub kind: TransportKind,
}

/// Why no usable answer came.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TransportKind {
    /// The time ran out before anything was sent.
    #[error("no time was left for the call")]
    NoTime,
    /// DNS, TCP or TLS failed. Nothing was sent.
    #[error("no connection ({})", root_cause(.0))]
    Connect(#[source] Arc<dyn Error + Send + Sync>),
    /// No answer came in time, but WeChat may have processed the request.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke. WeChat may have processed the request.
    #[error("the connection broke ({})", root_cause(.0))]
    Broken(#[source] Arc<dyn Error + Send + Sync>),
    /// A gateway answered with an HTTP status other than 200.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The answer is longer than 64 KiB.
    #[error("the answer is too long")]
    TooLong,
    /// The answer is not the JSON that the documentation describes.
    #[error("the answer is not the documented JSON ({0})")]
    InvalidAnswer(&'static str),
}

impl TransportKind {
    /// No connection, for this reason. It must not hold a URL.
    pub fn connect(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Connect(Arc::from(reason.into()))
    }

    /// A broken connection, for this reason. It must not hold a URL.
    pub fn broken(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken(Arc::from(reason.into()))
    }

    /// Whether an answer came, although no usable one. Then the network works.
    pub const fn is_answer(&self) -> bool {
        matches!(self, Self::Status(_) | Self::TooLong | Self::InvalidAnswer(_))
    }
}

impl From<reqwest::Error> for TransportKind {
    fn from(error: reqwest::Error) -> Self {
        // reqwest prints the URL, and the token is in it.
        let error = error.without_url();
        if error.is_connect() {
            Self::connect(error)
        } else if error.is_timeout() {
            Self::Timeout
        } else {
            Self::broken(error)
        }
    }
}

impl TransportError {
    /// The time was over before `endpoint` could be called.
    pub fn no_time(endpoint: Endpoint) -> Self {
        Self { endpoint, host: "no host".to_owned(), kind: TransportKind::NoTime }
    }

    /// Whether WeChat may have processed the request although no answer came.
    pub const fn may_have_arrived(&self) -> bool {
        !matches!(self.kind, TransportKind::Connect(_) | TransportKind::NoTime)
    }
}

/// The innermost error: the layers around it only repeat that a request failed.
fn root_cause<'a>(error: &'a (dyn Error + Send + Sync + 'static)) -> &'a dyn Error {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}
