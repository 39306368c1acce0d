//! Tracking calls of other systems: each form, its clients, and what becomes of what they send.
//!
//! Must not know how anything is answered inside.

mod countly;
mod optimizely;

use serde_json::Value;

use super::Daemon;

/// The records of a type that the daemon holds, with some of their members.
fn records(daemon: &Daemon, kind: &str) -> Vec<Value> {
    let answer = daemon.ask_admin(&format!("GET /events?type={kind}&limit=10000"));
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each conversion as `user event experiment/variation`, one for each credit.
fn credits(daemon: &Daemon) -> Vec<String> {
    let mut credits = Vec::new();
    for record in records(daemon, "conversion") {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        for credit in record["credits"].as_array().into_iter().flatten() {
            credits.push(format!(
                "{} {} {}/{}",
                word(&record["userId"]),
                word(&record["eventKey"]),
                word(&credit["experimentKey"]),
                word(&credit["variationKey"])
            ));
        }
    }
    credits
}

/// How often a part of a system's requests was of no use, by the reason's word.
fn unused(daemon: &Daemon, system: &str, reason: &str) -> u64 {
    let page = daemon.ask_admin("GET /metrics").body;
    let labels = [format!("system=\"{system}\""), format!("reason=\"{reason}\"")];
    let is_this = |line: &&str| {
        line.starts_with("variate_tracking_unused_total{")
            && labels.iter().all(|label| line.contains(label.as_str()))
    };
    let line = page.lines().find(is_this);
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}
