//! The settings file: what it gives, or where in it what is wrong.
//!
//! Must not know which settings there are.

use std::fs;
use std::ops::Range;
use std::path::Path;

use super::given::Given;
use super::nearest;
use super::wire::WireSettings;
use crate::error::Error;

impl Given {
    /// What a settings file gives.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is no TOML, has a key that is none, or a value that cannot be used: with the
    /// line and the key.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(|error| Error::file("read", path, error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.as_bytes().get(..error.utf8_error().valid_up_to());
            let line = good.unwrap_or_default().split(|byte| *byte == b'\n').count();
            Error::settings_file(path, line, "there is what is no UTF-8: save the file as UTF-8")
        })?;
        Self::from_toml(&text).map_err(|(line, problem)| Error::settings_file(path, line, problem))
    }

    /// The same of its text; the error is the line, from 1, and what is wrong there.
    fn from_toml(text: &str) -> Result<Self, (usize, String)> {
        toml::from_str::<WireSettings>(text).map(Self::from).map_err(|error| {
            let Range { start, .. } = error.span().unwrap_or_default();
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let key = text.lines().nth(line - 1).and_then(key_of);
            (line, worded(key, error.message()))
        })
    }
}

/// The key that a line sets.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    Some(key.trim().trim_matches('"')).filter(|key| !key.is_empty())
}

fn worded(key: Option<&str>, message: &str) -> String {
    if message.starts_with("unknown field") {
        // The names stand between backticks: the one that was found, then those that there are.
        let mut names = message.split('`').skip(1).step_by(2);
        let found = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        return match nearest(found, known.iter().copied()) {
            Some(name) => format!("there is no key {found:?}: did you mean {name:?}?"),
            None => format!("there is no key {found:?}: use one of {}", known.join(", ")),
        };
    }
    let message = without_value(message).replace('\n', ", ");
    key.map_or_else(|| message.clone(), |key| format!("{key}: {message}"))
}

/// What stands at the place of another kind of value may be a secret: its kind is told, and not the value.
fn without_value(message: &str) -> String {
    let is_of_a_value =
        ["invalid type: ", "invalid value: "].iter().any(|start| message.starts_with(start));
    let ends = message.find(['`', '"']).zip(message.rfind(", expected "));
    let parts = ends.and_then(|(from, to)| message.get(..from).zip(message.get(to..)));
    match parts.filter(|_| is_of_a_value) {
        Some((kind, expected)) => format!("{}{expected}", kind.trim_end()),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! What is wrong with a file, and where.

    use super::Given;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let said = match Given::from_toml(text) {
            Ok(_) => String::new(),
            Err((line, problem)) => format!("{line}: {problem}"),
        };
        assert_eq!(said, expect, "{text}");
    }

    #[test]
    fn a_value_that_may_be_a_secret_is_not_repeated() {
        check(
            "[jwt]\nhmac_secrets = \"c2VjcmV0, expected\"",
            "2: hmac_secrets: invalid type: string, expected a sequence",
        );
        check(
            "webhook_secret = 123456",
            "1: webhook_secret: invalid type: integer, expected a string",
        );
    }

    #[test]
    fn what_is_no_utf8_is_told_with_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"port = 1\nhost = \"\xe9\"\n").unwrap();
        let error = Given::from_file(file.path()).unwrap_err().to_string();
        assert!(
            error.ends_with("line 2: there is what is no UTF-8: save the file as UTF-8"),
            "{error}"
        );
    }

    #[test]
    fn a_fault_names_its_line_and_key() {
        check("", "");
        check("port = 0\nadmin_port = \"off\"\n", "");
        check("\nprot = 1", "2: there is no key \"prot\": did you mean \"port\"?");
        check(
            "[[sink]]\nwhere = \"stdout\"",
            "2: there is no key \"where\": use one of to, secret, attribution, rotate_at, rotate_daily",
        );
        check(
            "[[environment]]\nname = \"a\"\nintervall = \"1s\"",
            "3: there is no key \"intervall\": use one of name, datafile, sdk_key, poll_interval, attribution, datafile_webhook_secret",
        );
        check(
            "host = \"a\"\nport = 65536",
            "2: port: port \"65536\" is unknown: use a number up to 65535, 0 for any free one, or off",
        );
        check(
            "late_window = \"soon\"",
            "1: late_window: span \"soon\" cannot be used: write a whole number and a unit (ms, s, m, h, d), such as 0s, 30m, 1h or 2d",
        );
        check(
            "attribution = \"both\"",
            "1: attribution: attribution mode \"both\" is unknown: use activated or backend",
        );
        check("host = 3", "1: host: invalid type: integer, expected a string");
        check("host = \"a\"\nhost = \"b\"", "2: host: duplicate key");
        check("[[sink]]\nsecret = \"s\"", "1: missing field `to`");
    }
}
