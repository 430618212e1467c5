//! Sharding: the part of a plan that falls to one of several machines.

use std::collections::BTreeMap;

use super::executor::{Stage, kind_of};
use super::planning::Planned;
use crate::plan::{Piece, Plan, Shard, cut};
use base::hash::Key;

impl Planned<'_> {
    /// The part of the plan that falls to a shard: everything that is measured falls to exactly one, whatever is stored by
    /// then; judgements and the report to none. Jobs of one key stay together, and prompts that a walk for spectra observes
    /// on the way stay with it.
    pub fn shard(&self, shard: Shard) -> Plan {
        let (mut pieces, mut jobs): (Vec<Piece>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
        let mut made_by: BTreeMap<Key, usize> = BTreeMap::new();
        for (place, planned) in self.plan.jobs.iter().enumerate() {
            let job = &planned.job;
            let (Some(kind), Some(model)) = (kind_of(&self.kinds, job), job.model) else { continue };
            if kind.stage() != Stage::Measure {
                continue;
            }
            let piece = *made_by.entry(job.key).or_insert_with(|| {
                pieces.push(Piece { model, cost: kind.cost(&self.inputs, job.index) });
                jobs.push(Vec::new());
                pieces.len() - 1
            });
            jobs[piece].push(place);
            for key in kind.also_made(&self.inputs, job.index) {
                made_by.entry(key).or_insert(piece);
            }
        }
        let shards = cut(&pieces, shard.of());
        let mine = jobs.into_iter().zip(shards).filter(|(_, place)| *place == shard.place());
        self.plan.only(&mine.flat_map(|(jobs, _)| jobs).collect::<Vec<_>>())
    }
}
