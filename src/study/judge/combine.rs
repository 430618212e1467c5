//! Combining two quantities into one number, prompt by prompt.

use std::collections::BTreeMap;

use super::{
    cells::{Cell, Cells, ModelCells},
    context::TestContext,
};
use number::metric::Paired;

#[derive(Clone, Copy)]
pub(super) enum Sign {
    Times,
    Over,
}

/// Where both have a prompt, or one is a property of the model, which then goes with every prompt of the other. The result
/// is of the metric that depends on more of the protocol.
pub(super) fn combined<'a>(context: &TestContext<'a>, a: Cells<'a>, b: Cells<'a>, sign: Sign) -> Cells<'a> {
    let decisive = |cells: &Cells<'_>| {
        cells.metric.zip(cells.protocol).map_or(0, |(metric, protocol)| metric.decisive(protocol).count())
    };
    let (metric, protocol, other) = if decisive(&b) > decisive(&a) {
        (b.metric, b.protocol, a.protocol)
    } else {
        (a.metric, a.protocol, b.protocol)
    };
    let mut missing = [a.missing.clone(), b.missing.clone()].concat();
    let empty = || BTreeMap::<(), f64>::new();
    if let (false, Err(mismatch)) =
        (context.across, Paired::same_protocol(&a.series(empty()), &b.series(empty())))
    {
        missing.push(format!("refused: {mismatch}"));
    }
    let apply = |x: f64, y: f64| match sign {
        Sign::Times => x * y,
        Sign::Over => x / y,
    };
    let mut models = BTreeMap::new();
    for (model, left) in &a.models {
        let Some(right) = b.models.get(model) else { continue };
        let mut own = ModelCells::default();
        match (left.aggregate, right.aggregate) {
            (Some(x), Some(y)) if left.prompts.is_empty() && right.prompts.is_empty() => {
                own.aggregate = Some(apply(x, y));
            }
            (Some(x), _) if left.prompts.is_empty() && a.protocol.is_none() => {
                let cells = right.prompts.iter();
                own.prompts = cells.map(|(p, c)| (*p, Cell { value: apply(x, c.value), ..*c })).collect();
            }
            (_, Some(y)) if right.prompts.is_empty() && b.protocol.is_none() => {
                let cells = left.prompts.iter();
                own.prompts = cells.map(|(p, c)| (*p, Cell { value: apply(c.value, y), ..*c })).collect();
            }
            _ => {
                let both = left.prompts.iter().filter_map(|(p, x)| {
                    let y = right.prompts.get(p)?;
                    Some((*p, Cell { value: apply(x.value, y.value), ..*x }))
                });
                own.prompts = both.collect();
            }
        }
        if own.aggregate.is_some() || !own.prompts.is_empty() {
            models.insert(*model, own);
        }
    }
    let combined = [a.combined, b.combined, other.into_iter().collect()].concat();
    Cells {
        metric,
        protocol,
        models,
        combined,
        sources: &a.sources | &b.sources,
        dtypes: &a.dtypes | &b.dtypes,
        notes: [a.notes, b.notes].concat(),
        missing,
    }
}
