//! What the pieces of the vocabulary show, combined in float64: entropy, the most probable tokens, how far logits move.

use number::observation::{TOP_K, TopToken};

/// One prompt's sums over one piece, with m the largest logit of the piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub max: f32,
    /// How many logits are m.
    pub largest: f32,
    /// Σ exp(l-m) of the others.
    pub rest: f32,
    /// Σ (l-m)·exp(l-m).
    pub weighted: f32,
}

impl Piece {
    /// Of logits at hand.
    pub(super) fn of(logits: &[f32]) -> Piece {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exp = |l: &f32| f64::from(l - max).exp();
        let largest = logits.iter().filter(|l| **l == max).count() as f32;
        let rest = logits.iter().filter(|l| **l != max).map(exp).sum::<f64>() as f32;
        let weighted = logits.iter().map(|l| f64::from(l - max) * exp(l)).sum::<f64>() as f32;
        Piece { max, largest, rest, weighted }
    }

    /// Σ exp(l-m) of all.
    fn sum(&self) -> f64 {
        f64::from(self.largest) + f64::from(self.rest)
    }
}

/// What one prompt has seen of the vocabulary so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Distribution {
    pieces: Vec<Piece>,
    /// Logit and id.
    top: Vec<(f32, u32)>,
}

impl Distribution {
    /// Add a piece and its largest logits with their ids.
    pub(super) fn add(&mut self, piece: Piece, top: impl Iterator<Item = (f32, u32)>) {
        self.pieces.push(piece);
        self.top.extend(top);
        self.top.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.top.truncate(TOP_K);
    }

    pub(super) fn is_finite(&self) -> bool {
        self.pieces.iter().all(|p| p.max.is_finite() && p.sum().is_finite() && p.weighted.is_finite())
    }

    /// Entropy in nats: ln Z - Σ (l-m)·exp(l-m) / Z.
    pub(super) fn entropy(&self) -> f64 {
        let (max, z) = self.normaliser();
        let weighted: f64 = self
            .pieces
            .iter()
            .map(|p| {
                let below = f64::from(p.max) - max;
                below.exp() * (f64::from(p.weighted) + below * p.sum())
            })
            .sum();
        z.ln() - weighted / z
    }

    /// -log p of a token with this logit, nats.
    pub(super) fn surprise(&self, logit: f32) -> f64 {
        let (max, z) = self.normaliser();
        max - f64::from(logit) + z.ln()
    }

    pub(super) fn top(&self) -> Vec<TopToken> {
        let (max, z) = self.normaliser();
        let prob = |logit: f32| ((f64::from(logit) - max).exp() / z) as f32;
        self.top.iter().map(|&(logit, id)| TopToken { id, prob: prob(logit) }).collect()
    }

    /// Largest logit m of all pieces and Z = Σ exp(l-m).
    fn normaliser(&self) -> (f64, f64) {
        let max = self.pieces.iter().map(|p| f64::from(p.max)).fold(f64::NEG_INFINITY, f64::max);
        let z = self.pieces.iter().map(|p| p.sum() * (f64::from(p.max) - max).exp()).sum();
        (max, z)
    }
}

/// How far logits move at most, and the range they lie in before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    change: f32,
    max: f32,
    /// Minus the smallest logit.
    below: f32,
}

impl Default for Shift {
    fn default() -> Shift {
        Shift { change: 0.0, max: f32::NEG_INFINITY, below: f32::NEG_INFINITY }
    }
}

impl Shift {
    /// Add a piece: the largest |change|, the largest logit, and minus the smallest.
    pub(super) fn add(&mut self, change: f32, max: f32, below: f32) {
        self.change = self.change.max(change);
        self.max = self.max.max(max);
        self.below = self.below.max(below);
    }

    /// Change over range; `None` where there is no range.
    pub(super) fn share(&self) -> Option<f32> {
        let range = f64::from(self.max) + f64::from(self.below);
        (range > 0.0).then(|| (f64::from(self.change) / range) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_combine_to_the_entropy_and_the_top_of_the_whole() {
        let logits = [0.5f32, 3.0, -1.0, 3.0, 7.5, -20.0, 2.0, 0.0, 7.0];
        let z: f64 = logits.iter().map(|l| f64::from(*l).exp()).sum();
        let entropy: f64 = logits.iter().map(|l| f64::from(*l).exp() / z).map(|p| -p * p.ln()).sum();
        let mut distribution = Distribution::default();
        for (start, part) in [(0, &logits[..2]), (2, &logits[2..6]), (6, &logits[6..])] {
            distribution.add(Piece::of(part), part.iter().enumerate().map(|(i, l)| (*l, start + i as u32)));
        }
        assert!((distribution.entropy() - entropy).abs() < 1e-6);
        let ids: Vec<u32> = distribution.top().iter().map(|t| t.id).collect();
        assert_eq!(ids, [4, 8, 1, 3, 6]); // 1 and 3 tie: the lower id first
        assert!((f64::from(distribution.top()[0].prob) - 7.5f64.exp() / z).abs() < 1e-7);
    }

    #[test]
    fn the_entropy_of_a_nearly_certain_token_keeps_its_digits() {
        let logits = [0.5f32, 16.0, -1.0, 2.0];
        let z: f64 = logits.iter().map(|l| (f64::from(*l) - 16.0).exp()).sum();
        let terms = logits.iter().map(|l| f64::from(*l) - 16.0).map(|l| -l.exp() * l / z);
        let entropy = z.ln() + terms.sum::<f64>(); // 1.6e-5
        for cut in [2, 4] {
            let mut distribution = Distribution::default();
            for part in [&logits[..cut], &logits[cut..]].into_iter().filter(|part| !part.is_empty()) {
                distribution.add(Piece::of(part), std::iter::empty());
            }
            assert!((distribution.entropy() / entropy - 1.0).abs() < 1e-6, "{}", distribution.entropy());
        }
    }

    #[test]
    fn logits_move_by_a_share_of_their_range() {
        let mut shift = Shift::default();
        assert_eq!(shift.share(), None);
        shift.add(0.5, 3.0, 1.0);
        shift.add(2.0, 1.0, 5.0);
        assert_eq!(shift.share(), Some(0.25)); // 2 of -5..3
    }
}
