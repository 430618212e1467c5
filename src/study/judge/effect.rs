//! The one number a test is about, for specification curves and the family's p.

/// A headline number with its interval and what it would be if nothing went on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Effect {
    pub value: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub p: Option<f64>,
    /// Units behind it.
    pub n: u64,
    pub null: f64,
    /// In words, e.g. `mean log ratio over models`.
    pub what: String,
}
