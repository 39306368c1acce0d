//! The shop's experiments and events, written once more for the model.
//!
//! Must not know the datafile.

use std::fmt;

/// An experiment or a holdout.
pub(super) struct Experiment {
    pub(super) id: &'static str,
    pub(super) key: &'static str,
    pub(super) flag: Option<&'static str>,
    pub(super) campaign: &'static str,
    pub(super) variations: &'static [(&'static str, &'static str)],
    /// The events that count for it; of what does not run, none.
    pub(super) events: &'static [&'static str],
}

/// A history is long enough without all of it.
impl fmt::Debug for Experiment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.key)
    }
}

/// Ids and keys.
pub(super) const EVENTS: [(&str, &str); 6] = [
    ("71001", "purchase"),
    ("71002", "add_to_cart"),
    ("71003", "signup"),
    ("71004", "watch_product_video"),
    ("71005", "newsletter_signup"),
    ("71006", "gift_wrap_chosen"),
];
/// The first is the one that Agent's interface activates.
pub(super) const EXPERIMENTS: [Experiment; 9] = [
    Experiment {
        id: "9300001201101",
        key: "checkout_button",
        flag: None,
        campaign: "9300000801101",
        variations: &[("1652301", "green"), ("1652302", "orange")],
        events: &["purchase", "add_to_cart"],
    },
    Experiment {
        id: "9300001201102",
        key: "free_shipping_banner",
        flag: None,
        campaign: "9300000801102",
        variations: &[
            ("1652311", "control"),
            ("1652312", "banner"),
            ("1652313", "banner_and_timer"),
        ],
        events: &["purchase"],
    },
    Experiment {
        id: "9300001201103",
        key: "onboarding_tour",
        flag: None,
        campaign: "9300000801103",
        variations: &[("1652321", "short"), ("1652322", "long")],
        events: &[],
    },
    Experiment {
        id: "9300001201104",
        key: "gift_wrap",
        flag: None,
        campaign: "9300000801104",
        variations: &[("1652331", "without"), ("1652332", "with")],
        events: &[],
    },
    Experiment {
        id: "9300001201105",
        key: "search_ranking",
        flag: Some("search"),
        campaign: "9300000801105",
        variations: &[("1652341", "by_popularity"), ("1652342", "by_margin"), ("1652343", "off")],
        events: &["purchase", "add_to_cart"],
    },
    Experiment {
        id: "9300001202101",
        key: "homepage_hero",
        flag: Some("homepage"),
        campaign: "9300000802101",
        variations: &[("1652401", "still"), ("1652402", "video")],
        events: &["purchase", "add_to_cart", "watch_product_video"],
    },
    Experiment {
        id: "9300001202102",
        key: "homepage_grid",
        flag: Some("homepage"),
        campaign: "9300000802102",
        variations: &[("1652411", "three_columns"), ("1652412", "four_columns")],
        events: &["purchase", "add_to_cart"],
    },
    Experiment {
        id: "9300001202201",
        key: "email_subject",
        flag: None,
        campaign: "9300000802201",
        variations: &[("1652421", "plain"), ("1652422", "with_name")],
        events: &["signup"],
    },
    Experiment {
        id: "173002",
        key: "holdout_2026",
        flag: None,
        campaign: "",
        variations: &[("1652902", "off")],
        events: &[
            "purchase",
            "add_to_cart",
            "signup",
            "watch_product_video",
            "newsletter_signup",
            "gift_wrap_chosen",
        ],
    },
];

/// The experiments and holdouts for which an event counts.
pub(super) fn tied(event: &str) -> impl Iterator<Item = &'static str> {
    let tied = EXPERIMENTS.iter().filter(move |experiment| experiment.events.contains(&event));
    tied.map(|experiment| experiment.id)
}
