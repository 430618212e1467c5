//! `sign-flip`: on how many models do two protocols disagree about the side of a value?

use super::{
    bench::{Bench, Tested, point},
    effect::Effect,
    outcome::Estimate,
};
use crate::{
    config::hypothesis::{Quantity, Scale, Select},
    metric::Metric,
    protocol::Protocol,
    stats::clopper_pearson,
};

/// Share of models whose means under `protocols` lie on both sides of `against`, with its Clopper–Pearson interval.
pub(super) fn test(
    bench: &Bench<'_>,
    metric: Metric,
    protocols: &[Protocol],
    against: f64,
    across: bool,
) -> Tested {
    let mut tested = Tested::new(metric.describe().unit);
    let [first, others @ ..] = protocols else {
        tested.missing.push("refused: a sign flip needs protocols".into());
        return tested;
    };
    let mut cells = |protocol: &Protocol| {
        let quantity =
            Quantity { metric, scale: Scale::Linear, protocol: Some(*protocol), select: Select::default() };
        bench.enough(&quantity, &mut tested)
    };
    let base = cells(first);
    let others: Vec<_> = others.iter().map(&mut cells).collect();
    // Model by model: the side under each protocol that has the model.
    let mut sides = std::collections::BTreeMap::<String, Vec<(Protocol, f64)>>::new();
    for other in &others {
        let Some(pair) = tested.pair(&base.by_model(), &other.by_model(), across) else { return tested };
        for ((model, &x), &y) in pair.keys().iter().zip(pair.x()).zip(pair.y()) {
            let entry = sides.entry(model.clone()).or_insert_with(|| vec![(*first, x)]);
            entry.extend(other.protocol.map(|p| (p, y)));
        }
    }
    sides.retain(|_, values| values.len() == protocols.len());
    if sides.is_empty() && !tested.lacks() {
        tested.missing.push("no model has a value under every one of the protocols".into());
    }
    bench.enough_models(sides.len(), &mut tested);
    let mut flips = 0;
    for (model, values) in &sides {
        let above = values.iter().filter(|(_, v)| *v > against).count();
        flips += u64::from(above > 0 && above < values.len());
        for (protocol, value) in values {
            let of = others.iter().chain([&base]).find(|c| c.protocol == Some(*protocol));
            let prompts = of.and_then(|c| c.models.get(model)).map_or(1, |m| m.values().len());
            tested.estimates.push(point(format!("{model} {protocol}"), Some(*value), prompts));
        }
    }
    if !sides.is_empty() {
        tested.notes.push(
            "sides are those of the means, however close to the value; the interval of the share is Clopper-Pearson with \
             models as units, as if they were unrelated"
                .into(),
        );
    }
    let models = sides.len() as u64;
    let share = (models > 0).then(|| flips as f64 / models as f64);
    let interval = clopper_pearson(flips, models, bench.alpha);
    let (low, high) = (interval.map(|i| i.low), interval.map(|i| i.high));
    tested.estimates.push(Estimate {
        label: "share that flips".into(),
        value: share,
        low,
        high,
        p: None,
        n: models,
    });
    tested.effect = share.map(|value| Effect {
        value,
        low,
        high,
        p: None,
        n: models,
        null: 0.0,
        what: "share of models that flip".into(),
    });
    tested.statistic("share", share);
    tested.statistic("low", low);
    tested.statistic("high", high);
    tested.statistic("models", models as f64);
    tested
}
