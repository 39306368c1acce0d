//! Who may ask what: tokens, scopes, environments, hosts, origins, limits, TLS, and reading it all again.
//!
//! Must not know how anything is looked at inside.

mod hosts;
mod interfaces;
mod jwt;
mod limits;
mod log;
mod paths;
mod rates;
mod reload;
mod streams;
mod table;
mod tls;
mod tokens;

use std::net::SocketAddr;

use variate::settings::{Given, Reach, Scope, TokenSettings};

use super::http::{Answer, Request};
use super::{Daemon, SHOP, SHOP_KEY, environment};

const ANNA: &str = r#"{"userId":"anna"}"#;
/// The token of all scopes and environments.
const ALL: &str = "the-token-of-everything";
const UNKNOWN: &str =
    "{\"error\":\"no token that is known: send one as Authorization: Bearer TOKEN\"}\n";
/// The key of a second environment.
const OTHER_KEY: &str = "other";

fn token(name: &str, secret: &str, environments: &[&str], scopes: &[Scope]) -> TokenSettings {
    let reach = if environments.contains(&"*") {
        Reach::All
    } else {
        Reach::Of(environments.iter().map(|&name| name.to_owned()).collect())
    };
    TokenSettings::new(name, secret, reach, scopes).unwrap()
}

fn bearer(what: &str, secret: &str) -> Request {
    Request::new(what).header("Authorization", &format!("Bearer {secret}"))
}

/// The shop as `production`, and the same with another key as `staging`; the folder holds the latter.
struct TwoShops {
    daemon: Daemon,
    _folder: tempfile::TempDir,
}

impl TwoShops {
    fn with(change: impl FnOnce(&mut Given)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other.json");
        let text = std::fs::read_to_string(SHOP).unwrap();
        std::fs::write(&other, text.replace(SHOP_KEY, OTHER_KEY)).unwrap();
        let daemon = Daemon::with(|given| {
            given.environments.push(environment(&format!("staging={}", other.display())));
            change(given);
        });
        Self { daemon, _folder: folder }
    }

    /// With a token for each scope in `production`, one for all in `staging`, and one for everything.
    fn guarded() -> Self {
        Self::with(|given| {
            given.agent.overrides = Some(true);
            given.agent.notifications = Some(true);
            let production = ["production"];
            given.access.tokens = vec![
                token("decides", &secret_of(Scope::Decide), &production, &[Scope::Decide]),
                token("tracks", &secret_of(Scope::Track), &production, &[Scope::Track]),
                token("overrides", &secret_of(Scope::Override), &production, &[Scope::Override]),
                token("looks-after", &secret_of(Scope::Admin), &[], &[Scope::Admin]),
                token(
                    "staging",
                    "all-of-staging-0123",
                    &["staging"],
                    &[Scope::Decide, Scope::Track, Scope::Override],
                ),
                token("everything", ALL, &["*"], &Scope::ALL),
            ];
        })
    }

    fn api(&self) -> SocketAddr {
        self.daemon.api()
    }

    fn admin(&self) -> SocketAddr {
        self.daemon.admin()
    }
}

/// The token that has this scope alone.
fn secret_of(scope: Scope) -> String {
    format!("the-token-to-{scope}-0123")
}

/// Status, body and the kind of authentication that is asked for.
fn seen(answer: &Answer) -> (u16, &str, Option<&str>) {
    (answer.status, &answer.body, answer.header("www-authenticate"))
}
