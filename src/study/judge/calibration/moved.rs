//! Profiles in which something happens elsewhere than it was seen: at another layer, or at another step of a training.

use std::collections::BTreeMap;

use super::{profile::Apart, seen::Seen};
use crate::judge::{
    cells::Cells,
    context::TestContext,
    findings::Findings,
    kinds::{ChangePoints, LayerLocation},
    shared::{
        locate::{eligible, locate},
        revisions::{changes, trainings},
    },
};
use crate::stats::change_point;

/// Profiles that are moved along their layers or steps, by the numbers that stand in them.
pub(super) struct Moved<'a> {
    all: Vec<Profile>,
    /// Of a drawn quantity, by its number, and a model: the profile and the place in it.
    of: BTreeMap<(usize, &'a str), (usize, usize)>,
    /// What there is too little of.
    missing: Vec<String>,
}

/// One profile, along its places.
struct Profile {
    values: Vec<f64>,
    /// By how many places the profile is moved up, and where it then happens.
    moves: Vec<(isize, f64)>,
    /// Where the other thing happens.
    other: f64,
    /// How far the largest distance of interest is, or the whole depth.
    reach: f64,
}

impl Profile {
    /// `happens` says where in values like these, of as many places.
    fn new(
        values: Vec<f64>,
        other: f64,
        reach: f64,
        happens: impl Fn(&[f64]) -> Option<f64>,
    ) -> Option<Profile> {
        let last = values.len().checked_sub(1)? as isize;
        let moves = (-last..=last).filter_map(|by| {
            let moved: Vec<f64> = (0..values.len()).map(|place| moved(&values, place, by)).collect();
            Some((by, happens(&moved)?))
        });
        let moves: Vec<(isize, f64)> = moves.collect();
        (!moves.is_empty()).then_some(Profile { values, moves, other, reach })
    }
}

/// The value at a place of a profile that was moved up; its ends last.
fn moved(values: &[f64], place: usize, by: isize) -> f64 {
    values[(place as isize - by).clamp(0, values.len() as isize - 1) as usize]
}

/// How far apart the two things happen in a world.
#[derive(Clone, Copy)]
pub(super) enum Distance {
    /// By this share of the depth on average over lineages.
    OfDepth(f64),
    /// By so many places.
    Places(usize),
    /// By any number of places.
    Any,
}

impl<'a> Moved<'a> {
    /// Of the left quantity of each model, at layer after layer.
    pub(super) fn of_layers(
        test: &LayerLocation,
        left: &[Seen<'a>],
        right: &[Seen<'a>],
        context: &TestContext<'_>,
    ) -> Moved<'a> {
        let mut moved = Moved { all: Vec::new(), of: BTreeMap::new(), missing: Vec::new() };
        for model in left.iter().flat_map(|seen| &seen.models).filter(|model| model.id == model.of) {
            if moved.of.keys().any(|(_, known)| *known == model.id) {
                continue;
            }
            let profile = |all: &[Seen<'_>]| -> BTreeMap<u32, f64> {
                let at = |seen: &Seen<'_>| {
                    let own = seen.models.iter().find(|own| own.id == model.id)?;
                    Some((seen.quantity.select.layer?, own.mean))
                };
                all.iter().filter_map(at).collect()
            };
            let (a, b) = (profile(left), profile(right));
            let top = a.keys().chain(b.keys()).max().copied().unwrap_or(0);
            let depth = context.model(model.id).and_then(|known| known.blocks).unwrap_or(top);
            let (a, b) = (eligible(&a, depth, test.left_from), eligible(&b, depth, test.right_from));
            let seed = context.seed.derive(model.id);
            let Some(other) = locate(test.right_locate, &b, seed) else { continue };
            let happens = |values: &[f64]| {
                let moved: Vec<(u32, f64)> =
                    a.iter().zip(values).map(|((l, _), value)| (*l, *value)).collect();
                locate(test.left_locate, &moved, seed).map(f64::from)
            };
            let values = a.iter().map(|(_, value)| *value).collect();
            let Some(one) = Profile::new(values, f64::from(other), f64::from(depth), happens) else {
                continue;
            };
            for (number, seen) in left.iter().enumerate() {
                let layer = a.iter().position(|(layer, _)| seen.quantity.select.layer == Some(*layer));
                if let Some(layer) = layer {
                    moved.of.insert((number, model.id), (moved.all.len(), layer));
                }
            }
            moved.all.push(one);
        }
        moved
    }

    /// Of the first quantity of each training, at step after step.
    pub(super) fn of_trainings(
        test: &ChangePoints,
        a: &Seen<'a>,
        b: &Cells<'a>,
        context: &TestContext<'_>,
    ) -> Moved<'a> {
        let mut moved = Moved { all: Vec::new(), of: BTreeMap::new(), missing: Vec::new() };
        let originals = a.models.iter().filter(|model| model.id == model.of).map(|model| model.id);
        let both = originals.filter(|id| b.models.contains_key(id));
        let mut findings = Findings::default();
        let all = trainings(context, both, 4, &mut findings);
        moved.missing = findings.missing;
        for (series, steps) in &all {
            let seed = context.seed.derive(series);
            let Some(other) = changes(steps, b, seed.derive("b")) else { continue };
            let own: Vec<_> =
                steps.iter().filter_map(|(_, id)| a.models.iter().find(|model| model.id == *id)).collect();
            let happens = |values: &[f64]| Some(change_point(values, seed.derive("a"))?.index as f64);
            // Places that lie a factor apart, where steps grow by one.
            let grown: Vec<f64> = steps.iter().map(|(step, _)| step.max(1.0)).collect();
            let growth = (grown[grown.len() - 1] / grown[0]).ln() / (grown.len() as f64 - 1.0);
            let reach = (test.factor.ln() / growth).floor();
            let values = own.iter().map(|model| model.mean).collect();
            let Some(one) = Profile::new(values, other.index as f64, reach, happens) else { continue };
            let places = own.iter().enumerate().map(|(place, m)| ((0, m.id), (moved.all.len(), place)));
            moved.of.extend(places);
            moved.all.push(one);
        }
        moved
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Why there is none.
    pub(super) fn lacking(&self) -> String {
        match &self.missing[..] {
            [] => "no model has both profiles with such a layer or step".to_string(),
            some => some.join("; "),
        }
    }

    /// The number of a model at a drawn quantity; `None` of one that stands in no profile.
    pub(super) fn value(&self, number: usize, model: &str, distance: Distance, apart: Apart) -> Option<f64> {
        let (profile, place) = *self.of.get(&(number, model))?;
        let Profile { values, moves, other, reach } = &self.all[profile];
        let wanted = match distance {
            Distance::OfDepth(share) => (share * reach + apart.turn).floor(),
            Distance::Places(places) => places as f64,
            Distance::Any => {
                let (by, _) = moves[(apart.turn * moves.len() as f64) as usize];
                return Some(self::moved(values, place, by));
            }
        };
        // As far as is wanted or nearly so, and of two sides the one that chance takes.
        let side = if apart.normal > 0.0 { 1.0 } else { -1.0 };
        let off =
            |at: f64| ((at - other).abs() - wanted).abs() + if (at - other) * side < 0.0 { 0.1 } else { 0.0 };
        // A profile that is moved far has lost what happened in it.
        let nearest = moves.iter().min_by(|a, b| {
            off(a.1).total_cmp(&off(b.1)).then_with(|| a.0.unsigned_abs().cmp(&b.0.unsigned_abs()))
        });
        nearest.map(|(by, _)| self::moved(values, place, *by))
    }

    /// The fewest places that lie further apart than is meant by near, of any profile.
    pub(super) fn far(&self) -> usize {
        self.all.iter().map(|profile| profile.reach as usize + 1).max().unwrap_or(1)
    }
}
