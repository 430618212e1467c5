//! The statistics of a kind of test, named once: `statistics!` makes the struct that the test fills and the list of names
//! that rules, templates and outputs use.
//!
//! A struct literal must name every field, so a kind of test that forgets a statistic or misspells one does not compile.

/// Declares `struct Statistics`, one `Option<f64>` per name (`None` where it cannot be computed), and the names as
/// `Kind::STATISTICS`, in this order and in kebab case: `share_inside` is `share-inside` in files. The struct is private
/// to the module of the kind, so a test can offer no statistics but its own.
macro_rules! statistics {
    ($kind:ident { $($name:ident,)* }) => {
        struct Statistics {
            $($name: Option<f64>,)*
        }

        impl $kind {
            /// Names of the statistics that rules may refer to, in the order of outputs.
            pub(crate) const STATISTICS: &'static [&'static str] = &[$({
                const NAME: &[u8; stringify!($name).len()] =
                    &$crate::judge::statistics::kebab_case(stringify!($name));
                match std::str::from_utf8(NAME) {
                    Ok(name) => name,
                    Err(_) => panic!("an identifier is valid UTF-8"),
                }
            },)*];
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

    struct Example;

    statistics! {
        Example {
            share_inside,
            p,
        }
    }

    #[test]
    fn names_are_those_of_the_fields_and_what_is_no_number_has_no_value() {
        assert_eq!(Example::STATISTICS, ["share-inside", "p"]);
        let found: Vec<Statistic> = Statistics { share_inside: Some(0.5), p: Some(f64::NAN) }.into();
        assert_eq!(found, [Statistic::new("share-inside", Some(0.5)), Statistic::new("p", None)]);
    }
}
