//! One accepted connection: the caller's address, and how a call resets or closes it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// What a call knows of the connection it came over, and what it may do to it.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) peer: SocketAddr,
    end: Arc<End>,
}

#[derive(Default)]
struct End {
    reset: AtomicBool,
    end_requested: Notify,
}

impl Connection {
    pub(crate) fn new(peer: SocketAddr) -> Self {
        Self { peer, end: Arc::default() }
    }

    /// Ends the connection with a TCP reset.
    pub(crate) fn reset(&self) {
        self.end.reset.store(true, Ordering::Release);
        self.end.end_requested.notify_one();
    }

    /// Closes the connection in the normal way, without an answer.
    pub(crate) fn close(&self) {
        self.end.end_requested.notify_one();
    }

    /// Returns when a call has requested the end of the connection.
    pub(crate) async fn until_end_requested(&self) {
        self.end.end_requested.notified().await;
    }

    /// Wraps the connection's stream, so that it can be reset.
    pub(crate) fn stream(&self, stream: TcpStream) -> ConnectionStream {
        ConnectionStream { stream, end: Arc::clone(&self.end) }
    }
}

/// A TCP stream that is reset on drop if a call asked for it.
pub(crate) struct ConnectionStream {
    stream: TcpStream,
    end: Arc<End>,
}

impl Drop for ConnectionStream {
    fn drop(&mut self) {
        if self.end.reset.load(Ordering::Acquire) {
            // With a linger of zero the kernel sends RST and discards unsent data. If the kernel refuses the
            // option, the caller sees a normal close, which is a fault as well.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for ConnectionStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for ConnectionStream {
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
