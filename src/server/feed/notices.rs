//! What the client tells of, as frames.
//!
//! Must not know readers.

use super::{Feed, Kind};
use crate::client::{DecisionNotice, Listener, TrackNotice};
use crate::server::wire::frame::{config_frame, decision_frame, track_frame};

impl Listener for Feed {
    fn decision(&self, notice: &DecisionNotice<'_>) {
        if self.is_wanted(Kind::Decision)
            && let Some(frame) = decision_frame(notice)
        {
            self.put(Kind::Decision, frame);
        }
    }

    fn track(&self, notice: &TrackNotice<'_>) {
        if self.is_wanted(Kind::Track) {
            self.put(Kind::Track, track_frame(notice));
        }
    }

    fn datafile_update(&self, revision: &str) {
        if self.is_wanted(Kind::ConfigUpdate) {
            self.put(Kind::ConfigUpdate, config_frame(revision));
        }
    }
}
