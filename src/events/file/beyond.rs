//! What stands behind the place that the store knows: passed over where it is what comes next, moved
//! aside where it is not.
//!
//! Must not know how the place was found. A whole line is never taken away: what a kill left of the last
//! batch comes next from the store, and is there already; what does not come next was delivered in a
//! life that the store does not remember, and may be nowhere else.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::held::identity_of;
use super::names;

/// Pieces of files, in the order in which they were written; the last one is of the sink's file, which
/// the others were before.
#[derive(Debug, Default)]
pub(super) struct Beyond {
    pieces: VecDeque<Piece>,
}

/// A file from some place on.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) path: PathBuf,
    pub(super) from: u64,
    pub(super) whose: Whose,
}

/// Whose doing the name of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// It is the sink's file.
    Own,
    /// The sink's: it was rotated, to this number.
    Rotated(u64),
    /// Somebody else's: nothing in it is touched.
    Others,
}

/// What was moved aside, or stays where somebody else has put it.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) path: PathBuf,
    pub(super) lines: u64,
}

impl Beyond {
    pub(super) fn of(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self { pieces: pieces.into_iter().collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(super) fn first(&self) -> Option<&Piece> {
        self.pieces.front()
    }

    /// Goes on in the first piece.
    pub(super) fn pass(&mut self, bytes: u64) {
        if let Some(piece) = self.pieces.front_mut() {
            piece.from = piece.from.saturating_add(bytes);
        }
    }

    /// Is done with the first piece.
    pub(super) fn leave_first(&mut self) {
        self.pieces.pop_front();
    }

    /// Is done with the first piece where what stands there is no whole line, which nobody can have read:
    /// it is cut. Gives whether it was so.
    pub(super) fn cut_if_torn(&mut self) -> io::Result<bool> {
        let Some(piece) = self.pieces.front() else { return Ok(false) };
        if piece.count_lines()? > 0 {
            return Ok(false);
        }
        piece.cut()?;
        self.leave_first();
        Ok(true)
    }

    /// Moves everything aside; gives where to.
    pub(super) fn move_aside(&mut self, own: &Path) -> io::Result<Vec<Aside>> {
        let mut moved = Vec::new();
        for piece in std::mem::take(&mut self.pieces) {
            moved.extend(piece.move_aside(own)?);
        }
        if !moved.is_empty() {
            names::sync_folder(own)?;
        }
        Ok(moved)
    }
}

impl Piece {
    /// The sink's file from some place on.
    pub(super) fn own(path: &Path, from: u64) -> Self {
        Self { path: path.into(), from, whose: Whose::Own }
    }

    /// A rotated file.
    pub(super) const fn rotated(path: PathBuf, number: u64) -> Self {
        Self { path, from: 0, whose: Whose::Rotated(number) }
    }

    /// Its number, where it is rotated.
    pub(super) const fn number(&self) -> Option<u64> {
        match self.whose {
            Whose::Rotated(number) => Some(number),
            Whose::Own | Whose::Others => None,
        }
    }

    /// How many bytes of the text stand there as they are, up to the end of a line, and whether nothing
    /// stands behind them.
    pub(super) fn compare(&self, text: &[u8]) -> io::Result<(usize, bool)> {
        let there = self.read(text.len())?;
        let alike = there.iter().zip(text).take_while(|(there, text)| there == text).count();
        let alike = text.get(..alike).unwrap_or_default();
        let lines = alike.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let is_over = self.from.saturating_add(lines as u64) >= self.length()?;
        Ok((lines, is_over))
    }

    /// Waits until it is on the disk: whoever wrote it may not have. Gives which file it is.
    pub(super) fn sync(&self) -> io::Result<Option<Box<str>>> {
        let file = File::open(&self.path)?;
        file.sync_data()?;
        Ok(identity_of(&file.metadata()?))
    }

    /// Takes away what stands there, unless it is somebody else's.
    fn cut(&self) -> io::Result<()> {
        if self.whose == Whose::Others {
            return Ok(());
        }
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.set_len(self.from)?;
        file.sync_data()
    }

    fn move_aside(&self, own: &Path) -> io::Result<Option<Aside>> {
        if self.length()? <= self.from {
            return Ok(None);
        }
        let lines = self.count_lines()?;
        if self.whose == Whose::Others {
            return Ok(Some(Aside { path: self.path.clone(), lines }));
        }
        let path = names::aside(own);
        if self.from == 0 {
            fs::rename(&self.path, &path)?;
        } else {
            if let Err(error) = self.copy_to(&path) {
                // The next attempt makes it anew.
                fs::remove_file(&path).unwrap_or_default();
                return Err(error);
            }
            // Only now: what is there twice for a moment is not lost in any.
            names::sync_folder(own)?;
            self.cut()?;
        }
        Ok(Some(Aside { path, lines }))
    }

    fn copy_to(&self, path: &Path) -> io::Result<()> {
        let mut copy = OpenOptions::new().write(true).create_new(true).open(path)?;
        io::copy(&mut self.open()?, &mut copy)?;
        copy.sync_all()
    }

    fn read(&self, most: usize) -> io::Result<Vec<u8>> {
        let mut there = Vec::new();
        match self.open() {
            Ok(file) => file.take(most as u64).read_to_end(&mut there)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(there)
    }

    fn count_lines(&self) -> io::Result<u64> {
        let mut reader = BufReader::new(self.open()?);
        let mut lines = 0;
        while reader.skip_until(b'\n')? > 0 {
            lines += 1;
        }
        // The last one counts only with its end.
        let length = self.length()?;
        if lines > 0 && length > self.from && !ends_with_line(&self.path, length)? {
            lines -= 1;
        }
        Ok(lines)
    }

    fn open(&self) -> io::Result<File> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.from))?;
        Ok(file)
    }

    fn length(&self) -> io::Result<u64> {
        match fs::metadata(&self.path) {
            Ok(found) => Ok(found.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// Whether a file of this length ends where a line does.
pub(super) fn ends_with_line(path: &Path, length: u64) -> io::Result<bool> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(length.saturating_sub(1)))?;
    let mut end = [0];
    file.read_exact(&mut end)?;
    Ok(end == *b"\n")
}
