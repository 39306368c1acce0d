//! TLS: connections are encrypted with the certificate that the file has now.
//!
//! Must not know what is asked over them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::super::process::serve;
use super::super::{PATIENCE, SHOP, wait_for};

/// Writes a certificate for `localhost` and its key; gives what a client has to trust.
fn certify(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

/// What is answered to a client that trusts this alone.
fn ask(address: SocketAddr, trusted: &CertificateDer<'static>) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let ciphers = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(ciphers)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    let mut stream = StreamOwned::new(connection, tcp);
    stream.write_all(b"GET /v1/config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answered = String::new();
    match stream.read_to_string(&mut answered) {
        Err(error) if answered.is_empty() => Err(error),
        _ => Ok(answered),
    }
}

#[test]
fn connections_are_encrypted_and_certificates_can_be_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let first = certify(folder.path());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let served = serve(
        folder.path(),
        &["--datafile", SHOP, "--tls-cert", &file("cert.pem"), "--tls-key", &file("key.pem")],
    );
    let answered = ask(served.api, &first).unwrap();
    assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
    assert!(ask(served.admin, &first).unwrap().starts_with("HTTP/1.1 404"));

    let mut plain = TcpStream::connect(served.api).unwrap();
    plain.set_read_timeout(Some(PATIENCE)).unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answered = Vec::new();
    plain.read_to_end(&mut answered).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&answered).contains("HTTP"), "nothing without TLS");

    let second = certify(folder.path());
    let id = served.child.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    wait_for("the new certificate", || ask(served.api, &second).ok());
    assert!(ask(served.api, &first).is_err());

    // A broken file keeps the one before; a connection that never shakes hands does not keep it up.
    fs::write(folder.path().join("cert.pem"), "no certificate").unwrap();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    let _silent = TcpStream::connect(served.api).unwrap();
    assert!(ask(served.api, &second).is_ok());
    let (code, said) = served.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("cert.pem") && said.contains("the settings were not read again"),
        "{said}"
    );
    assert!(said.contains("settings read again changed=\"tls_cert\""), "{said}");
}
