//! TLS of the listeners: certificates and their key, as files have them.
//!
//! Must not know connections.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::error::Error;
use crate::settings::AccessSettings;

#[derive(Clone)]
pub(in crate::server) struct Tls {
    pub(in crate::server) acceptor: TlsAcceptor,
    /// The certificates that it shows, which the key belongs to.
    shown: Vec<CertificateDer<'static>>,
}

impl Tls {
    /// Reads the files of the settings; `None` where there is to be no TLS.
    pub(in crate::server) fn load(access: &AccessSettings) -> Result<Option<Self>, Error> {
        let (Some(cert), Some(key)) = (&access.tls_cert, &access.tls_key) else { return Ok(None) };
        let certificates = CertificateDer::pem_file_iter(cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| wrong("tls_cert", cert, &error))?;
        if certificates.is_empty() {
            return Err(wrong("tls_cert", cert, &"it holds no certificate"));
        }
        let shown = certificates.clone();
        let private = PrivateKeyDer::from_pem_file(key);
        let private = private.map_err(|error| wrong("tls_key", key, &error))?;
        let mut config = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(certificates, private))
            .map_err(|error| wrong("tls_key", key, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Self { acceptor: TlsAcceptor::from(Arc::new(config)), shown }))
    }

    /// Whether it shows the same certificates.
    pub(in crate::server) fn shows_those_of(&self, other: &Self) -> bool {
        self.shown == other.shown
    }
}

fn wrong(setting: &str, path: &Path, problem: &dyn std::fmt::Display) -> Error {
    Error::settings(format!(
        "{setting} {} cannot be used ({problem}): give a PEM file, and the key that belongs to the certificate",
        path.display()
    ))
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tls").finish_non_exhaustive()
    }
}
