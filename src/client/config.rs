//! Config stub.
use crate::datafile::Datafile;
/// x
#[derive(Debug)]
pub struct Config;
impl Config {
    pub(super) fn new(_: &Datafile) -> Self {
        Self
    }
}
