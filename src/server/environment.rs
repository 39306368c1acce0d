//! One environment: its client, the keys that choose it, and how old its datafile is.
//!
//! Must not know requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use subtle::ConstantTimeEq as _;
use tokio::time::timeout;

use super::deadline::Deadline;
use super::etag::Published;
use super::feed::Feed;
use super::figures::EnvironmentFigures;
use super::problems::{ProblemKind, Problems};
use super::profiles::Profiles;
use super::refusal::Refusal;
use crate::client::Client;
use crate::datafile::Datafile;
use crate::error::Error;
use crate::settings::EnvironmentSettings;
use crate::source::{SdkKey, SourceStatus};
use crate::store::Receipt;

/// The age of a datafile that was never confirmed.
const NEVER: u64 = u64::MAX;
const SLOW: &str = "it was not stored within half of the time that --request-timeout left: look at the disk, at how many wait for it, and at who sends slowly";

#[derive(Debug)]
pub(super) struct Environment {
    pub(super) client: Client,
    pub(super) figures: EnvironmentFigures,
    problems: Arc<Problems>,
    sdk_key: Option<SdkKey>,
    age_seconds: AtomicU64,
    published: Mutex<Option<Arc<Published>>>,
    datafile_webhook_secret: Option<String>,
    /// Where sticky profiles are kept, if they are.
    pub(super) profiles: Option<Arc<Profiles>>,
    /// What happens in it, if anybody may listen.
    pub(super) feed: Option<Arc<Feed>>,
    /// How long what is no request waits for the disk.
    patience: Duration,
    /// Held while an override is stored: memory and store change in the same order.
    pub(super) override_turn: tokio::sync::Mutex<()>,
}

/// What a client is built with that its environment uses, too.
#[derive(Debug, Default)]
pub(super) struct Wiring {
    pub(super) profiles: Option<Arc<Profiles>>,
    pub(super) feed: Option<Arc<Feed>>,
    pub(super) patience: Duration,
    pub(super) problems: Arc<Problems>,
}

/// Whose a key is that fits an environment, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// The settings give it to the environment.
    Own,
    /// Its datafile has it, and the settings give it none.
    Datafile,
    /// Its datafile has it, and it has another of its own.
    Beside,
}

/// How well a key fits an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    No,
    /// The key does, and the token that the environment asks for does not.
    WrongToken,
    Yes,
}

impl Environment {
    pub(super) fn new(
        client: Client,
        settings: &EnvironmentSettings,
        figures: EnvironmentFigures,
        wiring: Wiring,
    ) -> Self {
        let Wiring { profiles, feed, patience, problems } = wiring;
        if let Some(profiles) = &profiles {
            profiles.belong_to(client.environment());
        }
        let environment = Self {
            client,
            figures,
            problems,
            sdk_key: settings.sdk_key.clone(),
            age_seconds: AtomicU64::new(NEVER),
            published: Mutex::default(),
            datafile_webhook_secret: settings.datafile_webhook_secret.clone(),
            profiles,
            feed,
            patience,
            override_turn: tokio::sync::Mutex::default(),
        };
        environment.look();
        environment
    }

    /// Waits until something is stored, for as long as the request may: a disk that takes longer is not the
    /// fault of who asks, who is told in time.
    pub(super) async fn in_time<T>(
        &self,
        storing: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let stored = match Deadline::of_the_request() {
            Some(deadline) => deadline.patiently(storing).await,
            None => timeout(self.patience, storing).await.ok(),
        };
        stored.unwrap_or_else(|| {
            self.figures.refused();
            if self.problems.note_often(ProblemKind::Store, "", SLOW) {
                tracing::warn!(reason = SLOW, "a request was not recorded in time");
            }
            Err(Refusal::not_stored_in_time())
        })
    }

    /// The same of what has a receipt.
    pub(super) async fn stored(&self, receipt: Receipt) -> Result<(), Refusal> {
        let refused = |cause| self.not_stored(&cause);
        self.in_time(async { receipt.await.map_err(refused) }).await
    }

    /// What who records is told where the store did not take it.
    pub(super) fn not_stored(&self, cause: &Error) -> Refusal {
        self.figures.refused();
        if !cause.is_not_ready() {
            self.problems.note_not_stored(cause);
        }
        Refusal::not_stored(cause)
    }

    /// What a webhook is signed with that tells of its datafile.
    pub(super) fn datafile_webhook_secret(&self) -> Option<&str> {
        self.datafile_webhook_secret.as_deref().filter(|secret| !secret.is_empty())
    }

    pub(super) fn name(&self) -> &str {
        self.client.environment()
    }

    /// How its source is doing; notes the age of its datafile for those who ask often.
    pub(super) fn look(&self) -> Option<SourceStatus> {
        let status = self.client.source_status();
        let ago_ms = status.as_ref().and_then(|status| status.checked_ago_ms);
        self.age_seconds.store(ago_ms.map_or(NEVER, |ago_ms| ago_ms / 1000), Ordering::Relaxed);
        status
    }

    /// For how many seconds the source has not confirmed the datafile, as of the last look.
    pub(super) fn age_seconds(&self) -> Option<u64> {
        Some(self.age_seconds.load(Ordering::Relaxed)).filter(|age| *age != NEVER)
    }

    /// Whether a key chooses it: its own, with the token if that has one, or that of its datafile.
    pub(super) fn fit(&self, given: &SdkKey) -> Fit {
        match &self.sdk_key {
            Some(own) if own.key() == given.key() => match own.token() {
                None => Fit::Yes,
                Some(token) => {
                    let said = given.token().unwrap_or_default();
                    let is_right = bool::from(token.as_bytes().ct_eq(said.as_bytes()));
                    if is_right { Fit::Yes } else { Fit::WrongToken }
                }
            },
            // A key with a token must not be got around by the datafile's own.
            Some(own) if own.token().is_some() => Fit::No,
            _ => {
                let datafile = self.client.datafile();
                let key = datafile.as_ref().and_then(|datafile| datafile.sdk_key());
                if key == Some(given.key()) { Fit::Yes } else { Fit::No }
            }
        }
    }

    /// Whose a key is that fits it.
    pub(super) fn whose(&self, fitting: &SdkKey) -> Whose {
        match &self.sdk_key {
            Some(own) if own.key() == fitting.key() => Whose::Own,
            Some(_) => Whose::Beside,
            None => Whose::Datafile,
        }
    }

    /// The key that it is meant to be chosen by.
    pub(super) fn meant_key(&self) -> Option<SdkKey> {
        match &self.sdk_key {
            Some(own) => Some(own.clone()),
            None => self.client.datafile()?.sdk_key()?.parse().ok(),
        }
    }

    /// Whether who names it has to send a token along.
    pub(super) fn asks_for_token(&self) -> bool {
        self.sdk_key.as_ref().is_some_and(|own| own.token().is_some())
    }

    /// A key that chooses it and is no secret, if it has one.
    pub(super) fn open_key(&self) -> Option<String> {
        match &self.sdk_key {
            Some(own) => own.token().is_none().then(|| own.key().to_owned()),
            None => self.client.datafile()?.sdk_key().map(str::to_owned),
        }
    }

    /// The datafile in force as it is published.
    pub(super) fn published(&self, now_seconds: u64) -> Option<Arc<Published>> {
        let datafile: Arc<Datafile> = self.client.datafile()?;
        let mut kept = self.published.lock();
        if let Some(published) = kept.as_ref()
            && Arc::ptr_eq(&published.datafile, &datafile)
        {
            return Some(Arc::clone(published));
        }
        let published = Arc::new(Published::new(datafile, kept.as_deref(), now_seconds));
        *kept = Some(Arc::clone(&published));
        Some(published)
    }
}
