//! The one number a test is about, for specification curves and the family's p.

use super::bench::Tested;

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

/// Statistics that name an effect by themselves, first come first taken, with the value that means nothing goes on.
const NAMED: [(&str, f64); 10] = [
    ("rho", 0.0),
    ("difference", 0.0),
    ("pooled", 0.0),
    ("share", 0.5),
    ("ratio", 1.0),
    ("mean-ratio", 1.0),
    ("kappa", 0.0),
    ("partial-r2", 0.0),
    ("epsilon2", 0.0),
    ("effect", 0.0),
];

/// What the test names as its effect; else the first statistic that is one, with `low`, `high` and `p` beside it. Its
/// units are the statistic `units`, or `models`, or the estimates.
pub(super) fn headline(tested: &Tested) -> Option<Effect> {
    if let Some(effect) = &tested.effect {
        return Some(effect.clone());
    }
    let statistic = |name: &str| tested.statistics.iter().find(|s| s.name == name).and_then(|s| s.value);
    let (name, null, value) = NAMED.iter().find_map(|&(name, null)| Some((name, null, statistic(name)?)))?;
    let units = statistic("units").or_else(|| statistic("models"));
    let own = matches!(name, "rho" | "difference" | "effect");
    let what = if own { tested.unit.clone() } else { name.to_string() };
    Some(Effect {
        value,
        low: statistic("low"),
        high: statistic("high"),
        p: statistic("p"),
        n: units.map_or(tested.estimates.len() as u64, |n| n as u64),
        null,
        what,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::outcome::Statistic;

    #[test]
    fn a_statistic_that_is_an_effect_is_the_headline_unless_the_test_names_another() {
        let mut tested = Tested::new("Spearman's rho");
        assert_eq!(headline(&tested), None);
        let values = [("models", 7.0), ("ratio", 2.0), ("rho", 0.5), ("low", 0.1), ("p", 0.01)];
        tested.statistics = values.map(|(name, value)| Statistic::new(name, Some(value))).to_vec();
        let found = headline(&tested).unwrap();
        assert_eq!((found.value, found.low, found.high, found.p), (0.5, Some(0.1), None, Some(0.01)));
        assert_eq!((found.n, found.null, found.what.as_str()), (7, 0.0, "Spearman's rho"));
        let own = Effect { value: 9.0, ..found };
        tested.effect = Some(own.clone());
        assert_eq!(headline(&tested), Some(own));
    }
}
