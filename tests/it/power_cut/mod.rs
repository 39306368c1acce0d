//! Power cuts and damaged files: what was acknowledged is there, or the store says what is wrong.
//!
//! Copies of a store are made as a cut may leave it, and opened. In each of them every record, row, id,
//! cursor and dead letter that was acknowledged must be there; of what was not, a part, as it was sent, in the
//! order in which it was stored; numbers go on without gaps; credits are the plain model's; `verify` finds
//! nothing.
//!
//! What is synced, and when, as the engine (fjall 3.1, lsm-tree 3.1) and the store do it:
//!
//! - A commit is one batch at the end of the newest journal. It is written and synced before it is
//!   acknowledged, and before the next one is written: one at most is torn, and nothing is behind it.
//! - A journal is made, given its length, synced, and its folder synced, before anything is written to
//!   it; the one before is synced first.
//! - A table is written and synced, and its folder synced, before a manifest (`v7`) names it. The manifest
//!   is synced, and its folder, before `current` names it; `current` is written beside, synced, renamed, and
//!   its folder synced. Only then are other tables, manifests and journals removed, which is not synced.
//! - What is in a table is in a journal that was synced before, as long as that journal is there.
//! - A new keyspace has its `current` before the list of keyspaces (number 0) names it, which is before
//!   the first commit into it. The engine does not sync the folder `keyspaces`: the store does.
//! - A keyspace is dropped by a note of the store's in the file `dropped`, synced; then the list does not
//!   name it any more; then its `current` is removed, and then the rest.
//!
//! `cuts` cuts histories of several threads between two moments at which all was acknowledged, by these rules:
//! it needs nothing installed, and draws only what they allow. `traced` needs no rules: it has seen every
//! call to the disk, so that it knows what was synced, and cuts between any two calls, also while the store
//! is made, mended and opened (`simulated` says what a disk may do). `damages` flips bytes and takes files
//! away, which no disk may do; `journals` does the same to single commits, and says what is told.
//!
//! One thing no file can tell: the newest journal, cut short where a commit ends or in the last one, is the
//! journal of a store from before.
//!
//! The long forms: `VARIATE_CUTS`, `VARIATE_DAMAGES` (times as many copies as usual) and
//! `VARIATE_TRACED_CUTS` (so many cuts).

mod cut;
mod cuts;
mod damages;
pub(crate) mod disk;
mod history;
mod journals;
mod seen;
mod simulated;
mod trace;
mod traced;
mod truth;
mod world;
