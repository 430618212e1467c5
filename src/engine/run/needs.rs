//! What a run needs of memory, known before it starts, and how the prompts of a run are grouped to stay within a limit.

use std::thread;

use sysinfo::System;

use super::{
    RunError, Runtime,
    batch::{self, Group, Limits, SCORES},
    footprint::Needs,
    means::Means,
    rate::Rates,
    sharing::Sharing,
    vocabulary::Unembedding,
    weights::{uses, widened},
    work::work,
};
use crate::products::Unit;
use base::progress::Work;
use model::{
    arch::{Place, Recipe, WeightUse},
    checkpoint::Checkpoint,
};
use number::observation::{Axes, Extra, Extras, NamedTap, named};

/// Copies of a block's activations that the runtime holds at a time, at most: rows as wide as the stream, rows as wide as the
/// widest matrix, values of attention heads. Measured on the shapes of `make bench`.
const STREAM_ROWS: usize = 8;
const WIDE_ROWS: usize = 4;
const HEAD_ROWS: usize = 4;
/// Masks of slots by slots while they are made, for all heads and paths together. Measured beside [`SCORES`], on prompts of 1024
/// to 4096 tokens: 2 heads hold 11 times the slots squared, 4 heads 15, 32 heads 72.
const MASKS: usize = 5;

/// Numbers that are seen of a token at each layer.
fn seen_of_token(recipe: &Recipe) -> usize {
    let by_token = |tap: &NamedTap| matches!(tap.tap.axes, Axes::Stream | Axes::Blocks) && !tap.tap.optional;
    named(&recipe.all_branches()).iter().filter(|tap| by_token(tap)).count()
}

/// Rows that the extras keep of a prompt of so many tokens.
pub(super) fn kept(recipe: &Recipe, extras: &Extras, tokens: usize) -> usize {
    let rows = |extra: &Extra| match extra {
        Extra::Loss => tokens,
        Extra::Lens => recipe.blocks() + 1,
    };
    extras.iter().map(rows).sum()
}

impl Needs {
    pub(super) fn of(
        unit: Option<Unit>,
        recipe: &Recipe,
        checkpoint: &Checkpoint,
        weights: &[WeightUse],
        groups: &[Group],
        rows: usize,
        work: &Work,
    ) -> Result<Needs, RunError> {
        let floats = |count: usize| 4 * count as u64;
        let (mut largest, mut widest) = (0, recipe.width());
        for layer in 0..recipe.blocks() {
            let block = uses(weights, Place::Block(layer));
            let expert = uses(weights, Place::Expert(layer, 0));
            largest = largest.max(widened(unit, checkpoint, block)? + widened(unit, checkpoint, expert)?);
            let weights = block.iter().chain(expert).flat_map(WeightUse::taken);
            widest = weights.copied().fold(widest, usize::max);
        }
        let head = Unembedding::find(unit, recipe, checkpoint, weights)?.room();
        let walk = (4 * largest).max(head.widened) + head.filled;
        let unit = unit.filter(|_| work.as_stored.operations > 0);
        let room = unit.map_or(0, Unit::room);
        // Rows as products take them: one's input, and what waits for another.
        let arranged = |rows: usize| {
            unit.map_or(0, |unit| [widest, recipe.width()].map(|inputs| unit.size(rows, inputs)).iter().sum())
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let activations = groups.iter().map(|group| {
            let (rows, slots) = (group.tokens(), group.slots.len());
            let padded = group.paths * slots;
            rows * STREAM_ROWS * recipe.width()
                + rows * WIDE_ROWS * widest
                + arranged(rows)
                + padded * HEAD_ROWS * recipe.width()
                + (SCORES * group.paths * recipe.heads() + MASKS) * slots * slots
        });
        let (layers, heads) = (recipe.blocks() + 1, recipe.blocks() * recipe.heads());
        // Beside the stream what experts receive, once more gathered, what they give, and what the rest of the block waits with.
        let streams = if (0..recipe.blocks()).any(|layer| recipe.routed(layer).is_some()) { 6 } else { 1 };
        let of_token = seen_of_token(recipe);
        let seen = groups.iter().map(|group| {
            let prompts: usize = group.rows.iter().map(|rows| rows.len() * of_token * layers + heads).sum();
            group.tokens() * (of_token * layers + heads) + prompts
        });
        Ok(Needs {
            // The rate is measured when the walk is over.
            weights: walk.max(Rates::room(work)) as u64,
            activations: floats(activations.max().unwrap_or(0)) + (threads * room) as u64,
            streams: floats(rows * recipe.width() * streams),
            seen: floats(seen.sum()),
        })
    }
}

/// Prompts in groups that keep a walk within the memory there is, as large as that allows.
pub struct Prepared {
    pub(super) groups: Vec<Group>,
    /// That are computed, and kept for the loss and the lens.
    pub(super) rows: usize,
    /// Memory that the walk takes, at most.
    pub needs: Needs,
    /// What the walk computes.
    pub work: Work,
}

impl Prepared {
    /// The limit is the runtime's, or else what the machine has left. On a device it bounds this machine's memory as if
    /// all were computed here.
    ///
    /// # Errors
    /// [`RunError::Memory`] where the smallest groups, a path each, need more.
    pub fn new(
        runtime: &Runtime,
        recipe: &Recipe,
        checkpoint: &Checkpoint,
        weights: &[WeightUse],
        prompts: &[Vec<u32>],
        extras: &Extras,
    ) -> Result<Prepared, RunError> {
        Prepared::within(runtime.means(), recipe, checkpoint, weights, prompts, extras)
    }

    /// [`Prepared::new`], by what decides it of the runtime.
    pub(super) fn within(
        Means { memory: asked, unit }: Means,
        recipe: &Recipe,
        checkpoint: &Checkpoint,
        weights: &[WeightUse],
        prompts: &[Vec<u32>],
        extras: &Extras,
    ) -> Result<Prepared, RunError> {
        let limit = asked.or_else(left);
        let (sharing, multiple) =
            (Sharing::of(recipe), batch::multiple(weights.iter().filter(|w| !w.place.is_expert())));
        let kept: usize = prompts.iter().map(|ids| kept(recipe, extras, ids.len())).sum();
        let mut limits = Limits::default();
        loop {
            let groups = batch::groups(prompts, recipe.heads(), sharing, multiple, limits);
            let rows = kept + groups.iter().map(Group::tokens).sum::<usize>();
            let work = work(unit, recipe, checkpoint, weights, &groups, kept)?;
            let needs = Needs::of(unit, recipe, checkpoint, weights, &groups, rows, &work)?;
            if let Some(limit) = limit.filter(|limit| needs.total() > *limit) {
                limits = limits.halved().ok_or(RunError::Memory { needs, limit, asked: asked.is_some() })?;
                continue;
            }
            return Ok(Prepared { groups, rows, needs, work });
        }
    }
}

/// Memory in bytes that the machine, or the container this runs in, has left; `None` where the system cannot tell.
fn left() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    let machine = Some(system.available_memory()).filter(|left| *left > 0);
    let container = system.cgroup_limits().map(|limits| limits.free_memory);
    machine.into_iter().chain(container).min()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn prepared(memory: Option<u64>, prompts: &[Vec<u32>]) -> Result<Prepared, RunError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/zoo/llama3-tiny");
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let recipe = Recipe::read(checkpoint.config()).unwrap();
        let weights = recipe.checked_weights(&checkpoint).unwrap();
        let means = Means { memory, unit: Unit::fastest() };
        Prepared::within(means, &recipe, &checkpoint, &weights, prompts, &Extras::default())
    }

    #[test]
    fn less_memory_means_smaller_groups_and_at_last_a_refusal() {
        let prompts: Vec<Vec<u32>> =
            (0..64).map(|i| (0..60).map(|t| (i * 60 + t) % 1000).collect()).collect();
        let all = prepared(None, &prompts).unwrap();
        let less = prepared(Some(all.needs.total() - all.needs.activations / 2), &prompts).unwrap();
        assert!(less.groups.len() > all.groups.len());
        assert!(less.needs.total() < all.needs.total());
        assert_eq!(less.work.tokens, all.work.tokens);
        let Err(error) = prepared(Some(128 << 20), &prompts) else { panic!("refused") };
        let message = error.to_string();
        assert!(message.contains("--memory allows 128.0 MiB") && message.contains("weights"), "{message}");
    }
}
