//! The faults and oddities on which the official SDKs decide differently. A datafile gets at most one of them, so that
//! any disagreement in its decisions has a known cause and a known right answer.
//! Must not know how a quirk is put into a datafile.

/// Whose answer is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Python,
    JavaScript,
    /// The design names neither; ours must be one of the two.
    Either,
}

/// One way in which a datafile, or the calls on it, make the SDKs decide differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quirk {
    /// Nothing: the SDKs decide alike.
    #[default]
    None,
    /// A numeric part of a version meets a textual one, or a version ends in a bare separator.
    MixedVersions,
    /// An empty list within a condition tree.
    EmptyConditionList,
    /// An audience's condition list that starts with a word that is no operator.
    UnknownOperator,
    /// A condition list that starts with a condition or a list instead of an operator.
    ImplicitOrOfConditions,
    /// `"match": null`.
    NullMatch,
    /// A condition whose value is a JSON object.
    ObjectConditionValue,
    /// `qualified` conditions on custom attributes, other matches on third-party dimensions.
    MispairedConditionType,
    /// A `qualified` condition whose value is no string.
    QualifiedByNonString,
    /// Whole numbers that a double cannot hold.
    BeyondExactNumbers,
    /// Holdouts with `excludeTargetedDeliveries`.
    ExcludeTargetedDeliveries,
    /// Holdout variations that are switched on and carry variables.
    EnabledHoldout,
    /// The attribute that lays stored decisions over the profile.
    BucketMapAttribute,
    /// A traffic range that names a variation of another experiment.
    ForeignVariation,
    /// A new datafile without a variation that users were given before.
    WithdrawnVariation,
    /// Variations of one flag with the same key and different ids.
    SameVariationKey,
    /// Ids and keys that are small whole numbers, which JavaScript objects list first.
    IntegerLikeNames,
    /// Two experiments, rules or flags with the same key or id.
    DuplicateNames,
    /// An experiment whose key is a space.
    BlankKey,
    /// Forced variations of the user whose id is empty are cleared.
    EmptyUserForced,
    /// A region in small letters.
    RegionInSmallLetters,
    /// Fields that only one SDK needs are absent.
    MissingFields,
    /// A flag that names a missing rollout.
    DanglingRollout,
    /// A flag that names a missing experiment: both SDKs refuse the datafile, Variate skips the reference.
    DanglingExperiment,
    /// A version that nobody supports: all refuse the datafile.
    UnsupportedVersion,
}

impl Quirk {
    /// The quirk of that name.
    pub(super) fn of_name(name: &str) -> Option<Quirk> {
        let all = std::iter::once(&Quirk::None).chain(Self::ALL);
        all.copied().find(|quirk| format!("{quirk:?}") == name)
    }

    /// Every quirk but `None`.
    pub(super) const ALL: &'static [Quirk] = &[
        Quirk::MixedVersions,
        Quirk::EmptyConditionList,
        Quirk::UnknownOperator,
        Quirk::ImplicitOrOfConditions,
        Quirk::NullMatch,
        Quirk::ObjectConditionValue,
        Quirk::MispairedConditionType,
        Quirk::QualifiedByNonString,
        Quirk::BeyondExactNumbers,
        Quirk::ExcludeTargetedDeliveries,
        Quirk::EnabledHoldout,
        Quirk::BucketMapAttribute,
        Quirk::ForeignVariation,
        Quirk::WithdrawnVariation,
        Quirk::SameVariationKey,
        Quirk::IntegerLikeNames,
        Quirk::DuplicateNames,
        Quirk::BlankKey,
        Quirk::EmptyUserForced,
        Quirk::RegionInSmallLetters,
        Quirk::MissingFields,
        Quirk::DanglingRollout,
        Quirk::DanglingExperiment,
        Quirk::UnsupportedVersion,
    ];

    /// Whose answer is ours where the quirk makes the SDKs disagree; `None` when it cannot.
    pub(super) fn ours(self) -> Option<Side> {
        match self {
            Quirk::None | Quirk::DanglingExperiment | Quirk::UnsupportedVersion => None,
            Quirk::MixedVersions
            | Quirk::EmptyConditionList
            | Quirk::UnknownOperator
            | Quirk::ObjectConditionValue
            | Quirk::EnabledHoldout
            | Quirk::BlankKey
            | Quirk::MissingFields
            | Quirk::DanglingRollout => Some(Side::JavaScript),
            Quirk::ImplicitOrOfConditions
            | Quirk::NullMatch
            | Quirk::QualifiedByNonString
            | Quirk::BeyondExactNumbers
            | Quirk::ExcludeTargetedDeliveries
            | Quirk::BucketMapAttribute
            | Quirk::ForeignVariation
            | Quirk::WithdrawnVariation
            | Quirk::IntegerLikeNames
            | Quirk::MispairedConditionType
            | Quirk::SameVariationKey
            | Quirk::RegionInSmallLetters
            | Quirk::EmptyUserForced => Some(Side::Python),
            Quirk::DuplicateNames => Some(Side::Either),
        }
    }
}
