//! Answers on their way out: whole ones, and bodies that break off half way.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};

/// Time for the first half to leave before the connection breaks.
const BREAK_AFTER: Duration = Duration::from_millis(30);

/// WeChat's Content-Type, with `encoding` where the standard says `charset`.
pub(crate) const JSON: &str = "application/json; encoding=utf-8";
pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain";

/// An answer before it becomes a response.
#[derive(Clone, Debug)]
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

    /// As a response. One that is `cut` announces its whole length and sends half.
    pub(crate) fn into_response(self, cut: bool, keep_alive: bool) -> Response<ReplyBody> {
        let body = if cut { ReplyBody::cut(&self.body) } else { ReplyBody::whole(self.body) };
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
    Cut { half: Option<Bytes>, announced: u64, pause: Pin<Box<tokio::time::Sleep>> },
}

impl ReplyBody {
    fn whole(text: String) -> Self {
        Self::Whole(Some(Bytes::from(text)).filter(|bytes| !bytes.is_empty()))
    }

    fn cut(text: &str) -> Self {
        let half = Bytes::copy_from_slice(&text.as_bytes()[..text.len() / 2]);
        Self::Cut {
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
            Self::Cut { half, pause, .. } => {
                if let Some(half) = half.take() {
                    return Poll::Ready(Some(Ok(Frame::data(half))));
                }
                pause.as_mut().poll(cx).map(|()| Some(Err(io::Error::other("cut on demand"))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Cut { announced, .. } => SizeHint::with_exact(*announced),
        }
    }
}

/// What a connection serves: always a response.
pub(crate) type Served = Result<Response<ReplyBody>, Infallible>;
