//! By which names the daemon may be called, and pages of which origins may change something.
//!
//! Must not know who asks. A page whose name was made to lead to this machine calls it by that name, and a
//! form of any page can be sent here: neither is told apart from others by an address.

use std::net::SocketAddr;

use axum::http::header::{FORWARDED, HOST, ORIGIN};
use axum::http::{HeaderName, HeaderValue, Method, Request};

use super::refused::Refused;
use crate::server::listener::Side;
use crate::settings::{AccessSettings, ServeSettings};

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// Where a browser says how far the page is from what it asks.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[derive(Debug, Clone)]
pub(in crate::server) struct Hosts {
    /// Lower case; empty for any.
    names: Vec<String>,
    /// Origins that may ask, beside those of the daemon's own pages.
    origins: Vec<String>,
    is_for_any_origin: bool,
}

impl Hosts {
    /// Those of the settings, and of the addresses that are listened on.
    pub(in crate::server) fn new(settings: &ServeSettings, bound: &[SocketAddr]) -> Self {
        let AccessSettings { allowed_hosts, cors, .. } = &settings.access;
        let is_local = bound.iter().all(|address| address.ip().is_loopback());
        let mut names: Vec<String> = Vec::new();
        if is_local || !allowed_hosts.is_empty() {
            // No name of another machine leads here by these.
            names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
            names.extend(bound.iter().map(|address| address.ip().to_string()));
            names.push(plain(&settings.host).to_ascii_lowercase());
            names.extend(allowed_hosts.iter().map(|name| name.to_ascii_lowercase()));
        }
        if allowed_hosts.iter().any(|name| name == ".") {
            names.clear();
        }
        Self {
            names,
            origins: cors.as_ref().map(|cors| cors.origins.clone()).unwrap_or_default(),
            is_for_any_origin: cors.as_ref().is_some_and(|cors| cors.is_for_any_origin()),
        }
    }

    /// All hosts that a request names have to be known; those before a proxy as well.
    pub(super) fn check<B>(&self, side: Side, request: &Request<B>) -> Result<(), Refused> {
        if !self.names.is_empty() {
            // Pages of browsers always name one; operations of a batch do not.
            if any_named(request, |name| !self.knows(name)) {
                return Err(Refused::Host);
            }
        }
        let only_looks = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        if only_looks || self.may_change(side, request) { Ok(()) } else { Err(Refused::Origin) }
    }

    /// The same of what records also where it only seems to be looked at: a page shows a picture of another
    /// origin without saying which it is itself.
    pub(super) fn check_recording<B>(
        &self,
        side: Side,
        request: &Request<B>,
    ) -> Result<(), Refused> {
        self.check(side, request)?;
        let headers = request.headers();
        let is_cross_site = headers.get(FETCH_SITE).is_some_and(|site| site == "cross-site");
        let is_hidden = is_cross_site && !headers.contains_key(ORIGIN) && !self.is_for_any_origin;
        if is_hidden || !self.may_change(side, request) { Err(Refused::Origin) } else { Ok(()) }
    }

    fn knows(&self, authority: &str) -> bool {
        let name = plain(authority).trim_end_matches('.');
        self.names.iter().any(|known| match known.strip_prefix('.') {
            Some(parent) => {
                let split = name.len().checked_sub(parent.len());
                split.and_then(|split| name.split_at_checked(split)).is_some_and(|(below, end)| {
                    below.ends_with('.') && end.eq_ignore_ascii_case(parent)
                })
            }
            None => known.eq_ignore_ascii_case(name),
        })
    }

    /// Whether no page asks, or one of the daemon's own, or of an origin that may ask the API.
    fn may_change<B>(&self, side: Side, request: &Request<B>) -> bool {
        let Some(origin) = request.headers().get(ORIGIN) else { return true };
        let is_of_api = side == Side::Api;
        if self.is_for_any_origin && is_of_api {
            return true;
        }
        let Ok(origin) = origin.to_str() else { return false };
        let from = origin.split_once("://").map(|(_, authority)| authority);
        let is_own = from.is_some_and(|from| {
            any_named(request, |authority| authority.eq_ignore_ascii_case(from))
        });
        is_own || is_of_api && self.origins.iter().any(|known| known == origin)
    }
}

/// Whether something is true of any of the hosts that a request names, with their ports; one that cannot be read is an
/// empty name. Each header is looked at once: looking up three, two of which are mostly not there, takes longer.
fn any_named<B>(request: &Request<B>, is_true: impl Fn(&str) -> bool) -> bool {
    let is_true_of = |(header, value): (&HeaderName, &HeaderValue)| {
        let text = || value.to_str().unwrap_or_default();
        if *header == HOST {
            is_true(text())
        } else if *header == FORWARDED_HOST {
            text().split(',').any(|host| is_true(host.trim()))
        } else if *header == FORWARDED {
            text().split([',', ';']).filter_map(host_of_forwarded).any(&is_true)
        } else {
            false
        }
    };
    request.uri().authority().is_some_and(|authority| is_true(authority.as_str()))
        || request.headers().iter().any(is_true_of)
}

/// `for=192.0.2.60`, `proto=http` or `host=example.com`.
fn host_of_forwarded(pair: &str) -> Option<&str> {
    let (name, value) = pair.trim().split_once('=')?;
    name.eq_ignore_ascii_case("host").then(|| value.trim_matches('"'))
}

/// A host without its port, and without the brackets of an address.
fn plain(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    match authority.rsplit_once(':') {
        // More than one colon is an address that has no port.
        Some((name, _)) if !name.contains(':') => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    //! Which names are known.

    use axum::http::Request;

    use super::Hosts;
    use crate::server::listener::Side;
    use crate::settings::{Given, ServeSettings};

    #[track_caller]
    fn check(allowed: &[&str], headers: &[(&str, &str)], expect: bool) {
        let mut given = Given::default();
        given.access.allowed_hosts = allowed.iter().map(|&name| name.to_owned()).collect();
        let bound = ["127.0.0.1:8080".parse().unwrap()];
        let hosts = Hosts::new(&ServeSettings::new(given), &bound);
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        assert_eq!(hosts.check(Side::Api, &request).is_ok(), expect, "{allowed:?} {headers:?}");
    }

    #[test]
    fn every_host_that_is_named_has_to_be_known() {
        for own in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:8080",
            "::1",
        ] {
            check(&[], &[("host", own)], true);
        }
        for other in
            ["", "example.com", "localhost.example.com", "127.0.0.2", "xlocalhost", "[::2]:80", "."]
        {
            check(&[], &[("host", other)], false);
        }
        check(&[], &[], true);
        check(&["shop.example"], &[("host", "Shop.example:443")], true);
        check(&["shop.example"], &[("host", "a.shop.example")], false);
        check(&[".shop.example"], &[("host", "a.b.shop.example")], true);
        check(&[".shop.example"], &[("host", "shop.example")], false);
        check(&[".shop.example"], &[("host", "evilshop.example")], false);
        check(&["."], &[("host", "anything")], true);
        check(&[], &[("host", "localhost"), ("x-forwarded-host", "evil.example")], false);
        check(&[], &[("host", "evil.example"), ("x-forwarded-host", "localhost")], false);
        check(&[], &[("host", "localhost"), ("forwarded", "for=1;Host=\"evil.example\"")], false);
        check(
            &["shop.example"],
            &[("host", "localhost"), ("forwarded", "host=shop.example;for=1")],
            true,
        );
        check(&[], &[("host", "localhost"), ("host", "evil.example")], false);
    }
}
