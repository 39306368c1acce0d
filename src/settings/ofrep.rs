//! The settings of OFREP: which value a flag has, what a bulk evaluation records, streams of changes.
//!
//! Must not know how flags are decided.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::values::Span;
use crate::error::Error;

/// The settings of OFREP.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfrepSettings {
    /// What the value of a flag is that [`flags`](Self::flags) does not name. Default `auto`.
    pub value: FlagValue,
    /// What the value of a flag is where it is off. Default `defaults`.
    pub off: OffValue,
    /// What the value of these flags is, by their keys.
    pub flags: BTreeMap<String, FlagValue>,
    /// Whether a bulk evaluation is an exposure to all flags in it. Default: no, since clients get all
    /// flags at once, long before they use one.
    pub bulk_activates: bool,
    /// After how long in the background a client closes its stream of changes. Default `120s`.
    pub inactivity_delay: Span,
    /// How many streams of changes are open at once; beyond, they are refused. With 0 there are none, and clients
    /// are not told of any. Default 1024.
    pub streams: usize,
    /// How often a stream of changes that has nothing to say says that. Default `15s`.
    pub stream_keepalive: Span,
}

/// What one place gives of them.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each is described at OfrepSettings")]
pub struct GivenOfrep {
    pub value: Option<FlagValue>,
    pub off: Option<OffValue>,
    pub flags: BTreeMap<String, FlagValue>,
    pub bulk_activates: Option<bool>,
    pub inactivity_delay: Option<Span>,
    pub streams: Option<usize>,
    pub stream_keepalive: Option<Span>,
}

/// Which of all that a flag's decision says is the flag's one value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FlagValue {
    /// By its variables: none, whether it is on; one, its value; several, an object of all.
    #[default]
    Auto,
    /// Whether it is on.
    Enabled,
    /// An object of all variables.
    Object,
    /// The value of this variable.
    Variable(String),
}

/// The value of a flag that is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OffValue {
    /// The datafile's: off, and the defaults of its variables.
    #[default]
    Defaults,
    /// None: who asks takes its own default.
    Caller,
}

/// `[FLAG=]auto|enabled|object|variable:KEY`, as on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFlagValue {
    /// The flag; without one, all that are not named.
    pub flag_key: Option<String>,
    /// What its value is.
    pub value: FlagValue,
}

impl OfrepSettings {
    /// What was given, and defaults for the rest.
    pub(super) fn new(given: GivenOfrep) -> Self {
        Self {
            value: given.value.unwrap_or_default(),
            off: given.off.unwrap_or_default(),
            flags: given.flags,
            bulk_activates: given.bulk_activates.unwrap_or(false),
            inactivity_delay: given.inactivity_delay.unwrap_or(Span::from_seconds(120)),
            streams: given.streams.unwrap_or(1024),
            stream_keepalive: given.stream_keepalive.unwrap_or(Span::from_seconds(15)),
        }
    }

    /// What the value of a flag is.
    #[must_use]
    pub fn value_of(&self, flag_key: &str) -> &FlagValue {
        self.flags.get(flag_key).unwrap_or(&self.value)
    }
}

impl GivenOfrep {
    /// Lays these over others: what is given here counts, flag by flag.
    pub(super) fn over(self, mut lower: Self) -> Self {
        lower.flags.extend(self.flags);
        Self {
            value: self.value.or(lower.value),
            off: self.off.or(lower.off),
            flags: lower.flags,
            bulk_activates: self.bulk_activates.or(lower.bulk_activates),
            inactivity_delay: self.inactivity_delay.or(lower.inactivity_delay),
            streams: self.streams.or(lower.streams),
            stream_keepalive: self.stream_keepalive.or(lower.stream_keepalive),
        }
    }

    /// Adds what was given for one flag, or for all others.
    pub fn add(&mut self, NamedFlagValue { flag_key, value }: NamedFlagValue) {
        match flag_key {
            Some(flag_key) => drop(self.flags.insert(flag_key, value)),
            None => self.value = Some(value),
        }
    }
}

impl FromStr for FlagValue {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let variable = text.strip_prefix("variable:").filter(|key| !key.is_empty());
        match (text, variable) {
            ("auto", _) => Ok(Self::Auto),
            ("enabled", _) => Ok(Self::Enabled),
            ("object", _) => Ok(Self::Object),
            (_, Some(key)) => Ok(Self::Variable(key.to_owned())),
            _ => Err(Error::choice("OFREP value", text, "auto, enabled, object or variable:KEY")),
        }
    }
}

impl fmt::Display for FlagValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Enabled => formatter.write_str("enabled"),
            Self::Object => formatter.write_str("object"),
            Self::Variable(key) => write!(formatter, "variable:{key}"),
        }
    }
}

impl OffValue {
    /// The word for it in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::Caller => "caller",
        }
    }
}

impl FromStr for OffValue {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let value = [Self::Defaults, Self::Caller].into_iter().find(|off| off.as_str() == text);
        value.ok_or_else(|| {
            Error::choice("OFREP value of flags that are off", text, "defaults or caller")
        })
    }
}

impl FromStr for NamedFlagValue {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let named = text.split_once('=').filter(|(flag_key, _)| !flag_key.is_empty());
        let (flag_key, value) = named.map_or((None, text), |(key, value)| (Some(key), value));
        Ok(Self { flag_key: flag_key.map(str::to_owned), value: value.parse()? })
    }
}

#[cfg(test)]
mod tests {
    //! Values as they are written, and what is made of them.

    use super::{FlagValue, GivenOfrep, NamedFlagValue, OfrepSettings};

    #[track_caller]
    fn check(text: &str, expect: Option<(Option<&str>, &str)>) {
        let read = text.parse::<NamedFlagValue>().ok();
        let read = read.map(|read| (read.flag_key, read.value.to_string()));
        let expect = expect.map(|(key, value)| (key.map(str::to_owned), value.to_owned()));
        assert_eq!(read, expect, "{text:?}");
    }

    #[test]
    fn values() {
        check("auto", Some((None, "auto")));
        check("enabled", Some((None, "enabled")));
        check("search=object", Some((Some("search"), "object")));
        check("search=variable:ranking", Some((Some("search"), "variable:ranking")));
        check("a b=variable:x=y", Some((Some("a b"), "variable:x=y")));
        for wrong in ["", "on", "Auto", "variable:", "search=", "=auto", "search=on"] {
            check(wrong, None);
        }
    }

    #[test]
    fn flags_are_laid_over_one_by_one() {
        let given = |texts: &[&str]| {
            let mut given = GivenOfrep::default();
            texts.iter().filter_map(|text| text.parse().ok()).for_each(|one| given.add(one));
            given
        };
        let upper = given(&["a=enabled", "object"]);
        let lower = given(&["a=object", "b=variable:x", "auto"]);
        let settings = OfrepSettings::new(upper.over(lower));
        assert_eq!(settings.value_of("a"), &FlagValue::Enabled);
        assert_eq!(settings.value_of("b"), &FlagValue::Variable("x".to_owned()));
        assert_eq!(settings.value_of("c"), &FlagValue::Object);
    }
}
