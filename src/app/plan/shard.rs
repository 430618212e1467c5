//! Shards: a plan cut into parts that several machines can run, the same cut for everyone who asks.
//!
//! The pieces of a plan lie in a row, model by model, and the row is cut into lengths of equal cost (McNaughton's wrap-around
//! rule, 1959). So every shard has its fair share up to a piece, and as few models as possible are read by more than one: there
//! are at most as many such seams as shards. A model that is small against a share is not cut at all. Nothing but the plan
//! decides: neither what is stored nor the machine.

use std::{fmt, str::FromStr};

/// The name of a part of a plan, e.g. `3/64`: the third of 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Counted from 1.
    number: usize,
    of: usize,
}

/// A text that names no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown shard {0:?}; expected I/N with 1 <= I <= N, e.g. 3/64")]
pub struct UnknownShard(String);

impl Shard {
    /// Place of the shard, from 0.
    pub fn place(self) -> usize {
        self.number - 1
    }

    /// Number of shards.
    pub fn of(self) -> usize {
        self.of
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = UnknownShard;

    fn from_str(text: &str) -> Result<Shard, UnknownShard> {
        let numbers = text.split_once('/').and_then(|(number, of)| {
            let (number, of) = (number.parse().ok()?, of.parse().ok()?);
            (1..=of).contains(&number).then_some(Shard { number, of })
        });
        numbers.ok_or_else(|| UnknownShard(text.to_string()))
    }
}

/// Jobs that run together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The model it is about.
    pub model: usize,
    /// Floating-point operations, estimated.
    pub cost: u64,
}

/// A model whose cost is at most this part of a shard's fair share is not cut: 1/10.
const WHOLE: u128 = 10;

/// Deals pieces out to `shards` shards (one at least) and gives the place of each piece's shard, from 0. The pieces of a
/// model lie side by side.
pub fn cut(pieces: &[Piece], shards: usize) -> Vec<usize> {
    let cost = |pieces: &[Piece]| pieces.iter().map(|piece| u128::from(piece.cost)).sum::<u128>();
    let (total, shards) = (cost(pieces).max(1), shards.max(1) as u128);
    let mut shard_of = Vec::with_capacity(pieces.len());
    let mut before = 0;
    for model in pieces.chunk_by(|a, b| a.model == b.model) {
        let uncut = cost(model) * shards * WHOLE <= total;
        for part in model.chunks(if uncut { model.len() } else { 1 }) {
            // The shard that the middle of the part falls into; the end of the row belongs to the last one.
            let middle = 2 * before + cost(part);
            let shard = (middle * shards / (2 * total)).min(shards - 1);
            shard_of.extend(std::iter::repeat_n(shard as usize, part.len()));
            before += cost(part);
        }
    }
    shard_of
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of models, each with so many of this cost.
    fn pieces(models: &[(usize, u64)]) -> Vec<Piece> {
        let of = |(model, &(count, cost))| std::iter::repeat_n(Piece { model, cost }, count);
        models.iter().enumerate().flat_map(of).collect()
    }

    fn loads(pieces: &[Piece], shards: usize) -> Vec<u64> {
        let mut loads = vec![0; shards];
        for (piece, shard) in pieces.iter().zip(cut(pieces, shards)) {
            loads[shard] += piece.cost;
        }
        loads
    }

    #[test]
    fn names_are_read_and_written_and_others_refused() {
        let shard: Shard = "3/64".parse().unwrap();
        assert_eq!((shard.place(), shard.of(), shard.to_string()), (2, 64, "3/64".to_string()));
        for text in ["", "3", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b"] {
            let message = text.parse::<Shard>().unwrap_err().to_string();
            assert!(message.contains("I/N"), "{message}");
        }
    }

    #[test]
    fn small_models_stay_whole_and_a_large_one_is_cut_into_runs_of_its_pieces() {
        let all = pieces(&[(3, 1), (100, 1), (2, 1), (3, 1)]);
        let shards = cut(&all, 4);
        for whole in [&shards[..3], &shards[103..105], &shards[105..]] {
            assert!(whole.iter().all(|shard| *shard == whole[0]), "{whole:?}");
        }
        assert!(shards.is_sorted(), "each shard has one run");
        assert_eq!(loads(&all, 4), [27, 27, 27, 27]);
    }

    #[test]
    fn loads_are_fair_and_seams_are_few() {
        // 60 models of 400 prompts, of 70 million to 70 thousand million parameters.
        let sizes: Vec<(usize, u64)> = (0..60).map(|i| (400, 70_000_000 * (1 + (i * i * i) / 200))).collect();
        let all = pieces(&sizes);
        let total: u64 = all.iter().map(|piece| piece.cost).sum();
        for shards in [1, 2, 7, 64, 500] {
            let most = loads(&all, shards).into_iter().max().unwrap();
            assert!(most as f64 <= 1.1 * total as f64 / shards as f64, "{shards}: {most} of {total}");
            let place = cut(&all, shards);
            let seams =
                (1..all.len()).filter(|&i| all[i].model == all[i - 1].model && place[i] != place[i - 1]);
            assert!(seams.count() < shards, "{shards}");
        }
    }

    #[test]
    fn no_pieces_and_pieces_without_cost_are_dealt_out_too() {
        assert!(cut(&[], 3).is_empty());
        assert_eq!(cut(&pieces(&[(2, 0), (1, 0)]), 3), [0, 0, 0]);
        // One piece of which a shard has too much already cannot be cut.
        assert_eq!(loads(&pieces(&[(1, 100), (1, 1)]), 4).into_iter().max(), Some(100));
    }
}
