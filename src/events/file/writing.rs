//! A file sink at work: how a batch gets behind the place that the store knows, once and whole.
//!
//! Must not know records, or who retries.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf, absolute};

use super::beyond::{Aside, Beyond, Piece, Whose};
use super::held::Held;
use super::place::Place;
use super::recover::{self, Found, Known};
use super::{is_stream, names};
use crate::clock::TimeMs;
use crate::error::Error;

#[derive(Debug)]
pub(super) struct Writing {
    path: PathBuf,
    most_bytes: Option<u64>,
    is_daily: bool,
    phase: Phase,
    /// The file, while it is open.
    held: Option<Held>,
    place: Place,
    /// What stands behind the place.
    beyond: Beyond,
    /// What people should know and were not told yet.
    warnings: Vec<String>,
}

/// How much it knows of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing: it begins at the end of what is there.
    New,
    /// The place, but the file has to be looked at.
    Known,
    /// The place and what stands behind it.
    Found,
}

impl Writing {
    pub(super) fn new(path: PathBuf, most_bytes: Option<u64>, is_daily: bool) -> Self {
        Self {
            path,
            most_bytes,
            is_daily,
            phase: Phase::New,
            held: None,
            place: Place::default(),
            beyond: Beyond::default(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file at the place that a state says; without a state, at its end.
    pub(super) fn open(&mut self, state: &str) -> Result<(), Error> {
        if self.path.as_os_str().is_empty() {
            return Err(Error::empty_path("the file sink", "file"));
        }
        // A process that goes to another folder must not begin another file there.
        if let Ok(path) = absolute(&self.path) {
            self.path = path;
        }
        let folder = fs::metadata(names::folder(&self.path)).map_err(|error| self.failed(error))?;
        if !folder.is_dir() {
            return Err(self.failed(io::ErrorKind::NotADirectory.into()));
        }
        if self.path.is_dir() {
            return Err(Error::sink_file(&self.path, "is a folder: give a file in it"));
        }
        if !state.is_empty() {
            (self.place, self.phase) = (recover::known(&self.path, state)?, Phase::Known);
        }
        if is_stream(&self.path) {
            self.phase = Phase::Known;
            return Ok(());
        }
        let strange = self.look()?;
        self.warnings.extend(strange.map(|problem| self.said(&problem)));
        Ok(())
    }

    pub(super) fn state(&self) -> String {
        if self.phase == Phase::New { String::new() } else { self.place.to_text() }
    }

    pub(super) fn warning(&mut self) -> Option<String> {
        let warnings = std::mem::take(&mut self.warnings);
        if warnings.is_empty() { None } else { Some(warnings.join("; ")) }
    }

    /// Writes to what has no place.
    pub(super) fn stream(&self, text: &str) -> Result<(), Error> {
        let opened = OpenOptions::new().append(true).open(&self.path);
        let write = |mut stream: fs::File| stream.write_all(text.as_bytes()).map(|()| stream);
        let written = opened.and_then(write).and_then(|mut stream| stream.flush());
        written.map_err(|error| self.failed(error))
    }

    /// Appends lines behind the place; it is moved only when they are on the disk.
    pub(super) fn append(&mut self, text: &[u8], day: TimeMs) -> Result<(), Error> {
        // A file that was moved away while it was in use is nothing that is to be told.
        self.look()?;
        let before = self.place.clone();
        let appended = self.append_behind(text, day);
        if appended.is_err() {
            // The whole batch comes again, and what of it is there already is found then.
            (self.place, self.phase) = (before, Phase::Known);
        }
        appended
    }

    fn append_behind(&mut self, text: &[u8], day: TimeMs) -> Result<(), Error> {
        let rest = self.pass_over(text, day).map_err(|error| self.failed(error))?;
        if rest.is_empty() {
            return Ok(());
        }
        if self.must_rotate(rest.len() as u64, day) {
            self.held = None;
            self.place.rotate(&self.path).map_err(|error| self.failed(error))?;
        }
        // Nobody else's doing is looked at here: the place is one of this file.
        let held = match self.held.take() {
            Some(held) => held,
            None => Held::open(&self.path)?,
        };
        let held = self.held.insert(held);
        let written = held.append(rest, self.place.length);
        let identity = held.identity();
        written.map_err(|error| self.failed(error))?;
        self.place.advance(rest, day, identity);
        Ok(())
    }

    /// Sees to it that the file is open, and that it is known what stands behind the place. Gives what is
    /// strange about it.
    fn look(&mut self) -> Result<Option<String>, Error> {
        let was_there = self.path.exists();
        let is_new = self.hold()?;
        if self.phase == Phase::Found && !is_new {
            return self.look_again().map(|()| None);
        }
        let found = match self.phase {
            Phase::New => recover::adopt(&self.path).map_err(|error| self.failed(error))?,
            Phase::Known | Phase::Found => {
                let rotates = self.most_bytes.is_some() || self.is_daily;
                let place = self.place.clone();
                recover::find(&self.path, Known { place, rotates, was_there })?
            }
        };
        Ok(self.take(found))
    }

    /// Goes on from what was found; gives what is strange about it. What is lost is told in any case.
    fn take(&mut self, found: Found) -> Option<String> {
        let Found { place, beyond, strange, lost } = found;
        (self.place, self.beyond, self.phase) = (place, beyond, Phase::Found);
        self.warnings.extend(lost.map(|problem| self.said(&problem)));
        strange
    }

    /// Looks for what somebody else did to the file.
    fn look_again(&mut self) -> Result<(), Error> {
        // What stands in other files comes first: then the place is not in this one.
        let is_own = self.beyond.first().is_none_or(|piece| piece.whose == Whose::Own);
        let Some(held) = self.held.as_ref().filter(|_| is_own) else { return Ok(()) };
        let length = held.length().map_err(|error| self.failed(error))?;
        if length < self.place.length {
            let lost = recover::too_short(length, self.place.length);
            let found = recover::go_on(&self.path, &self.place, &lost);
            self.take(found.map_err(|error| self.failed(error))?);
            return Ok(());
        }
        if length > self.place.length && self.beyond.is_empty() {
            self.beyond = Beyond::of([Piece::own(&self.path, self.place.length)]);
        }
        Ok(())
    }

    /// Opens the file where it is not open, or is another one by now; gives whether it was so.
    fn hold(&mut self) -> Result<bool, Error> {
        let is_held = self.held.as_ref().map_or(Ok(false), Held::is_there);
        if is_held.map_err(|error| self.failed(error))? {
            return Ok(false);
        }
        self.held = None;
        self.held = Some(Held::open(&self.path)?);
        Ok(true)
    }

    /// Passes over what is there already; gives the rest, which has nothing behind the place any more.
    fn pass_over<'t>(&mut self, mut text: &'t [u8], day: TimeMs) -> io::Result<&'t [u8]> {
        while let Some(piece) = self.beyond.first().filter(|_| !text.is_empty()) {
            let Piece { whose, from, .. } = *piece;
            let (alike, is_over) = piece.compare(text)?;
            if alike > 0 {
                let identity = piece.sync()?;
                let (there, rest) = text.split_at(alike);
                self.place.advance(there, day, identity);
                self.beyond.pass(there.len() as u64);
                text = rest;
            }
            if is_over {
                self.beyond.leave_first();
            } else if text.is_empty() {
                break;
            } else if !self.beyond.cut_if_torn()? {
                let moved = self.beyond.move_aside(&self.path)?;
                // It may have been moved itself.
                self.held = None;
                self.warnings.push(self.said(&words(&moved)));
                if from == 0 && alike == 0 {
                    // Nothing of the piece stays.
                    continue;
                }
            }
            self.place.leave(whose);
        }
        Ok(text)
    }

    fn must_rotate(&self, added: u64, day: TimeMs) -> bool {
        let Place { length, day: last, .. } = self.place;
        let is_too_long = self.most_bytes.is_some_and(|most| length.saturating_add(added) > most);
        let is_another_day = self.is_daily && last.is_some_and(|last| last < day);
        length > 0 && (is_too_long || is_another_day)
    }

    fn said(&self, problem: &str) -> String {
        Error::sink_file(&self.path, problem).to_string()
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::file("append to", &self.path, error)
    }
}

/// What was moved aside, in words.
fn words(moved: &[Aside]) -> String {
    let lines: u64 = moved.iter().map(|aside| aside.lines).sum();
    let places: Vec<String> = moved.iter().map(|aside| aside.path.display().to_string()).collect();
    let places = places.join(", ");
    format!(
        "had {lines} lines that the store does not know of, as when it was put back from an older back-up: they are in {places} now; look whether they are missed elsewhere"
    )
}
