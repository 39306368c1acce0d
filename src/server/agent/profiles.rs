//! `POST /v1/lookup` and `POST /v1/save`: the profile of a user, which keeps the user in variations.
//!
//! Must not know where profiles are kept. Without them Agent answers that there is no service, whatever it
//! is sent.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest as _, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::chosen::Chosen;
use super::wire::arranged::{Bucketed, ProfileAnswer, ProfileBody};
use crate::decide::Profile;
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::asked::Said;
use crate::server::environment::Environment;
use crate::server::profiles::Profiles;
use crate::server::refusal::Refusal;

pub(super) async fn lookup(
    State(app): State<Arc<App>>,
    Chosen(environment): Chosen,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let (profiles, user_id, _) = read(&app, &environment, request).await?;
    let profile = profiles.find(&user_id).map_err(|error| Refusal::unreadable(&error))?;
    let profile = profile.unwrap_or_default();
    let bucketed = |(experiment_id, variation_id): (&str, &str)| {
        (experiment_id.to_owned(), Bucketed { variation_id: Some(variation_id.to_owned()) })
    };
    let experiment_bucket_map = profile.iter().map(bucketed).collect();
    Ok(Json(ProfileAnswer { user_id, experiment_bucket_map }).into_response())
}

/// Replaces the whole profile.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    Chosen(environment): Chosen,
    request: Request<Body>,
) -> Result<StatusCode, Refusal> {
    let (profiles, user_id, body) = read(&app, &environment, request).await?;
    let mut profile = Profile::default();
    for (experiment_id, bucketed) in body.experiment_bucket_map.unwrap_or_default() {
        let variation_id = bucketed.variation_id.ok_or_else(Refusal::unreadable_body)?;
        profile.set(&experiment_id, &variation_id);
    }
    let saving = async {
        let saved = profiles.save_durably(&user_id, &profile).await;
        saved.map_err(|cause| environment.not_stored(&cause))
    };
    environment.in_time(saving).await?;
    Ok(StatusCode::OK)
}

async fn read<'e>(
    app: &Arc<App>,
    environment: &'e Environment,
    request: Request<Body>,
) -> Result<(&'e Arc<Profiles>, String, ProfileBody), Refusal> {
    let profiles = environment.profiles.as_ref().ok_or_else(|| {
        app.misses("agent.profiles");
        Refusal::not_set_up("no user profile service found")
    })?;
    let Said(mut body) = Said::<ProfileBody>::from_request(request, app).await?;
    let user_id = body.user_id.take().filter(|user_id| !user_id.is_empty());
    let user_id = user_id.ok_or_else(Refusal::missing_user)?;
    Profiles::check_user(&user_id)?;
    Ok((profiles, user_id, body))
}
