//! The OpenAPI documents: they say what can be asked, all of it and no more, and everything that they allow is
//! answered as they say.
//!
//! Must not know how anything is answered.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use variate::settings::{Reach, Scope, TokenSettings};

use super::http::{Request, ask, status};
use super::{Daemon, wait_for};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// A path and a method.
type Route = (String, String);

fn documents(daemon: &Daemon) -> [Value; 2] {
    let of = |address| ask(address, &Request::new("GET /openapi.json"));
    [of(daemon.api()), of(daemon.admin())].map(|answer| {
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        answer.json()
    })
}

fn described(document: &Value) -> BTreeSet<Route> {
    let paths = document["paths"].as_object().unwrap();
    let routes = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| (path.clone(), method.clone()))
    });
    routes.filter(|(_, method)| METHODS.contains(&method.as_str())).collect()
}

/// What is answered beside the router.
const BESIDE_THE_ROUTER: &[(&str, &str)] = &[("/batch", "post")];

/// The routes that a source names: `.route("/path", get(...).post(...))`, or a constant of it for the path.
fn routes_of(text: &str) -> Vec<Route> {
    let mut routes = Vec::new();
    for after in text.split(".route(").skip(1) {
        let inside = &after[..end_of_call(after)];
        let comma = inside.find(',').unwrap();
        let path = path_of(inside[..comma].trim(), text);
        let methods = &inside[comma..];
        let found: Vec<_> = METHODS.iter().filter(|method| names_method(methods, method)).collect();
        assert!(!found.is_empty(), "no method in {inside}");
        routes.extend(found.into_iter().map(|method| (path.clone(), (*method).to_owned())));
    }
    routes
}

/// A path as OpenAPI writes it.
fn path_of(written: &str, text: &str) -> String {
    let literal = match written.strip_prefix('"') {
        Some(literal) => literal,
        None => {
            let constant = format!("const {written}: &str = \"");
            text.split(&constant).nth(1).unwrap_or_else(|| panic!("no constant {written}"))
        }
    };
    literal.split('"').next().unwrap().replace("{*", "{")
}

fn names_method(methods: &str, method: &str) -> bool {
    let call = format!("{method}(");
    methods.match_indices(&call).any(|(place, _)| {
        !methods[..place]
            .ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
    })
}

/// Where the parenthesis closes that is open at the beginning.
fn end_of_call(text: &str) -> usize {
    let mut depth = 1;
    let mut is_text = false;
    for (place, letter) in text.char_indices() {
        match letter {
            '"' => is_text = !is_text,
            '(' if !is_text => depth += 1,
            ')' if !is_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place;
        }
    }
    panic!("a call without an end: {text}");
}

fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn routes_are_found_in_sources() {
    let check = |text: &str, expect: &[(&str, &str)]| {
        let found = routes_of(text);
        let found: Vec<_> = found.iter().map(|(path, method)| (&**path, &**method)).collect();
        assert_eq!(found, expect, "{text}");
    };
    check(
        ".route(\"/a\", get(a::get_it)).route(\"/b/{c}\", post(b))",
        &[("/a", "get"), ("/b/{c}", "post")],
    );
    check(".route(\n \"/a\",\n get(a).post(b(1)),\n)", &[("/a", "get"), ("/a", "post")]);
    check("const A: &str = \"/a\"; x.route(A, get(a))", &[("/a", "get")]);
    check(".route(\"/a/{*b}\", get(a))", &[("/a/{b}", "get")]);
    check("no route here", &[]);
}

#[test]
fn every_route_is_described_and_everything_described_is_a_route() {
    let mut texts = Vec::new();
    sources(Path::new("src/server"), &mut texts);
    let mut routed: BTreeSet<Route> = texts.iter().flat_map(|text| routes_of(text)).collect();
    let beside = BESIDE_THE_ROUTER.iter();
    routed.extend(beside.map(|(path, method)| ((*path).to_owned(), (*method).to_owned())));
    assert!(routed.len() > 15, "the routes were not found: {routed:?}");
    let daemon = Daemon::shop();
    let [api, admin] = documents(&daemon);
    let described: BTreeSet<Route> = described(&api).union(&described(&admin)).cloned().collect();
    let undescribed: Vec<_> = routed.difference(&described).collect();
    assert!(undescribed.is_empty(), "in no OpenAPI document: {undescribed:?}");
    let unrouted: Vec<_> = described.difference(&routed).collect();
    assert!(unrouted.is_empty(), "described, and no route: {unrouted:?}");
}

/// Whether each listener answers what its own document describes.
#[test]
fn what_a_listener_describes_it_answers() {
    let daemon = Daemon::shop();
    let documents = documents(&daemon);
    for (document, address) in documents.iter().zip([daemon.api(), daemon.admin()]) {
        for (path, method) in described(document) {
            // A stream has no end that could be read to.
            if is_stream(&document["paths"][&path][&method]) {
                continue;
            }
            let path = path.replace(['{', '}'], "");
            let answer = ask(address, &Request::new(&format!("{} {path}", method.to_uppercase())));
            let is_there =
                !matches!(answer.status, 405) && !answer.body.contains("there is nothing here");
            // A file that is no datafile is not there either.
            assert!(is_there || path == "/datafiles/file", "{method} {path}: {answer:?}");
        }
    }
}

fn is_stream(operation: &Value) -> bool {
    operation["responses"]["200"]["content"].get("text/event-stream").is_some()
}

#[test]
fn documents_are_whole() {
    for document in documents(&Daemon::shop()) {
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        let mut names = BTreeSet::new();
        for (path, method) in described(&document) {
            let operation = &document["paths"][&path][&method];
            let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{path}"));
            assert!(names.insert(name.to_owned()), "two operations are called {name}");
            assert!(operation["summary"].is_string(), "{name}");
            assert!(!operation["responses"].as_object().unwrap().is_empty(), "{name}");
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_path = parameters.filter(|parameter| parameter["in"] == "path").count();
            assert_eq!(in_path, path.matches('{').count(), "{name}");
        }
        look_up_references(&document, &document);
    }
}

/// Whether each operation says that it needs a token, and no other does.
#[test]
fn what_needs_a_token_says_so() {
    let daemon = Daemon::with(|given| {
        let secret = "a-token-for-people-01";
        let token = TokenSettings::new("people", secret, Reach::All, &[Scope::Admin]).unwrap();
        given.access.tokens = vec![token];
    });
    let token = Request::new("GET /openapi.json").header("X-API-Key", "a-token-for-people-01");
    for address in [daemon.api(), daemon.admin()] {
        let document = ask(address, &token).json();
        assert_eq!(document["security"], json!([{}, {"Bearer": []}, {"ApiKey": []}]));
        for (path, method) in described(&document) {
            let operation = &document["paths"][&path][&method];
            let needed = &operation["responses"]["401"]["$ref"];
            let is_needed = needed == "#/components/responses/NoToken";
            let asked = format!("{} {}", method.to_uppercase(), path.replace(['{', '}'], ""));
            let status = status(address, &Request::new(&asked));
            let has_own_proof = operation["security"].is_array();
            assert_eq!(status == 401 && !has_own_proof, is_needed, "{asked}: {status}");
            assert!(!(is_needed && has_own_proof), "{asked}");
        }
        let decide = &document["paths"]["/v1/decide"]["post"];
        let said = decide["description"].as_str().unwrap_or("the scope decide.");
        assert!(said.ends_with("the scope decide."), "{said}");
    }
}

fn look_up_references(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let place = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(place).is_some(), "{reference} is not there");
            }
            members.values().for_each(|part| look_up_references(document, part));
        }
        Value::Array(parts) => parts.iter().for_each(|part| look_up_references(document, part)),
        _ => {}
    }
}

/// No 5xx, and nothing that the documents do not say, for what they allow and for what they forbid.
#[test]
#[ignore = "needs schemathesis: run tests/schemathesis/setup"]
fn answers_keep_to_the_documents() {
    let daemon = Daemon::with(|given| {
        given.sinks = vec![variate::settings::SinkSettings::new(
            "webhook:http://127.0.0.1:9/hook".parse().unwrap(),
        )];
    });
    wait_for("a daemon", || (daemon.ask("GET /ready", "").status == 200).then_some(()));
    let target = Path::new(env!("CARGO_BIN_EXE_variate")).ancestors().nth(2).unwrap();
    let programs = target.join("schemathesis/venv/bin");
    let folder = tempfile::tempdir().unwrap();
    for (name, address) in [("api", daemon.api()), ("admin", daemon.admin())] {
        let url = format!("http://{address}/openapi.json");
        let file = folder.path().join(format!("{name}.json"));
        fs::write(&file, ask(address, &Request::new("GET /openapi.json")).body).unwrap();
        run(Command::new(programs.join("openapi-spec-validator")).arg(&file));
        let mut schemathesis = Command::new(programs.join("st"));
        schemathesis
            .arg("--config-file")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis/schemathesis.toml"))
            .args(["run", &url, "--max-examples", "50", "--no-color", "--warnings", "off"])
            // The same each time; others can be tried by hand.
            .args(["--seed", "1", "--generation-database", "none"])
            .current_dir(folder.path());
        run(&mut schemathesis);
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{command:?}:\n{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
