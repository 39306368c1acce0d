//! Datafiles from an address.
//!
//! Must not know what is done with them.

mod address;
mod ask;
mod choice;
mod words;

pub use choice::UrlSource;

use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
};

use self::ask::Asker;
use self::words::Words;
use super::signals::Signals;
use super::supplied::{Fetched, Trouble, Validators};
use crate::back_off::BackOff;
use crate::web::WebAddress;

/// An address that failed is asked again after this time, then after twice as long, and so on.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// And at last at these intervals, or its own where they are longer.
const LONGEST_BACK_OFF: Duration = Duration::from_mins(1);

/// An address, as its thread asks it.
#[derive(Debug)]
pub(super) struct UrlOrigin {
    address: WebAddress,
    name: Box<str>,
    has_key: bool,
    authorization: Option<HeaderValue>,
    interval: Duration,
    timeout: Duration,
    most_bytes: u64,
    /// Made by the first asking: it belongs to the thread that asks.
    asker: Option<Asker>,
}

impl UrlOrigin {
    pub(super) const fn interval(&self) -> Duration {
        self.interval
    }

    pub(super) fn back_off(&self) -> BackOff {
        BackOff::new(FIRST_BACK_OFF, LONGEST_BACK_OFF.max(self.interval))
    }

    /// Asks for a text, or whether the one in force, which came with these validators, is still the one.
    pub(super) fn fetch(
        &mut self,
        validators: &Validators,
        signals: &Signals,
    ) -> Result<Fetched, Trouble> {
        let headers = self.headers(validators);
        let words = Words { name: &self.name, has_key: self.has_key, timeout: self.timeout };
        let asker = match &self.asker {
            Some(asker) => asker,
            None => {
                let asker = Asker::new(&self.address, self.timeout);
                self.asker.insert(asker.map_err(|problem| words.trouble(&problem))?)
            }
        };
        let request = asker.request(self.address.url.clone(), headers);
        asker.ask(request, self.most_bytes, &words, signals)
    }

    fn headers(&self, validators: &Validators) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let conditions =
            [(IF_NONE_MATCH, &validators.etag), (IF_MODIFIED_SINCE, &validators.last_modified)];
        for (name, validator) in conditions {
            // Whatever an address has sent can be sent back.
            if let Some(Ok(value)) = validator.as_deref().map(HeaderValue::from_str) {
                headers.insert(name, value);
            }
        }
        headers
    }
}
