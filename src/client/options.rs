//! The options of a flag decision.
//!
//! Must not know deciding.

use std::ops::BitOr;

/// Options of a decide call; unite them with `|`.
///
/// A call's options are united with the client's default ones, as in the SDKs: there is no way to take
/// a default back for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecideOptions(u8);

impl DecideOptions {
    /// No option.
    pub const NONE: Self = Self(0);
    /// Record no impression: the decision is no activation.
    pub const DISABLE_DECISION_EVENT: Self = Self(1);
    /// Leave flags that are off out of the answer, where several are asked for.
    pub const ENABLED_FLAGS_ONLY: Self = Self(1 << 1);
    /// Neither read nor write the user's sticky profile.
    pub const IGNORE_USER_PROFILE_SERVICE: Self = Self(1 << 2);
    /// Say why.
    pub const INCLUDE_REASONS: Self = Self(1 << 3);
    /// Leave variables out of the answer.
    pub const EXCLUDE_VARIABLES: Self = Self(1 << 4);

    /// Keep the explanation with the decision.
    pub(crate) const EXPLAIN: Self = Self(1 << 5);

    /// Reads one of the SDKs' names, such as `INCLUDE_REASONS`; `None` if there is no such option.
    ///
    /// The options for the cache of contextual bandits are known and without effect: predictions come
    /// from the caller's function, which may keep a cache of its own.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "DISABLE_DECISION_EVENT" => Self::DISABLE_DECISION_EVENT,
            "ENABLED_FLAGS_ONLY" => Self::ENABLED_FLAGS_ONLY,
            "IGNORE_USER_PROFILE_SERVICE" => Self::IGNORE_USER_PROFILE_SERVICE,
            "INCLUDE_REASONS" => Self::INCLUDE_REASONS,
            "EXCLUDE_VARIABLES" => Self::EXCLUDE_VARIABLES,
            "IGNORE_CMAB_CACHE" | "RESET_CMAB_CACHE" | "INVALIDATE_USER_CMAB_CACHE" => Self::NONE,
            _ => return None,
        })
    }

    /// Whether how it is decided is to be told, in whatever form.
    pub(super) const fn tell_why(self) -> bool {
        self.0 & (Self::INCLUDE_REASONS.0 | Self::EXPLAIN.0) != 0
    }

    /// Whether all of some options are among these.
    #[must_use]
    pub const fn contains(self, options: Self) -> bool {
        self.0 & options.0 == options.0
    }
}

impl BitOr for DecideOptions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
