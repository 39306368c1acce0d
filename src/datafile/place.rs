//! Where something stands in a datafile: a JSON path that costs little until it is shown.
//!
//! Must not know what stands there.

use std::fmt::{self, Write as _};
use std::rc::Rc;

use super::findings::quoted;

/// Longer names are cut when they are shown.
const MOST_NAME_BYTES: usize = 60;

/// A place in the datafile's text.
#[derive(Debug, Clone, Default)]
pub(super) struct Place(Option<Rc<Step>>);

#[derive(Debug)]
struct Step {
    parent: Place,
    to: To,
}

/// One step down from a value to one of its parts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum To {
    /// To the field of an object.
    Field(Box<str>),
    /// To the element of an array.
    Item(usize),
}

impl Place {
    /// The place of a field of the object here.
    pub(super) fn field(&self, name: &str) -> Self {
        self.step(To::Field(name.into()))
    }

    /// The place of an element of the array here.
    pub(super) fn item(&self, index: usize) -> Self {
        self.step(To::Item(index))
    }

    /// The steps that lead here from the datafile's root.
    pub(super) fn steps(&self) -> Vec<&To> {
        let mut steps = Vec::new();
        let mut here = self;
        while let Some(step) = &here.0 {
            steps.push(&step.to);
            here = &step.parent;
        }
        steps.reverse();
        steps
    }

    fn step(&self, to: To) -> Self {
        Self(Some(Rc::new(Step { parent: self.clone(), to })))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(step) = &self.0 else { return Ok(()) };
        // The depth of a place is limited where conditions are read, so this cannot overflow.
        step.parent.fmt(formatter)?;
        match &step.to {
            To::Item(index) => write!(formatter, "[{index}]"),
            To::Field(name) if is_plain(name) && name.len() <= MOST_NAME_BYTES => {
                if step.parent.0.is_some() {
                    formatter.write_char('.')?;
                }
                formatter.write_str(name)
            }
            To::Field(name) => write!(formatter, "[{}]", quoted(name)),
        }
    }
}

/// Whether a name can be written behind a dot.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | '$'))
}
