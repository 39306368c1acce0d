//! Which of some texts another text can contain.
//!
//! Must not know conditions.

/// More texts than this are not looked into: the sets double with each.
const MOST_TEXTS: usize = 10;

/// All sets of the texts that some text contains exactly: with a text, all that it contains itself. Each
/// is met by writing its members one after the other, with a character between them that none of the
/// texts has. `None` if that is too much work.
pub(super) fn sets_of_substrings<'a>(texts: &[&'a str]) -> Option<Vec<Vec<&'a str>>> {
    let mut texts = texts.to_vec();
    texts.sort_unstable();
    texts.dedup();
    if texts.len() > MOST_TEXTS {
        return None;
    }
    let mut sets = vec![Vec::new()];
    for text in &texts {
        let with_it = sets.iter().map(|set| [&**set, &[*text]].concat());
        sets = with_it.chain(sets.iter().cloned()).collect();
    }
    let is_whole = |set: &Vec<&str>| {
        let is_in = |text: &&str| text.is_empty() || set.iter().any(|one| one.contains(*text));
        texts.iter().all(|text| is_in(text) == set.contains(text))
    };
    sets.retain(is_whole);
    Some(sets)
}
