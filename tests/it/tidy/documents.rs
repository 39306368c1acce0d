//! The documents that must keep step with the code: the map of the house and the manifest.

use super::floors::floor_of;

/// The map may not grow beyond what is read at one sitting.
const LONGEST_MAP_LINES: usize = 200;

/// What is wrong with the map, given the entries of `src` (folders end in `/`).
pub(crate) fn faults_of_the_map(map: &str, entries: &[String]) -> Vec<String> {
    let rooms: Vec<&str> = map.lines().filter_map(room_heading).collect();
    let mut faults = Vec::new();
    let lines = map.lines().count();
    if lines >= LONGEST_MAP_LINES {
        faults.push(format!("ARCHITECTURE.md: {lines} lines; keep it under {LONGEST_MAP_LINES}"));
    }
    let missing = entries.iter().filter(|entry| !rooms.contains(&entry.as_str()));
    faults.extend(missing.map(|entry| {
        format!("ARCHITECTURE.md: src/{entry} is not on the map; add a heading \"### `{entry}`\"")
    }));
    let listed = |room: &str| room.trim_end_matches('/').to_owned();
    let pairs = rooms.iter().zip(rooms.iter().skip(1));
    let swapped = pairs.filter(|(one, next)| listed(one) >= listed(next));
    faults.extend(swapped.map(|(one, next)| {
        format!("ARCHITECTURE.md: `{one}` stands before `{next}`; keep the order of `ls src`")
    }));
    faults
}

/// Rooms whose paragraph on the map says another floor than the table of imports.
pub(crate) fn wrong_floors_on_the_map(map: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut lines = map.lines().filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        let Some(entry) = room_heading(line) else { continue };
        let room = entry.trim_end_matches('/').trim_end_matches(".rs");
        let Some(floor) = floor_of(room).filter(|_| room != "main") else { continue };
        if !lines.peek().is_some_and(|said| said.starts_with(&format!("Floor {floor}. "))) {
            faults.push(format!("ARCHITECTURE.md: `{entry}` must open with \"Floor {floor}. \""));
        }
    }
    faults
}

/// ``### `decide/` `` is the heading of a room.
fn room_heading(line: &str) -> Option<&str> {
    line.strip_prefix("### `")?.split('`').next()
}

/// Dependencies of the manifest without a reason right above them.
pub(crate) fn unexplained_dependencies(manifest: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut in_dependencies = false;
    let mut open_brackets = 0_isize;
    let mut above = "";
    for line in manifest.lines() {
        let header = line
            .strip_prefix('[')
            .filter(|_| open_brackets == 0)
            .map(|rest| rest.trim_end_matches(']'));
        let is_own_table = header.is_some_and(|header| header.contains("dependencies."));
        if let Some(header) = header {
            in_dependencies = header.ends_with("dependencies");
        }
        let is_entry = in_dependencies
            && header.is_none()
            && open_brackets == 0
            && line.contains('=')
            && !line.starts_with('#');
        if (is_entry || is_own_table) && !above.starts_with("# ") {
            faults.push(format!(
                "Cargo.toml: `{line}` has no reason right above it; write what it is for"
            ));
        }
        if header.is_none() && !line.starts_with('#') {
            open_brackets += balance(line);
        }
        above = line;
    }
    faults
}

/// Brackets opened and not closed on this line.
fn balance(line: &str) -> isize {
    let of = |c: char| match c {
        '[' | '{' => 1,
        ']' | '}' => -1,
        _ => 0,
    };
    line.chars().map(of).sum()
}

#[cfg(test)]
mod tests {
    //! Made-up documents that fell behind.

    use super::super::assert_findings;
    use super::{faults_of_the_map, unexplained_dependencies, wrong_floors_on_the_map};

    fn check_map(map: &str, entries: &[&str], expect: &str) {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        assert_findings(&faults_of_the_map(map, &entries), expect);
    }

    #[test]
    fn the_map_names_every_entry_in_order() {
        check_map("### `a/`\n### `c.rs`\n", &["a/", "b.rs"], "src/b.rs is not on the map");
        check_map("### `c.rs`\n### `a/`\n", &["a/", "c.rs"], "`c.rs` stands before `a/`");
        check_map("### `a/`\n### `a/`\n", &["a/"], "`a/` stands before `a/`");
        check_map(&"x\n".repeat(200), &[], "200 lines");
        check_map("### `a/` floor 1\n### `planned/`\n", &["a/"], "");
        check_map(
            "### `cli/`\n### `client/`\n### `clock.rs`\n",
            &["cli/", "client/", "clock.rs"],
            "",
        );
    }

    #[test]
    fn the_map_says_the_floors_of_the_table() {
        let check =
            |map: &str, expect: &str| assert_findings(&wrong_floors_on_the_map(map), expect);
        check("### `decide/`\n\nFloor 2. Decides.", "`decide/` must open with \"Floor 3. \"");
        check("### `hash.rs`\n\n### `lib.rs`\n", "`hash.rs` must open");
        check("### `hash.rs`\n\nFloor 0. Hashes.\n\n### `lib.rs`\n\nA tour.", "");
    }

    #[test]
    fn every_dependency_has_a_reason() {
        let check = |manifest: &str, expect: &str| {
            assert_findings(&unexplained_dependencies(manifest), expect)
        };
        check("[dependencies]\nserde = \"1\"", "`serde = \"1\"` has no reason");
        check(
            "[dependencies]\n# Wire.\nserde = \"1\"\nuuid = \"1\"",
            "`uuid = \"1\"` has no reason",
        );
        check("[dev-dependencies]\n# Wire.\n\nserde = \"1\"", "`serde = \"1\"`");
        check("[target.'cfg(unix)'.dependencies]\nlibc = \"1\"", "`libc = \"1\"`");
        check("[dependencies.serde]\nversion = \"1\"", "`[dependencies.serde]`");
        check(
            "[dependencies]\n# Wire.\nserde = { features = [\n  \"a=b\",\n] }\n[features]\nx = []",
            "",
        );
    }
}
