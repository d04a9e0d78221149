//! The certificate authorities that outgoing TLS trusts: Mozilla's list, and those in `TLS_EXTRA_CA_FILE`.
//!
//! The list is built in. Reading the machine's certificate store would add tens of milliseconds to every cold start at
//! small memory sizes, once for each HTTP client. The list is as old as the build; a new build renews it. The file
//! adds private authorities, for calls to AWS and to WeChat.

use std::path::Path;

use rustls::pki_types::{CertificateDer, pem::PemObject as _};

/// Why the extra CA file cannot be used. The text has the name of the file, never its contents.
#[derive(Debug, thiserror::Error)]
#[error("TLS_EXTRA_CA_FILE: {path} {problem}")]
pub struct TrustError {
    path: String,
    problem: &'static str,
}

/// The trusted certificates.
#[derive(Debug, Clone, Default)]
pub struct TrustRoots {
    extra: Vec<CertificateDer<'static>>,
}

impl TrustRoots {
    /// Trusts Mozilla's list and the certificates in a PEM file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no certificate.
    pub fn with_extra_file(path: &Path) -> Result<Self, TrustError> {
        let fail = |problem| TrustError { path: path.display().to_string(), problem };
        let pem = std::fs::read(path).map_err(|_| fail("cannot be read"))?;
        let extra = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| fail("is not a PEM file"))?;
        if extra.is_empty() {
            return Err(fail("holds no certificate in PEM form"));
        }
        Ok(Self { extra })
    }

    fn roots(&self) -> rustls::RootCertStore {
        // The built-in list is there as names and keys, which take no parsing.
        let mut roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        roots.add_parsable_certificates(self.extra.iter().cloned());
        roots
    }

    /// A TLS client configuration with ring, the only TLS provider of this program.
    ///
    /// ring instead of aws-lc: the binary is a fifth smaller, and the first connection does not wait for aws-lc's
    /// entropy source, which takes half a second in a function with 128 MB.
    pub fn client_config(&self) -> rustls::ClientConfig {
        #[expect(clippy::expect_used, reason = "ring offers every default protocol version")]
        rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(
            rustls::crypto::ring::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(self.roots())
        .with_no_client_auth()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_roots_are_trusted_and_those_of_the_extra_file() {
        let roots = TrustRoots::default().roots().len();
        assert!(roots > 100);
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let with_one_more = TrustRoots { extra: vec![own.cert.der().clone()] };
        assert_eq!(with_one_more.roots().len(), roots + 1);
    }

    #[test]
    fn a_useless_extra_file_is_named_with_the_variable() {
        let error = TrustRoots::with_extra_file(Path::new("/nowhere/ca.pem")).unwrap_err();
        assert_eq!(error.to_string(), "TLS_EXTRA_CA_FILE: /nowhere/ca.pem cannot be read");
        let error = TrustRoots::with_extra_file(Path::new("Cargo.toml")).unwrap_err();
        assert_eq!(error.to_string(), "TLS_EXTRA_CA_FILE: Cargo.toml holds no certificate in PEM form");
    }
}
