//! The one number a test is about, for specification curves and the family's p.

use super::digits::digits;

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
    /// In words, e.g. `mean log ratio over lineages`.
    pub what: String,
    /// The null hypothesis that p is of, in words, where it is not that the effect has the value `null`.
    pub hypothesis: Option<String>,
}

impl Effect {
    /// The null hypothesis in words, e.g. `mean log ratio over lineages is 0`.
    pub(crate) fn null_in_words(&self) -> String {
        self.hypothesis.clone().unwrap_or_else(|| format!("{} is {}", self.what, digits(self.null)))
    }
}
