//! `/i/bulk`: several requests in one, each of which may be of another application and device.
//!
//! Must not know what is in them. As with Countly's own, the bulk is acknowledged whatever is in it: what has no
//! key that is known is counted, and is no reason to keep the rest back. What is told of one environment in a row
//! is recorded together, as far as nobody changes who they are in between; all of it is waited for in the end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::Request;
use serde_json::Value;

use super::answer::Answer;
use super::events::{Reading, device_id};
use super::remote::{Method, decided};
use super::request::{Asked, Params, json};
use super::{Door, SUCCESS, SYSTEM, checksum, chosen, ignored_cut};
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::tracking::keys::{self, Chosen, NoKey};
use crate::server::tracking::payload::Payload;
use crate::server::tracking::reading::id;
use crate::server::tracking::record::hand_over;
use crate::server::tracking::storing::{Storing, let_others};
use crate::server::tracking::unused::{AllUnused, Reason, Unused};
use crate::server::tracking::wanted::Wanted;

pub(super) async fn take(app: &App, request: Request) -> Result<Answer, Answer> {
    let asked = Asked::read(app, request).await?;
    let params = asked.params();
    let app_key = id(&params, "app_key");
    let of_all = app_key.as_deref().and_then(|key| chosen(app, Some(key)).ok());
    if let Some(cut) = asked.cut {
        return Ok(ignored_cut(app, of_all.as_ref().map(|chosen| &*chosen.environment), cut));
    }
    let raw = params.get("requests");
    let requests = json(&params, "requests");
    let Some(requests) = requests.as_deref().and_then(|requests| requests.as_array()) else {
        if app_key.is_none() {
            return Err(NoKey::Missing.into());
        }
        let environment = of_all.as_ref().map(|chosen| &*chosen.environment);
        let what = match environment {
            Some(_) => Unused::named(Reason::WrongKind, "what is no list in", "requests"),
            None => Unused::plain(Reason::UnknownKey, "a bulk"),
        };
        AllUnused::from(what).note(app, environment, SYSTEM);
        return Ok(Answer::ignored("Missing or invalid parameter \"requests\""));
    };
    let settings = app.in_force.now();
    let mut bulk = Bulk {
        app,
        asked: &asked,
        raw,
        of_all,
        chosen: HashMap::new(),
        signed: BTreeMap::new(),
        mapped: &settings.tracking.events,
        told: None,
        storing: Storing::new(&app.room),
        unused: Vec::new(),
    };
    for (place, request) in requests.iter().enumerate() {
        let_others(place).await;
        match request.as_object() {
            Some(request) => bulk.one(request).await?,
            None => {
                let what = Unused::named(Reason::WrongKind, "what is no object in", "requests");
                bulk.note(None, what.into());
            }
        }
    }
    bulk.hand_over().await?;
    bulk.storing.all_stored().await?;
    for (environment, unused) in bulk.unused {
        unused.note(app, environment.as_deref(), SYSTEM);
    }
    Ok(SUCCESS)
}

struct Bulk<'a> {
    app: &'a App,
    asked: &'a Asked,
    /// The requests, as they were found.
    raw: Option<&'a Value>,
    /// Whether they are what is signed, by the salt.
    signed: BTreeMap<String, bool>,
    /// What the key of the bulk chooses, for requests that have none.
    of_all: Option<Chosen>,
    /// What other keys choose.
    chosen: HashMap<String, Option<Chosen>>,
    /// Names that the settings know.
    mapped: &'a BTreeMap<String, String>,
    /// What is not handed to the store yet.
    told: Option<(Arc<Environment>, Payload)>,
    storing: Storing,
    /// What is noted in the end: who sends it again would have it noted twice.
    unused: Vec<(Option<Arc<Environment>>, AllUnused)>,
}

impl Bulk<'_> {
    async fn one(&mut self, request: &Params) -> Result<(), Answer> {
        let Some((environment, salt)) = self.chosen(request) else {
            let unused = Unused::plain(Reason::UnknownKey, "a request in a bulk");
            self.note(None, unused.into());
            return Ok(());
        };
        if !self.is_signed(salt) {
            let unused = Unused::plain(Reason::WrongChecksum, "a request in a bulk");
            self.note(Some(environment), unused.into());
            return Ok(());
        }
        if device_id(request).is_none() {
            let unused = Unused::plain(Reason::NoUser, "what nobody did");
            self.note(Some(environment), unused.into());
            return Ok(());
        }
        if let Some(method) = Method::of(request) {
            self.hand_over().await?;
            let (about, how) = ((&environment, request), (method, Door::Tells));
            let (_, unused) = decided(self.app, about, how, &mut self.storing).await?;
            self.note(Some(Arc::clone(&environment)), unused);
        }
        let datafile = environment.client.datafile();
        let reading = Reading { mapped: self.mapped, wanted: Wanted(datafile.as_deref()) };
        self.add(&environment, reading.payload(request)).await
    }

    /// The environment of a request, and the salt of its key.
    fn chosen(&mut self, request: &Params) -> Option<(Arc<Environment>, Option<String>)> {
        let chosen = if request.contains_key("app_key") {
            let key = id(request, "app_key")?;
            let app = self.app;
            let choose = |key: &String| keys::chosen(app, SYSTEM, Some(key)).ok();
            self.chosen.entry(key).or_insert_with_key(choose).as_ref()
        } else {
            self.of_all.as_ref()
        };
        let chosen = chosen?;
        Some((Arc::clone(&chosen.environment), chosen.salt().map(str::to_owned)))
    }

    /// What has no environment is of that of the bulk, unless its key is nobody's.
    fn note(&mut self, environment: Option<Arc<Environment>>, unused: AllUnused) {
        let is_of_all = unused.first().is_some_and(|unused| unused.reason != Reason::UnknownKey);
        let of_all = self.of_all.as_ref().filter(|_| is_of_all);
        let environment = environment.or_else(|| Some(Arc::clone(&of_all?.environment)));
        let name = |one: &Option<Arc<Environment>>| one.as_ref().map(Arc::as_ptr);
        let is_same = |(other, _): &&mut (_, _)| name(other) == name(&environment);
        match self.unused.iter_mut().find(is_same) {
            Some((_, all)) => all.extend(unused),
            None => self.unused.push((environment, unused)),
        }
    }

    /// The bulk is signed, not what is in it; and what is signed must be these requests.
    fn is_signed(&mut self, salt: Option<String>) -> bool {
        let Some(salt) = salt else { return true };
        let (asked, raw) = (self.asked, self.raw);
        let signed = |salt: &String| {
            checksum::signed(asked, salt).is_ok_and(|params| params.get("requests") == raw)
        };
        *self.signed.entry(salt.clone()).or_insert_with(|| signed(&salt))
    }

    async fn add(
        &mut self,
        environment: &Arc<Environment>,
        payload: Payload,
    ) -> Result<(), Answer> {
        let is_more = self
            .told
            .as_ref()
            .is_some_and(|(other, _)| Arc::ptr_eq(other, environment) && payload.merges.is_empty());
        if !is_more {
            self.hand_over().await?;
        }
        let is_merge = !payload.merges.is_empty();
        let (_, told) =
            self.told.get_or_insert_with(|| (Arc::clone(environment), Payload::default()));
        told.exposures.extend(payload.exposures);
        told.merges.extend(payload.merges);
        told.events.extend(payload.events);
        told.unused.extend(payload.unused);
        if is_merge { self.hand_over().await } else { Ok(()) }
    }

    async fn hand_over(&mut self) -> Result<(), Answer> {
        let Some((environment, mut payload)) = self.told.take() else { return Ok(()) };
        let unused = if payload.is_empty() {
            std::mem::take(&mut payload.unused)
        } else {
            hand_over(self.app, (&environment, SYSTEM), payload, &mut self.storing).await?
        };
        self.note(Some(environment), unused);
        Ok(())
    }
}
