//! The datafile's wire form and how its text is read: leniently, element by element.
//!
//! Must not know the compiled form.

mod form;
mod nested;
mod node;
mod object;
mod read;
mod rule;

pub(super) use form::{
    Text, WireAttribute, WireAudience, WireBandit, WireDatafile, WireEvent, WireFlag, WireGroup,
    WireIntegration, WireRange, WireRollout, WireRule, WireValue, WireVariable, WireVariation,
    Written,
};
pub(super) use nested::Nested;
pub(super) use node::{Kind, Node};
pub(super) use object::{Object, wrong_type};
pub(super) use read::{read, utf8};
