//! The integration tests, one binary.

// Drives the command, so it needs the feature that builds it.
#[cfg(feature = "cli")]
mod oracle;
