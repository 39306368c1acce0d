//! Variate.
