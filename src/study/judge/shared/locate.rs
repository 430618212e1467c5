//! The layer of a profile at which something happens, e.g. its largest value or its change of sign.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::{Seed, change_point};

/// Which layer of a profile is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Locate {
    Argmax,
    Argmin,
    /// The layer where the profile changes most from the one before.
    ArgmaxGradient,
    /// The first layer of the second part, where two constants fit best.
    ChangePoint,
    /// The first layer whose sign is not that of the one before.
    SignChange,
}

/// The layers from a share of the depth on, with their values.
pub(crate) fn eligible(profile: &BTreeMap<u32, f64>, depth: u32, from: f64) -> Vec<(u32, f64)> {
    let start = from * f64::from(depth);
    profile.iter().filter(|(layer, _)| f64::from(**layer) >= start).map(|(l, v)| (*l, *v)).collect()
}

/// The first of equally good layers; `None` where there is none, e.g. no change of sign.
pub(crate) fn locate(what: Locate, profile: &[(u32, f64)], seed: Seed) -> Option<u32> {
    let best = |scores: &mut dyn Iterator<Item = (u32, f64)>| {
        scores.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(layer, _)| layer)
    };
    let steps = || profile.windows(2).map(|w| (w[1].0, w[0].1, w[1].1));
    match what {
        Locate::Argmax => best(&mut profile.iter().copied()),
        Locate::Argmin => best(&mut profile.iter().map(|(layer, value)| (*layer, -value))),
        Locate::ArgmaxGradient => {
            best(&mut steps().map(|(layer, below, here)| (layer, (here - below).abs())))
        }
        Locate::ChangePoint => {
            let values: Vec<f64> = profile.iter().map(|(_, value)| *value).collect();
            change_point(&values, seed).and_then(|found| profile.get(found.index)).map(|(layer, _)| *layer)
        }
        Locate::SignChange => steps().find(|(_, below, here)| below * here < 0.0).map(|(layer, _, _)| layer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_found_where_it_was_put() {
        let profile = [(1, 0.5), (2, 0.4), (3, 3.0), (4, 2.9), (5, -1.0), (6, -0.9)];
        let at = |what| locate(what, &profile, Seed(1));
        assert_eq!(at(Locate::Argmax), Some(3));
        assert_eq!(at(Locate::Argmin), Some(5));
        assert_eq!(at(Locate::ArgmaxGradient), Some(5));
        assert_eq!(at(Locate::SignChange), Some(5));
        assert_eq!(locate(Locate::SignChange, &profile[..4], Seed(1)), None);
        let jump = [(1, 0.1), (2, 0.0), (3, 5.0), (4, 5.1), (5, 5.0)];
        assert_eq!(locate(Locate::ChangePoint, &jump, Seed(1)), Some(3));
        let upper = eligible(&profile.into_iter().collect(), 6, 0.5);
        assert_eq!(upper[0].0, 3);
    }
}
