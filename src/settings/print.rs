//! The settings as the text of a settings file, without secrets.
//!
//! Must not know where they were written.

use std::fmt::{Display, Write as _};

use super::access::{AccessSettings, JwtSettings, Reach, Scope, SecretPlace, TokenSettings};
use super::agent::AgentSettings;
use super::environment::{DatafilePlace, EnvironmentSettings};
use super::ofrep::OfrepSettings;
use super::serve::ServeSettings;
use super::sink::SinkSettings;
use super::tracking::TrackingSettings;
use crate::source::SdkKey;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

impl ServeSettings {
    /// The text of a settings file that says the same; secrets are replaced by `***`.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut page = Page::default();
        page.text("host", Some(&self.host));
        page.value("port", number_or_text(self.port));
        page.value("admin_port", number_or_text(self.admin_port));
        page.value("insecure", self.insecure);
        page.access(&self.access);
        page.text("data_dir", Some(self.data_dir.display()));
        page.text("datafile_template", self.datafile_template.as_deref().map(without_secrets));
        page.text("poll_interval", Some(self.poll_interval));
        page.text("webhook_secret", self.webhook_secret.as_ref().map(|_| HIDDEN));
        page.text("attribution", Some(self.attribution));
        page.text("late_window", Some(self.late_window));
        page.text("early_tolerance", Some(self.early_tolerance));
        page.text("attribution_window", self.attribution_window);
        page.text("activation_retention", Some(self.store.activation_retention));
        page.text("record_retention", Some(self.store.record_retention));
        page.text("record_budget", Some(self.store.record_budget));
        page.text("disk_reserve", Some(self.store.disk_reserve));
        page.value("queue_entries", self.store.queue_entries);
        page.text("body_limit", Some(self.limits.body));
        page.text("request_timeout", Some(self.limits.request_timeout));
        page.value("connections", self.limits.connections);
        page.text("idle_timeout", Some(self.limits.idle_timeout));
        page.text("shutdown_deadline", Some(self.shutdown_deadline));
        page.text("log", Some(self.log.as_str()));
        page.text("log_format", Some(self.log_format.as_str()));
        page.ofrep(&self.ofrep);
        page.agent(&self.agent);
        page.tracking(&self.tracking);
        self.environments.iter().for_each(|environment| page.environment(environment));
        self.sinks.iter().for_each(|sink| page.sink(sink));
        page.who_may_ask(&self.access);
        page.0
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn agent(&mut self, agent: &AgentSettings) {
        self.0.push_str("\n[agent]\n");
        self.value("overrides", agent.overrides);
        self.value("notifications", agent.notifications);
        self.value("profiles", agent.profiles);
        let secret = agent.datafile_webhook_secret.as_ref().map(|_| HIDDEN);
        self.text("datafile_webhook_secret", secret);
    }

    fn environment(&mut self, environment: &EnvironmentSettings) {
        self.0.push_str("\n[[environment]]\n");
        self.text("name", environment.name.as_ref());
        let datafile = environment.datafile.as_ref().map(|place| match place {
            DatafilePlace::File(path) => path.display().to_string(),
            DatafilePlace::Url(url) => without_secrets(url),
        });
        self.text("datafile", datafile);
        self.text("sdk_key", environment.sdk_key.as_ref().map(shown_key));
        self.text("poll_interval", environment.poll_interval);
        self.text("attribution", environment.attribution);
        let secret = environment.datafile_webhook_secret.as_ref().map(|_| HIDDEN);
        self.text("datafile_webhook_secret", secret);
    }

    fn sink(&mut self, sink: &SinkSettings) {
        self.0.push_str("\n[[sink]]\n");
        self.text("to", Some(without_secrets(&sink.to.to_string())));
        self.text("secret", sink.secret.as_ref().map(|_| HIDDEN));
        self.text("attribution", sink.attribution);
        self.text("rotate_at", sink.rotate_at);
        if sink.rotate_daily {
            self.value("rotate_daily", true);
        }
    }

    fn ofrep(&mut self, ofrep: &OfrepSettings) {
        self.0.push_str("\n[ofrep]\n");
        self.text("value", Some(&ofrep.value));
        self.text("off", Some(ofrep.off.as_str()));
        self.value("bulk_activates", ofrep.bulk_activates);
        self.text("inactivity_delay", Some(ofrep.inactivity_delay));
        self.value("streams", ofrep.streams);
        self.text("stream_keepalive", Some(ofrep.stream_keepalive));
        if !ofrep.flags.is_empty() {
            self.0.push_str("\n[ofrep.flags]\n");
        }
        for (flag_key, value) in &ofrep.flags {
            self.text(&serde_json::Value::from(flag_key.as_str()).to_string(), Some(value));
        }
    }

    fn tracking(&mut self, tracking: &TrackingSettings) {
        self.0.push_str("\n[tracking]\n");
        self.text("onboardflow_event", Some(tracking.onboardflow_event.as_str()));
        if !tracking.known_by_content.is_empty() {
            let systems = tracking.known_by_content.iter().map(ToString::to_string);
            self.list("known_by_content", &systems.collect::<Vec<_>>());
        }
        if !tracking.events.is_empty() {
            self.0.push_str("\n[tracking.events]\n");
        }
        for (name, event_key) in &tracking.events {
            self.text(&serde_json::Value::from(name.as_str()).to_string(), Some(event_key));
        }
        if !tracking.user_prefixes.is_empty() {
            self.0.push_str("\n[tracking.user_prefixes]\n");
        }
        for (system, prefix) in &tracking.user_prefixes {
            self.text(system.as_str(), Some(prefix));
        }
        for key in &tracking.keys {
            self.0.push_str("\n[[tracking.key]]\n");
            self.text("system", Some(key.system));
            self.text("key", Some(HIDDEN));
            self.text("environment", Some(&key.environment));
            self.text("salt", key.salt.as_ref().map(|_| HIDDEN));
        }
    }

    fn access(&mut self, access: &AccessSettings) {
        self.text("token_rate", access.token_rate);
        if !access.allowed_hosts.is_empty() {
            self.list("allowed_hosts", &access.allowed_hosts);
        }
        self.text("tls_cert", access.tls_cert.as_ref().map(|path| path.display()));
        self.text("tls_key", access.tls_key.as_ref().map(|path| path.display()));
    }

    /// What of it is in tables of its own.
    fn who_may_ask(&mut self, access: &AccessSettings) {
        if let Some(cors) = &access.cors {
            self.0.push_str("\n[cors]\n");
            self.list("origins", &cors.origins);
            self.list("methods", &cors.methods);
            self.list("headers", &cors.headers);
            self.value("credentials", cors.credentials);
            self.text("max_age", Some(cors.max_age));
        }
        access.jwt.iter().for_each(|jwt| self.jwt(jwt));
        access.tokens.iter().for_each(|token| self.token(token));
    }

    fn jwt(&mut self, jwt: &JwtSettings) {
        self.0.push_str("\n[jwt]\n");
        self.list("hmac_secrets", &vec![HIDDEN.to_owned(); jwt.hmac_secrets.len()]);
        self.text("ttl", Some(jwt.ttl));
        self.text("jwks_url", jwt.jwks_url.as_deref().map(without_secrets));
        self.text("jwks_update_interval", Some(jwt.jwks_update_interval));
        for client in &jwt.clients {
            self.0.push_str("\n[[jwt.client]]\n");
            self.text("id", Some(&client.id));
            self.text("secret_hash", Some(HIDDEN));
            self.list("sdk_keys", &client.sdk_keys.iter().map(shown_key).collect::<Vec<_>>());
            self.scopes(&client.scopes);
            self.value("admin", client.admin);
        }
    }

    fn token(&mut self, token: &TokenSettings) {
        self.0.push_str("\n[[token]]\n");
        self.text("name", Some(&token.name));
        match token.secret_place() {
            SecretPlace::Told => self.text("secret", Some(HIDDEN)),
            SecretPlace::Hashed => self.text("secret_sha256", Some(HIDDEN)),
            SecretPlace::File(path) => self.text("secret_file", Some(path.display())),
        }
        match &token.reach {
            Reach::All => self.list("environments", &["*".to_owned()]),
            Reach::Of(names) => self.list("environments", names),
        }
        self.scopes(&token.scopes);
        self.text("rate", token.rate);
    }

    fn scopes(&mut self, scopes: &[Scope]) {
        self.list("scopes", &scopes.iter().map(ToString::to_string).collect::<Vec<_>>());
    }

    fn list(&mut self, key: &str, words: &[String]) {
        // A JSON list of strings is one of TOML.
        self.value(key, serde_json::Value::from(words));
    }

    fn value(&mut self, key: &str, value: impl Display) {
        // What JSON may say as it is and TOML may not.
        let value = value.to_string().replace('\u{7f}', "\\u007f");
        // Writing to text cannot fail.
        writeln!(self.0, "{key} = {value}").unwrap_or_default();
    }

    /// A JSON string is one of TOML.
    fn text(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.value(key, serde_json::Value::from(value.to_string()));
        }
    }
}

/// A text with the secrets of an address in it hidden: user and password, and the query.
pub(super) fn without_secrets(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (place, query) = rest.split_once('?').map_or((rest, ""), |(place, _)| (place, "?***"));
    let (host, path) = place.find('/').map_or((place, ""), |slash| place.split_at(slash));
    let host =
        host.rsplit_once('@').map_or(host.to_owned(), |(_, host)| format!("{HIDDEN}@{host}"));
    format!("{scheme}://{host}{path}{query}")
}

fn number_or_text(port: super::Port) -> String {
    match port {
        super::Port::Off => "\"off\"".to_owned(),
        super::Port::Number(number) => number.to_string(),
    }
}

fn shown_key(sdk_key: &SdkKey) -> String {
    match sdk_key.token() {
        Some(_) => format!("{}:{HIDDEN}", sdk_key.key()),
        None => sdk_key.key().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! What is hidden of addresses.

    use super::without_secrets;

    #[test]
    fn only_secrets_are_hidden() {
        let check = |text: &str, expect: &str| assert_eq!(without_secrets(text), expect);
        check("webhook:https://h/hook", "webhook:https://h/hook");
        check("https://u:p@h:8/a/%s.json?token=t", "https://***@h:8/a/%s.json?***");
        check("https://h?x@y", "https://h?***");
        check("https://h/a@b", "https://h/a@b");
        check("file:/tmp/a?b@c", "file:/tmp/a?b@c");
        check("stdout", "stdout");
    }
}
