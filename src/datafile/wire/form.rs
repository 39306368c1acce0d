//! The datafile's wire form: what its JSON says, element by element, nothing resolved.
//!
//! Must not know the compiled form. Elements that cannot be read are not here: they are findings.

use std::borrow::Cow;

use super::node::Node;
use crate::datafile::place::Place;

/// A text of the datafile.
pub(in crate::datafile) type Text<'a> = Cow<'a, str>;

/// A text that names something elsewhere, and where it stands.
#[derive(Debug)]
pub(in crate::datafile) struct Reference<'a> {
    pub(in crate::datafile) name: Text<'a>,
    pub(in crate::datafile) place: Place,
}

#[derive(Debug)]
pub(in crate::datafile) struct WireDatafile<'a> {
    pub(in crate::datafile) version: Text<'a>,
    pub(in crate::datafile) account_id: Text<'a>,
    pub(in crate::datafile) project_id: Text<'a>,
    pub(in crate::datafile) revision: Text<'a>,
    pub(in crate::datafile) sdk_key: Option<Text<'a>>,
    pub(in crate::datafile) environment_key: Option<Text<'a>>,
    pub(in crate::datafile) region: Option<Text<'a>>,
    pub(in crate::datafile) anonymizes_ip: bool,
    pub(in crate::datafile) bot_filtering: Option<bool>,
    pub(in crate::datafile) sends_flag_decisions: bool,
    pub(in crate::datafile) attributes: Vec<WireAttribute<'a>>,
    pub(in crate::datafile) audiences: Vec<WireAudience<'a>>,
    pub(in crate::datafile) typed_audiences: Vec<WireAudience<'a>>,
    pub(in crate::datafile) experiments: Vec<WireRule<'a>>,
    pub(in crate::datafile) groups: Vec<WireGroup<'a>>,
    pub(in crate::datafile) rollouts: Vec<WireRollout<'a>>,
    pub(in crate::datafile) holdouts: Vec<WireRule<'a>>,
    pub(in crate::datafile) local_holdouts: Vec<WireRule<'a>>,
    pub(in crate::datafile) flags: Vec<WireFlag<'a>>,
    /// The ids of live variables, which came before flags: values for them are no fault.
    pub(in crate::datafile) legacy_variable_ids: Vec<Text<'a>>,
    pub(in crate::datafile) events: Vec<WireEvent<'a>>,
    pub(in crate::datafile) integrations: Vec<WireIntegration<'a>>,
}

#[derive(Debug)]
pub(in crate::datafile) struct WireAttribute<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) id: Text<'a>,
    pub(in crate::datafile) key: Text<'a>,
}

#[derive(Debug)]
pub(in crate::datafile) struct WireAudience<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) id: Text<'a>,
    pub(in crate::datafile) name: Text<'a>,
    pub(in crate::datafile) conditions: Option<Node<'a>>,
}

/// An experiment, a rollout rule or a holdout.
#[derive(Debug)]
pub(in crate::datafile) struct WireRule<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) id: Text<'a>,
    pub(in crate::datafile) key: Text<'a>,
    pub(in crate::datafile) layer_id: Option<Text<'a>>,
    pub(in crate::datafile) status: Text<'a>,
    pub(in crate::datafile) type_name: Option<Text<'a>>,
    pub(in crate::datafile) audience_ids: Option<Node<'a>>,
    pub(in crate::datafile) audience_conditions: Option<Node<'a>>,
    pub(in crate::datafile) variations: Vec<WireVariation<'a>>,
    pub(in crate::datafile) allocation: Vec<WireRange<'a>>,
    /// User id to variation key.
    pub(in crate::datafile) whitelist: Vec<(Text<'a>, Reference<'a>)>,
    pub(in crate::datafile) bandit: Option<WireBandit<'a>>,
    /// Of a local holdout: the ids of rules.
    pub(in crate::datafile) included_rules: Option<Vec<Reference<'a>>>,
    pub(in crate::datafile) excludes_targeted_deliveries: bool,
}

impl<'a> WireRule<'a> {
    /// What says whom it is for: its conditions, or else its ids.
    pub(in crate::datafile) fn audience_node(&self) -> Option<&Node<'a>> {
        self.audience_conditions.as_ref().or(self.audience_ids.as_ref())
    }
}

#[derive(Debug, Clone)]
pub(in crate::datafile) struct WireVariation<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) id: Text<'a>,
    pub(in crate::datafile) key: Text<'a>,
    pub(in crate::datafile) is_feature_enabled: bool,
    /// Whether it is on by `true`, and by nothing else that stands for it.
    pub(in crate::datafile) says_true: bool,
    /// `None` where the datafile says nothing of variables.
    pub(in crate::datafile) values: Option<Vec<WireValue<'a>>>,
}

#[derive(Debug, Clone)]
pub(in crate::datafile) struct WireValue<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) variable_id: Text<'a>,
    pub(in crate::datafile) written: Written<'a>,
}

/// A variable's value as it is written.
#[derive(Debug, Clone)]
pub(in crate::datafile) struct Written<'a> {
    pub(in crate::datafile) text: Text<'a>,
    /// Whether it is a JSON number, and should be a string.
    pub(in crate::datafile) is_number: bool,
}

#[derive(Debug)]
pub(in crate::datafile) struct WireRange<'a> {
    pub(in crate::datafile) place: Place,
    /// `None` where there is none on purpose: absent, null or empty.
    pub(in crate::datafile) entity_id: Option<Text<'a>>,
    pub(in crate::datafile) end: u16,
}

/// The contextual bandit of a rule.
#[derive(Debug)]
pub(in crate::datafile) struct WireBandit<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) attribute_ids: Vec<Reference<'a>>,
    pub(in crate::datafile) end: u16,
}

#[derive(Debug)]
pub(in crate::datafile) struct WireGroup<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) id: Text<'a>,
    pub(in crate::datafile) is_exclusive: bool,
    pub(in crate::datafile) allocation: Vec<WireRange<'a>>,
    pub(in crate::datafile) experiments: Vec<WireRule<'a>>,
}

#[derive(Debug)]
pub(in crate::datafile) struct WireRollout<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) id: Text<'a>,
    pub(in crate::datafile) rules: Vec<WireRule<'a>>,
}

#[derive(Debug)]
pub(in crate::datafile) struct WireFlag<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) id: Text<'a>,
    pub(in crate::datafile) key: Text<'a>,
    pub(in crate::datafile) experiment_ids: Vec<Reference<'a>>,
    pub(in crate::datafile) rollout_id: Option<Reference<'a>>,
    pub(in crate::datafile) variables: Vec<WireVariable<'a>>,
}

#[derive(Debug)]
pub(in crate::datafile) struct WireVariable<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) id: Text<'a>,
    pub(in crate::datafile) key: Text<'a>,
    pub(in crate::datafile) type_name: Text<'a>,
    pub(in crate::datafile) sub_type: Option<Text<'a>>,
    pub(in crate::datafile) default: Option<Written<'a>>,
}

#[derive(Debug)]
pub(in crate::datafile) struct WireEvent<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) id: Text<'a>,
    pub(in crate::datafile) key: Text<'a>,
    pub(in crate::datafile) experiment_ids: Vec<Reference<'a>>,
}

#[derive(Debug)]
pub(in crate::datafile) struct WireIntegration<'a> {
    pub(in crate::datafile) place: Place,
    pub(in crate::datafile) key: Text<'a>,
    pub(in crate::datafile) host: Option<Text<'a>>,
    pub(in crate::datafile) public_key: Option<Text<'a>>,
}
