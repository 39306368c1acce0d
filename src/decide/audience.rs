//! Whether a user is in a rule's audiences.
//!
//! Must not know rules: it is given the audiences and a name for the trace.

use super::trace::{Seen, Step, Trace};
use super::user::User;
use crate::datafile::{AudienceIndex, Audiences, Datafile};
use crate::targeting::{Condition, Program, Test};

/// Whether the user is definitely in the audiences; everyone is in none.
#[inline(always)]
pub(super) fn is_in<T: Trace>(
    datafile: &Datafile,
    audiences: &Audiences,
    user: &User<'_>,
    trace: &mut T,
    name: impl FnOnce() -> String,
) -> bool {
    trace.open();
    let is_met = match audiences {
        Audiences::Everyone => true,
        Audiences::One(audience) => audience_is(datafile, *audience, true, user, trace),
        Audiences::Tree(_, program) => is_in_tree(datafile, program, user, trace),
    };
    trace.close(|| Step::Audiences {
        name: name(),
        is_everyone: matches!(audiences, Audiences::Everyone),
        is_met,
    });
    is_met
}

#[inline(never)]
fn is_in_tree<T: Trace>(
    datafile: &Datafile,
    program: &Program<AudienceIndex>,
    user: &User<'_>,
    trace: &mut T,
) -> bool {
    program.holds(|audience, wanted| audience_is(datafile, *audience, wanted, user, trace))
}

/// Whether an audience definitely has the value wanted of it. Not inlined: who is asked about no
/// audience should not pay for what this needs.
#[inline(never)]
fn audience_is<T: Trace>(
    datafile: &Datafile,
    audience: AudienceIndex,
    wanted: bool,
    user: &User<'_>,
    trace: &mut T,
) -> bool {
    let Some(audience) = datafile.audience(audience) else { return false };
    trace.open();
    let program = if wanted { &audience.when_true } else { &audience.when_false };
    let is_met = program.holds(|condition, wanted| {
        let outcome = condition.evaluate(user.attributes(), user.segments());
        trace.add(|| condition_step(condition, user, outcome));
        outcome == Some(wanted)
    });
    trace.close(|| Step::Audience {
        id: audience.id.to_string(),
        name: audience.name.to_string(),
        wanted,
        is_met,
    });
    is_met
}

fn condition_step(condition: &Condition, user: &User<'_>, outcome: Option<bool>) -> Step {
    let seen = if let Test::Qualified(_) = condition.test {
        Seen::Segments(
            user.segments()
                .map(|segments| segments.iter().map(|segment| (*segment).to_owned()).collect()),
        )
    } else {
        condition.value_seen(user.attributes()).copied().into()
    };
    Step::Condition {
        attribute: condition.attribute.to_string(),
        test: condition.test.to_string(),
        seen,
        outcome,
    }
}
