//! Where those who ask have to prove who they are: OFREP's clients send a token where they send keys.
//!
//! Must not know other interfaces.

use variate::settings::{Reach, Scope, TokenSettings};

use super::scene::{ALL, KEY, ONE, Scene};

const DECIDES: &str = "the-token-that-decides-1";
const DECIDES_TOO: &str = "the-token-that-decides-2";
const TRACKS: &str = "the-token-that-tracks-1";
const ANNA: &str = r#"{"context":{"targetingKey":"anna"}}"#;

/// For the scene's environment only, so that nobody has to name it.
fn guarded() -> Scene {
    Scene::with(|given| {
        let token = |name: &str, secret: &str, scope: Scope| {
            let reach = Reach::Of(vec!["scene".to_owned()]);
            TokenSettings::new(name, secret, reach, &[scope]).unwrap()
        };
        given.access.tokens = vec![
            token("decides", DECIDES, Scope::Decide),
            token("decides-too", DECIDES_TOO, Scope::Decide),
            token("tracks", TRACKS, Scope::Track),
        ];
    })
}

#[test]
fn a_token_is_no_key_of_an_environment() {
    let scene = guarded();
    let bearer = |token: &str| ("Authorization", format!("Bearer {token}"));
    let check = |path: &str, header: &(&str, String), expect: u16| {
        let (name, value) = header;
        let answer = scene.post_with(path, ANNA, &[(name, value)]);
        assert_eq!(answer.status, expect, "{path} {header:?}: {answer:?}");
    };
    let one = format!("{ONE}plain");
    let track = "/ofrep/v1/track/bought";
    for path in [one.as_str(), ALL] {
        check(path, &bearer(DECIDES), 200);
        check(path, &("X-API-Key", DECIDES.to_owned()), 200);
        check(path, &bearer(TRACKS), 403);
        check(path, &bearer("unknown"), 401);
        check(path, &bearer(KEY), 401);
        check(path, &("X-Optimizely-SDK-Key", KEY.to_owned()), 401);
    }
    check(track, &bearer(TRACKS), 200);
    check(track, &bearer(DECIDES), 403);
    let both =
        [("Authorization", format!("Bearer {DECIDES}")), ("X-Optimizely-SDK-Key", KEY.to_owned())];
    let both = both.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(scene.post_with(&one, ANNA, &both).status, 200);
}

#[test]
fn what_one_was_told_is_not_told_to_another_by_its_tag() {
    let scene = guarded();
    let ask = |token: &str, tag: &str| {
        let token = format!("Bearer {token}");
        scene.post_with(ALL, ANNA, &[("Authorization", &token), ("If-None-Match", tag)])
    };
    let first = ask(DECIDES, "\"\"");
    let tag = first.header("etag").unwrap();
    assert_eq!(ask(DECIDES, tag).status, 304);
    let other = ask(DECIDES_TOO, tag);
    assert_eq!((other.status, &other.body), (200, &first.body), "the same answer, another tag");
    assert_ne!(other.header("etag"), Some(tag));
}
