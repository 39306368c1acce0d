//! How a file sink finds its place again on start.
//!
//! Must not know records. What the store does not know of is cut off; what the store knows of and is
//! not there is never passed over, unless the file was moved away.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::place::{self, Place, Tail};
use crate::error::Error;

/// Opens the file at the place that a state says; without a state, at its end.
pub(super) fn open(path: &Path, state: &str) -> Result<Place, Error> {
    let failed = |error| Error::file("append to", path, error);
    if !fs::metadata(place::folder(path)).map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    match fs::metadata(path) {
        // A pipe or a device has no place.
        Ok(found) if !found.is_file() => return Ok(Place::default()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    if state.is_empty() {
        return adopt(path).map_err(failed);
    }
    let known: Place = serde_json::from_str(state).map_err(|error| {
        let problem = format!(
            "has a stored place that cannot be read ({error}): use the version that wrote it"
        );
        Error::sink_file(path, problem)
    })?;
    recover(path, known).map_err(failed)?.map_err(|problem| Error::sink_file(path, problem))
}

/// Begins at the end of what is there. Half a line, left by whoever wrote it, gets an end.
fn adopt(path: &Path) -> io::Result<Place> {
    let length = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(_) => return Ok(Place::default()),
    };
    if length == 0 {
        return Ok(Place::default());
    }
    let mut length = length;
    if !ends_with_line(path, length)? {
        let mut file = OpenOptions::new().append(true).open(path)?;
        file.write_all(b"\n").and_then(|()| file.sync_data())?;
        length += 1;
    }
    let tail = Some(Tail::of_file(path, length)?);
    Ok(Place { length, tail, ..Place::default() })
}

/// The place in the file that is known, wherever it is now; or what is wrong with it.
fn recover(path: &Path, known: Place) -> io::Result<Result<Place, String>> {
    if let Some(number) = rotated_to(path, &known)? {
        // It was rotated, but the store did not learn of it any more, nor of what came after.
        let rotated = place::rotated_path(path, number);
        cut_back(&rotated, known.length)?;
        let place = Place { rotated: number, ..Place::default() };
        cut_back(path, 0)?;
        return Ok(Ok(place));
    }
    let length = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(_) => {
            let mut place = known;
            place.begin_file();
            return Ok(Ok(place));
        }
    };
    if length < known.length {
        return Ok(Err(place::too_short(length, known.length)));
    }
    if !known.is_in(path)? {
        let problem = "is not the file that was written before: put that one back, or move this one away to begin a new one";
        return Ok(Err(problem.into()));
    }
    cut_back(path, known.length)?;
    Ok(Ok(known))
}

/// The number under which the known file was put away behind the store's back, if it was.
fn rotated_to(path: &Path, known: &Place) -> io::Result<Option<u64>> {
    if known.length == 0 || (path.exists() && known.is_in(path)?) {
        return Ok(None);
    }
    for number in known.rotated + 1.. {
        let rotated = place::rotated_path(path, number);
        if !rotated.exists() {
            break;
        }
        if known.is_in(&rotated)? {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

fn cut_back(path: &Path, length: u64) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.len() > length => place::cut(path, length),
        _ => Ok(()),
    }
}

/// Whether a file of this length ends where a line does.
fn ends_with_line(path: &Path, length: u64) -> io::Result<bool> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(length.saturating_sub(1)))?;
    let mut end = [0];
    file.read_exact(&mut end)?;
    Ok(end == *b"\n")
}
