//! The integration tests, one binary.

mod attribution;
