//! What the numbers say beyond single claims: the first token's part in a Frobenius gain (`sink`), whose spread the spread
//! of gains is (`spread`), and whether published means come back (`replication`).
//!
//! Everything is computed from evidence tables alone, with the protocol of every number beside it.

mod replication;
mod sink;
mod spread;

pub use replication::{Replication, replications};
pub use sink::{Rung, Sink, sinks};
pub use spread::{Part, Spread, spreads};

use std::collections::BTreeMap;

use serde::Serialize;

use number::evidence::EvidenceTable;
use number::metric::Metric;
use number::protocol::Protocol;

/// All analyses of one run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Analysis {
    pub sinks: Vec<Sink>,
    pub spreads: Vec<Spread>,
    pub replications: Vec<Replication>,
}

/// Every analysis of measured rows, and of published beside measured ones. The same tables give the same numbers.
pub fn analyse(published: &EvidenceTable, measured: &EvidenceTable) -> Analysis {
    Analysis {
        sinks: sinks(measured),
        spreads: spreads(measured),
        replications: replications(published, measured),
    }
}

/// Numbers of some metrics by (model, prompt), each under one protocol and at one layer.
struct Numbers<'a>(BTreeMap<Cell<'a>, f64>);

type Cell<'a> = (Metric, Protocol, Option<u32>, &'a str, &'a str);

impl<'a> Numbers<'a> {
    /// Rows without a prompt or a protocol, and those another metric has, are left out.
    fn of(table: &'a EvidenceTable, metrics: &[Metric]) -> Numbers<'a> {
        let rows = table.rows.iter().filter(|row| metrics.contains(&row.metric));
        let cells = rows.filter_map(|row| {
            let key = (row.metric, row.protocol?, row.layer, row.model.as_str(), row.prompt.as_deref()?);
            Some((key, row.value))
        });
        Numbers(cells.collect())
    }

    fn get(
        &self,
        metric: Metric,
        protocol: Protocol,
        layer: Option<u32>,
        model: &str,
        prompt: &str,
    ) -> Option<f64> {
        self.0.get(&(metric, metric.filed_under(protocol)?, layer, model, prompt)).copied()
    }
}
