//! What of a datafile goes out with every record, beyond the datafile: shared, so that keeping it costs
//! nothing but the sharing.
//!
//! Must not know records or sinks.

/// The project of a datafile, as the event API is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Project {
    /// The id of the account.
    pub account_id: Box<str>,
    /// The id of the project.
    pub project_id: Box<str>,
    /// The revision of the datafile, as written.
    pub revision: Box<str>,
    /// Where the project's results service stands.
    pub region: Region,
    /// Whether the results service is to forget the users' addresses.
    pub anonymizes_ip: bool,
    /// Whether bots are left out; `None` where the datafile says nothing: then no attribute is sent.
    pub filters_bots: Option<bool>,
}

/// Where the results service of a project stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Region {
    /// United States, also for anything unknown.
    Us,
    /// European Union.
    Eu,
}
