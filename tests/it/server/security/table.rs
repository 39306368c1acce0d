//! Every path of the table with every kind of token, and that every path that is routed is in the table.
//!
//! Must not know what paths answer.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use variate::settings::Scope;

use super::super::SHOP_KEY;
use super::super::http::{Request, ask, status};
use super::{ALL, TwoShops, UNKNOWN, bearer, secret_of, seen};

/// What a path needs, in the words of the table.
type Lines = BTreeMap<String, String>;

/// The lines of the API's table.
fn lines() -> Lines {
    let text = fs::read_to_string("src/server/guard/lines.rs").unwrap();
    let table = text.split("const OF_API").nth(1).unwrap().split("];").next().unwrap();
    let line = |line: &str| {
        let (path, needs) = line.trim().strip_prefix("(\"")?.split_once("\", ")?;
        Some((path.to_owned(), needs.trim_end_matches("),").to_owned()))
    };
    let lines: Lines = table.lines().filter_map(line).collect();
    assert!(lines.len() > 10, "{lines:?}");
    lines
}

/// Rust files under a folder.
fn files(folder: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(fs::read_to_string(&path).unwrap());
        }
    }
}

/// Paths that are routed anywhere but in the administration.
fn routed() -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir("src/server").unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() == "admin" {
            continue;
        }
        if path.is_dir() {
            files(&path, &mut texts);
        } else {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
    routed_in(&texts)
}

/// Paths that are routed in these files.
fn routed_in(texts: &[String]) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for text in texts {
        let whole: String = text.split_whitespace().collect();
        for rest in whole.split(".route(").skip(1) {
            let path = rest.split(',').next().unwrap();
            // A path that has a name stands in the same file.
            let named = whole.split(&format!("const{path}:&str=")).nth(1);
            let path = named.unwrap_or(path).trim_start_matches('"').split('"').next().unwrap();
            assert!(path.starts_with('/'), "a route that this test cannot read: {path}");
            paths.push(path.to_owned());
        }
    }
    paths
}

#[test]
fn every_path_that_is_routed_has_a_line() {
    let (lines, routed) = (lines(), routed());
    assert!(routed.contains(&"/v1/decide".to_owned()), "{routed:?}");
    let without: Vec<_> = routed.iter().filter(|path| !lines.contains_key(*path)).collect();
    assert!(without.is_empty(), "add lines to src/server/guard/lines.rs for {without:?}");
}

/// A request of a path, and the same with a body; where a path takes another method, the token counts first.
fn requests(path: &str) -> [String; 2] {
    let path = path.replace("{file}", &format!("{SHOP_KEY}.json")).replace("{*key}", "search");
    [format!("GET {path}"), format!("POST {path}")]
}

#[test]
fn each_path_needs_what_its_line_says() {
    let shops = TwoShops::guarded();
    let with =
        |what: &str, secret: &str| bearer(what, secret).header("X-Optimizely-SDK-Key", SHOP_KEY);
    let ask_with = |what: &str, secret: &str| ask(shops.api(), &with(what, secret));
    // Some who are let in are answered without end.
    let status = |what: &str, secret: &str| status(shops.api(), &with(what, secret));
    let routed = routed();
    let mut lines = lines();
    lines.retain(|path, _| routed.contains(path));
    // Where nothing is, too, only who has a token is told so.
    for nothing in ["/", "/nothing", "/v1/reset", "/metrics", "/events"] {
        lines.insert(nothing.to_owned(), "Needs::Token".to_owned());
    }
    for (path, needs) in lines {
        let scope = match needs.as_str() {
            "Needs::Nothing" | "Needs::NothingForLess" | "Needs::OwnProof" => continue,
            "Needs::Token" => None,
            "DECIDE" => Some(Scope::Decide),
            "TRACK" => Some(Scope::Track),
            "OVERRIDE" => Some(Scope::Override),
            other => panic!("the table has words that are unknown here: {other}"),
        };
        for what in requests(&path) {
            let none = ask(shops.api(), &Request::new(&what));
            let expect = (401, UNKNOWN, Some("Bearer realm=\"variate\""));
            assert_eq!(seen(&none), expect, "{what} without a token");
            for wrong in ["", "wrong", "the-token-of-everythin", "the-token-of-everything0"] {
                let answer = ask_with(&what, wrong);
                assert_eq!(seen(&answer), expect, "{what} with {wrong:?}");
            }
            for other in Scope::ALL {
                if scope.is_none_or(|scope| scope == other) {
                    let status = status(&what, &secret_of(other));
                    assert!(![401, 403].contains(&status), "{what} to {other}: {status}");
                } else {
                    let answer = ask_with(&what, &secret_of(other));
                    let wanted = scope.unwrap();
                    let text =
                        format!("the token may not be used for this: take one with scope {wanted}");
                    assert_eq!(answer.status, 403, "{what} to {other}: {answer:?}");
                    assert_eq!(answer.json(), serde_json::json!({ "error": text }));
                    assert!(answer.body.ends_with('\n'));
                }
            }
            let status = status(&what, ALL);
            assert!(![401, 403].contains(&status), "{what}: {status}");
        }
    }
}

#[test]
fn all_of_the_administration_needs_its_scope() {
    let mut texts = Vec::new();
    files(Path::new("src/server/admin"), &mut texts);
    let mut paths = routed_in(&texts);
    assert!(paths.contains(&"/events".to_owned()), "{paths:?}");
    paths.extend(["/nothing", "/users/anna", "/debug", "/openapi.json"].map(str::to_owned));
    let shops = TwoShops::guarded();
    for path in paths {
        for what in requests(&path.replace("{name}", "production")) {
            let status = |secret: &str| status(shops.admin(), &bearer(&what, secret));
            let none = ask(shops.admin(), &Request::new(&what));
            assert_eq!((none.status, none.body.as_str()), (401, UNKNOWN), "{what}");
            let granted = [status(&secret_of(Scope::Admin)), status(ALL)];
            assert!(
                granted.iter().all(|status| ![401, 403].contains(status)),
                "{what} {granted:?}"
            );
            for scope in [Scope::Decide, Scope::Track, Scope::Override] {
                // Where nothing is, any token is told so.
                let status = status(&secret_of(scope));
                assert!(status == 403 || granted == [404, 404], "{what} to {scope}: {status}");
            }
        }
    }
}

#[test]
fn who_looks_whether_it_is_alive_needs_nothing_and_is_told_no_more() {
    let shops = TwoShops::guarded();
    for address in [shops.api(), shops.admin()] {
        let ask = |request: &Request| ask(address, request);
        assert_eq!(ask(&Request::new("GET /health")).body, "{\"status\":\"ok\"}\n");
        assert_eq!(ask(&Request::new("GET /ready")).body, "{\"status\":\"ready\"}\n");
        assert_eq!(ask(&bearer("GET /ready", "wrong")).body, "{\"status\":\"ready\"}\n");
        let known = ask(&bearer("GET /ready", &secret_of(Scope::Track))).json();
        assert_eq!(known["environments"].as_array().unwrap().len(), 1, "{known}");
        assert_eq!(known["environments"][0]["name"], "production");
        let known = ask(&bearer("GET /ready", ALL)).json();
        assert_eq!(known["environments"].as_array().unwrap().len(), 2, "{known}");
    }
}
