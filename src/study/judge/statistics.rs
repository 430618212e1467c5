//! The statistics of a kind of test, named once: `statistics!` makes the struct that the test fills and the list of names
//! that rules, templates and outputs use.
//!
//! A struct literal must name every field, so a kind of test that forgets a statistic or misspells one does not compile.

/// Declares `struct Statistics`, one `Option<f64>` per name (`None` where it cannot be computed), and the names as
/// `Kind::STATISTICS`, in this order and in kebab case: `share_inside` is `share-inside` in files. The struct is private
/// to the module of the kind, so a test can offer no statistics but its own.
macro_rules! statistics {
    ($kind:ident { $($name:ident,)* } $(effect { $($effect:ident: $null:expr,)+ } of { $($part:ident: $field:ident,)* })?) => {
        struct Statistics {
            $($name: Option<f64>,)*
        }

        impl $kind {
            /// Names of the statistics that rules may refer to, in the order of outputs.
            pub(crate) const STATISTICS: &'static [&'static str] =
                &[$($crate::judge::statistics::name!($name),)*];
        }

        impl $crate::judge::statistics::Headed for Statistics {
            fn headline(&self) -> Option<$crate::judge::statistics::Headline> {
                let found = None;
                $(
                    let parts = $crate::judge::statistics::Parts::default()$(.$part(self.$field))*;
                    let of = |value: Option<f64>, name, null| {
                        let value = $crate::judge::statistics::finite(value)?;
                        Some($crate::judge::statistics::Headline { name, null, value, parts })
                    };
                    $(let found = found.or_else(|| of(self.$effect, $crate::judge::statistics::name!($effect), $null));)+
                )?
                found
            }
        }

        impl From<Statistics> for Vec<$crate::judge::outcome::Statistic> {
            fn from(found: Statistics) -> Self {
                let values = [$(found.$name,)*];
                $kind::STATISTICS
                    .iter()
                    .zip(values)
                    .map(|(name, value)| $crate::judge::outcome::Statistic::new(name, value))
                    .collect()
            }
        }
    };
}
pub(crate) use statistics;

/// The name of a statistic by its field.
macro_rules! name {
    ($name:ident) => {{
        const NAME: &[u8; stringify!($name).len()] =
            &$crate::judge::statistics::kebab_case(stringify!($name));
        match std::str::from_utf8(NAME) {
            Ok(name) => name,
            Err(_) => panic!("an identifier is valid UTF-8"),
        }
    }};
}
pub(crate) use name;

/// Statistics of which one may be what the test is about.
pub(crate) trait Headed {
    /// The first of those declared as an effect that has a value.
    fn headline(&self) -> Option<Headline>;
}

/// A statistic that is an effect by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Headline {
    /// Its name.
    pub name: &'static str,
    /// What it is where there is no effect.
    pub null: Null,
    /// Its value.
    pub value: f64,
    /// Other statistics that belong to it.
    pub parts: Parts,
}

/// The statistics that belong to an effect.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Parts {
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// p of no effect.
    pub p: Option<f64>,
    /// How many units are behind it; the number of estimates where no statistic says so.
    pub units: Option<f64>,
}

impl Parts {
    pub(crate) fn low(self, low: Option<f64>) -> Parts {
        Parts { low: finite(low), ..self }
    }

    pub(crate) fn high(self, high: Option<f64>) -> Parts {
        Parts { high: finite(high), ..self }
    }

    pub(crate) fn p(self, p: Option<f64>) -> Parts {
        Parts { p: finite(p), ..self }
    }

    pub(crate) fn units(self, units: Option<f64>) -> Parts {
        Parts { units: finite(units), ..self }
    }
}

/// A value that exists.
pub(crate) fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// The value of an effect where there is none, and what the effect is called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Null {
    /// It is called by the unit of the estimates.
    InUnit(f64),
    /// It is called by its name.
    ByName(f64),
}

/// An identifier of `N` bytes with `-` for every `_`, as serde's `kebab-case` writes fields.
pub(crate) const fn kebab_case<const N: usize>(identifier: &str) -> [u8; N] {
    let (bytes, mut name, mut i) = (identifier.as_bytes(), [0; N], 0);
    while i < N {
        name[i] = if bytes[i] == b'_' { b'-' } else { bytes[i] };
        i += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use crate::judge::outcome::Statistic;

    use super::{Headed, Headline, Null, Parts};

    struct Example;

    statistics! {
        Example {
            share_inside,
            p,
            other,
        }
        effect { other: Null::InUnit(1.0), share_inside: Null::ByName(0.5), } of { p: p, }
    }

    #[test]
    fn names_are_those_of_the_fields_and_what_is_no_number_has_no_value() {
        assert_eq!(Example::STATISTICS, ["share-inside", "p", "other"]);
        let found: Vec<Statistic> =
            Statistics { share_inside: Some(0.5), p: Some(f64::NAN), other: None }.into();
        let expected = [("share-inside", Some(0.5)), ("p", None), ("other", None)];
        assert_eq!(found, expected.map(|(name, value)| Statistic::new(name, value)));
    }

    #[test]
    fn the_headline_is_the_first_declared_effect_that_has_a_value() {
        let found = |share_inside, other| Statistics { share_inside, p: Some(0.01), other }.headline();
        let parts = Parts { p: Some(0.01), ..Parts::default() };
        let expected = Headline { name: "share-inside", null: Null::ByName(0.5), value: 0.75, parts };
        assert_eq!(found(Some(0.75), Some(f64::NAN)), Some(expected));
        assert_eq!(found(Some(0.75), Some(2.0)).map(|headline| headline.value), Some(2.0));
        assert_eq!(found(None, None), None);
    }
}
