//! Which part of one datafile is the same as which part of the other: by id, else by key.
//!
//! Must not know what the parts are.

use hashbrown::HashMap;

/// A part that one datafile has, or both: places in their lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) old: Option<usize>,
    pub(super) new: Option<usize>,
}

/// Id and key of a part.
pub(super) type Named<'n> = (&'n str, &'n str);

/// Pairs the parts of two lists, sorted by key and then id. Of several with one name the last ones
/// belong together, since the last one counts.
pub(super) fn pairs(old: &[Named<'_>], new: &[Named<'_>]) -> Vec<Pair> {
    let mut partner_of_old: Vec<Option<usize>> = vec![None; old.len()];
    let mut is_taken = vec![false; new.len()];
    for by_id in [true, false] {
        let name = |named: &Named<'_>| if by_id { named.0.to_owned() } else { named.1.to_owned() };
        let mut free: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, named) in new.iter().enumerate() {
            if is_taken.get(place) == Some(&false) {
                free.entry(name(named)).or_default().push(place);
            }
        }
        for (named, partner) in old.iter().zip(&mut partner_of_old).rev() {
            if partner.is_none() {
                *partner = free.get_mut(&name(named)).and_then(Vec::pop);
            }
        }
        for place in partner_of_old.iter().flatten() {
            if let Some(taken) = is_taken.get_mut(*place) {
                *taken = true;
            }
        }
    }
    let both =
        partner_of_old.iter().enumerate().map(|(old, new)| Pair { old: Some(old), new: *new });
    let free = is_taken.iter().enumerate().filter(|(_, is_taken)| !**is_taken);
    let mut pairs: Vec<Pair> =
        both.chain(free.map(|(new, _)| Pair { old: None, new: Some(new) })).collect();
    let named = |pair: &Pair| match (pair.old, pair.new) {
        (_, Some(place)) => new.get(place),
        (Some(place), None) => old.get(place),
        (None, None) => None,
    };
    let order = |named: Named<'_>| (named.1.to_owned(), named.0.to_owned());
    pairs.sort_by_cached_key(|pair| named(pair).map(|named| order(*named)));
    pairs
}

/// What a part is, whichever datafile it is looked at in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Identity {
    /// The old datafile has it, and perhaps the new one.
    Old(usize),
    /// Only the new datafile has it.
    New(usize),
}

/// The identities of the parts of the new list, in its order.
pub(super) fn identities(pairs: &[Pair], new_length: usize) -> Vec<Identity> {
    let mut identities: Vec<Identity> = (0..new_length).map(Identity::New).collect();
    for pair in pairs {
        if let (Some(old), Some(new)) = (pair.old, pair.new)
            && let Some(identity) = identities.get_mut(new)
        {
            *identity = Identity::Old(old);
        }
    }
    identities
}
