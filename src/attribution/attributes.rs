//! Attributes as they are kept and sent, and as callers give them.
//!
//! Must not know users or rows. What is kept is filtered as the SDKs filter it: usable values of
//! attributes that the datafile declares, and of reserved ones, in the caller's order.

use std::sync::Arc;

use crate::datafile::{Datafile, RESERVED};
use crate::targeting::Attribute;
use crate::value::RecordedValue;

/// Attributes as they are kept and sent: filtered as the SDKs filter them.
pub type Attributes = Arc<[RecordedAttribute]>;

/// One attribute as it is kept and sent.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedAttribute {
    /// The attribute's id in the datafile; of a reserved (`$opt_`) one that it does not declare, the key.
    pub entity_id: Arc<str>,
    /// Its key.
    pub key: Arc<str>,
    /// Its value.
    pub value: RecordedValue,
}

/// Attributes that come with an impression.
#[derive(Debug, Clone, Copy)]
pub enum GivenAttributes<'a> {
    /// As the caller gave them; the datafile says which of them are kept.
    Callers(&'a [Attribute<'a>]),
    /// As they are kept.
    Recorded(&'a Attributes),
}

impl GivenAttributes<'_> {
    /// Whether there are none.
    #[must_use]
    pub fn are_none(self) -> bool {
        match self {
            Self::Callers(attributes) => attributes.is_empty(),
            Self::Recorded(attributes) => attributes.is_empty(),
        }
    }

    /// The form in which they are kept.
    #[must_use]
    pub fn to_recorded(self, datafile: &Datafile) -> Attributes {
        match self {
            Self::Callers([]) => Attributes::default(),
            Self::Callers(attributes) => {
                attributes.iter().filter_map(|attribute| recorded(datafile, attribute)).collect()
            }
            Self::Recorded(attributes) => attributes.clone(),
        }
    }

    /// Whether that form would be equal to one that is kept already, without making it.
    #[must_use]
    pub fn are_kept_as(self, kept: &Attributes, datafile: &Datafile) -> bool {
        match self {
            Self::Callers([]) => kept.is_empty(),
            Self::Callers(attributes) => {
                let mut kept = kept.iter();
                attributes
                    .iter()
                    .filter(|one| is_recorded(datafile, one))
                    .all(|one| kept.next().is_some_and(|kept| is_kept_as(datafile, one, kept)))
                    && kept.next().is_none()
            }
            Self::Recorded(attributes) => Arc::ptr_eq(attributes, kept) || attributes == kept,
        }
    }
}

fn recorded(datafile: &Datafile, attribute: &Attribute<'_>) -> Option<RecordedAttribute> {
    let (entity_id, key) = match datafile.attribute_by_key(attribute.key()) {
        Some(declared) => (Arc::clone(&declared.id), Arc::clone(&declared.key)),
        None if attribute.key().starts_with(RESERVED) => {
            let key: Arc<str> = attribute.key().into();
            (Arc::clone(&key), key)
        }
        None => return None,
    };
    Some(RecordedAttribute { entity_id, key, value: attribute.value.to_recorded()? })
}

fn is_recorded(datafile: &Datafile, attribute: &Attribute<'_>) -> bool {
    attribute.value.is_recorded()
        && (attribute.key().starts_with(RESERVED)
            || datafile.attribute_by_key(attribute.key()).is_some())
}

fn is_kept_as(datafile: &Datafile, one: &Attribute<'_>, kept: &RecordedAttribute) -> bool {
    let declared = datafile.attribute_by_key(one.key());
    *kept.key == *one.key()
        && one.value.is_recorded_as(&kept.value)
        && declared.map_or(one.key(), |declared| &declared.id) == &*kept.entity_id
}
