//! Rule: an audience has somebody in it and somebody outside, and so has what a rule makes of audiences.
//!
//! The same of each part of an `or` that nobody meets and each part of an `and` that everybody meets,
//! outside a `not`. Where a part that compiling reported is involved, it is taken to be mendable. No
//! fault: the filler audience, and conditions on a single audience, which are the audience's own.
//!
//! Must not know how it is found out that nobody meets something.

use super::context::Context;
use super::logic::{Formula, Shape, Solver, Wanted};
use crate::datafile::findings::{Findings, quoted, shortened};
use crate::datafile::model::{Audiences, FILLER_AUDIENCE_ID, RuleKind};

/// Of more parts than this, those that exclude each other are not sought.
const MOST_PARTS_TOLD: usize = 12;

pub(super) fn lint(context: &mut Context<'_>, findings: &mut Findings) {
    let mut is_reported = Vec::with_capacity(context.audiences.len());
    for (formula, (_, audience)) in context.formulas.iter().zip(&context.audiences) {
        let is_filler = *audience.id == *FILLER_AUDIENCE_ID;
        let mut lint = Lint { solver: &mut context.solver, findings, subject: AUDIENCE };
        is_reported.push(!is_filler && lint.whole(formula));
    }
    for (wire, rule) in &context.rules {
        let is_asked = rule.kind == RuleKind::Rollout || rule.is_running;
        if !is_asked || !matches!(rule.audiences, Audiences::Tree(..)) {
            continue;
        }
        let formula = context.formula_of_rule(wire, rule, |index| {
            match is_reported.get(index.place() as usize) {
                Some(true) => Shape::Free,
                _ => context.shape_of_audience(index),
            }
        });
        Lint { solver: &mut context.solver, findings, subject: RULE }.whole(&formula);
    }
}

/// What is said of a whole and of its parts.
struct Subject {
    nobody: &'static str,
    everybody: &'static str,
}

const AUDIENCE: Subject = Subject {
    nobody: "nobody is ever in the audience",
    everybody: "everybody is in the audience, whatever the attributes",
};

const RULE: Subject = Subject {
    nobody: "nobody meets the rule's audiences",
    everybody: "everybody meets the rule's audiences, whatever the attributes",
};

const PART: Subject = Subject {
    nobody: "nobody ever meets this part",
    everybody: "everybody meets this part, so it asks nothing",
};

struct Lint<'a, 'b> {
    solver: &'a mut Solver<'b>,
    findings: &'a mut Findings,
    subject: Subject,
}

impl Lint<'_, '_> {
    /// Reports on a whole tree, or else on its parts; tells whether it was the whole.
    fn whole(&mut self, formula: &Formula) -> bool {
        if self.report(formula, true, true) {
            return true;
        }
        self.subject = PART;
        self.parts(formula);
        false
    }

    /// Reports the parts of an `or` that nobody meets and those of an `and` that everybody meets.
    fn parts(&mut self, formula: &Formula) {
        let (parts, is_or) = match &formula.shape {
            Shape::Or(parts) => (parts, true),
            Shape::And(parts) => (parts, false),
            _ => return,
        };
        for part in parts {
            if !self.report(part, is_or, !is_or) {
                self.parts(part);
            }
        }
    }

    fn report(&mut self, formula: &Formula, look_for_nobody: bool, look_for_all: bool) -> bool {
        if self.solver.is_plain(formula) {
            return false;
        }
        if look_for_nobody && self.solver.is_impossible(&[Wanted::True(formula)]) {
            let culprit = self.culprit(formula);
            let (nobody, why) = (self.subject.nobody, self.why_nobody(culprit));
            let remedy = "mend the conditions, or take them out";
            let message = || format!("{why}: {nobody}");
            self.findings.warning("never-true", &culprit.place, message, remedy);
            return true;
        }
        if look_for_all && self.solver.is_impossible(&[Wanted::NotTrue(formula)]) {
            let remedy = "mend the conditions, or take them out if everybody is meant";
            self.findings.warning("always-true", &formula.place, self.subject.everybody, remedy);
            return true;
        }
        false
    }

    /// The smallest part that alone makes the whole impossible.
    fn culprit<'c>(&mut self, formula: &'c Formula) -> &'c Formula {
        let mut culprit = formula;
        loop {
            let part = match &culprit.shape {
                Shape::And(parts) => {
                    parts.iter().find(|part| self.solver.is_impossible(&[Wanted::True(part)]))
                }
                Shape::Or(parts) => parts.first().filter(|_| parts.len() == 1),
                _ => None,
            };
            match part {
                Some(part) => culprit = part,
                None => return culprit,
            }
        }
    }

    fn why_nobody(&mut self, formula: &Formula) -> String {
        let parts = match &formula.shape {
            Shape::And(parts) if parts.len() <= MOST_PARTS_TOLD => self.core(parts),
            Shape::Or(parts) if parts.is_empty() => {
                return "this is an \"or\" of nothing".to_owned();
            }
            Shape::Leaf(_) => return format!("no value meets {}", self.label(formula)),
            _ => return "no attributes meet this".to_owned(),
        };
        let labels: Vec<_> = parts.iter().map(|part| self.label(part)).collect();
        match labels.split_last() {
            Some((last, others)) if !others.is_empty() => {
                format!("{} and {last} exclude each other", others.join(", "))
            }
            _ => "no attributes meet this".to_owned(),
        }
    }

    /// As few of the parts as cannot all be true together.
    fn core<'c>(&mut self, parts: &'c [Formula]) -> Vec<&'c Formula> {
        let mut core: Vec<_> = parts.iter().collect();
        for part in parts {
            let without: Vec<_> =
                core.iter().copied().filter(|one| !std::ptr::eq(*one, part)).collect();
            let wanted: Vec<_> = without.iter().map(|one| Wanted::True(one)).collect();
            if self.solver.is_impossible(&wanted) {
                core = without;
            }
        }
        core
    }

    fn label(&self, formula: &Formula) -> String {
        match &formula.shape {
            Shape::Leaf(index) => match self.solver.condition(*index) {
                Some(condition) => {
                    shortened(&format!("`{} {}`", &*condition.attribute, condition.test))
                }
                None => "a condition".to_owned(),
            },
            Shape::Audience(name, _) => format!("the audience {}", quoted(name)),
            Shape::Not(part) => format!("not {}", self.label(part)),
            Shape::And(parts) | Shape::Or(parts) if parts.len() == 1 => {
                parts.first().map_or_else(String::new, |part| self.label(part))
            }
            _ => formula.place.to_string(),
        }
    }
}
