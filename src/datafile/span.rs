//! Where places stand in the text: lines and columns.
//!
//! Must not know what is wrong there. The text is walked once for all places together.

use std::collections::BTreeMap;
use std::ops::Range;

use super::findings::Findings;
use super::place::{Place, To};
use super::unescaped::offsets;
use super::wire::{Kind, Node};

/// A piece of the text, in lines and columns from 1; columns count characters. A byte-order mark is no
/// character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextSpan {
    /// The line on which it begins.
    pub line: usize,
    /// The column at which it begins.
    pub column: usize,
    /// The column behind its end; of objects and arrays over several lines, behind the end of the first.
    pub end_column: usize,
}

/// The piece of the text at each place; of a place that the text does not have, at its nearest parent.
pub(super) fn spans(text: &str, places: &[&Place]) -> Vec<TextSpan> {
    let mut wanted: Vec<_> = (0..).zip(places.iter().map(|place| place.steps())).collect();
    let mut ranges = vec![0..0; places.len()];
    if let Ok(root) = Node::parse(text, Place::default()) {
        Search { text, ranges: &mut ranges }.visit(&root, &mut wanted, 0);
    }
    let ranges: Vec<_> = ranges.into_iter().map(|range| first_line(text, range)).collect();
    let positions = positions(text, ranges.iter().flat_map(|range| [range.start, range.end]));
    let position = |offset: &usize| positions.get(offset).copied().unwrap_or((1, 1));
    let span = |range: &Range<usize>| {
        let ((line, column), (_, end_column)) = (position(&range.start), position(&range.end));
        TextSpan { line, column, end_column }
    };
    ranges.iter().map(span).collect()
}

/// A range up to the first line break in it.
fn first_line(text: &str, range: Range<usize>) -> Range<usize> {
    let inside = text.get(range.clone()).unwrap_or_default();
    let first_line = inside.lines().next().unwrap_or_default();
    range.start..range.start.saturating_add(first_line.len())
}

/// The lines and columns of offsets, all found in one walk: a datafile may be a single long line.
fn positions(text: &str, offsets: impl Iterator<Item = usize>) -> BTreeMap<usize, (usize, usize)> {
    let mut positions: BTreeMap<usize, (usize, usize)> =
        offsets.map(|offset| (offset, (1, 1))).collect();
    let (mut line, mut column) = (1_usize, 1_usize);
    let mut wanted = positions.iter_mut().peekable();
    for (offset, character) in text.char_indices().chain([(text.len(), ' ')]) {
        if let Some((_, position)) = wanted.next_if(|(wanted, _)| **wanted == offset) {
            *position = (line, column);
        }
        if wanted.peek().is_none() {
            break;
        }
        column = column.saturating_add(1);
        if character == '\n' {
            (line, column) = (line.saturating_add(1), 1);
        }
    }
    positions
}

/// A place that is looked for: its number and the steps that lead to it.
type Wanted<'a> = (usize, Vec<&'a To>);

struct Search<'a> {
    text: &'a str,
    ranges: &'a mut [Range<usize>],
}

impl Search<'_> {
    /// Finds what is wanted at or below a value that `depth` steps lead to. The depth of places is
    /// limited where conditions are read, so this cannot overflow.
    fn visit(&mut self, node: &Node<'_>, wanted: &mut [Wanted<'_>], depth: usize) {
        let start = node.text().as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        let range = start..start.saturating_add(node.text().len());
        let mut below: BTreeMap<&To, Vec<Wanted<'_>>> = BTreeMap::new();
        for (index, steps) in wanted {
            if let Some(found) = self.ranges.get_mut(*index) {
                *found = range.clone();
            }
            if let Some(step) = steps.get(depth) {
                below.entry(step).or_default().push((*index, std::mem::take(steps)));
            }
        }
        if below.is_empty() {
            return;
        }
        let (items, fields) = match node.kind() {
            Kind::Array => (node.as_array(), None),
            Kind::Object => (None, node.as_object(&mut Findings::default())),
            Kind::String => {
                let below = below.into_values().flatten().collect();
                return self.visit_inside(node, start, below, depth);
            }
            _ => return,
        };
        for (step, mut wanted) in below {
            let child = match step {
                To::Item(index) => items.as_ref().and_then(|items| items.get(*index)),
                To::Field(name) => fields.as_ref().and_then(|fields| fields.get(name)),
            };
            if let Some(child) = child {
                self.visit(child, &mut wanted, depth.saturating_add(1));
            }
        }
    }

    /// The same in the JSON that a string holds, as that of untyped audiences does.
    fn visit_inside(
        &mut self,
        node: &Node<'_>,
        start: usize,
        mut wanted: Vec<Wanted<'_>>,
        depth: usize,
    ) {
        let text = node.as_string(&mut Findings::default()).unwrap_or_default();
        let Ok(inner) = Node::parse(&text, Place::default()) else { return };
        let indices: Vec<_> = wanted.iter().map(|(index, _)| *index).collect();
        let mut ranges = vec![0..0; self.ranges.len()];
        Search { text: &text, ranges: &mut ranges }.visit(&inner, &mut wanted, depth);
        let offsets = offsets(node.text());
        let outer = |offset: usize| Some(start.saturating_add(*offsets.get(offset)?));
        for index in indices {
            let range =
                ranges.get(index).and_then(|range| Some(outer(range.start)?..outer(range.end)?));
            if let (Some(found), Some(range)) = (self.ranges.get_mut(index), range) {
                *found = range;
            }
        }
    }
}
