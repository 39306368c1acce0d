//! Countly's own clients, pinned, against the running command.
//!
//! Must not know what they send.
