//! Addresses of datafiles: templates, and what to call them without telling the SDK key or a secret.
//!
//! Must not know how they are asked.

use crate::web::WebAddress;

/// Where Optimizely serves datafiles to everyone who knows the SDK key.
pub(super) const PUBLIC: &str = "https://cdn.optimizely.com/datafiles/%s.json";
/// Where it serves them with a token only.
pub(super) const AUTHENTICATED: &str = "https://config.optimizely.com/datafiles/auth/%s.json";

const BLANK: &str = "%s";
const HIDDEN: &str = "***";
/// The folder in which files are named by SDK keys, at Optimizely and at all who serve in its manner.
const FOLDER_OF_KEYS: &str = "datafiles";

/// The address that a template means; the error says what is wrong with it.
pub(super) fn filled(template: &str, sdk_key: Option<&str>) -> Result<String, String> {
    match (template.contains(BLANK), sdk_key) {
        (true, Some(sdk_key)) => Ok(template.replace(BLANK, sdk_key)),
        (false, None) => Ok(template.to_owned()),
        (true, None) => Err("has `%s` in the place of an SDK key: give the key".to_owned()),
        (false, Some(_)) => {
            Err("has no place for the SDK key: write `%s` where it belongs, or give no key"
                .to_owned())
        }
    }
}

/// What to call it: without user, password, query, and without the SDK key.
pub(super) fn shown(template: &str) -> Box<str> {
    let Ok(address) = WebAddress::parse(&template.replace(BLANK, HIDDEN)) else {
        // It will be refused; until then nobody knows what of it is secret.
        return "the address".into();
    };
    let mut name = address.name;
    if let Some((folder, file)) = name.rsplit_once('/')
        && folder.split('/').any(|part| part == FOLDER_OF_KEYS)
    {
        let ending = file.rsplit_once('.').map(|(_, ending)| format!(".{ending}"));
        name = format!("{folder}/{HIDDEN}{}", ending.unwrap_or_default());
    }
    name.into()
}

#[cfg(test)]
mod tests {
    //! What is asked, and what is told of it.

    use super::{AUTHENTICATED, PUBLIC, filled, shown};

    #[test]
    fn templates_are_filled() {
        let check = |template: &str, key: Option<&str>, expect: &str| {
            let filled = filled(template, key).unwrap_or_else(|problem| problem);
            assert!(filled.starts_with(expect), "{template} {key:?}: {filled}");
        };
        check(PUBLIC, Some("abc"), "https://cdn.optimizely.com/datafiles/abc.json");
        check(AUTHENTICATED, Some("a="), "https://config.optimizely.com/datafiles/auth/a=.json");
        check("http://h/%s?k=%s", Some("a"), "http://h/a?k=a");
        check("http://h/d.json", None, "http://h/d.json");
        check("http://h/d.json", Some("a"), "has no place");
        check(PUBLIC, None, "has `%s`");
    }

    #[test]
    fn secrets_are_not_shown() {
        let check = |template: &str, expect: &str| assert_eq!(&*shown(template), expect);
        check(PUBLIC, "https://cdn.optimizely.com/datafiles/***.json");
        check("https://u:p@h:8/a/b.json?token=t#f", "https://h:8/a/b.json");
        check(
            "https://cdn.optimizely.com/datafiles/KEY.json",
            "https://cdn.optimizely.com/datafiles/***.json",
        );
        check("https://h/datafiles/auth/KEY.json?x", "https://h/datafiles/auth/***.json");
        check("https://h/datafiles/KEY", "https://h/datafiles/***");
        check("https://h/other/KEY.json", "https://h/other/KEY.json");
        check("u:p@h", "the address");
    }
}
