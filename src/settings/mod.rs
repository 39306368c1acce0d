//! Settings of the daemon: what can be set, read from text wherever it is written, and put in order.
//!
//! Must not know servers, the command line or the process's environment. A value is read by one
//! [`FromStr`](std::str::FromStr), whether it is a flag's, a variable's or the file's. What each of these
//! gave is a [`Given`]; they are laid one [`over`](Given::over) the other, and what nobody gave has a
//! default in [`ServeSettings`].

mod access;
mod agent;
mod changes;
mod environment;
mod file;
mod given;
mod nearest;
mod ofrep;
mod print;
mod serve;
mod sink;
mod span;
mod tracking;
mod values;
mod wire;

pub use access::{
    AccessSettings, CorsSettings, JwtSettings, OauthClientSettings, Rate, Reach, Scope,
    TokenSettings,
};
pub use agent::{AgentSettings, GivenAgent};
pub(crate) use changes::Change;
pub use environment::{DatafilePlace, EnvironmentSettings, NamedDatafile, NamedSdkKey};
pub use given::Given;
pub(crate) use nearest::nearest;
pub use ofrep::{FlagValue, GivenOfrep, NamedFlagValue, OffValue, OfrepSettings};
pub use serve::{Limits, ServeSettings, StoreSettings};
pub use sink::SinkSettings;
#[cfg(feature = "cli")]
pub(crate) use span::parse_span_ms;
pub use tracking::{
    GivenTracking, MappedEvent, OnboardflowEvent, TrackingKey, TrackingSettings, TrackingSystem,
};
pub use values::{LogFormat, LogLevel, Port, Size, Span};
