//! Chooses the prompts that walk through a model as one batch.

use super::{
    RunError, Runtime,
    means::Means,
    needs::{Prepared, kept},
    sharing::Sharing,
};
use model::{arch::Recipe, arch::WeightUse, checkpoint::Checkpoint};
use number::observation::Extras;

/// Most rows that a walk computes or keeps for the loss and the lens.
///
/// More would gain next to nothing: of each weight, reading and widening move six bytes at most, 0.6 ns at 10 GB/s, and computing
/// 4096 rows takes 8192 operations, 45 ns at 184 GFLOP/s: a walk in one batch instead of two saves 1.3 % (bf16 from a disk of
/// 2 GB/s: 1 ns, overlapped). And a killed run loses its batch: of 8 B parameters six minutes. In memory a row is four bytes
/// for each of the stream's width: 64 MiB at a width of 4096.
const MOST_ROWS: usize = 4096;
/// Most tokens of prompts that share those rows. What is seen of a token is ten numbers a layer: 86 MB at 32 blocks.
const MOST_TOKENS: usize = 16 * MOST_ROWS;

/// Prompts of `from`, from the first on, that should walk together, one at least, and what the walk needs.
///
/// Prompts that begin alike count once what they share; it pays to have them side by side. Where the machine's memory
/// or the runtime's limit does not hold them all, they are fewer.
///
/// # Errors
/// The result of [`Prepared::new`], for a prompt alone where memory does not suffice.
pub fn next_batch<'p>(
    runtime: &Runtime,
    recipe: &Recipe,
    checkpoint: &Checkpoint,
    weights: &[WeightUse],
    from: impl IntoIterator<Item = &'p [u32]>,
    extras: &Extras,
) -> (Vec<Vec<u32>>, Result<Prepared, RunError>) {
    batch_within(runtime.means(), recipe, checkpoint, weights, from, extras)
}

/// [`next_batch`], by what decides it of the runtime.
fn batch_within<'p>(
    means: Means,
    recipe: &Recipe,
    checkpoint: &Checkpoint,
    weights: &[WeightUse],
    from: impl IntoIterator<Item = &'p [u32]>,
    extras: &Extras,
) -> (Vec<Vec<u32>>, Result<Prepared, RunError>) {
    let sharing = Sharing::of(recipe);
    let mut prompts: Vec<Vec<u32>> = Vec::new();
    let (mut rows, mut tokens) = (0, 0);
    for ids in from {
        let shared = prompts.last().map_or(0, |before| sharing.shared(before, ids));
        rows += ids.len() - shared + kept(recipe, extras, ids.len());
        tokens += ids.len();
        if !prompts.is_empty() && (rows > MOST_ROWS || tokens > MOST_TOKENS) {
            break;
        }
        prompts.push(ids.to_vec());
    }
    // Groups share nothing with each other, so the rows there will be are known once they are made.
    loop {
        let prepared = Prepared::within(means, recipe, checkpoint, weights, &prompts, extras);
        let count = prompts.len();
        let fewer = match &prepared {
            Ok(prepared) if prepared.rows > MOST_ROWS => count * MOST_ROWS / prepared.rows,
            Err(RunError::Memory { .. }) => count / 2,
            _ => count,
        };
        if count <= 1 || fewer == count {
            return (prompts, prepared);
        }
        prompts.truncate(fewer.max(1));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::products::Unit;
    use number::observation::Extra;

    /// How many prompts walk together, and the rows of each walk.
    fn walks(memory: Option<u64>, extras: &[Extra], prompts: &[Vec<u32>]) -> Vec<(usize, Prepared)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/zoo/llama3-tiny");
        let means = Means { memory, unit: Unit::fastest() };
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let recipe = Recipe::read(checkpoint.config()).unwrap();
        let weights = recipe.checked_weights(&checkpoint).unwrap();
        let extras = extras.iter().copied().collect();
        let (mut left, mut walks) = (prompts, Vec::new());
        while !left.is_empty() {
            let from = left.iter().map(|ids| &ids[..]);
            let (some, prepared) = batch_within(means, &recipe, &checkpoint, &weights, from, &extras);
            assert_eq!(some, left[..some.len()]);
            left = &left[some.len()..];
            walks.push((some.len(), prepared.unwrap()));
        }
        walks
    }

    fn ladder() -> Vec<Vec<u32>> {
        (1..=64).map(|step| (0..8 * step).collect()).collect()
    }

    /// `count` prompts that begin with `alike` tokens and go on with `own`, of which the first is of this prompt alone.
    fn fork(count: u32, alike: u32, own: u32) -> Vec<Vec<u32>> {
        (0..count).map(|p| (0..alike).chain((0..own).map(|t| (p + t) % 1400)).collect()).collect()
    }

    #[test]
    fn a_ladder_of_lengths_walks_once_although_its_tokens_are_many_times_its_rows() {
        let [(64, walk)] = &walks(None, &[], &ladder())[..] else { panic!("one walk") };
        assert_eq!((walk.work.tokens, walk.work.rows), (16_640, 512));
    }

    #[test]
    fn a_walk_computes_no_more_rows_than_it_may() {
        // What begins alike in these is computed again in each of many groups.
        for prompts in [fork(600, 0, 20), fork(400, 480, 8)] {
            let walks = walks(None, &[], &prompts);
            assert!(
                walks.iter().all(|(_, walk)| walk.rows <= MOST_ROWS && walk.work.rows == walk.rows as u64)
            );
            assert!(walks[..walks.len() - 1].iter().all(|(_, walk)| walk.rows > MOST_ROWS / 2));
        }
    }

    #[test]
    fn tokens_that_share_rows_are_bounded_too_as_are_rows_that_extras_keep() {
        let same = fork(400, 500, 0);
        let walks_of = |extras: &[Extra]| walks(None, extras, &same).len();
        assert_eq!(walks_of(&[]), 400_usize.div_ceil(MOST_TOKENS / 500));
        // A row kept for each token, beside the 500 that are computed; a row at each of seven layers.
        assert_eq!(walks_of(&[Extra::Loss]), 400_usize.div_ceil((MOST_ROWS - 500) / 500));
        assert_eq!(walks_of(&[Extra::Lens]), 400_usize.div_ceil(MOST_TOKENS / 500));
        let lens = walks(None, &[Extra::Lens], &fork(1400, 1, 1));
        assert!(lens.len() > 1 && lens.iter().all(|(_, walk)| walk.rows <= MOST_ROWS));
    }

    #[test]
    fn fewer_walk_together_where_memory_does_not_hold_them_all() {
        let prompts = fork(600, 0, 20);
        let all = walks(None, &[], &prompts);
        let least = walks(None, &[], &prompts[..1])[0].1.needs.total();
        let most = all.iter().map(|(_, walk)| walk.needs.total()).max().unwrap();
        let less = walks(Some((least + most) / 2), &[], &prompts);
        assert!(less.iter().all(|(_, walk)| walk.needs.total() <= (least + most) / 2));
        assert_eq!(less.iter().map(|(count, _)| count).sum::<usize>(), 600);
        let tight = walks(Some(least + (1 << 18)), &[], &prompts);
        assert!(tight.len() > all.len());
    }
}
