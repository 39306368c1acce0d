//! SDK keys: what names a datafile at Optimizely, and the token that some of them ask for.
//!
//! Must not know addresses.

use std::str::FromStr;

use crate::error::Error;

/// An SDK key, with the token of an authenticated datafile if it has one: `KEY` or `KEY:TOKEN`, as clients
/// of Optimizely Agent write it.
///
/// ```
/// # use variate::source::SdkKey;
/// let key: SdkKey = "KXCDLrFvTMgX:t0ken".parse()?;
/// assert_eq!((key.key(), key.token()), ("KXCDLrFvTMgX", Some("t0ken")));
/// assert!("../secrets".parse::<SdkKey>().is_err());
/// # Ok::<(), variate::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SdkKey {
    key: Box<str>,
    token: Option<Box<str>>,
}

impl SdkKey {
    /// The key alone.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The token of an authenticated datafile.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

#[cfg(feature = "server")]
impl SdkKey {
    /// As it is read: `KEY` or `KEY:TOKEN`.
    pub(crate) fn with_token(&self) -> String {
        match &self.token {
            Some(token) => format!("{}:{token}", self.key),
            None => self.key.as_ref().to_owned(),
        }
    }
}

impl FromStr for SdkKey {
    type Err = Error;

    /// Reads a key: letters, digits and `+`, `/`, `=`, `_`, the same for the token. The error does not
    /// repeat what was given.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (key, token) = match text.split_once(':') {
            Some((key, token)) => (key, Some(token)),
            None => (text, None),
        };
        let is_good = |part: &str| !part.is_empty() && part.bytes().all(is_of_a_key);
        if !is_good(key) || !token.is_none_or(is_good) {
            return Err(Error::sdk_key());
        }
        Ok(Self { key: key.into(), token: token.map(Into::into) })
    }
}

const fn is_of_a_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_')
}

/// Without the token.
impl std::fmt::Debug for SdkKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SdkKey").field("has_token", &self.token.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    //! Keys that Optimizely Agent takes, and those that it does not.

    use super::SdkKey;

    #[track_caller]
    fn check(text: &str, expect: Option<(&str, Option<&str>)>) {
        let key = text.parse::<SdkKey>();
        let found = key.as_ref().ok().map(|key| (key.key(), key.token()));
        assert_eq!(found, expect, "{text:?}");
    }

    #[test]
    fn keys_are_read_as_agent_reads_them() {
        check("abc", Some(("abc", None)));
        check("aB9+/=_", Some(("aB9+/=_", None)));
        check("abc:d/e=", Some(("abc", Some("d/e="))));
        check("", None);
        check(":", None);
        check("abc:", None);
        check(":abc", None);
        check("a:b:c", None);
        check("a-b", None);
        check("a b", None);
        check("a.b", None);
        check("a\n", None);
        check("ä", None);
        check("%s", None);
    }
}
