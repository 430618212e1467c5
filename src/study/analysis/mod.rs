//! What the numbers say beyond single claims: the first token's part in a Frobenius gain (`sink`), the analysis of variance
//! of the log gain (`spread`), and whether published means are found again here (`replication`).
//!
//! Everything is computed from evidence tables alone, with the protocol of every number beside it.

mod crossing;
mod replication;
mod sink;
mod spread;

pub use crossing::Length;
pub use replication::{Replication, replications};
pub use sink::{Growing, Rung, Sink, ladders, sinks};
pub use spread::{Part, Spread, spreads};

use serde::Serialize;

use number::evidence::Evidence;
use number::index::EvidenceIndex;

/// All analyses of one run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Analysis {
    /// The first token's part in the Frobenius gain, by model.
    pub sinks: Vec<Sink>,
    /// What the spread of the log gain comes from, by set of protocols.
    pub spreads: Vec<Spread>,
    /// Published means beside those measured here.
    pub replications: Vec<Replication>,
}

/// Every analysis, of each kind of evidence by itself, and of published beside measured rows. The same tables give the same
/// numbers.
pub fn analyse(indices: &[(Evidence, EvidenceIndex<'_>)]) -> Analysis {
    let of = |wanted| indices.iter().find(|(kind, _)| *kind == wanted).map(|(_, index)| index);
    let both = of(Evidence::Published).zip(of(Evidence::Measured));
    Analysis {
        sinks: indices.iter().flat_map(|(kind, index)| sinks(*kind, index)).collect(),
        spreads: indices.iter().flat_map(|(kind, index)| spreads(*kind, index)).collect(),
        replications: both.map(|(published, own)| replications(published, own)).unwrap_or_default(),
    }
}
