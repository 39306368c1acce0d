//! What a user of the crate sees of a compiled datafile.
