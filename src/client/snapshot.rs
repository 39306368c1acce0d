//! The datafile that a call sees: the one in force when it begins, or one that the caller holds.
//!
//! Must not know what is done with it.

use std::sync::Arc;

use arc_swap::Guard;

use super::Inner;
use super::experiments::Experiment;
use super::user::UserContext;
use crate::datafile::Datafile;

/// A datafile in force, held by the caller: what is called through it sees this one, whatever is
/// swapped meanwhile.
///
/// For those who decide often: taking the datafile in force costs more than a decision without
/// conditions does, and through a snapshot it is taken once. Let go of it soon (after a request, or a
/// batch), since as long as it is held, it stays in memory and new datafiles are not seen.
///
/// ```
/// # fn main() -> Result<(), variate::Error> {
/// # let client = variate::Client::from_datafile(include_bytes!("../../datafiles/shop.json"))?;
/// let snapshot = client.snapshot();
/// for id in ["anna", "ben"] {
///     let user = snapshot.user(id).with("country", "SE");
///     println!("{id}: {:?}", user.get_variation("checkout_button").variation_key());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Snapshot<'c> {
    inner: &'c Inner,
    datafile: Option<Arc<Datafile>>,
}

impl<'c> Snapshot<'c> {
    pub(super) const fn new(inner: &'c Inner, datafile: Option<Arc<Datafile>>) -> Self {
        Self { inner, datafile }
    }

    /// A handle for one user, like [`Client::user`](super::Client::user), whose calls see this datafile.
    #[inline]
    #[must_use]
    pub fn user<'a>(&'a self, user_id: &'a str) -> UserContext<'a> {
        UserContext::new(self.inner, Some(self), user_id)
    }

    /// An experiment, looked up once for many users; `None` if there is no such experiment.
    #[must_use]
    pub fn experiment(&self, experiment_key: &str) -> Option<Experiment<'_>> {
        let datafile = self.datafile.as_ref()?;
        Experiment::new(datafile, experiment_key)
    }

    /// The datafile; `None` where the client had none yet.
    #[must_use]
    pub fn datafile(&self) -> Option<&Arc<Datafile>> {
        self.datafile.as_ref()
    }
}

impl std::fmt::Debug for Snapshot<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let revision = self.datafile.as_ref().map(|datafile| datafile.revision());
        formatter.debug_struct("Snapshot").field("revision", &revision).finish_non_exhaustive()
    }
}

/// The datafile of one call.
pub(super) enum InForce<'s> {
    /// Taken for this call.
    Loaded(Guard<Option<Arc<Datafile>>>),
    /// From the snapshot that the caller holds.
    Held(Option<&'s Arc<Datafile>>),
}

impl InForce<'_> {
    #[inline]
    pub(super) fn datafile(&self) -> Option<&Arc<Datafile>> {
        match self {
            Self::Loaded(guard) => guard.as_ref(),
            Self::Held(datafile) => *datafile,
        }
    }
}
