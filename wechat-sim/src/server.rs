//! The HTTP server: accepts connections, with TLS if configured, and can stop and start again.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;
use crate::connection::Connection;
use crate::delivery::run_schedule;
use crate::gateway;
use crate::state::SimContext;

/// The server and the ticket schedule. Both end when this is dropped.
pub(crate) struct Server {
    context: Arc<SimContext>,
    tls: Option<TlsAcceptor>,
    addr: SocketAddr,
    /// Nothing while the server is stopped.
    running: Mutex<Option<Running>>,
}

struct Running {
    /// The accepting task ends when this is dropped.
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
    /// A set, because it aborts its task when it is dropped.
    schedule: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(context: Arc<SimContext>) -> io::Result<Self> {
        let tls = context.config.tls.as_ref().map(acceptor).transpose()?;
        let listener = bind(context.config.listen).await?;
        let addr = listener.local_addr()?;
        let running = Mutex::new(Some(Running::start(listener, tls.clone(), &context)));
        Ok(Self { context, tls, addr, running })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes the listener and every connection. The address is free when this returns.
    pub(crate) async fn stop(&self) {
        let running = self.running().take();
        if let Some(Running { stop, accepting, schedule }) = running {
            drop(schedule);
            drop(stop);
            // It fails only if the task panicked, and then it has ended too.
            let _ = accepting.await;
        }
    }

    /// Listens again at the same address, unless the server is running.
    pub(crate) async fn resume(&self) -> io::Result<()> {
        if self.running().is_some() {
            return Ok(());
        }
        let listener = bind(self.addr).await?;
        *self.running() = Some(Running::start(listener, self.tls.clone(), &self.context));
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn start(listener: TcpListener, tls: Option<TlsAcceptor>, context: &Arc<SimContext>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let accepting = tokio::spawn(accept(listener, tls, Arc::clone(context), stopped));
        let mut schedule = JoinSet::new();
        schedule.spawn(run_schedule(Arc::clone(context)));
        Self { stop, accepting, schedule }
    }
}

async fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(addr).await.map_err(|error| io::Error::new(error.kind(), format!("{addr}: {error}")))
}

/// Accepts until the sender of `stopped` is dropped. Then closes the listener and every connection.
async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    context: Arc<SimContext>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve_stream(stream, peer, tls.clone(), Arc::clone(&context)));
                }
                // Most likely the process has no file descriptor left: wait until connections end.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve_stream(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    context: Arc<SimContext>,
) {
    let connection = Connection::new(peer);
    // Small answers should leave at once. If this fails they are only slower.
    let _ = stream.set_nodelay(true);
    let stream = connection.stream(stream);
    match tls {
        None => serve_http(stream, connection, context).await,
        Some(acceptor) => {
            // The client sees why its handshake failed.
            if let Ok(stream) = acceptor.accept(stream).await {
                serve_http(stream, connection, context).await;
            }
        }
    }
}

async fn serve_http<S>(stream: S, connection: Connection, context: Arc<SimContext>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let end = connection.clone();
    let service =
        service_fn(move |request| gateway::serve(Arc::clone(&context), connection.clone(), request));
    let serving =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A broken connection is no error here: faults break connections.
        _ = serving => {}
        () = end.until_end_requested() => {}
    }
}

/// Reads certificate and key.
fn acceptor(files: &TlsFiles) -> io::Result<TlsAcceptor> {
    let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidInput, error);
    let chain = CertificateDer::pem_file_iter(&files.cert_pem)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| invalid(format!("{}: {error}", files.cert_pem.display())))?;
    let key = PrivateKeyDer::from_pem_file(&files.key_pem)
        .map_err(|error| invalid(format!("{}: {error}", files.key_pem.display())))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| invalid(format!("{}: {error}", files.cert_pem.display())))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
