//! The settings file as TOML.
//!
//! Must not know defaults, nor how its errors are worded.

mod access;
mod tracking;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Visitor};

use self::access::{ReadJwt, ReadToken, WireCors};
use self::tracking::WireTracking;
use super::access::{AccessSettings, Rate};
use super::agent::GivenAgent;
use super::environment::{DatafilePlace, EnvironmentSettings};
use super::given::Given;
use super::ofrep::{FlagValue, GivenOfrep, OffValue};
use super::sink::SinkSettings;
use super::values::{LogFormat, LogLevel, Port, Size, Span};
use crate::events::{AttributionMode, SinkTarget};
use crate::source::SdkKey;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSettings {
    host: Option<String>,
    port: Option<Read<Port>>,
    admin_port: Option<Read<Port>>,
    insecure: Option<bool>,
    token_rate: Option<Read<Rate>>,
    #[serde(default)]
    allowed_hosts: Vec<String>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    datafile_template: Option<String>,
    poll_interval: Option<Read<Span>>,
    webhook_secret: Option<String>,
    attribution: Option<Read<AttributionMode>>,
    late_window: Option<Read<Span>>,
    early_tolerance: Option<Read<Span>>,
    attribution_window: Option<Read<Span>>,
    activation_retention: Option<Read<Span>>,
    record_retention: Option<Read<Span>>,
    record_budget: Option<Read<Size>>,
    disk_reserve: Option<Read<Size>>,
    queue_entries: Option<usize>,
    body_limit: Option<Read<Size>>,
    request_timeout: Option<Read<Span>>,
    connections: Option<usize>,
    idle_timeout: Option<Read<Span>>,
    shutdown_deadline: Option<Read<Span>>,
    log: Option<Read<LogLevel>>,
    log_format: Option<Read<LogFormat>>,
    cors: Option<WireCors>,
    jwt: Option<ReadJwt>,
    #[serde(default)]
    token: Vec<ReadToken>,
    #[serde(default)]
    ofrep: WireOfrep,
    #[serde(default)]
    tracking: WireTracking,
    #[serde(default)]
    agent: WireAgent,
    #[serde(default)]
    environment: Vec<WireEnvironment>,
    #[serde(default)]
    sink: Vec<WireSink>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WireAgent {
    overrides: Option<bool>,
    notifications: Option<bool>,
    profiles: Option<bool>,
    datafile_webhook_secret: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEnvironment {
    name: Option<String>,
    datafile: Option<Read<DatafilePlace>>,
    sdk_key: Option<Read<SdkKey>>,
    poll_interval: Option<Read<Span>>,
    attribution: Option<Read<AttributionMode>>,
    datafile_webhook_secret: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSink {
    to: Read<SinkTarget>,
    secret: Option<String>,
    attribution: Option<Read<AttributionMode>>,
    rotate_at: Option<Read<Size>>,
    #[serde(default)]
    rotate_daily: bool,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WireOfrep {
    value: Option<Read<FlagValue>>,
    off: Option<Read<OffValue>>,
    #[serde(default)]
    flags: BTreeMap<String, Read<FlagValue>>,
    bulk_activates: Option<bool>,
    inactivity_delay: Option<Read<Span>>,
    streams: Option<usize>,
    stream_keepalive: Option<Read<Span>>,
}

/// A value that is read from its text, as everywhere; a number is its digits.
#[derive(Debug)]
struct Read<T>(T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber<T>(PhantomData<T>);

        impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for TextOrNumber<T> {
            type Value = Read<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Read<T>, E> {
                text.parse().map(Read).map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Read<T>, E> {
                self.visit_str(&number.to_string())
            }
        }

        deserializer.deserialize_any(TextOrNumber(PhantomData))
    }
}

fn value<T>(read: Option<Read<T>>) -> Option<T> {
    read.map(|Read(value)| value)
}

impl From<WireSettings> for Given {
    fn from(wire: WireSettings) -> Self {
        Self {
            host: wire.host,
            port: value(wire.port),
            admin_port: value(wire.admin_port),
            insecure: wire.insecure,
            access: AccessSettings {
                tokens: wire.token.into_iter().map(|ReadToken(token)| token).collect(),
                jwt: wire.jwt.map(|ReadJwt(jwt)| jwt),
                token_rate: value(wire.token_rate),
                allowed_hosts: wire.allowed_hosts,
                cors: wire.cors.map(Into::into),
                tls_cert: wire.tls_cert,
                tls_key: wire.tls_key,
            },
            data_dir: wire.data_dir,
            environments: wire.environment.into_iter().map(Into::into).collect(),
            datafile_template: wire.datafile_template,
            poll_interval: value(wire.poll_interval),
            sinks: wire.sink.into_iter().map(Into::into).collect(),
            webhook_secret: wire.webhook_secret,
            attribution: value(wire.attribution),
            late_window: value(wire.late_window),
            early_tolerance: value(wire.early_tolerance),
            attribution_window: value(wire.attribution_window),
            activation_retention: value(wire.activation_retention),
            record_retention: value(wire.record_retention),
            record_budget: value(wire.record_budget),
            disk_reserve: value(wire.disk_reserve),
            queue_entries: wire.queue_entries,
            body_limit: value(wire.body_limit),
            request_timeout: value(wire.request_timeout),
            connections: wire.connections,
            idle_timeout: value(wire.idle_timeout),
            shutdown_deadline: value(wire.shutdown_deadline),
            agent: wire.agent.into(),
            log: value(wire.log),
            log_format: value(wire.log_format),
            ofrep: wire.ofrep.into(),
            tracking: wire.tracking.into(),
        }
    }
}

impl From<WireOfrep> for GivenOfrep {
    fn from(wire: WireOfrep) -> Self {
        Self {
            value: value(wire.value),
            off: value(wire.off),
            flags: wire.flags.into_iter().map(|(key, Read(value))| (key, value)).collect(),
            bulk_activates: wire.bulk_activates,
            inactivity_delay: value(wire.inactivity_delay),
            streams: wire.streams,
            stream_keepalive: value(wire.stream_keepalive),
        }
    }
}

impl From<WireAgent> for GivenAgent {
    fn from(wire: WireAgent) -> Self {
        let WireAgent { overrides, notifications, profiles, datafile_webhook_secret } = wire;
        Self { overrides, notifications, profiles, datafile_webhook_secret }
    }
}

impl From<WireEnvironment> for EnvironmentSettings {
    fn from(wire: WireEnvironment) -> Self {
        Self {
            datafile: value(wire.datafile),
            sdk_key: value(wire.sdk_key),
            poll_interval: value(wire.poll_interval),
            attribution: value(wire.attribution),
            datafile_webhook_secret: wire.datafile_webhook_secret,
            ..Self::new(wire.name)
        }
    }
}

impl From<WireSink> for SinkSettings {
    fn from(wire: WireSink) -> Self {
        let Read(to) = wire.to;
        Self {
            secret: wire.secret,
            attribution: value(wire.attribution),
            rotate_at: value(wire.rotate_at),
            rotate_daily: wire.rotate_daily,
            ..Self::new(to)
        }
    }
}
