//! Lineages: a base with its tunes, quantisations, stages and variants. What stems from one training says one thing, however
//! many models were made of it, so a lineage is one unit of inference over models.

use std::collections::BTreeMap;

/// What decides the lineage of a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'a> {
    /// The lineage that a source states.
    pub stated: Option<&'a str>,
    /// The model that it was tuned or changed from.
    pub base: Option<&'a str>,
    /// The model whose training it is a stage of.
    pub series: Option<&'a str>,
}

/// The lineage of a model: the one stated of it, else that of its base, else that of the model whose training it is a stage
/// of, else its own. A lineage has the name of the model that it begins with, whether that one has numbers or not.
pub fn lineage<'a>(id: &'a str, origins: &BTreeMap<&'a str, Origin<'a>>) -> &'a str {
    let mut at = id;
    // A chain longer than the list runs in a circle.
    for _ in 0..=origins.len() {
        let Some(origin) = origins.get(at) else { return at };
        if let Some(stated) = origin.stated {
            return stated;
        }
        match origin.base.or(origin.series).filter(|next| *next != at) {
            Some(next) => at = next,
            None => return at,
        }
    }
    // The members of a circle have one name whichever of them is asked.
    let mut circle = vec![at];
    while let Some(next) = origins.get(at).and_then(|o| o.base.or(o.series)).filter(|n| !circle.contains(n)) {
        circle.push(next);
        at = next;
    }
    circle.into_iter().min().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lineage_is_a_base_with_all_that_was_made_of_it() {
        let of = |stated, base, series| Origin { stated, base, series };
        let origins = BTreeMap::from([
            ("base", of(None, None, Some("base"))),
            ("step", of(None, None, Some("base"))),
            ("tuned", of(None, Some("base"), None)),
            ("rounded", of(None, Some("tuned"), None)),
            ("orphan", of(None, Some("never run"), None)),
            ("sibling", of(None, Some("never run"), None)),
            ("version", of(Some("base"), Some("never run"), None)),
            ("alone", of(None, None, None)),
            ("left", of(None, Some("right"), None)),
            ("right", of(None, Some("left"), None)),
        ]);
        let lineage = |id| lineage(id, &origins);
        for id in ["base", "step", "tuned", "rounded", "version"] {
            assert_eq!(lineage(id), "base", "{id}");
        }
        assert_eq!((lineage("orphan"), lineage("sibling")), ("never run", "never run"));
        assert_eq!(lineage("alone"), "alone");
        assert_eq!((lineage("left"), lineage("right")), ("left", "left"), "a circle ends");
    }
}
