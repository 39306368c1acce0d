//! Trees, rules and users, drawn from bytes.
//!
//! Must not know what they answer.

use arbitrary::{Arbitrary as _, Result, Unstructured};
use serde_json::{Value, json};
use variate::targeting::Attribute;
use variate::value::AttributeValue;

use super::leaf::{ATTRIBUTES, Leaf, SEGMENTS, Scalar};

pub(super) const EXPERIMENT_ID: &str = "10";
pub(super) const EXPERIMENT_KEY: &str = "experiment";

/// Levels at which drawing stops; [`Tree::Deep`] goes beyond what the crate reads.
const MOST_LEVELS: usize = 8;
const MOST_PARTS: usize = 5;
const MOST_AUDIENCES: usize = 4;

/// Everything of one input.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) audiences: Vec<DrawnAudience>,
    pub(super) rule: Rule,
    pub(super) user: DrawnUser,
}

#[derive(Debug)]
pub(super) struct DrawnAudience {
    pub(super) is_typed: bool,
    pub(super) tree: Tree<Leaf>,
}

/// A tree as a datafile may write it.
#[derive(Debug)]
pub(super) enum Tree<L> {
    /// A list; `None` is a list without an operator.
    List(Option<Operator>, Vec<Tree<L>>),
    /// That many lists of one part around a tree.
    Deep(Operator, usize, Box<Tree<L>>),
    Leaf(L),
    /// What can be no part of a tree.
    Odd(Value),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Operator {
    And,
    Or,
    Not,
}

/// A leaf and its JSON.
pub(super) trait Drawn: Sized {
    fn draw(input: &mut Unstructured<'_>) -> Result<Self>;
    fn to_json(&self) -> Value;
}

/// What an experiment says of its audiences.
#[derive(Debug)]
pub(super) enum Rule {
    Ids(Vec<AudienceName>),
    Conditions(Tree<AudienceName>),
}

/// The place of an audience, or one beyond: a name that leads nowhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct AudienceName(pub(super) usize);

#[derive(Debug)]
pub(super) struct DrawnUser {
    attributes: Vec<(&'static str, Option<Scalar>)>,
    segments: Option<Vec<&'static str>>,
}

pub(super) fn audience_id(place: usize) -> String {
    format!("a{place}")
}

impl Case {
    pub(super) fn draw(input: &mut Unstructured<'_>) -> Result<Self> {
        let count = input.int_in_range(1..=MOST_AUDIENCES)?;
        let mut audiences = Vec::new();
        let user = DrawnUser::draw(input)?;
        let rule = Rule::draw(input)?;
        for _ in 0..count {
            let is_typed = bool::arbitrary(input)?;
            audiences.push(DrawnAudience { is_typed, tree: Tree::draw(input, MOST_LEVELS)? });
        }
        Ok(Self { audiences, rule, user })
    }
}

impl<L: Drawn> Tree<L> {
    fn draw(input: &mut Unstructured<'_>, levels_left: usize) -> Result<Self> {
        let kind = if levels_left == 0 { 9 } else { input.int_in_range(0..=12_u8)? };
        Ok(match kind {
            0..=2 => Self::List(Some(Operator::And), Self::parts(input, levels_left)?),
            3..=5 => Self::List(Some(Operator::Or), Self::parts(input, levels_left)?),
            6 => Self::List(None, Self::parts(input, levels_left)?),
            7 => Self::List(Some(Operator::Not), Self::parts(input, levels_left)?),
            8 => Self::List(Some(Operator::Not), vec![Self::draw(input, levels_left - 1)?]),
            12 if input.ratio(1, 4)? => {
                let operator = *input.choose(&[Operator::And, Operator::Or, Operator::Not])?;
                let depth = input.int_in_range(1..=135)?;
                Self::Deep(operator, depth, Box::new(Self::draw(input, levels_left.min(2) - 1)?))
            }
            11 => Self::Odd(input.choose(&ODD)?.to_value()),
            _ => Self::Leaf(L::draw(input)?),
        })
    }

    fn parts(input: &mut Unstructured<'_>, levels_left: usize) -> Result<Vec<Self>> {
        let count = input.int_in_range(0..=MOST_PARTS)?;
        (0..count).map(|_| Self::draw(input, levels_left - 1)).collect()
    }

    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::List(operator, parts) => {
                let name = operator.map(|operator| json!(operator.name()));
                name.into_iter().chain(parts.iter().map(Self::to_json)).collect()
            }
            Self::Deep(operator, depth, inner) => {
                let around = |inner, _| Value::Array(vec![json!(operator.name()), inner]);
                (0..*depth).fold(inner.to_json(), around)
            }
            Self::Leaf(leaf) => leaf.to_json(),
            Self::Odd(value) => value.clone(),
        }
    }
}

impl Operator {
    fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
        }
    }
}

/// What is neither a list nor a leaf, whatever the leaves are.
#[derive(Debug, Clone, Copy)]
enum Odd {
    Null,
    Number,
    Boolean,
}

const ODD: [Odd; 3] = [Odd::Null, Odd::Number, Odd::Boolean];

impl Odd {
    fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Number => json!(1.5),
            Self::Boolean => json!(true),
        }
    }
}

impl Drawn for AudienceName {
    fn draw(input: &mut Unstructured<'_>) -> Result<Self> {
        input.int_in_range(0..=MOST_AUDIENCES).map(Self)
    }

    fn to_json(&self) -> Value {
        json!(audience_id(self.0))
    }
}

impl Rule {
    fn draw(input: &mut Unstructured<'_>) -> Result<Self> {
        if input.ratio(1, 4)? {
            let count = input.int_in_range(0..=3)?;
            let names = (0..count).map(|_| AudienceName::draw(input));
            return names.collect::<Result<_>>().map(Self::Ids);
        }
        Tree::draw(input, 4).map(|tree| match tree {
            // Null is a field left out, which is another case.
            Tree::Odd(Value::Null) => Self::Ids(Vec::new()),
            tree => Self::Conditions(tree),
        })
    }

    pub(super) fn ids(&self) -> Vec<String> {
        match self {
            Self::Ids(names) => names.iter().map(|name| audience_id(name.0)).collect(),
            Self::Conditions(_) => Vec::new(),
        }
    }

    pub(super) fn conditions_json(&self) -> Option<Value> {
        match self {
            Self::Ids(_) => None,
            Self::Conditions(tree) => Some(tree.to_json()),
        }
    }
}

impl DrawnUser {
    fn draw(input: &mut Unstructured<'_>) -> Result<Self> {
        let count = input.int_in_range(0..=5)?;
        let mut attributes = Vec::new();
        for _ in 0..count {
            let value = if input.ratio(1, 12)? { None } else { Some(Scalar::draw(input)?) };
            attributes.push((*input.choose(&ATTRIBUTES)?, value));
        }
        let segments = match input.int_in_range(0..=3)? {
            0 => None,
            count => {
                Some((1..count).map(|_| input.choose(&SEGMENTS).copied()).collect::<Result<_>>()?)
            }
        };
        Ok(Self { attributes, segments })
    }

    /// The attributes; what was drawn as nothing is a list, which conditions cannot use.
    pub(super) fn attributes(&self) -> Vec<Attribute<'_>> {
        self.attributes
            .iter()
            .map(|(key, scalar)| Attribute::new(key, value_of(scalar.as_ref())))
            .collect()
    }

    pub(super) fn segments(&self) -> Option<Vec<&str>> {
        self.segments.clone()
    }
}

fn value_of(scalar: Option<&Scalar>) -> AttributeValue<'_> {
    match scalar {
        None => AttributeValue::Other,
        Some(Scalar::Null) => AttributeValue::Null,
        Some(Scalar::Boolean(flag)) => AttributeValue::Boolean(*flag),
        Some(Scalar::Whole(number)) => AttributeValue::Integer(*number),
        Some(Scalar::Double(number)) => AttributeValue::Double(*number),
        Some(Scalar::Text(text)) => AttributeValue::String(text),
    }
}
