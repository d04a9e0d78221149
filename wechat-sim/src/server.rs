//! The listener: accepts connections, speaks TLS where asked to, and stops on demand.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;
use crate::gateway;
use crate::shared::Shared;
use crate::wire::Conn;

/// Accepts until `stop` fires or its sender is gone, then closes the listener and every connection.
pub(crate) async fn run(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    mut stop: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, tls.clone(), Arc::clone(&shared)));
                }
                // Out of file descriptors, most likely: let the others finish first.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let conn = Conn::new(peer);
    // Small answers should leave at once; without it they are only slower.
    let _ = stream.set_nodelay(true);
    let wire = conn.wire(stream);
    match tls {
        None => speak(wire, conn, shared).await,
        Some(acceptor) => {
            // A failed handshake is the client's affair.
            if let Ok(stream) = acceptor.accept(wire).await {
                speak(stream, conn, shared).await;
            }
        }
    }
}

async fn speak<S>(stream: S, conn: Conn, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let end = conn.clone();
    let service = service_fn(move |request| gateway::serve(Arc::clone(&shared), conn.clone(), request));
    let serving =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // Broken connections are part of the trade here.
        _ = serving => {}
        () = end.ended() => {}
    }
}

/// Reads certificate and key.
pub(crate) fn acceptor(files: &TlsFiles) -> io::Result<TlsAcceptor> {
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
