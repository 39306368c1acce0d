//! What the client tells of, as frames.
//!
//! Must not know readers.

use super::{Feed, Kind};
use crate::client::{DecisionNotice, Listener, TrackNotice};
use crate::server::wire::frame::{ConfigFrame, DecisionFrame, TrackFrame};

impl Listener for Feed {
    fn decision(&self, notice: &DecisionNotice<'_>) {
        if self.is_wanted(Kind::Decision)
            && let Some(frame) = DecisionFrame::of(notice)
        {
            self.put_json(Kind::Decision, &frame);
        }
    }

    fn track(&self, notice: &TrackNotice<'_>) {
        if self.is_wanted(Kind::Track) {
            self.put_json(Kind::Track, &TrackFrame::of(notice));
        }
    }

    fn datafile_update(&self, revision: &str) {
        if self.is_wanted(Kind::ConfigUpdate) {
            self.put_json(Kind::ConfigUpdate, &ConfigFrame::of(revision));
        }
    }
}

impl Feed {
    fn put_json(&self, kind: Kind, frame: &impl serde::Serialize) {
        match serde_json::to_string(frame) {
            Ok(frame) => self.put(kind, frame),
            Err(error) => tracing::error!(%error, "a frame cannot be written as JSON"),
        }
    }
}
