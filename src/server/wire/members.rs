//! Bodies of Agent's calls, read member by member, by one rule after Agent's: of a name given twice the last
//! counts, and a name may be in letters of another case where there is none that is written as it should be, unless
//! the member is an extension.
//! It differs from Agent in what nobody sends on purpose. Of a body with both spellings Agent takes the one that comes
//! last; here nothing that is nearly a name replaces it. And Agent's are read by Go's `json.Unmarshal` (in its
//! pkg/handlers/utils.go), which, as the documentation of encoding/json says, puts the entries of an object into a map
//! that is there already, and sets a map to nil by null: of two `userAttributes` or `eventTags` the entries of both
//! would count, and none where the last is null.
//!
//! Must not know which bodies there are. What is null is as if it were not there.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// No body has more members that are read.
const MOST: usize = 8;

/// What is read member by member; see [`members`].
pub(in crate::server) trait Members: Default {
    /// The names that are read.
    const NAMES: &'static [&'static str];
    /// Those of them that Agent does not know: only as they are written, since what is nearly one is told as a slip.
    const OWN: &'static [&'static str] = &[];

    /// Takes the value of a member by its name as it is among [`Members::NAMES`], and says whether there is one.
    fn take<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        members: &mut A,
    ) -> Result<bool, A::Error>;

    /// Is told of a name that nobody reads.
    fn pass(&mut self, name: &str) {
        let _ = name;
    }
}

/// Says which field is which member. All of them are options, since any may be missing. `pass` names a method that
/// is told of the names of others.
macro_rules! members {
    ($body:ty { $($name:literal => $field:ident),+ $(,)? } $(own [$($own:literal),+])? $(pass $pass:ident)?) => {
        impl $crate::server::wire::members::Members for $body {
            const NAMES: &'static [&'static str] = &[$($name),+];
            $(const OWN: &'static [&'static str] = &[$($own),+];)?

            fn take<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &'static str,
                members: &mut A,
            ) -> Result<bool, A::Error> {
                match name {
                    $($name => $crate::server::wire::members::take(&mut self.$field, members),)+
                    _ => members.next_value::<serde::de::IgnoredAny>().map(|_| false),
                }
            }

            $(fn pass(&mut self, name: &str) {
                self.$pass(name);
            })?
        }

        impl<'de> serde::de::Deserialize<'de> for $body {
            fn deserialize<D: serde::de::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::server::wire::members::read(from)
            }
        }
    };
}

pub(in crate::server) use members;

/// Takes a member's value, if it is not null; for [`members`].
pub(in crate::server) fn take<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    field: &mut Option<T>,
    members: &mut A,
) -> Result<bool, A::Error> {
    let given = members.next_value::<Option<T>>()?;
    let is_there = given.is_some();
    if is_there {
        *field = given;
    }
    Ok(is_there)
}

/// Reads a body; for [`members`].
pub(in crate::server) fn read<'de, B: Members, D: Deserializer<'de>>(
    from: D,
) -> Result<B, D::Error> {
    const { assert!(B::NAMES.len() <= MOST) }
    from.deserialize_map(Reading(PhantomData))
}

struct Reading<B>(PhantomData<B>);

impl<'de, B: Members> Visitor<'de> for Reading<B> {
    type Value = B;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<B, A::Error> {
        let mut body = B::default();
        // Which members were there with their names as they should be.
        let mut seen = [false; MOST];
        while let Some(named) = members.next_key_seed(Naming(&mut body))? {
            let Some(Named { place, name, is_exact }) = named else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            match seen.get_mut(place) {
                Some(true) if !is_exact => drop(members.next_value::<IgnoredAny>()?),
                Some(seen) => *seen |= body.take(name, &mut members)? && is_exact,
                None => drop(body.take(name, &mut members)?),
            }
        }
        Ok(body)
    }
}

/// A name that is read.
struct Named {
    place: usize,
    name: &'static str,
    /// Whether it is written as it should be.
    is_exact: bool,
}

impl Named {
    fn of<B: Members>(given: &str) -> Option<Self> {
        let mut all = B::NAMES.iter().enumerate();
        if let Some((place, name)) = all.find(|(_, name)| **name == given) {
            return Some(Self { place, name, is_exact: true });
        }
        let mut all = B::NAMES.iter().enumerate().filter(|(_, name)| !B::OWN.contains(name));
        let (place, name) = all.find(|(_, name)| name.eq_ignore_ascii_case(given))?;
        Some(Self { place, name, is_exact: false })
    }
}

/// Reads a name, without a copy of it.
struct Naming<'b, B>(&'b mut B);

impl<'de, B: Members> DeserializeSeed<'de> for Naming<'_, B> {
    type Value = Option<Named>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<Named>, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl<B: Members> Visitor<'_> for Naming<'_, B> {
    type Value = Option<Named>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_str<E>(self, given: &str) -> Result<Option<Named>, E> {
        let named = Named::of::<B>(given);
        if named.is_none() {
            self.0.pass(given);
        }
        Ok(named)
    }
}

#[cfg(test)]
mod tests {
    //! Which of the members that may be meant counts.

    #[derive(Debug, Default)]
    struct Body {
        one: Option<u8>,
        other: Option<u8>,
        passed: Vec<String>,
    }

    members!(Body { "oneThing" => one, "other" => other } own ["other"] pass note);

    impl Body {
        fn note(&mut self, name: &str) {
            self.passed.push(name.to_owned());
        }
    }

    #[test]
    fn the_last_one_and_rather_one_with_its_own_letters() {
        let check = |text: &str, expect: Option<(Option<u8>, &[&str])>| {
            let read = serde_json::from_str::<Body>(text).ok();
            let read = read.map(|body| (body.one, body.passed.join(" ")));
            assert_eq!(read, expect.map(|(one, passed)| (one, passed.join(" "))), "{text}");
        };
        check("{}", Some((None, &[])));
        check(r#"{"oneThing":1,"other":5}"#, Some((Some(1), &[])));
        check(r#"{"oneThing":1,"oneThing":2}"#, Some((Some(2), &[])));
        check(r#"{"onething":1,"ONETHING":2}"#, Some((Some(2), &[])));
        check(r#"{"oneThing":1,"onething":2}"#, Some((Some(1), &[])));
        check(r#"{"onething":2,"oneThing":1}"#, Some((Some(1), &[])));
        check(r#"{"onething":2,"oneThing":null}"#, Some((Some(2), &[])));
        check(r#"{"oneThing":2,"oneThing":null}"#, Some((Some(2), &[])));
        check(r#"{"oneThing":1,"onething":[]}"#, Some((Some(1), &[])));
        check(r#"{"one\u0054hing":1,"one_thing":[],"":0}"#, Some((Some(1), &["one_thing", ""])));
        check(r#"{"onething":[]}"#, None);
        check(r#"{"oneThing":[],"oneThing":1}"#, None);
        check("[1,2]", None);
        check("null", None);
        check(r#"{"OTHER":[],"oneThing":1}"#, Some((Some(1), &["OTHER"])));
        let both = serde_json::from_str::<Body>(r#"{"other":5,"ONETHING":1}"#).unwrap_or_default();
        assert_eq!((both.one, both.other), (Some(1), Some(5)));
    }
}
