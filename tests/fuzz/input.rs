//! The inputs of a target: its seeds as they are, then mutations of them, each decided by its number alone.

use std::{fs, path::PathBuf};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::mutate::Seeds;
use crate::targets::Target;

pub(crate) struct Source {
    seeds: Vec<Vec<u8>>,
    parsed: Seeds,
}

/// The folder of the inputs that are kept for a target.
pub(crate) fn corpus(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target)
}

impl Source {
    /// What lies in the corpus, then what the target makes or copies from the project's files.
    pub(crate) fn of(target: &Target) -> Source {
        let mut kept: Vec<PathBuf> = fs::read_dir(corpus(target.name))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        kept.sort();
        let mut seeds: Vec<Vec<u8>> = kept.iter().map(|file| fs::read(file).unwrap()).collect();
        seeds.extend((target.seeds)());
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        Source { parsed: Seeds::new(target.format, &seeds), seeds }
    }

    /// The input of a number.
    pub(crate) fn input(&self, seed: u64, number: u64) -> Vec<u8> {
        if let Some(as_it_is) = self.seeds.get(number as usize) {
            return as_it_is.clone();
        }
        let mut rng =
            ChaCha8Rng::seed_from_u64(seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        // The smallest of three: a large seed costs the time of many small ones.
        let draws = [0; 3].map(|_| rng.random_range(0..self.seeds.len()));
        let at = draws.into_iter().min_by_key(|&at| self.seeds[at].len()).unwrap();
        self.parsed.mutate(at, &mut rng)
    }
}
