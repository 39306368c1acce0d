//! How a file sink finds its place again, and what stands behind it.
//!
//! Must not know records. Nothing is changed here but half a line of somebody else's, which gets an end.
//! What the store knows of and is not there is nowhere that this can look: it is told, and gone on behind.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::beyond::{Beyond, Piece, Whose, ends_with_line};
use super::names;
use super::place::{Likeness, Place};
use crate::error::Error;

/// What is told of a file that lost something: the store does not keep what the file had for it.
const NOT_AGAIN: &str = "what somebody took out of it is not written again, and what follows is written behind the rest (after a crash, with a last batch that a copy may have as well): look for a copy, and where the file is rotated let it be renamed instead (no `copytruncate`)";

/// A place, and what stands behind it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) beyond: Beyond,
    /// What is strange about the file, in words that go on behind its name.
    pub(super) strange: Option<String>,
    /// What it lost, in such words.
    pub(super) lost: Option<String>,
}

/// The place that a state says.
pub(super) fn known(path: &Path, state: &str) -> Result<Place, Error> {
    serde_json::from_str(state).map_err(|error| {
        let problem = format!(
            "has a stored place that cannot be read ({error}): use the version that wrote it"
        );
        Error::sink_file(path, problem)
    })
}

/// Begins at the end of what is there. Half a line, left by whoever wrote it, gets an end.
pub(super) fn adopt(path: &Path) -> io::Result<Found> {
    let rotated = names::rotated_after(path, 0).last().map_or(0, |(number, _)| number);
    let mut length = fs::metadata(path)?.len();
    if length > 0 && !ends_with_line(path, length)? {
        let mut file = OpenOptions::new().append(true).open(path)?;
        file.write_all(b"\n").and_then(|()| file.sync_data())?;
        length += 1;
    }
    let place = Place::at_end(path, length, rotated)?;
    Ok(Found { place, beyond: Beyond::default(), strange: None, lost: None })
}

/// What is known of a file, and of the files around it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) place: Place,
    /// Whether numbered files are the sink's: where it does not rotate, somebody else may number them.
    pub(super) rotates: bool,
    /// Whether the file was there before it was opened.
    pub(super) was_there: bool,
}

/// Finds the known place, wherever it is now.
pub(super) fn find(path: &Path, known: Known) -> Result<Found, Error> {
    let failed = |error| Error::file("append to", path, error);
    let Known { mut place, rotates, was_there } = known;
    if place.length > 0 && was_there && place.is_in(path).map_err(failed)? {
        let beyond = Beyond::of([Piece::own(path, place.length)]);
        return Ok(Found { place, beyond, strange: None, lost: None });
    }
    let first = if place.length > 0 { moved_to(path, &place, rotates) } else { Ok(None) };
    let first = first.map_err(failed)?;
    let strange = match &first {
        _ if place.length == 0 => None,
        Some(Piece { whose: Whose::Others, path: away, .. }) => {
            Some(format!("was moved away, to {}; a new one is begun", away.display()))
        }
        // The sink did it, and the store did not learn of it any more, nor of what came after.
        Some(_) => None,
        None => {
            if was_there && let Some(lost) = lost_something(path, &place).map_err(failed)? {
                return go_on(path, &place, &lost).map_err(failed);
            }
            place.begin_file();
            Some("was moved away, and is not found beside it; a new one is begun, and a last batch that the store does not know of may be in both".into())
        }
    };
    let number = first.as_ref().and_then(Piece::number).unwrap_or(place.rotated);
    let rotated = names::rotated_after(path, number).take_while(|_| rotates);
    let rotated = rotated.map(|(number, path)| Piece::rotated(path, number));
    let pieces = first.into_iter().chain(rotated).chain([Piece::own(path, 0)]);
    Ok(Found { beyond: Beyond::of(pieces), place, strange, lost: None })
}

/// Goes on behind what is left in a file that lost something: nobody but who cut it has the rest, and no
/// record can wait for them.
pub(super) fn go_on(path: &Path, known: &Place, lost: &str) -> io::Result<Found> {
    let found = adopt(path)?;
    let place = Place { day: known.day, rotated: known.rotated, ..found.place };
    Ok(Found { place, lost: Some(format!("{lost}: {NOT_AGAIN}")), ..found })
}

/// What is told of a file that is shorter than what was written to it.
pub(super) fn too_short(length: u64, known: u64) -> String {
    format!("has {length} bytes, but {known} were written to it")
}

/// What is strange about a file that lost something.
fn lost_something(path: &Path, known: &Place) -> io::Result<Option<String>> {
    Ok(match known.likeness(path)? {
        Likeness::Same | Likeness::Other => None,
        Likeness::Shorter => Some(too_short(fs::metadata(path)?.len(), known.length)),
        Likeness::Overwritten => Some("is not the file that was written before".to_owned()),
    })
}

/// Where the known file is that is not in its place any more: rotated behind the store's back, or put by
/// somebody else beside it, under a name that begins alike.
fn moved_to(path: &Path, known: &Place, rotates: bool) -> io::Result<Option<Piece>> {
    for (number, rotated) in names::rotated_after(path, known.rotated).take_while(|_| rotates) {
        if known.is_in(&rotated)? {
            return Ok(Some(Piece { from: known.length, ..Piece::rotated(rotated, number) }));
        }
    }
    for away in names::beside(path)? {
        if known.is_in(&away)? {
            return Ok(Some(Piece { path: away, from: known.length, whose: Whose::Others }));
        }
    }
    Ok(None)
}
