//! A small disk of its own, and a file on it that takes the room away.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

const MEBIBYTE: usize = 1 << 20;

/// Gone when it is dropped.
pub(super) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where this process may not mount.
    pub(super) fn mount(mebibytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Takes so much room away.
    pub(super) fn take(&self, mebibytes: usize) {
        fs::write(self.ballast(), vec![1; mebibytes * MEBIBYTE]).unwrap();
    }

    /// Takes all the room that is left.
    pub(super) fn fill(&self) {
        let mut ballast = File::options().create(true).append(true).open(self.ballast()).unwrap();
        let mut piece = &[1; 64 * 1024][..];
        while !piece.is_empty() {
            match ballast.write(piece) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => {
                    piece = &piece[..piece.len() / 2]
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Takes all the room but so much.
    pub(super) fn leave(&self, mebibytes: u64) {
        self.fill();
        let ballast = File::options().write(true).open(self.ballast()).unwrap();
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length - (mebibytes << 20)).unwrap();
    }

    pub(super) fn free_mebibytes(&self) -> u64 {
        let mut stat = Command::new("stat");
        stat.args(["--file-system", "--format", "%a %S"]).arg(self.path());
        let said = String::from_utf8(stat.output().unwrap().stdout).unwrap();
        let (blocks, block_bytes) = said.trim().split_once(' ').unwrap();
        let number = |text: &str| text.parse::<u64>().unwrap();
        (number(blocks) * number(block_bytes)) >> 20
    }

    pub(super) fn give_back(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("--lazy").arg(self.path()).status();
        assert!(status.is_ok_and(|status| status.success()), "the small disk is still mounted");
    }
}
