//! What the fuzz targets assert, as functions over their inputs.
//!
//! Must not know the engine that makes inputs: plain tests run the same functions over the seeds.

pub mod conditions;
pub mod datafile;
pub mod json;
pub mod random;
pub mod replay;
pub mod seeds;
pub mod versions;
