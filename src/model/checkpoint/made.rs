//! Weights that lie in no file: a constant, or numbers drawn as they are read.
//!
//! Every element is a function of its seed, its tensor's name and its place, so any run of them can be read by itself,
//! on any core, and none is kept.

use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use rayon::prelude::*;

/// What takes the place of a stored weight, as float32.
#[derive(Clone, Debug, PartialEq)]
pub struct Made(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Constant(f32),
    Normal { std: f64, key: [u8; 32] },
}

/// Elements per task; even, as numbers are drawn in pairs.
const CHUNK: usize = 1 << 14;
/// 32-bit words of the generator that a pair takes.
const PAIR_WORDS: u128 = 4;

impl Made {
    /// Every element is `value`.
    pub fn constant(value: f32) -> Made {
        Made(Kind::Constant(value))
    }

    /// Independent draws from N(0, `std`²), told apart by seed and tensor.
    pub fn normal(std: f64, seed: u64, tensor: &str) -> Made {
        let mut hasher = blake3::Hasher::new_derive_key("streamgauge 2026 random init v1");
        hasher.update(&seed.to_le_bytes());
        hasher.update(tensor.as_bytes());
        Made(Kind::Normal { std, key: *hasher.finalize().as_bytes() })
    }

    /// Writes the elements from `start` on into `out`.
    pub fn read(&self, start: usize, out: &mut [f32]) {
        match &self.0 {
            Kind::Constant(value) => out.fill(*value),
            Kind::Normal { std, key } if out.len() <= CHUNK => draw(*std, *key, start, out),
            Kind::Normal { std, key } => out
                .par_chunks_mut(CHUNK)
                .enumerate()
                .for_each(|(i, out)| draw(*std, *key, start + i * CHUNK, out)),
        }
    }
}

/// Box & Muller 1958, in pairs from a generator that can be entered anywhere. `libm` for the same digits on every
/// machine.
fn draw(std: f64, key: [u8; 32], start: usize, out: &mut [f32]) {
    let mut words = ChaCha8Rng::from_seed(key);
    words.set_word_pos(PAIR_WORDS * (start / 2) as u128);
    let mut pair = || {
        // 53 bits each: the first in (0, 1], whose logarithm is finite, the second in [0, 1).
        let unit = (1.0f64 / (1u64 << 53) as f64, words.next_u64() >> 11, words.next_u64() >> 11);
        let (radius, angle) =
            ((unit.1 + 1) as f64 * unit.0, std::f64::consts::TAU * (unit.2 as f64 * unit.0));
        let radius = std * (-2.0 * libm::log(radius)).sqrt();
        let (sin, cos) = libm::sincos(angle);
        [(radius * cos) as f32, (radius * sin) as f32]
    };
    let (odd, even) = out.split_at_mut((start % 2).min(out.len()));
    odd.fill_with(|| pair()[1]);
    let (pairs, rest) = even.as_chunks_mut::<2>();
    pairs.fill_with(&mut pair);
    rest.fill_with(|| pair()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(made: &Made, count: usize) -> Vec<f32> {
        let mut out = vec![0.0; count];
        made.read(0, &mut out);
        out
    }

    #[test]
    fn any_run_of_elements_is_the_same_alone_and_on_any_number_of_threads() {
        let made = Made::normal(0.02, 1, "w");
        let whole = all(&made, 3 * CHUNK + 5);
        for (start, count) in [(0, 1), (1, 1), (1, 2), (7, 9), (CHUNK - 1, CHUNK + 3), (CHUNK + 1, 2 * CHUNK)]
        {
            let mut some = vec![0.0; count];
            made.read(start, &mut some);
            assert_eq!(some, whole[start..start + count], "{count} from {start}");
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(pool.install(|| all(&made, whole.len())), whole);
    }

    #[test]
    fn draws_are_normal_with_the_deviation_asked_for() {
        let (count, std) = (400_000, 0.02);
        let drawn = all(&Made::normal(std, 1, "w"), count);
        let n = count as f64;
        let moment = |power: i32| drawn.iter().map(|&x| (f64::from(x) / std).powi(power)).sum::<f64>() / n;
        // Five standard errors of each moment: 1/√n, √(2/n), √(15/n), √(96/n).
        let near = |found: f64, expected: f64, variance: f64| {
            assert!((found - expected).abs() < 5.0 * (variance / n).sqrt(), "{found} for {expected}");
        };
        near(moment(1), 0.0, 1.0);
        near(moment(2), 1.0, 2.0);
        near(moment(3), 0.0, 15.0);
        near(moment(4), 3.0, 96.0);
        // Neighbours, which share a pair or not, do not follow each other.
        let along = drawn.windows(2).map(|w| f64::from(w[0]) * f64::from(w[1]) / (std * std)).sum::<f64>();
        near(along / n, 0.0, 1.0);
    }

    #[test]
    fn seed_and_tensor_both_tell_draws_apart() {
        let first = |seed, tensor| all(&Made::normal(1.0, seed, tensor), 8);
        assert_eq!(first(1, "w"), first(1, "w"));
        assert_ne!(first(1, "w"), first(2, "w"));
        assert_ne!(first(1, "w"), first(1, "v"));
        assert_eq!(all(&Made::constant(1.0), 3), [1.0; 3]);
    }
}
