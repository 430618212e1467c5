//! The one number a test is about, for specification curves and the family's p.

/// The headline number of a test with its interval.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Effect {
    /// The effect.
    pub value: f64,
    /// Lower end of the 1-alpha interval.
    pub low: Option<f64>,
    /// Upper end of the 1-alpha interval.
    pub high: Option<f64>,
    /// p of no effect.
    pub p: Option<f64>,
    /// Units behind it.
    pub n: u64,
    /// Value of the effect under the null hypothesis.
    pub null: f64,
    /// In words, e.g. `mean log ratio over models`.
    pub what: String,
}
