//! Whom to trust: TLS with the ciphers of ring, and the certificates that the machine trusts.
//!
//! Must not know what is sent over it.

use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::address::WebAddress;

/// What to say where this fails.
pub(crate) const UNTRUSTED: &str =
    "cannot be trusted: install the machine's root certificates (ca-certificates)";

/// TLS that trusts what the machine trusts; without TLS in the address nothing has to be trusted, and a
/// machine without certificates will do.
pub(crate) fn trust(address: &WebAddress) -> Result<ClientConfig, rustls::Error> {
    if address.is_secure() { trust_the_machine() } else { trust_nobody() }
}

/// The same for those who may be sent on from an address without TLS to one with it.
pub(crate) fn trust_on_the_way(address: &WebAddress) -> Result<ClientConfig, rustls::Error> {
    trust_the_machine().or_else(
        |error| {
            if address.is_secure() { Err(error) } else { trust_nobody() }
        },
    )
}

fn trust_the_machine() -> Result<ClientConfig, rustls::Error> {
    Ok(builder()?.with_platform_verifier()?.with_no_client_auth())
}

fn trust_nobody() -> Result<ClientConfig, rustls::Error> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    let ciphers = rustls::crypto::ring::default_provider().into();
    ClientConfig::builder_with_provider(ciphers).with_safe_default_protocol_versions()
}
