//! Settings: which place counts, and what is printed.
//!
//! Must not know servers.

use std::path::Path;
use std::process::Command;

use variate::settings::{
    CorsSettings, Given, Reach, Scope, SinkSettings, TokenSettings, TrackingSystem,
};

/// What `--print-config` says with a file of this text, these variables and flags.
fn printed(
    file: &str,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (Option<i32>, String, String) {
    printed_in(tempfile::tempdir().unwrap().path(), file, variables, arguments)
}

/// The same in a folder, which may have other files.
fn printed_in(
    folder: &Path,
    file: &str,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (Option<i32>, String, String) {
    let path = folder.join("variate.toml");
    std::fs::write(&path, file).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.args(["serve", "--print-config"]).args(arguments).current_dir(folder);
    command.env_remove("VARIATE_PORT").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).replace(&folder.display().to_string(), "FOLDER")
    };
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn defaults() {
    let (code, said, complaints) = printed("", &[], &[]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    insta::assert_snapshot!(said);
}

#[test]
fn everything_and_no_secrets() {
    let file = r#"
host = "localhost"
port = "off"
admin_port = 9_000
insecure = true
data_dir = "/var/lib/variate \"x\""
datafile_template = "https://example.com/%s.json"
poll_interval = "90s"
webhook_secret = "s3cret"
attribution = "backend"
late_window = "0s"
attribution_window = "30d"
activation_retention = "90d"
record_retention = "36h"
record_budget = "1GiB"
disk_reserve = "0B"
queue_entries = 100
body_limit = "64KiB"
request_timeout = "1500ms"
connections = 10
shutdown_deadline = "5s"
log = "debug"
log_format = "json"

[agent]
overrides = true
notifications = true
profiles = true
datafile_webhook_secret = "third s3cret"

[ofrep]
value = "object"
off = "caller"
bulk_activates = true
inactivity_delay = "5m"
streams = 10
stream_keepalive = "20s"

[ofrep.flags]
search = "variable:ranking"
"a flag" = "enabled"

[[environment]]
name = "production"
sdk_key = "KEY:t0ken"
poll_interval = "30s"

[[environment]]
datafile = "shop.json"
attribution = "activated"
datafile_webhook_secret = "fourth s3cret"

[[sink]]
to = "webhook:https://example.com/hook"
secret = "other s3cret"
attribution = "activated"

[[sink]]
to = "file:records.ndjson"
rotate_at = "100MiB"
rotate_daily = true

[[sink]]
to = "stdout"
"#;
    let (code, said, complaints) = printed(file, &[], &[]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    assert!(!said.contains("s3cret") && !said.contains("t0ken"), "{said}");
    insta::assert_snapshot!(said);
    let again = printed(&said.replace("***", "hidden"), &[], &[]);
    assert_eq!(again.1, said, "what is printed can be read");
}

#[test]
fn who_may_ask_and_no_secrets() {
    let file = r#"
token_rate = "100/s"
allowed_hosts = ["shop.example", ".internal"]
tls_cert = "cert.pem"
tls_key = "key.pem"

[cors]
origins = ["https://shop.example"]
credentials = true

[jwt]
hmac_secrets = ["czNjcmV0czNjcmV0czNjcmV0"]
ttl = "1h"

[[jwt.client]]
id = "service"
secret_hash = "JDJiJDA0JHMzY3JldA=="
sdk_keys = ["KEY:t0ken"]

[[token]]
name = "shop"
secret = "s3cret-s3cret-s3cret"
environments = ["production"]
scopes = ["decide", "track"]
rate = "1/m"

[[token]]
name = "people"
secret_sha256 = "0000000000000000000000000000000000000000000000000000000000003e7e"
scopes = ["admin"]

[[token]]
name = "scrapes"
secret_file = "token.txt"
scopes = ["admin"]
"#;
    let secret = "the-s3cret-in-a-file-of-its-own";
    let printed = |file: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token.txt"), secret).unwrap();
        printed_in(folder.path(), file, &[], &[])
    };
    let (code, said, complaints) = printed(file);
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    for secret in ["s3cret", "czNj", "JDJi", "t0ken", "3e7e"] {
        assert!(!said.contains(secret), "{said}");
    }
    insta::assert_snapshot!(said);
    let hash = format!("secret_sha256 = \"{}\"", "7".repeat(64));
    let hidden = said.replace("[\"***\"]", "[\"aGlkZGVu\"]");
    let hidden = hidden.replace("secret_sha256 = \"***\"", &hash).replace("***", "hidden");
    let again = printed(&hidden.replace("secret = \"", "secret = \"long-enough-and-"));
    assert_eq!((again.1, again.2.as_str()), (said, ""), "what is printed can be read");
}

#[test]
fn what_is_wrong_with_who_may_ask_is_told_with_its_place_and_no_secret() {
    let check = |file: &str, expect: &str| {
        let (code, said, complaints) = printed(file, &[], &[]);
        assert_eq!((code, said.as_str()), (Some(3), ""), "{file}");
        assert!(complaints.contains("variate.toml line "), "{complaints}");
        assert!(complaints.contains(expect), "no {expect} in {complaints}");
        assert!(!complaints.contains("s3cret"), "{complaints}");
    };
    let token = |line: &str| format!("[[token]]\nname = \"x\"\nscopes = [\"decide\"]\n{line}\n");
    check(&token(""), "needs one secret");
    check(&token("secret = \"s3cret\""), "make one by openssl rand -hex 32");
    check(&token("secret = \"s3cret s3cret s3cret\""), "make one by openssl rand -hex 32");
    check(&token("secret_sha256 = \"s3cret\""), "64 digits");
    check(
        &token("secret_sha256 = \"s3cret\"\nsecret = \"s3crets3crets3crets3cret\""),
        "one secret",
    );
    check(&token("secret_file = \"nowhere\""), "nowhere");
    check(&token("secretfile = \"nowhere\""), "did you mean \"secret_file\"?");
    check("[[token]]\nname = \"x\"\nscopes = [\"all\"]\n", "decide, track, override or admin");
    check("[jwt]\nhmac_secrets = [\"s3cret!\"]\n", "no base64");
}

#[test]
fn what_no_request_could_fit_is_refused_at_the_start() {
    let check = |change: &dyn Fn(&mut Given), expect: &str| {
        let folder = tempfile::tempdir().unwrap();
        let started = super::start(folder.path().join("store"), change);
        let error = started.err().unwrap().to_string();
        assert!(error.contains(expect), "no {expect} in {error}");
    };
    let with_parts = ["shop.example:8080", "https://shop.example", "shop.example/x", "[::1]"];
    for host in ["", "shop.example.", "..", "shop..example"].into_iter().chain(with_parts) {
        let change = |given: &mut Given| given.access.allowed_hosts = vec![host.to_owned()];
        check(&change, "without scheme, port, path, brackets and last dot");
    }
    check(&|given| given.data_dir = Some("".into()), "data_dir is empty: give the folder");
    let origins = || vec!["https://Shop.example".to_owned()];
    check(&|given| given.access.cors = Some(CorsSettings::new(origins())), "in small letters");
    let token = |name: &str| {
        TokenSettings::new(name, "same-same-same-same", Reach::All, &[Scope::Decide]).unwrap()
    };
    let expect = "\"a\" and \"b\" have the same secret";
    check(&|given| given.access.tokens = vec![token("a"), token("b")], expect);
    let sink = |to: &str, daily, size: &str| {
        let mut sink = SinkSettings::new(to.parse().unwrap());
        (sink.rotate_daily, sink.rotate_at) = (daily, size.parse().ok());
        sink
    };
    check(&|given| given.sinks = vec![sink("stdout", true, "")], "only to a file");
    check(&|given| given.sinks = vec![sink("file:x", false, "0B")], "a size such as 100MiB");
    for to in ["stdout", "file:x", "optimizely"] {
        let mut signed = sink(to, false, "");
        signed.secret = Some("s3cret".to_owned());
        check(&|given| given.sinks = vec![signed.clone()], "give a secret only to a webhook");
    }
    let expect = "the name of the environment with datafiles/shop.json is empty: give it one";
    check(&|given| given.environments[0].name = Some(String::new()), expect);
}

#[test]
fn hosts_that_are_none_in_the_environment_switch_nothing_on() {
    let (code, said, complaints) = printed("", &[("VARIATE_ALLOWED_HOST", "")], &[]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    assert!(!said.contains("allowed_hosts"), "{said}");
}

#[test]
fn what_is_printed_of_odd_names_can_be_read() {
    let file = "[[environment]]\nname = \"a\\u007fb\\\"\\n\"\ndatafile = \"a.json\"\n";
    let (code, said, complaints) = printed(file, &[], &[]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    let again = printed(&said, &[], &[]);
    assert_eq!((again.1, again.2.as_str()), (said, ""));
}

/// The line of a setting that is in force.
#[track_caller]
fn check(file: &str, variables: &[(&str, &str)], arguments: &[&str], expect: &[&str]) {
    let (code, said, complaints) = printed(file, variables, arguments);
    assert_eq!((code, complaints.as_str()), (Some(0), ""), "{arguments:?}");
    for line in expect {
        assert!(said.lines().any(|found| found == *line), "no line {line} in:\n{said}");
    }
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let file = "port = 1\nadmin_port = 2\nlog = \"warn\"\n[[environment]]\ndatafile = \"a.json\"\n";
    let variables = [("VARIATE_PORT", "3"), ("VARIATE_ADMIN_PORT", "4")];
    check(file, &[], &[], &["port = 1", "admin_port = 2", "log = \"warn\""]);
    check(file, &variables, &[], &["port = 3", "admin_port = 4", "log = \"warn\""]);
    check(file, &variables, &["--port", "5"], &["port = 5", "admin_port = 4", "log = \"warn\""]);
    check(file, &[], &[], &["datafile = \"a.json\""]);
    let (_, said, _) = printed(file, &[], &["--datafile", "b=b.json", "--sdk-key", "KEY"]);
    assert!(!said.contains("a.json"), "a list is taken whole: {said}");
    assert!(said.contains("name = \"b\"\ndatafile = \"b.json\"\n"), "{said}");
    assert!(said.contains("sdk_key = \"KEY\"\n"), "{said}");
}

#[test]
fn switches_can_be_switched_off_again() {
    let file = "insecure = true\n[agent]\noverrides = true\nprofiles = true\n[ofrep]\nbulk_activates = true\n";
    let all = |word: &str| {
        ["insecure", "overrides", "profiles", "bulk_activates"].map(|key| format!("{key} = {word}"))
    };
    let check = |variables: &[(&str, &str)], arguments: &[&str], expect: [String; 4]| {
        check(file, variables, arguments, &expect.each_ref().map(String::as_str));
    };
    check(&[], &[], all("true"));
    let off = ["INSECURE", "OVERRIDES", "PROFILES", "OFREP_BULK_ACTIVATES"]
        .map(|name| (format!("VARIATE_{name}"), "false"));
    let off = off.each_ref().map(|(name, value)| (name.as_str(), *value));
    check(&off, &[], all("false"));
    let on = ["--insecure", "--overrides", "--profiles", "--ofrep-bulk-activates"];
    check(&off, &on, all("true"));
    check(
        &[],
        &on.map(|switch| format!("{switch}=false")).each_ref().map(String::as_str),
        all("false"),
    );
}

#[test]
fn lists_in_the_environment() {
    let variables = [
        ("VARIATE_DATAFILE", "a=a.json;https://example.com/b,c.json"),
        ("VARIATE_SDK_KEY", "c=KEY=="),
        ("VARIATE_SINK", "stdout;file:/tmp/x"),
        ("VARIATE_INSECURE", "true"),
    ];
    let expect = [
        "name = \"a\"",
        "datafile = \"a.json\"",
        "datafile = \"https://example.com/b,c.json\"",
        "name = \"c\"",
        "sdk_key = \"KEY==\"",
        "to = \"stdout\"",
        "to = \"file:/tmp/x\"",
        "insecure = true",
    ];
    check("", &variables, &[], &expect);
}

#[test]
fn values_of_flags_are_laid_over_one_by_one() {
    let file = "[ofrep]\nvalue = \"enabled\"\nflags = {a = \"object\", b = \"variable:x\"}\n";
    let variables = [("VARIATE_OFREP_VALUE", "a=enabled;object")];
    let expect = ["value = \"enabled\"", "\"a\" = \"object\"", "\"b\" = \"variable:x\""];
    check(file, &[], &[], &expect);
    let expect = ["value = \"object\"", "\"a\" = \"enabled\"", "\"b\" = \"variable:x\""];
    check(file, &variables, &[], &expect);
    let flags = ["--ofrep-value", "b=auto", "--ofrep-off", "caller", "--ofrep-bulk-activates"];
    let expect =
        ["\"a\" = \"object\"", "\"b\" = \"auto\"", "off = \"caller\"", "bulk_activates = true"];
    check(file, &[], &flags, &expect);
    let (code, _, complaints) = printed("[ofrep.flags]\nsearch = \"on\"\n", &[], &[]);
    assert_eq!(code, Some(3));
    assert_eq!(
        complaints,
        "error: variate.toml line 2: search: OFREP value \"on\" is unknown: use auto, enabled, object or variable:KEY\n"
    );
}

#[test]
fn a_fault_in_the_file_is_told_with_its_place() {
    let (code, said, complaints) = printed("host = \"a\"\nprot = 80\n", &[], &[]);
    assert_eq!((code, said.as_str()), (Some(3), ""));
    assert_eq!(
        complaints,
        "error: variate.toml line 2: there is no key \"prot\": did you mean \"port\"?\n"
    );
}

#[test]
fn systems_without_ids_are_known_by_content_where_a_file_says_so() {
    let known =
        |systems: &str| printed(&format!("[tracking]\nknown_by_content = [{systems}]\n"), &[], &[]);
    let (code, said, complaints) = known("\"segment\", \"onboardflow\"");
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    assert!(said.contains("known_by_content = [\"segment\",\"onboardflow\"]\n"), "{said}");
    let (code, _, complaints) = known("\"x\"");
    assert_eq!(code, Some(3), "{complaints}");
    assert!(complaints.contains("write one of optimizely"), "{complaints}");
    let folder = tempfile::tempdir().unwrap();
    let started = super::start(folder.path().join("store"), |given| {
        given.tracking.known_by_content = vec![TrackingSystem::Countly];
    });
    let error = started.err().unwrap().to_string();
    assert!(error.contains("known_by_content names countly, whose clients send ids"), "{error}");
}
