//! Answers, and bodies that end before their announced length.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};

/// The time between the first half of the body and the end of the connection.
const BREAK_AFTER: Duration = Duration::from_millis(30);

/// WeChat's Content-Type. It has `encoding` where the standard has `charset`.
pub(crate) const JSON: &str = "application/json; encoding=utf-8";
pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain";

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
    pub(crate) location: Option<String>,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<String>) -> Self {
        Self { status, content_type, body: body.into(), location: None }
    }

    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self::new(200, JSON, body)
    }

    pub(crate) fn redirect(location: String) -> Self {
        Self { location: Some(location), ..Self::new(302, HTML, "") }
    }

    /// As an HTTP response. A truncated one announces the whole length and sends half of the body.
    pub(crate) fn into_response(self, truncated: bool, keep_alive: bool) -> Response<ReplyBody> {
        let body = if truncated { ReplyBody::half(&self.body) } else { ReplyBody::whole(self.body) };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(location) = self.location.and_then(|url| HeaderValue::try_from(url).ok()) {
            headers.insert(LOCATION, location);
        }
        if !keep_alive {
            headers.insert(HeaderName::from_static("connection"), HeaderValue::from_static("close"));
        }
        response
    }
}

/// A response body.
pub(crate) enum ReplyBody {
    Whole(Option<Bytes>),
    Half { half: Option<Bytes>, announced: u64, pause: Pin<Box<tokio::time::Sleep>> },
}

impl ReplyBody {
    fn whole(text: String) -> Self {
        Self::Whole(Some(Bytes::from(text)).filter(|bytes| !bytes.is_empty()))
    }

    fn half(text: &str) -> Self {
        let half = Bytes::copy_from_slice(&text.as_bytes()[..text.len() / 2]);
        Self::Half {
            half: Some(half),
            announced: text.len() as u64,
            pause: Box::pin(tokio::time::sleep(BREAK_AFTER)),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Half { half, pause, .. } => {
                if let Some(half) = half.take() {
                    return Poll::Ready(Some(Ok(Frame::data(half))));
                }
                pause.as_mut().poll(cx).map(|()| Some(Err(io::Error::other("truncated by a fault"))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Half { announced, .. } => SizeHint::with_exact(*announced),
        }
    }
}

/// What a connection is served with: always a response.
pub(crate) type Served = Result<Response<ReplyBody>, Infallible>;
