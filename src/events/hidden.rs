//! What is left out of what is told: of addresses the user, the password and the values of the query; of errors what a
//! destination said.
//!
//! Must not know what addresses are for. What it is given may be no address at all.

/// What stands in the place of a secret.
pub(super) const HIDDEN: &str = "***";

/// What a destination said stands behind this, and behind everything else.
#[cfg(feature = "http")]
pub(super) const ITS_WORDS: &str = "; it said: ";

/// What went wrong, without what a destination said of it: that may repeat records, and with them users.
#[cfg(feature = "server")]
pub(crate) fn without_its_words(error: &str) -> &str {
    error.split_once(ITS_WORDS).map_or(error, |(own, _)| own)
}

/// An address without its secrets. What cannot be told apart from a secret is left out as well.
pub(super) fn without_secrets(address: &str) -> String {
    let (address, fragment) = parted(address, '#');
    let (address, query) = parted(address, '?');
    let mut told = without_user(address);
    if let Some(query) = query {
        told.push('?');
        let values = query.split('&').map(without_value).collect::<Vec<_>>();
        told.push_str(&values.join("&"));
    }
    if fragment.is_some_and(|fragment| !fragment.is_empty()) {
        told.push('#');
        told.push_str(HIDDEN);
    }
    told
}

fn parted(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

fn without_user(address: &str) -> String {
    let scheme = match address.find("//") {
        Some(slashes) => slashes + 2,
        None => 0,
    };
    let (scheme, rest) = address.split_at(scheme);
    let end = rest.find(['/', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if let Some((_, host)) = authority.rsplit_once('@') {
        return format!("{scheme}{HIDDEN}@{host}{path}");
    }
    // A password with a slash or a question mark in it ends here, and looks like a port.
    let port = authority.rsplit_once(':').filter(|_| !authority.ends_with(']'));
    let is_password = port.is_some_and(|(_, port)| port.bytes().any(|byte| !byte.is_ascii_digit()));
    if is_password { format!("{scheme}{HIDDEN}") } else { address.to_owned() }
}

fn without_value(part: &str) -> String {
    match part.split_once('=') {
        Some((name, value)) if !value.is_empty() => format!("{name}={HIDDEN}"),
        None if !part.is_empty() => HIDDEN.to_owned(),
        _ => part.to_owned(),
    }
}
