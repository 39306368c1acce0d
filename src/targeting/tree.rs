//! The logic of condition trees, as three-valued (Kleene) logic defines it.
//!
//! Must not know what the leaves are.

/// A condition tree over leaves of one kind.
///
/// Leaves are true, false or unknown. `And` and `Or` follow Kleene, with their identities for an
/// empty list; `Not` of unknown is unknown. What cannot be understood is [`Tree::Unknown`].
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<L> {
    /// True if all are; false if one is.
    And(Vec<Tree<L>>),
    /// True if one is; false if all are.
    Or(Vec<Tree<L>>),
    /// The opposite.
    Not(Box<Tree<L>>),
    /// One leaf.
    Leaf(L),
    /// Neither true nor false: a part that could not be read, or refers to nothing.
    Unknown,
}

impl<L> Tree<L> {
    /// The leaves in the order in which they stand.
    pub fn leaves(&self) -> impl Iterator<Item = &L> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            loop {
                match open.pop()? {
                    Self::And(parts) | Self::Or(parts) => open.extend(parts.iter().rev()),
                    Self::Not(part) => open.push(part),
                    Self::Leaf(leaf) => return Some(leaf),
                    Self::Unknown => {}
                }
            }
        })
    }
}
