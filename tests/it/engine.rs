//! The library as a user of the crate sees it.
