//! The quantities that a test reads: those that worlds draw anew, and those that they leave as they were seen.

use std::sync::Arc;

use super::truth::Pattern;
use crate::judge::{
    context::TestContext,
    hypothesis::{Prediction, Quantity, Select},
};

impl Pattern<'_> {
    /// The quantities that are drawn anew in each world; the first carries the effect.
    pub(super) fn drawn(self, context: &TestContext<'_>) -> Vec<Arc<Quantity>> {
        let some = |all: &[&Quantity]| all.iter().map(|one| Arc::new((*one).clone())).collect();
        match self {
            Pattern::Levels { a, b, .. } | Pattern::Shift { a, b, .. } => some(&[a, b]),
            Pattern::Relation { asked } => some(&[&asked.y]),
            Pattern::Level { of, .. }
            | Pattern::Some { of, .. }
            | Pattern::Inside { of, .. }
            | Pattern::Difference { of, .. }
            | Pattern::Fact { of, .. }
            | Pattern::Categories { of }
            | Pattern::Change { of, .. }
            | Pattern::Kept { of, .. }
            | Pattern::Heaps { of } => some(&[of]),
            Pattern::Along { test } => some(&[&test.of]),
            Pattern::Lowest { test, .. } => some(&[&test.of]),
            Pattern::Near { test, .. } => some(&[&test.of]),
            Pattern::Law { test, .. } => some(&[&test.y]),
            Pattern::Multiple { test } => some(&[&test.y]),
            Pattern::Sides { test, .. } => test.quantities().into_iter().map(Arc::new).collect(),
            Pattern::Sink { test } => vec![Arc::new(test.quantities(context.protocol).gain)],
            Pattern::Layers { test } => by_layer(&test.y, context),
            Pattern::Close { test } | Pattern::Apart { test, .. } => by_layer(&test.left, context),
            Pattern::Together { test } => some(&[&test.a]),
        }
    }

    /// The other quantities of the test.
    pub(super) fn fixed(self, prediction: &Prediction, context: &TestContext<'_>) -> Vec<Arc<Quantity>> {
        match self {
            Pattern::Sink { test } => {
                let read = test.quantities(context.protocol);
                [read.tokens, read.below, read.above].map(Arc::new).into()
            }
            Pattern::Layers { test } => by_layer(&test.x, context),
            Pattern::Close { test } | Pattern::Apart { test, .. } => by_layer(&test.right, context),
            _ => {
                let drawn = self.drawn(context);
                let all = prediction.test.parts().quantities.into_iter().map(|(_, quantity)| quantity);
                all.filter(|own| !drawn.iter().any(|one| **one == **own))
                    .map(|own| Arc::new(own.clone()))
                    .collect()
            }
        }
    }
}

/// A quantity at each of the layers that have it.
fn by_layer(quantity: &Quantity, context: &TestContext<'_>) -> Vec<Arc<Quantity>> {
    let layers = context.layers(quantity);
    // Without any layer, the look-up of one says what is missing.
    let layers = if layers.is_empty() { vec![0] } else { layers };
    let at = |layer| Select { layer: Some(layer), ..quantity.select.clone() };
    layers.into_iter().map(|layer| Arc::new(Quantity { select: at(layer), ..quantity.clone() })).collect()
}
