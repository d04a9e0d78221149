//! A self-signed certificate for `localhost`, in files.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use wechat_sim::TlsFiles;

/// The files. They are deleted when this is dropped.
pub struct Certificate {
    folder: PathBuf,
    pub files: TlsFiles,
}

impl Certificate {
    pub fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("wechat-sim-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let files = TlsFiles { cert_pem: folder.join("cert.pem"), key_pem: folder.join("key.pem") };
        std::fs::write(&files.cert_pem, made.cert.pem()).unwrap();
        std::fs::write(&files.key_pem, made.signing_key.serialize_pem()).unwrap();
        Self { folder, files }
    }

    /// A client that trusts only this certificate.
    pub fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.files.cert_pem).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }

    /// A server with this certificate.
    pub fn acceptor(&self) -> TlsAcceptor {
        let chain = vec![CertificateDer::from_pem_file(&self.files.cert_pem).unwrap()];
        let key = PrivateKeyDer::from_pem_file(&self.files.key_pem).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // A file that stays in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
