//! What is different between two settings, and whether it can be put in force while the daemon runs.
//!
//! Must not know how that is done. Every setting is named here: a new one without a line does not compile.

use super::serve::ServeSettings;

/// A setting that is another one now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) name: &'static str,
    pub(crate) needs_restart: bool,
}

impl ServeSettings {
    /// What a reload would change: of what can change while the daemon runs, from what is in force; of all
    /// else, from what it was started with.
    pub(crate) fn changes_to(&self, in_force: &Self, started: &Self) -> Vec<Change> {
        let Self {
            host,
            port,
            admin_port,
            insecure,
            access,
            data_dir,
            environments,
            datafile_template,
            poll_interval,
            sinks,
            webhook_secret,
            attribution,
            late_window,
            early_tolerance,
            attribution_window,
            store,
            limits,
            shutdown_deadline,
            log,
            log_format,
            agent,
            ofrep,
            tracking,
        } = self;
        let now = [
            ("token", access.tokens != in_force.access.tokens),
            ("jwt", access.jwt != in_force.access.jwt),
            ("token_rate", access.token_rate != in_force.access.token_rate),
            ("allowed_hosts", access.allowed_hosts != in_force.access.allowed_hosts),
            ("tls_cert", access.tls_cert != in_force.access.tls_cert),
            ("tls_key", access.tls_key != in_force.access.tls_key),
            ("log", *log != in_force.log),
            ("tracking", *tracking != in_force.tracking),
        ];
        let later = [
            ("host", *host != started.host),
            ("port", *port != started.port),
            ("admin_port", *admin_port != started.admin_port),
            ("insecure", *insecure != started.insecure),
            ("cors", access.cors != started.access.cors),
            ("data_dir", *data_dir != started.data_dir),
            ("environment", *environments != started.environments),
            ("datafile_template", *datafile_template != started.datafile_template),
            ("poll_interval", *poll_interval != started.poll_interval),
            ("sink", *sinks != started.sinks),
            ("webhook_secret", *webhook_secret != started.webhook_secret),
            ("attribution", *attribution != started.attribution),
            ("late_window", *late_window != started.late_window),
            ("early_tolerance", *early_tolerance != started.early_tolerance),
            ("attribution_window", *attribution_window != started.attribution_window),
            (
                "activation_retention",
                store.activation_retention != started.store.activation_retention,
            ),
            ("record_retention", store.record_retention != started.store.record_retention),
            ("record_budget", store.record_budget != started.store.record_budget),
            ("disk_reserve", store.disk_reserve != started.store.disk_reserve),
            ("queue_entries", store.queue_entries != started.store.queue_entries),
            ("body_limit", limits.body != started.limits.body),
            ("request_timeout", limits.request_timeout != started.limits.request_timeout),
            ("connections", limits.connections != started.limits.connections),
            ("idle_timeout", limits.idle_timeout != started.limits.idle_timeout),
            ("shutdown_deadline", *shutdown_deadline != started.shutdown_deadline),
            ("log_format", *log_format != started.log_format),
            ("agent", *agent != started.agent),
            ("ofrep", *ofrep != started.ofrep),
        ];
        let changed = |needs_restart: bool| {
            move |(name, is_other): (&'static str, bool)| {
                is_other.then_some(Change { name, needs_restart })
            }
        };
        let now = now.into_iter().filter_map(changed(false));
        now.chain(later.into_iter().filter_map(changed(true))).collect()
    }

    /// These, as far as they can change while the daemon runs; the rest as it was started.
    pub(crate) fn with_what_needs_a_restart_of(self, started: &Self) -> Self {
        let mut settings = started.clone();
        let cors = settings.access.cors.take();
        settings.access = self.access;
        settings.access.cors = cors;
        settings.log = self.log;
        settings.tracking = self.tracking;
        settings
    }
}
