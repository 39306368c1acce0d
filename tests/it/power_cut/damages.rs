//! One byte flipped anywhere, or one file gone: the store opens with all that was acknowledged, or says
//! what is wrong; it never panics and never loses a record in silence.

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::disk::{Picture, is_journal, lay_out, picture};
use super::world::{Found, World, restart};

const COMMITS: u64 = 60;
const VALUE_BYTES: usize = 200;
/// The engine makes 64 MiB ready; fewer do as well.
const ZEROES_BEHIND: u64 = 300_000;

fn store(folder: &Path) -> Picture {
    let world = World::open(folder, 25_000, VALUE_BYTES).unwrap();
    (0..COMMITS).for_each(|commit| world.commit(commit));
    drop(world);
    let mut picture = picture(folder);
    for content in picture.values_mut() {
        content.length = content.length.min(content.bytes.len() as u64 + ZEROES_BEHIND);
    }
    picture
}

/// Lays the picture out, changes it, and restarts on it.
fn check(picture: &Picture, name: &str, change: impl Fn(&Path)) {
    let home = tempfile::tempdir().unwrap();
    lay_out(picture, home.path());
    change(home.path());
    match restart(home.path(), COMMITS, VALUE_BYTES) {
        Ok((Found::Commits(COMMITS), _)) => {}
        // What is broken in the last commit cannot be told from a commit that was never finished.
        Ok((Found::Commits(commits), cut)) if commits == COMMITS - 1 && cut > 0 => {}
        Ok((found, cut)) => panic!("{name}: {found:?} in silence, cut {cut}"),
        Err(said) => assert!(said.len() > 10, "{name}: says only {said:?}"),
    }
}

#[test]
fn one_byte_flipped_anywhere() {
    let home = tempfile::tempdir().unwrap();
    let picture = store(home.path());
    let mut random = StdRng::seed_from_u64(11);
    for (path, content) in &picture {
        let many = if is_journal(path) { 60 } else { 12 };
        for _ in 0..many.min(content.bytes.len()) {
            let at = random.random_range(0..content.bytes.len());
            let bit = 1_u8 << random.random_range(0..8);
            let mut flipped = picture.clone();
            flipped.get_mut(path).unwrap().bytes[at] ^= bit;
            check(&flipped, &format!("{} byte {at} bit {bit}", path.display()), |_| {});
        }
    }
}

#[test]
fn each_byte_of_a_manifest() {
    let home = tempfile::tempdir().unwrap();
    let picture = store(home.path());
    let of = |path: &&PathBuf| {
        path.starts_with("keyspaces/1") && !path.iter().any(|part| part == "tables")
    };
    for path in picture.keys().filter(of) {
        for at in (0..picture[path].bytes.len()).step_by(5) {
            let mut flipped = picture.clone();
            flipped.get_mut(path).unwrap().bytes[at] ^= 0x5A;
            check(&flipped, &format!("{} byte {at}", path.display()), |_| {});
        }
    }
}

#[test]
fn one_file_removed() {
    let home = tempfile::tempdir().unwrap();
    let picture = store(home.path());
    for path in picture.keys() {
        let name = format!("{} removed", path.display());
        check(&picture, &name, |folder| fs::remove_file(folder.join(path)).unwrap());
    }
}

#[test]
fn folders_removed_or_strange() {
    let home = tempfile::tempdir().unwrap();
    let picture = store(home.path());
    for part in ["keyspaces", "keyspaces/0", "keyspaces/1", "keyspaces/1/tables"] {
        check(&picture, part, |folder| fs::remove_dir_all(folder.join(part)).unwrap());
    }
    // On these the engine panics twice, which ends the process.
    check(&picture, "a strange part", |folder| {
        fs::create_dir(folder.join("keyspaces/old")).unwrap()
    });
    check(&picture, "a strange journal", |folder| fs::write(folder.join("a.jnl"), "x").unwrap());
    check(&picture, "a folder as journal", |folder| fs::create_dir(folder.join("7.jnl")).unwrap());
}
