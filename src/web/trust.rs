//! Whom to trust: TLS with the ciphers of ring, and the certificates that the machine trusts.
//!
//! Must not know what is sent over it.

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::address::WebAddress;

/// What to say where this fails.
pub(crate) const UNTRUSTED: &str =
    "cannot be trusted: install the machine's root certificates (ca-certificates)";

/// TLS that trusts what the machine trusts; without TLS in the address nothing has to be trusted, and a
/// machine without certificates will do.
pub(crate) fn trust(address: &WebAddress) -> Result<ClientConfig, rustls::Error> {
    let ciphers = rustls::crypto::ring::default_provider().into();
    let builder =
        ClientConfig::builder_with_provider(ciphers).with_safe_default_protocol_versions()?;
    if address.url.scheme() == "https" {
        return Ok(builder.with_platform_verifier()?.with_no_client_auth());
    }
    let nobody = RootCertStore::empty();
    Ok(builder.with_root_certificates(nobody).with_no_client_auth())
}
