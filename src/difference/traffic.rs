//! Traffic allocations side by side: shares, and how much traffic leads elsewhere.
//!
//! Must not know whose traffic it is.

use serde_json::{Value, json};

use super::change::{Change, Place, Said};
use super::matching::Identity;
use super::words::{percent, text};
use crate::allocation::{Allocation, Target};
use crate::hash::BUCKETS;

/// A range of buckets that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lane {
    start: u32,
    end: u32,
    to: Identity,
    name: String,
}

/// An allocation as ranges of identities: neighbours that lead to one thing are one, and what leads
/// nowhere is left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Lanes(Vec<Lane>);

/// How much traffic, in buckets, leads elsewhere than before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Moved {
    elsewhere: u32,
    in_from_nothing: u32,
    out_to_nothing: u32,
}

impl Lanes {
    /// Reads an allocation; the entities that it leads to are told by their number.
    pub(super) fn new(
        allocation: &Allocation,
        entity: impl Fn(u32) -> Option<(Identity, String)>,
    ) -> Self {
        let mut lanes: Vec<Lane> = Vec::new();
        let mut start = 0;
        for range in allocation.ranges() {
            let end = u32::from(range.end);
            let found = match range.target {
                Target::Entity(number) => entity(number),
                Target::Empty | Target::Dangling => None,
            };
            if let Some((to, name)) = found {
                match lanes.last_mut().filter(|last| last.to == to && last.end == start) {
                    Some(last) => last.end = end,
                    None => lanes.push(Lane { start, end, to, name }),
                }
            }
            start = end;
        }
        Self(lanes)
    }

    fn at(&self, bucket: u32) -> Option<Identity> {
        self.0.iter().find(|lane| lane.start <= bucket && bucket < lane.end).map(|lane| lane.to)
    }

    fn share(&self, to: Identity) -> u32 {
        self.0.iter().filter(|lane| lane.to == to).map(|lane| lane.end - lane.start).sum()
    }

    fn total(&self) -> u32 {
        self.0.iter().map(|lane| lane.end - lane.start).sum()
    }

    fn is_same(&self, other: &Self) -> bool {
        let plain = |lanes: &Self| -> Vec<_> {
            lanes.0.iter().map(|lane| (lane.start, lane.end, lane.to)).collect()
        };
        plain(self) == plain(other)
    }

    fn value(&self) -> Value {
        let lanes = self.0.iter();
        lanes.map(|lane| json!({"to": lane.name, "start": lane.start, "end": lane.end})).collect()
    }

    /// The shares in words: `green 50 %, orange 50 %`.
    pub(super) fn words(&self) -> String {
        let all =
            shares(self, &Self::default(), |name, share, _| format!("{name} {}", percent(share)));
        if all.is_empty() { "nobody".to_owned() } else { all.join(", ") }
    }
}

/// What is different between two allocations of one part. `is_one_parent` says whether users have the
/// same buckets in both.
pub(super) fn compare(
    place: &Place,
    (old, new): (&Lanes, &Lanes),
    noun: &str,
    is_one_parent: bool,
) -> Option<Change> {
    if old.is_same(new) {
        return None;
    }
    let changed = |name: &str, before: u32, after: u32| {
        format!("{name} {} -> {}", percent(before), percent(after))
    };
    let mut all = shares(old, new, |name, before, after| {
        if before == after { String::new() } else { changed(name, before, after) }
    });
    let (before, after) = (old.total(), new.total());
    if before != after {
        all.push(changed(&format!("no {noun}"), BUCKETS - before, BUCKETS - after));
    }
    all.retain(|words| !words.is_empty());
    let shares = if all.is_empty() {
        format!("the same shares in other places: {} -> {}", places(old), places(new))
    } else {
        all.join(", ")
    };
    let said = |lanes: &Lanes| Said::new(lanes.value(), "");
    let change = place.changed("traffic", said(old), said(new));
    let change = change.in_words(format!("traffic of {}: {shares}", place.phrase()));
    if !is_one_parent {
        return Some(change);
    }
    let moved = moved(old, new);
    Some(change.meaning(meaning(moved, noun)).rebucketing(moved.elsewhere > 0))
}

fn meaning(moved: Moved, noun: &str) -> String {
    let Moved { elsewhere, in_from_nothing, out_to_nothing } = moved;
    let said = [
        (elsewhere, format!("moves to another {noun}")),
        (out_to_nothing, "leaves".to_owned()),
        (in_from_nothing, "enters".to_owned()),
    ];
    let said = said.iter().filter(|(share, _)| *share > 0);
    let said: Vec<_> =
        said.map(|(share, what)| format!("{} of the traffic {what}", percent(*share))).collect();
    said.join(", ")
}

/// Both shares of each entity, in the order of the old ranges and then of the new ones.
fn shares(old: &Lanes, new: &Lanes, say: impl Fn(&str, u32, u32) -> String) -> Vec<String> {
    let mut seen = Vec::new();
    let mut said = Vec::new();
    for lane in old.0.iter().chain(&new.0) {
        if seen.contains(&lane.to) {
            continue;
        }
        seen.push(lane.to);
        let newest = new.0.iter().find(|newer| newer.to == lane.to).unwrap_or(lane);
        said.push(say(&text(&newest.name), old.share(lane.to), new.share(lane.to)));
    }
    said
}

fn places(lanes: &Lanes) -> String {
    let place = |lane: &Lane| {
        format!("{} {} to {}", text(&lane.name), percent(lane.start), percent(lane.end))
    };
    lanes.0.iter().map(place).collect::<Vec<_>>().join(", ")
}

fn moved(old: &Lanes, new: &Lanes) -> Moved {
    let ends = old.0.iter().chain(&new.0).flat_map(|lane| [lane.start, lane.end]);
    let mut ends: Vec<u32> = ends.chain([0, BUCKETS]).collect();
    ends.sort_unstable();
    ends.dedup();
    let mut moved = Moved::default();
    for (start, end) in ends.iter().zip(ends.iter().skip(1)) {
        let width = end - start;
        match (old.at(*start), new.at(*start)) {
            (Some(before), Some(after)) if before != after => moved.elsewhere += width,
            (Some(_), None) => moved.out_to_nothing += width,
            (None, Some(_)) => moved.in_from_nothing += width,
            _ => {}
        }
    }
    moved
}
