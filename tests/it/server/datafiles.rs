//! Datafiles as official SDKs ask for them.
//!
//! Must not know where they come from.

use variate::settings::{Given, Reach, Scope, TokenSettings};

use super::http::{Answer, Request, ask};
use super::{Daemon, SHOP, SHOP_KEY};

fn get(daemon: &Daemon, path: &str, header: Option<(&str, &str)>) -> Answer {
    let mut request = Request::new(&format!("GET {path}"));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    ask(daemon.api(), &request)
}

#[test]
fn a_datafile_is_served_word_for_word() {
    let shop = Daemon::shop();
    let text = std::fs::read_to_string(SHOP).unwrap();
    for path in [format!("/datafiles/{SHOP_KEY}.json"), "/v1/datafile".to_owned()] {
        let answer = get(&shop, &path, None);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.body, text);
        assert_eq!(answer.header("variate-revision"), Some("87"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
    }
}

#[test]
fn who_has_it_already_is_told_so() {
    let shop = Daemon::shop();
    let path = format!("/datafiles/{SHOP_KEY}.json");
    let first = get(&shop, &path, None);
    let etag = first.header("etag").unwrap();
    let modified = first.header("last-modified").unwrap();
    let again = |name, value| get(&shop, &path, Some((name, value)));
    for same in [again("If-None-Match", etag), again("If-Modified-Since", modified)] {
        assert_eq!((same.status, same.body.as_str()), (304, ""));
        assert_eq!(same.header("etag"), Some(etag));
    }
    assert_eq!(again("If-None-Match", "\"other\"").status, 200);
    assert_eq!(again("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT").status, 200);
}

#[test]
fn another_datafile_has_another_tag_and_a_later_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.json");
    std::fs::copy(SHOP, &path).unwrap();
    let daemon = Daemon::with(|given| {
        given.environments = vec![super::environment(path.to_str().unwrap())];
    });
    let served = || get(&daemon, "/v1/datafile", None);
    let first = served();
    let text = std::fs::read_to_string(SHOP).unwrap().replace("\"87\"", "\"88\"");
    std::fs::write(&path, text).unwrap();
    let second = super::wait_for("the change", || {
        Some(served()).filter(|now| now.header("variate-revision") == Some("88"))
    });
    assert_ne!(second.header("etag"), first.header("etag"));
    let modified = first.header("last-modified").unwrap();
    let since = get(&daemon, "/v1/datafile", Some(("If-Modified-Since", modified)));
    assert_eq!(since.status, 200, "also within the same second");
}

#[test]
fn only_known_keys_are_served() {
    let shop = Daemon::shop();
    for (path, status) in [
        ("/datafiles/unknown.json", 403),
        ("/datafiles/..%2Fsecret.json", 403),
        ("/datafiles/.json", 403),
        ("/datafiles/%ff.json", 403),
        ("/datafiles/%00.json", 403),
        ("/datafiles/Qm4ShopVr8Kd2Zp7Tn1Xw", 404),
        ("/datafiles/", 404),
        ("/datafiles/a/b.json", 404),
    ] {
        assert_eq!(get(&shop, path, None).status, status, "{path}");
    }
}

#[test]
fn an_authenticated_one_is_for_who_sends_its_token() {
    let guarded = |given: &mut Given| {
        let mut own = super::environment(&format!("guarded={SHOP}"));
        own.sdk_key = Some("guarded:t0ken".parse().unwrap());
        given.environments = vec![own];
    };
    let check = |daemon: &Daemon, token: Option<&str>, status: u16| {
        let said = token.map(|token| format!("Bearer {token}"));
        let said = said.as_deref().map(|said| ("Authorization", said));
        assert_eq!(get(daemon, "/datafiles/guarded.json", said).status, status, "{token:?}");
    };
    let open = Daemon::with(guarded);
    check(&open, Some("t0ken"), 200);
    check(&open, Some("t0ken1"), 403);
    check(&open, None, 403);
    assert_eq!(
        get(&open, "/datafiles/guarded:t0ken.json", None).status,
        403,
        "no secret in a path"
    );

    // Who has to prove it is them anyhow has no place for another token.
    let secret = "a-secret-of-the-shop";
    let closed = Daemon::with(|given| {
        guarded(given);
        let mut other = super::environment(&format!("other={SHOP}"));
        other.sdk_key = Some("other:t0ken".parse().unwrap());
        given.environments.push(other);
        let reach = Reach::Of(vec!["guarded".to_owned()]);
        let token = TokenSettings::new("shop", secret, reach, &[Scope::Decide]);
        given.access.tokens = vec![token.unwrap()];
    });
    check(&closed, Some(secret), 200);
    check(&closed, Some("t0ken"), 401);
    let other =
        get(&closed, "/datafiles/other.json", Some(("Authorization", &format!("Bearer {secret}"))));
    assert_eq!(other.status, 403);
}
