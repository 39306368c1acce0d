//! What is known of the calls: which were sent, and which were acknowledged.

use std::collections::{BTreeMap, BTreeSet};

/// At most so many ids of an unknown fate are sent again in the next run.
const SENT_AGAIN: usize = 100;

/// What is known from the writer.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// How often each id was sent.
    pub(crate) sent: BTreeMap<String, u64>,
    pub(crate) acknowledged: BTreeSet<String>,
    /// Acknowledged as repeats.
    pub(super) repeats: u64,
    /// Sent without an answer when the kill came, by what became of it when it was sent again: it had
    /// been stored, or not.
    pub(super) survived: u64,
    pub(super) gone: u64,
    /// Sent in former runs, and not answered.
    unanswered: BTreeSet<String>,
}

impl Heard {
    pub(super) fn line(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("sent", id)) => *self.sent.entry(id.into()).or_default() += 1,
            Some(("stored", id)) => {
                self.gone += u64::from(self.unanswered.remove(id));
                self.acknowledged.insert(id.into());
            }
            Some(("repeat", id)) => {
                self.survived += u64::from(self.unanswered.remove(id));
                self.acknowledged.insert(id.into());
                self.repeats += 1;
            }
            Some(("refused", what)) => panic!("refused on a sound disk: {what}"),
            // What the test harness of the writer says of itself.
            _ => {}
        }
    }

    /// What is to be sent again.
    pub(super) fn unanswered(&mut self) -> Vec<String> {
        let sent = self.sent.keys().filter(|id| !self.acknowledged.contains(*id));
        self.unanswered = sent.cloned().collect();
        self.unanswered.iter().take(SENT_AGAIN).cloned().collect()
    }
}
