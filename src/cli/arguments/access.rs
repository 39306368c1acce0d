//! The arguments of `serve` about who may ask; tokens stand in the settings file.
//!
//! Must not know defaults: they are those of the settings.

use std::path::PathBuf;

use clap::Args;

use crate::settings::{AccessSettings, CorsSettings, Rate};

#[derive(Debug, Args)]
pub(super) struct AccessArguments {
    /// A name by which the daemon may be called; .example.com is all below it, . is any; may be repeated
    /// [default: this machine's own where only it is listened to, else any]
    #[arg(long, value_name = "HOST", env = "VARIATE_ALLOWED_HOST", value_delimiter = ';')]
    allowed_host: Vec<String>,

    /// Pages of which origin may ask the API from a browser, such as https://shop.example, or *; may be
    /// repeated [default: none]
    #[arg(long, value_name = "ORIGIN", env = "VARIATE_CORS_ORIGIN", value_delimiter = ';')]
    cors_origin: Vec<String>,

    /// How many requests each token may make that has no rate of its own, such as 100/s
    #[arg(long, value_name = "COUNT/s|m|h", env = "VARIATE_TOKEN_RATE")]
    token_rate: Option<Rate>,

    /// The certificates for TLS, as PEM
    #[arg(long, value_name = "FILE", env = "VARIATE_TLS_CERT")]
    tls_cert: Option<PathBuf>,

    /// The key that belongs to them, as PEM
    #[arg(long, value_name = "FILE", env = "VARIATE_TLS_KEY")]
    tls_key: Option<PathBuf>,
}

impl AccessArguments {
    pub(super) fn given(&self) -> AccessSettings {
        let origins = self.cors_origin.clone();
        AccessSettings {
            token_rate: self.token_rate,
            allowed_hosts: self
                .allowed_host
                .iter()
                .filter(|host| !host.is_empty())
                .cloned()
                .collect(),
            cors: (!origins.is_empty()).then(|| CorsSettings::new(origins)),
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            ..AccessSettings::default()
        }
    }
}
