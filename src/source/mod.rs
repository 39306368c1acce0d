//! Sources: where datafiles come from, and the thread that asks each of them.
//!
//! Must not know the store, sinks or clients: it is given somebody who takes what it supplies. What a
//! source gives is judged in one place (`acceptance`); `desk` puts it in force, has it kept and writes it
//! down; `rounds` is when a source is asked, `file` and `url` are how.

mod acceptance;
mod choice;
mod desk;
mod file;
mod rounds;
mod sdk_key;
mod settings;
mod signals;
mod status;
mod supplied;
mod supply;
mod tally;
#[cfg(feature = "http")]
mod url;

pub use choice::Source;
pub use file::FileSource;
pub use sdk_key::SdkKey;
pub use status::{CameFrom, HeldBack, Readiness, SourceProblem, SourceStatus};
pub(crate) use supplied::{LastGood, Taker, Validators};
pub(crate) use supply::{Prepared, Supply};
#[cfg(feature = "http")]
pub use url::UrlSource;
