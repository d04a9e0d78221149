//! One accepted connection: its peer, and the means to reset or close it in the middle of a call.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// What a call may do to the connection it came over.
#[derive(Clone, Debug)]
pub(crate) struct Conn {
    pub(crate) peer: SocketAddr,
    end: Arc<End>,
}

#[derive(Debug, Default)]
struct End {
    reset: AtomicBool,
    wanted: Notify,
}

impl Conn {
    pub(crate) fn new(peer: SocketAddr) -> Self {
        Self { peer, end: Arc::default() }
    }

    /// Ends the connection with a TCP reset.
    pub(crate) fn reset(&self) {
        self.end.reset.store(true, Ordering::Release);
        self.end.wanted.notify_one();
    }

    /// Ends the connection in an orderly way, without an answer.
    pub(crate) fn close(&self) {
        self.end.wanted.notify_one();
    }

    /// Returns when a call wants the connection to end.
    pub(crate) async fn ended(&self) {
        self.end.wanted.notified().await;
    }

    /// Wraps the stream so that a wanted reset happens when it is dropped.
    pub(crate) fn wire(&self, stream: TcpStream) -> Wire {
        Wire { stream, end: Arc::clone(&self.end) }
    }
}

/// A TCP stream that is reset on drop if its [`Conn`] asked for it.
pub(crate) struct Wire {
    stream: TcpStream,
    end: Arc<End>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.end.reset.load(Ordering::Acquire) {
            // With a linger of zero the kernel sends RST and discards what was not sent yet. If the
            // option is refused the peer sees an ordinary close, which is a fault all the same.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
