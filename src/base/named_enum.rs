//! Enums whose values have one name everywhere: in TOML, on the command line, in tables and in reports.

/// Declares an enum of named values. The crate that uses it depends on `serde`, `schemars` and `clap`.
#[macro_export]
macro_rules! named_enum {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema, clap::ValueEnum,
        )]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] #[value(name = $text)] $variant,)* }

        impl $name {
            /// Every value, in the order tables and reports use.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The name of the value.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.as_str()) }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::named_enum::UnknownWord;
            fn from_str(text: &str) -> Result<$name, $crate::named_enum::UnknownWord> {
                $name::ALL.iter().copied().find(|v| v.as_str() == text).ok_or_else(|| $crate::named_enum::UnknownWord {
                    what: $what, found: text.to_string(), known: $name::ALL.iter().map(|v| v.as_str()).collect(),
                })
            }
        }
    };
}

/// A word outside the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {found:?}; expected one of {}", known.join(", "))]
pub struct UnknownWord {
    /// What the words name, e.g. `metric`.
    pub what: &'static str,
    /// The word.
    pub found: String,
    /// The vocabulary.
    pub known: Vec<&'static str>,
}
