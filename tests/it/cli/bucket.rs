//! `variate bucket`: a file of users in, their variations out.
//!
//! Must not know how a user is bucketed; `variate decide` is asked one by one.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use super::{SHOP, stderr, stdout, variate, without_folder};

fn bucket(more: &[&str], users: &str) -> (String, String, Option<i32>) {
    let arguments = [&["bucket", "--datafile", SHOP, "--users", "-"], more].concat();
    let output = variate(&arguments, users.as_bytes());
    (stdout(&output).to_owned(), stderr(&output).to_owned(), output.status.code())
}

/// The variations of the first experiment of the shop, for users written in this way.
#[track_caller]
fn check(format: &str, users: &str, expect: &str, faults: &[&str]) {
    let asked =
        ["--experiment", "checkout_button", "--input-format", format, "--format", "csv", "-q"];
    let (answers, said, exit_code) = bucket(&asked, users);
    assert_eq!(answers, format!("user_id,variation\n{expect}"), "{users}");
    for fault in faults {
        assert!(said.contains(fault), "{fault:?} is not in {said}");
    }
    assert_eq!(exit_code, Some(i32::from(!faults.is_empty())), "{said}");
}

#[test]
fn users_in_all_forms() {
    check("csv", "anna\nb\n", "anna,green\nb,orange\n", &[]);
    check("csv", "anna\r\nb", "anna,green\nb,orange\n", &[]);
    check("csv", "\u{feff}user_id\nanna\n", "anna,green\n", &[]);
    check("csv", "\u{feff}\"a,\"\nanna\n", "\"a,\",green\nanna,green\n", &[]);
    check("csv", "country,UserId,age\nSE,anna,34\n\n,b,\n", "anna,green\nb,orange\n", &[]);
    check("csv", "\"anna\"\n\"a,\"\"\nb\"\n", "anna,green\n\"a,\"\"\nb\",orange\n", &[]);
    check("csv", "", "", &[]);
    check("ndjson", "\"anna\"\n{\"userId\": \"b\", \"other\": 1}\n", "anna,green\nb,orange\n", &[]);
    check(
        "ndjson",
        "\"\\u0061nna\"\n{\"userId\":\"b\",\"attributes\":null}",
        "anna,green\nb,orange\n",
        &[],
    );
}

#[test]
fn lines_without_a_user_are_told_and_left_out() {
    check(
        "csv",
        "id,age\nanna,1\nb\n,3\n",
        "anna,green\n",
        &["line 3: 1 column where", "line 4: the user id is empty", "2 malformed lines"],
    );
    check("csv", "anna\n\"q\"\nb,1\n", "anna,green\nq,orange\n", &["line 3: 2 columns where"]);
    check("csv", "\"x\ny\"\nanna,1\n", "\"x\ny\",orange\n", &["line 3: 2 columns where"]);
    check(
        "ndjson",
        "1\n\n{\"id\": 1}\nanna\n\"anna\"",
        "anna,green\n",
        &["line 1: a number", "line 3: \"userId\" is missing (found id)", "line 4: not valid JSON"],
    );
    check(
        "ndjson",
        "\"\"\n{\"userId\":\"\"}\n\"anna\"\n{\"userId\":\"b\",\"userId\":\"b\"}\n{\"userId\":null}\n",
        "anna,green\n",
        &[
            "line 1: the user id is empty",
            "line 2: the user id is empty",
            "line 4: a member is given twice",
            "line 5: \"userId\" must be a string, not null",
        ],
    );
    check("csv", "id\n\"\"\nanna\n", "anna,green\n", &["line 2: the user id is empty"]);
    // The last one is text only if its cells are joined.
    for users in [&b"anna\n\xff\n"[..], b"id,a\n\xff,1\n", b"id,a,b\nanna,\xc3,\xa9\n"] {
        let broken = variate(
            &["bucket", "--datafile", SHOP, "--all", "--users", "-", "--input-format", "csv", "-q"],
            users,
        );
        assert!(stderr(&broken).contains("line 2: not UTF-8"), "{}", stderr(&broken));
        assert_eq!(broken.status.code(), Some(1));
    }
}

/// What is said of a file whose first line is of no use.
#[track_caller]
fn check_header(more: &[&str], users: &str, expect: &str) {
    let (answers, said, exit_code) =
        bucket(&[&["--all", "--input-format", "csv", "-q"][..], more].concat(), users);
    assert_eq!(
        (&*said, &*answers, exit_code),
        (&*format!("error: line 1: {expect}\n"), "", Some(1))
    );
}

#[test]
fn headers_that_are_of_no_use_are_refused() {
    check_header(
        &[],
        "name,age\nanna,1\n",
        "no column is called user_id, userId or id (found name, age): name the column of the ids so, or tell its name with --id-field",
    );
    check_header(
        &["--id-field", "customer"],
        "id,age\nanna,1\n",
        "no column is called customer (found id, age): give --id-field the name of the column of the ids",
    );
    for (separator, name) in [(";", "`;`"), ("\t", "a tab"), ("|", "`|`")] {
        check_header(
            &[],
            &format!("country{separator}\"user_id\"\nSE{separator}anna\n"),
            &format!("the columns are separated by {name}: save the file with commas between them"),
        );
    }
    let twins = |name: &str| format!("two columns are called {name}: give each its own name");
    check_header(&[], "id,age,age\nanna,1,2\n", &twins("age"));
    check_header(&[], "id,age,id\nanna,1,b\n", &twins("id"));
    check_header(&["--id-field", "c"], "c,c\nanna,b\n", &twins("c"));
    check_header(
        &[],
        "user_id,id\nanna,1\n",
        "the columns user_id and id may both hold the ids: tell which does with --id-field",
    );
}

#[test]
fn ids_are_where_one_says() {
    let asked = ["--experiment", "checkout_button", "--format", "csv", "-q", "--input-format"];
    let check = |format: &str, name: &str, users: &str, expect: &str| {
        let more = [&asked[..], &[format, "--id-field", name]].concat();
        let (answers, said, _) = bucket(&more, users);
        assert_eq!(answers, format!("user_id,variation\n{expect}"), "{users}: {said}");
    };
    check("csv", "customer", "id,customer\n1,anna\n2,b\n", "anna,green\nb,orange\n");
    check("csv", "id", "user_id,id\n1,anna\n", "anna,green\n");
    check("csv", "customer", "customer\nanna\n", "anna,green\n");
    let users =
        "{\"userId\":\"x\",\"user\":\"anna\"}\n{\"us\\u0065r\":\"b\",\"attributes\":{}}\n\"b\"\n";
    check("ndjson", "user", users, "anna,green\nb,orange\nb,orange\n");
    let (_, said, exit_code) =
        bucket(&[&asked[..], &["ndjson", "--id-field", "user"]].concat(), "{\"userId\":\"x\"}\n");
    assert!(said.contains("\"user\" is missing (found userId)"), "{said}");
    assert_eq!(exit_code, Some(1));
    let (_, _, exit_code) =
        bucket(&[&asked[..], &["ndjson", "--id-field", "attributes"]].concat(), "");
    assert_eq!(exit_code, Some(2));
}

#[test]
fn a_quote_that_is_never_closed_is_told() {
    for users in ["anna\n\"b\nc\n", "id,age\nanna,\"1\nb,2\n", "anna\n\"b"] {
        let (_, said, exit_code) = bucket(&["--all", "--input-format", "csv"], users);
        assert!(said.contains("error: line 2: a quote is never closed"), "{said}");
        assert_eq!(exit_code, Some(1));
    }

    let users = format!("anna\n\"{}", "b\n".repeat(10_000_000));
    let (_, said, exit_code) = bucket(&["--all", "--input-format", "csv"], &users);
    assert!(said.contains("error: line 2 does not end within 16 MiB"), "{said}");
    assert_eq!(exit_code, Some(1));
}

/// Users with attributes of each type, over several blocks: each one's line equals what `decide` answers.
#[test]
fn many_users_get_what_each_alone_gets_in_order() {
    let mut csv = "user_id,country,age,lifetime_value\n".to_owned();
    for number in 0..60_000 {
        let country = ["SE", "DE", "", "\"\"\"NO\"\"\""][number % 4];
        writeln!(csv, "user-{number},{country},{},{}.5", number % 60, number % 700).unwrap();
    }
    for threads in ["1", "2", "7"] {
        let asked = ["--all", "--input-format", "csv", "--threads", threads, "--format", "ndjson"];
        let (answers, said, exit_code) = bucket(&asked, &csv);
        assert_eq!(exit_code, Some(0), "{said}");
        let lines: Vec<Value> =
            answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 60_000);
        for (number, line) in lines.iter().enumerate() {
            assert_eq!(line["userId"], format!("user-{number}"));
        }
        for number in [0, 1, 2, 3, 17_777, 31_001, 59_999] {
            compare_with_decide(&lines[number], csv.lines().nth(number + 1).unwrap());
        }
    }
}

/// Quotes with line ends in them, wherever blocks are cut; a quote inside a cell is text.
#[test]
fn quoted_ids_over_many_blocks() {
    let written = |number: usize| match number % 4 {
        0 => format!("\"line\none {number}\""),
        1 => format!("\"say \"\"{number}\"\", he\""),
        2 => format!("a\"b{number}"),
        _ => format!("\"q\"{number}"),
    };
    let meant = |number: usize| match number % 4 {
        0 => format!("line\none {number}"),
        1 => format!("say \"{number}\", he"),
        2 => format!("a\"b{number}"),
        _ => format!("q{number}"),
    };
    let mut csv = String::new();
    (0..50_000).for_each(|number| writeln!(csv, "{}", written(number)).unwrap());
    let asked = ["--experiment", "checkout_button", "--input-format", "csv", "--format", "ndjson"];
    let (answers, said, exit_code) = bucket(&asked, &csv);
    assert_eq!(exit_code, Some(0), "{said}");
    let ids = answers.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["userId"].as_str().unwrap().to_owned()
    });
    assert!(ids.eq((0..50_000).map(meant)));
}

fn compare_with_decide(answer: &Value, line: &str) {
    let cells: Vec<&str> = line.split(',').collect();
    let given = ["country", "age", "lifetime_value"].iter().zip(&cells[1..]);
    let given: Vec<String> = given
        .filter(|(_, cell)| !cell.is_empty())
        .map(|(key, cell)| format!("{key}={}", cell.replace("\"\"\"", "\"")))
        .collect();
    for (key, variation) in answer["variationKeys"].as_object().unwrap() {
        let mut asked =
            vec!["decide", "--datafile", SHOP, "-q", "--format", "json", "--user", cells[0]];
        asked.extend(["--experiment", key]);
        asked.extend(given.iter().flat_map(|given| ["--attribute", given]));
        let alone: Value = serde_json::from_slice(&variate(&asked, b"").stdout).unwrap();
        assert_eq!(*variation, alone["variationKey"], "{key} of {line}");
    }
}

#[test]
fn shared_attributes_count_where_the_user_has_none() {
    let asked = [
        "--experiment",
        "free_shipping_banner",
        "--input-format",
        "ndjson",
        "--format",
        "csv",
        "-q",
    ];
    let users = "\"b\"\n{\"userId\":\"b\",\"attributes\":{\"country\":\"DE\"}}\n{\"userId\":\"b\",\"attributes\":{\"age\":3}}\n";
    let (alone, _, _) = bucket(&asked, users);
    let (shared, _, _) = bucket(&[&asked[..], &["--attribute", "country=SE"]].concat(), users);
    assert_eq!(alone, "user_id,variation\nb,\nb,\nb,\n");
    assert_eq!(shared, "user_id,variation\nb,banner_and_timer\nb,\nb,banner_and_timer\n");
}

/// Of several experiments with one key, the one that `decide` answers with; each name once.
#[test]
fn a_key_that_is_shared_is_written_once() {
    let folder = tempdir().unwrap();
    let mut shop: Value = serde_json::from_slice(&fs::read(SHOP).unwrap()).unwrap();
    let experiments = shop["experiments"].as_array_mut().unwrap();
    let mut hiding = experiments[0].clone();
    (hiding["id"], hiding["forcedVariations"]) = ("1".into(), serde_json::json!({}));
    experiments.push(hiding);
    let path = folder.path().join("shared.json");
    fs::write(&path, shop.to_string()).unwrap();
    let path = path.to_str().unwrap();
    let key = shop["experiments"][0]["key"].as_str().unwrap();
    let (named, mut differing) = (format!("\"{key}\":"), 0);
    for user in (0..20).map(|number| format!("u{number}")) {
        let asked = ["--all", "--users", "-", "--input-format", "csv", "--format", "ndjson", "-q"];
        let users = format!("{user}\n");
        let asked_here = [&["bucket", "--datafile", path][..], &asked].concat();
        let answer = variate(&asked_here, users.as_bytes());
        assert_eq!(stdout(&answer).matches(&named).count(), 1, "{}", stdout(&answer));
        let got: Value = serde_json::from_slice(&answer.stdout).unwrap();
        let alone = |datafile: &str| {
            let asked = ["decide", "--datafile", datafile, "-q", "--format", "json", "--user"];
            let asked = [&asked[..], &[&user, "--experiment", key]].concat();
            let alone: Value = serde_json::from_slice(&variate(&asked, b"").stdout).unwrap();
            alone["variationKey"].clone()
        };
        assert_eq!(got["variationKeys"][key], alone(path));
        differing += u32::from(alone(path) != alone(SHOP));
    }
    assert!(differing > 0, "the hidden experiment would have answered the same");
}

#[test]
fn files_in_and_out_with_a_summary() {
    let folder = tempdir().unwrap();
    let (users, output) = (folder.path().join("users.ndjson"), folder.path().join("out.ndjson"));
    fs::write(&users, "\"anna\"\n\"b\"\n").unwrap();
    let (users, output_path) = (users.to_str().unwrap(), output.to_str().unwrap());
    let asked = ["bucket", "--datafile", SHOP, "--all", "--users", users, "--output", output_path];
    let done = variate(&asked, b"");
    assert_eq!((done.status.code(), stdout(&done)), (Some(0), ""));
    insta::assert_snapshot!(fs::read_to_string(&output).unwrap());
    let said = stderr(&done);
    let (counts, speed) = said.split_once("2 users in ").unwrap();
    assert!(speed.contains(" million a second, "), "{said}");
    insta::assert_snapshot!("the counts of a summary", counts);
    let over_the_users =
        ["bucket", "--datafile", SHOP, "--all", "--users", users, "--output", users];
    let refused = variate(&over_the_users, b"");
    assert_eq!(refused.status.code(), Some(2));
    assert!(fs::read_to_string(users).unwrap().contains("anna"), "the users are still there");
    insta::assert_snapshot!("over the users", without_folder(stderr(&refused), folder.path()));
    let link = folder.path().join("link.ndjson");
    fs::hard_link(users, &link).unwrap();
    let link = link.to_str().unwrap();
    let over_a_link = ["bucket", "--datafile", SHOP, "--all", "--users", users, "--output", link];
    if cfg!(unix) {
        assert_eq!(variate(&over_a_link, b"").status.code(), Some(2));
        assert!(fs::read_to_string(users).unwrap().contains("anna"), "the users are still there");
    }
}
