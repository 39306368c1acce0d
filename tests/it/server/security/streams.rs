//! Streams end when what let somebody in is not good any more, and only then.
//!
//! Must not know what they tell.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use variate::clock::Stopwatch;
use variate::settings::{Given, JwtSettings, Scope, ServeSettings, TokenSettings};

use super::super::{PATIENCE, SHOP, SHOP_KEY, environment};
use super::jwt::{SECRET, jwt_until};
use super::{Daemon, token};

const STREAMS: [&str; 2] = ["/v1/notifications/event-stream", "/ofrep/v1/events"];
const LONG_ENOUGH: Duration = Duration::from_millis(700);

struct Listening(TcpStream);

impl Listening {
    /// Listens with a token, once the head of the answer is there.
    fn new(daemon: &Daemon, path: &str, secret: &str) -> Self {
        let mut stream = TcpStream::connect(daemon.api()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Optimizely-SDK-Key: {SHOP_KEY}\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut begun = [0; 12];
        stream.read_exact(&mut begun).unwrap();
        assert_eq!(&begun, b"HTTP/1.1 200", "{path}");
        Self(stream)
    }

    /// Whether it ends, whole, within a time.
    fn ends_within(&mut self, time: Duration) -> bool {
        self.0.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let (watch, mut got, mut piece) = (Stopwatch::start(), Vec::new(), [0; 4096]);
        while watch.elapsed() < time {
            match self.0.read(&mut piece) {
                Ok(0) => {
                    assert!(got.is_empty() || got.ends_with(b"0\r\n\r\n"), "broken off");
                    return true;
                }
                Ok(read) => got.extend_from_slice(&piece[..read]),
                Err(_) => {}
            }
        }
        false
    }
}

fn given(tokens: Vec<TokenSettings>) -> Given {
    let mut given = Given { environments: vec![environment(SHOP)], ..Given::default() };
    given.agent.notifications = Some(true);
    given.access.tokens = tokens;
    given
}

fn daemon(change: impl FnOnce(&mut Given)) -> Daemon {
    Daemon::with(|before| {
        before.agent.notifications = Some(true);
        change(before);
    })
}

fn decides(name: &str, environment: &str, scope: Scope) -> TokenSettings {
    token(name, &format!("the-secret-of-{name}-0123"), &[environment], &[scope])
}

#[test]
fn a_reload_ends_those_whose_token_is_not_good_any_more() {
    let stays = || decides("stays", "*", Scope::Decide);
    let goes = |environment, scope| decides("goes", environment, scope);
    for path in STREAMS {
        let daemon = daemon(|given| given.access.tokens = vec![stays(), goes("*", Scope::Decide)]);
        let mut stay = Listening::new(&daemon, path, "the-secret-of-stays-0123");
        let mut gone = Listening::new(&daemon, path, "the-secret-of-goes-0123");
        let reload = |tokens| daemon.server.reload(ServeSettings::new(given(tokens))).unwrap();
        reload(vec![goes("production", Scope::Decide), stays()]);
        assert!(!gone.ends_within(LONG_ENOUGH), "{path}: it is good for this environment");
        reload(vec![stays(), goes("production", Scope::Track)]);
        assert!(gone.ends_within(PATIENCE), "{path}: another scope");
        assert!(!stay.ends_within(LONG_ENOUGH), "{path}: nothing has changed for it");
        reload(vec![decides("other", "*", Scope::Decide)]);
        assert!(stay.ends_within(PATIENCE), "{path}: an unknown token");
    }
}

#[test]
fn an_open_door_that_is_closed_ends_those_who_came_by_it() {
    for path in STREAMS {
        let daemon = daemon(|_| {});
        let mut gone = Listening::new(&daemon, path, "whatever");
        let tokens = vec![decides("somebody", "*", Scope::Decide)];
        daemon.server.reload(ServeSettings::new(given(tokens))).unwrap();
        assert!(gone.ends_within(PATIENCE), "{path}");
    }
}

#[test]
fn a_jwt_that_is_over_ends_its_streams() {
    let daemon = daemon(|given| {
        let mut jwt = JwtSettings::new();
        jwt.hmac_secrets = vec![SECRET.to_vec()];
        given.access.jwt = Some(jwt);
        // Looking again is no request.
        given.access.token_rate = Some("4/h".parse().unwrap());
    });
    let now_seconds = variate::clock::system_time_ms() / 1000;
    let (soon, later) = (jwt_until(now_seconds + 3), jwt_until(now_seconds + 3600));
    let listen = |path| [&later, &soon].map(|jwt| Listening::new(&daemon, path, jwt));
    for (path, [mut stay, mut gone]) in STREAMS.map(|path| (path, listen(path))) {
        assert!(gone.ends_within(PATIENCE), "{path}");
        assert!(variate::clock::system_time_ms() / 1000 >= now_seconds + 3, "{path}: too early");
        assert!(!stay.ends_within(LONG_ENOUGH), "{path}");
    }
}
