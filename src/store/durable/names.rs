//! Names that many rows and records share, and the numbers that stand for them on the disk.
//!
//! Must not know the engine. A number is given once and never changes. A name that is not on the disk
//! yet goes there with the commit that uses it first.

use std::hash::Hash;
use std::sync::Arc;

use hashbrown::{Equivalent, HashMap};
use parking_lot::RwLock;

use super::engine::Pair;
use super::unreadable::Unreadable;
use super::wire::names::{project, shown, stored_project, stored_shown};
use super::wire::{packed, unpacked};
use crate::attribution::{Project, Shown};

/// The id and key of an attribute.
pub(super) type AttributeName = (Arc<str>, Arc<str>);

/// All names and their numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) environments: Numbered<Arc<str>>,
    pub(super) shown: Numbered<Arc<Shown>>,
    pub(super) projects: Numbered<Arc<Project>>,
    pub(super) attributes: Numbered<AttributeName>,
}

/// Names of one kind.
#[derive(Debug)]
pub(super) struct Numbered<T>(RwLock<Table<T>>);

#[derive(Debug)]
struct Table<T> {
    numbers: HashMap<T, u32>,
    names: Vec<T>,
    /// So many of them are on the disk.
    saved: usize,
}

/// How many names of each kind there were.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts([usize; KINDS]);

const KINDS: usize = 4;

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(RwLock::new(Table { numbers: HashMap::new(), names: Vec::new(), saved: 0 }))
    }
}

impl Numbered<AttributeName> {
    /// The same of an attribute, whose name is only copied where it is new: all threads count its copies.
    pub(super) fn number_of_attribute(&self, entity_id: &Arc<str>, key: &Arc<str>) -> u32 {
        if let Some(number) = self.0.read().numbers.get(&AttributeLookedUp(entity_id, key)) {
            return *number;
        }
        self.number_of(&(Arc::clone(entity_id), Arc::clone(key)))
    }
}

/// Hashed as the name of an attribute is.
#[derive(Hash)]
struct AttributeLookedUp<'a>(&'a str, &'a str);

impl Equivalent<AttributeName> for AttributeLookedUp<'_> {
    fn equivalent(&self, (entity_id, key): &AttributeName) -> bool {
        *self.0 == **entity_id && *self.1 == **key
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    /// The number of a name, which it gets if it has none.
    pub(super) fn number_of(&self, name: &T) -> u32 {
        if let Some(number) = self.0.read().numbers.get(name) {
            return *number;
        }
        let mut table = self.0.write();
        let next = table.next_number();
        let number = *table.numbers.entry(name.clone()).or_insert(next);
        if number == next {
            table.names.push(name.clone());
        }
        number
    }

    /// The name of a number.
    pub(super) fn named(&self, number: u32) -> Result<T, Unreadable> {
        let table = self.0.read();
        let name = usize::try_from(number).ok().and_then(|place| table.names.get(place));
        name.cloned().ok_or_else(|| Unreadable::new(format!("a name with the number {number}")))
    }

    fn add(&self, number: u32, name: T) -> Result<(), Unreadable> {
        let mut table = self.0.write();
        if table.next_number() != number {
            let next = table.next_number();
            return Err(Unreadable::new(format!("the name {number} where {next} is the next")));
        }
        table.numbers.insert(name.clone(), number);
        table.names.push(name);
        table.saved = table.names.len();
        Ok(())
    }

    fn unsaved(&self) -> (usize, Vec<(u32, T)>) {
        let table = self.0.read();
        let unsaved = table.names.iter().enumerate().skip(table.saved);
        let unsaved = unsaved.map(|(place, name)| (small(place), name.clone())).collect();
        (table.names.len(), unsaved)
    }

    fn mark_saved(&self, count: usize) {
        self.0.write().saved = count;
    }
}

impl<T> Table<T> {
    fn next_number(&self) -> u32 {
        small(self.names.len())
    }
}

/// A place as a number. There are never so many names: each is in the memory of who uses it.
fn small(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

impl Names {
    /// Names that are not on the disk, as key and value, and what to tell [`Names::mark_saved`] when they
    /// are.
    pub(super) fn unsaved(&self) -> Result<(Vec<Pair>, Counts), Unreadable> {
        let mut entries = Vec::new();
        let (environments, new) = self.environments.unsaved();
        for (number, name) in new {
            entries.push((key(b'e', number), packed(&&*name)?));
        }
        let (shown, new) = self.shown.unsaved();
        for (number, name) in new {
            entries.push((key(b's', number), packed(&stored_shown(&name))?));
        }
        let (projects, new) = self.projects.unsaved();
        for (number, name) in new {
            entries.push((key(b'p', number), packed(&stored_project(&name))?));
        }
        let (attributes, new) = self.attributes.unsaved();
        for (number, (entity_id, attribute_key)) in new {
            entries.push((key(b'a', number), packed(&(&*entity_id, &*attribute_key))?));
        }
        Ok((entries, Counts([environments, shown, projects, attributes])))
    }

    /// Says that names are on the disk.
    pub(super) fn mark_saved(&self, Counts([environments, shown, projects, attributes]): Counts) {
        self.environments.mark_saved(environments);
        self.shown.mark_saved(shown);
        self.projects.mark_saved(projects);
        self.attributes.mark_saved(attributes);
    }

    /// Adds a name from the disk; they come in the order of their keys.
    pub(super) fn add(&self, key: &[u8], value: &[u8]) -> Result<(), Unreadable> {
        let Some((kind, number)) = key.split_first() else {
            return Err(Unreadable::new("a name without a key"));
        };
        let number = <[u8; 4]>::try_from(number).map_err(|_| Unreadable::new("a name's key"))?;
        let number = u32::from_be_bytes(number);
        match kind {
            b'e' => self.environments.add(number, unpacked::<&str>(value)?.into()),
            b's' => self.shown.add(number, Arc::new(shown(&unpacked(value)?))),
            b'p' => self.projects.add(number, Arc::new(project(&unpacked(value)?))),
            b'a' => {
                let (entity_id, key) = unpacked::<(&str, &str)>(value)?;
                self.attributes.add(number, (entity_id.into(), key.into()))
            }
            kind => Err(Unreadable::new(format!("names of kind {kind}"))),
        }
    }
}

fn key(kind: u8, number: u32) -> Vec<u8> {
    [&[kind][..], &number.to_be_bytes()].concat()
}
