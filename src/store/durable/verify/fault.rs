//! What can be wrong with a store.
//!
//! Must not know how it is found.

/// Something that is missing, cannot be read, or contradicts the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// Which kind of fault it is.
    pub kind: FaultKind,
    /// What, where, and how many, in words for people.
    pub text: String,
}

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultKind {
    /// The files are damaged, so that the store cannot be opened.
    Damage,
    /// Names that rows and records share are missing or cannot be read.
    Names,
    /// Records are missing.
    MissingRecords,
    /// A record cannot be read.
    UnreadableRecord,
    /// A user's row cannot be read.
    UnreadableRow,
    /// An event waits for late activations, and its record is missing or another's.
    MissingEvent,
    /// An id against repeats cannot be read, or stands in the wrong day.
    UnreadableId,
    /// A dead letter cannot be read, or is about a record that never was.
    UnreadableLetter,
    /// The last good datafile of an environment cannot be read.
    UnreadableDatafile,
    /// An override cannot be read.
    UnreadableOverride,
    /// A profile cannot be read.
    UnreadableProfile,
    /// How far a sink is cannot be read, or is beyond the latest record.
    Cursor,
    /// More is released than there ever was.
    Released,
    /// The totals are not what is there.
    Totals,
}

impl FaultKind {
    /// Its word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Damage => "damage",
            Self::Names => "names",
            Self::MissingRecords => "missing-records",
            Self::UnreadableRecord => "unreadable-record",
            Self::UnreadableRow => "unreadable-row",
            Self::MissingEvent => "missing-event",
            Self::UnreadableId => "unreadable-id",
            Self::UnreadableLetter => "unreadable-letter",
            Self::UnreadableDatafile => "unreadable-datafile",
            Self::UnreadableOverride => "unreadable-override",
            Self::UnreadableProfile => "unreadable-profile",
            Self::Cursor => "cursor",
            Self::Released => "released",
            Self::Totals => "totals",
        }
    }
}
