//! The parts that every answer rests on, held against vectors of the SDKs and against plain models.

mod allocation;
mod hash;
mod logic;
mod name;
mod version;
