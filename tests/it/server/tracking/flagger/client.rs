//! The client itself.
