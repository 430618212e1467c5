//! The vocabulary in pieces: entropy and the most probable tokens from each piece's sums, combined in float64.

use std::ops::Range;

use crate::observation::{TOP_K, TopToken};

/// Rows of the vocabulary per piece at most.
const ROWS: usize = 8192;

/// Pieces are filled up to a multiple of this: where the runtime starts to sum a row in whole vectors depends on where it
/// lies in memory, and rows of such pieces lie alike, whatever prompts run together.
const WHOLE: usize = 16;
/// What is added to the logits of filling rows: far below any logit, and its exponential is exactly 0 in float32.
const NOT_A_TOKEN: f32 = -1e30;

/// One prompt's sums over one piece, with m the largest logit of the piece.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
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
    pub fn of(logits: &[f32]) -> Piece {
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
pub struct Distribution {
    pieces: Vec<Piece>,
    /// Logit and id.
    top: Vec<(f32, u32)>,
}

/// Pieces of nearly equal size, so that none is too small to hold the top tokens.
pub fn pieces(vocabulary: usize) -> Vec<Range<usize>> {
    let count = vocabulary.div_ceil(ROWS);
    (0..count).map(|i| i * vocabulary / count..(i + 1) * vocabulary / count).collect()
}

/// Rows of a piece with what fills it up.
pub fn filled(piece: &Range<usize>) -> usize {
    piece.len().next_multiple_of(WHOLE)
}

/// What is added to the logits of a filled piece, one number a row.
pub fn padding(piece: &Range<usize>) -> Vec<f32> {
    (0..filled(piece)).map(|row| if row < piece.len() { 0.0 } else { NOT_A_TOKEN }).collect()
}

impl Distribution {
    /// Add a piece and its largest logits with their ids.
    pub fn add(&mut self, piece: Piece, top: impl Iterator<Item = (f32, u32)>) {
        self.pieces.push(piece);
        self.top.extend(top);
        self.top.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.top.truncate(TOP_K);
    }

    pub fn is_finite(&self) -> bool {
        self.pieces.iter().all(|p| p.max.is_finite() && p.sum().is_finite() && p.weighted.is_finite())
    }

    /// Entropy in nats: ln Z - Σ (l-m)·exp(l-m) / Z.
    pub fn entropy(&self) -> f64 {
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

    pub fn top(&self) -> Vec<TopToken> {
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
    fn a_filled_piece_has_whole_vectors_and_tells_tokens_from_filling() {
        for piece in [0..16, 5..6, 8192..16_383] {
            let padding = padding(&piece);
            assert!(padding.len().is_multiple_of(WHOLE) && padding.len() < piece.len() + WHOLE);
            assert!(padding[..piece.len()].iter().all(|x| *x == 0.0));
            assert!(padding[piece.len()..].iter().all(|x| (x - 1e6).exp() == 0.0 && (x + 1e6).exp() == 0.0));
        }
    }

    #[test]
    fn pieces_cover_the_vocabulary_and_none_is_tiny() {
        for vocabulary in [1, 5, 8192, 8193, 128_256] {
            let pieces = pieces(vocabulary);
            assert_eq!((pieces[0].start, pieces[pieces.len() - 1].end), (0, vocabulary));
            assert!(pieces.windows(2).all(|w| w[0].end == w[1].start));
            assert!(pieces.iter().all(|p| p.len() <= ROWS && p.len() >= TOP_K.min(vocabulary)));
        }
    }
}
