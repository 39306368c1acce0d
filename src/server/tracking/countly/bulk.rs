//! `/i/bulk`: several requests in one, each of which may be of another application and device.
//!
//! Must not know what is in them. What is told of one environment in a row is recorded together, as far as
//! nobody changes who they are in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::Request;
use serde_json::Value;

use super::answer::Answer;
use super::events::{Reading, person};
use super::remote::{Method, answer};
use super::request::{Asked, Params, json};
use super::{Door, SUCCESS, checksum, chosen, ignored_cut, note, note_no_key, take as record};
use crate::clock::system_time_ms;
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::tracking::keys::{Chosen, NoKey};
use crate::server::tracking::payload::Payload;
use crate::server::tracking::reading::id;
use crate::server::tracking::record::let_others;
use crate::server::tracking::unused::{Reason, Unused};

pub(super) async fn take(app: &App, request: Request) -> Result<Answer, Answer> {
    let received_at_ms = system_time_ms();
    let asked = Asked::read(app, request).await?;
    let params = asked.params();
    let app_key = id(&params, "app_key");
    let of_all = match (&app_key, asked.cut) {
        (None, None) => None,
        (_, cut) => match (chosen(app, app_key.as_deref()), cut) {
            (Ok(chosen), Some(cut)) => {
                return Ok(ignored_cut(app, Some(&chosen.environment), cut));
            }
            (Err(_), Some(cut)) => return Ok(ignored_cut(app, None, cut)),
            (Err(no_key), None) => return Err(no_key.into()),
            (Ok(chosen), None) => Some(chosen),
        },
    };
    let raw = params.get("requests");
    let requests = json(&params, "requests");
    let Some(requests) = requests.as_deref().and_then(|requests| requests.as_array()) else {
        let Some(of_all) = of_all else { return Err(Answer::MISSING) };
        let what = Unused::named(Reason::WrongKind, "what is no list in", "requests");
        note(app, &of_all.environment, what);
        return Ok(Answer::ignored("Missing or invalid parameter \"requests\""));
    };
    let settings = app.in_force.now();
    let reading = Reading { received_at_ms, mapped: &settings.tracking.events };
    let signed = BTreeMap::new();
    let mut bulk =
        Bulk { app, asked: &asked, raw, of_all: of_all.as_ref(), signed, reading, told: None };
    for (place, request) in requests.iter().enumerate() {
        let_others(place).await;
        match request.as_object() {
            Some(request) => bulk.one(request).await?,
            None => bulk.is_none(),
        }
    }
    bulk.record().await?;
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
    of_all: Option<&'a Chosen>,
    reading: Reading<'a>,
    /// What is not recorded yet.
    told: Option<(Arc<Environment>, Payload)>,
}

impl Bulk<'_> {
    async fn one(&mut self, request: &Params) -> Result<(), Answer> {
        let own = match id(request, "app_key") {
            Some(key) => chosen(self.app, Some(&key)).ok(),
            None => {
                if self.of_all.is_none() {
                    note_no_key(self.app, NoKey::Missing);
                }
                None
            }
        };
        let is_of_all = !request.contains_key("app_key");
        let Some(chosen) = own.as_ref().or_else(|| self.of_all.filter(|_| is_of_all)) else {
            return Ok(());
        };
        let environment = &chosen.environment;
        if !self.is_signed(chosen) {
            let unused = Unused::plain(Reason::WrongChecksum, "a request in a bulk");
            note(self.app, environment, unused);
            return Ok(());
        }
        if person(request).id.is_empty() {
            note(self.app, environment, Unused::plain(Reason::NoUser, "what nobody did"));
            return Ok(());
        }
        if let Some(method) = Method::of(request) {
            self.record().await?;
            let answered = answer(self.app, environment, request, (method, Door::Tells));
            return answered.await.map(drop);
        }
        self.add(environment, self.reading.payload(request)).await
    }

    /// The bulk is signed, not what is in it; and what is signed must be these requests.
    fn is_signed(&mut self, chosen: &Chosen) -> bool {
        let Some(salt) = chosen.salt() else { return true };
        if let Some(is_signed) = self.signed.get(salt) {
            return *is_signed;
        }
        let is_signed = checksum::signed(self.asked, salt)
            .is_ok_and(|params| params.get("requests") == self.raw);
        self.signed.insert(salt.to_owned(), is_signed);
        is_signed
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
            self.record().await?;
        }
        let is_merge = !payload.merges.is_empty();
        let (_, told) =
            self.told.get_or_insert_with(|| (Arc::clone(environment), Payload::default()));
        told.exposures.extend(payload.exposures);
        told.merges.extend(payload.merges);
        told.events.extend(payload.events);
        told.unused.extend(payload.unused);
        if is_merge { self.record().await } else { Ok(()) }
    }

    async fn record(&mut self) -> Result<(), Answer> {
        match self.told.take() {
            Some((environment, payload)) => {
                record(self.app, &environment, payload).await.map_err(Answer::from)
            }
            None => Ok(()),
        }
    }

    fn is_none(&self) {
        if let Some(of_all) = self.of_all {
            let what = "what is no object in";
            let unused = Unused::named(Reason::WrongKind, what, "requests");
            note(self.app, &of_all.environment, unused);
        }
    }
}
