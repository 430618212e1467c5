//! Seeds: every random number follows from the experiment's seed and the name of what it is for.

use rand::{SeedableRng, rngs::ChaCha12Rng};

/// A 64-bit seed. The same seed and labels give the same numbers on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// A seed of its own for `label`, so that adding a model or a prediction moves no other's numbers.
    #[must_use]
    pub fn derive(self, label: &str) -> Seed {
        let mut hasher = blake3::Hasher::new_derive_key("streamgauge 2026 statistics seed v1");
        hasher.update(&self.0.to_le_bytes());
        hasher.update(label.as_bytes());
        let mut word = [0; 8];
        word.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Seed(u64::from_le_bytes(word))
    }

    pub(crate) fn rng(self) -> ChaCha12Rng {
        ChaCha12Rng::seed_from_u64(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_separate_streams_and_repeat() {
        let seed = Seed(7);
        assert_eq!(seed.derive("a"), seed.derive("a"));
        assert_ne!(seed.derive("a"), seed.derive("b"));
        assert_ne!(seed.derive("a"), Seed(8).derive("a"));
    }
}
