//! The basis of a judgement or a report: everything measured that it may read, and the digest of it.

use std::collections::BTreeSet;

use super::Subject;
use super::cells::Cell;
use super::spectra::SetSpectra;
use super::weighing::Weighing;
use crate::plan::keys;
use base::hash::Key;
use study::config::Loaded;
use study::judge::asks_for;
use study::judge::hypothesis::Hypothesis;

/// Parts of a plan.
#[derive(Clone, Debug)]
pub(super) struct Basis<'a> {
    pub(super) cells: Vec<&'a Cell>,
    pub(super) weighings: Vec<&'a Weighing>,
    pub(super) spectra: Vec<&'a SetSpectra>,
}

/// What a hypothesis reads: prompts and spectra of its sets, and weights, without the revisions and variants that it does not
/// ask for.
pub(super) struct Choice<'a> {
    hypothesis: &'a Hypothesis,
    /// By number of the subject.
    subjects: Vec<bool>,
    /// By number of the prompt set.
    sets: Vec<bool>,
}

impl<'a> Choice<'a> {
    pub(super) fn of(loaded: &Loaded, hypothesis: &'a Hypothesis, subjects: &[Subject]) -> Choice<'a> {
        let asked = |subject: &Subject| asks_for(hypothesis, &subject.id, &subject.facts());
        let sets = loaded.prompt_sets.iter().map(|set| hypothesis.prompts.contains(&set.id));
        Choice { hypothesis, subjects: subjects.iter().map(asked).collect(), sets: sets.collect() }
    }

    pub(super) fn cell(&self, cell: &Cell) -> bool {
        self.subjects[cell.subject] && self.sets[cell.set]
    }

    pub(super) fn weighing(&self, weighing: &Weighing) -> bool {
        self.subjects[weighing.subject]
    }

    pub(super) fn spectra(&self, spectra: &SetSpectra) -> bool {
        self.subjects[spectra.subject] && self.hypothesis.prompts.contains(&spectra.set)
    }
}

impl<'a> Basis<'a> {
    pub(super) fn all(cells: &'a [Cell], weighings: &'a [Weighing], spectra: &'a [SetSpectra]) -> Basis<'a> {
        Basis {
            cells: cells.iter().collect(),
            weighings: weighings.iter().collect(),
            spectra: spectra.iter().collect(),
        }
    }

    /// What a hypothesis reads of it.
    pub(super) fn of(&self, choice: &Choice<'_>) -> Basis<'a> {
        Basis {
            cells: self.cells.iter().copied().filter(|cell| choice.cell(cell)).collect(),
            weighings: self.weighings.iter().copied().filter(|one| choice.weighing(one)).collect(),
            spectra: self.spectra.iter().copied().filter(|one| choice.spectra(one)).collect(),
        }
    }

    /// What of it was measured.
    pub(super) fn present(&self, keys: &BTreeSet<Key>) -> Basis<'a> {
        let mut basis = self.clone();
        basis.cells.retain(|cell| keys.contains(&cell.key));
        basis.weighings.retain(|weighing| keys.contains(&weighing.key));
        basis.spectra.retain(|spectra| keys.contains(&spectra.key));
        basis
    }

    /// Number of its parts.
    pub(super) fn len(&self) -> usize {
        self.cells.len() + self.weighings.len() + self.spectra.len()
    }

    /// Digest of it, with the names under which its numbers enter the tables.
    pub(super) fn digest(&self, subjects: &[Subject], published: Option<Key>) -> Key {
        let mut digest = keys::EvidenceDigest::default();
        let mut models = BTreeSet::new();
        for cell in &self.cells {
            digest.observation(cell.part);
            models.insert(cell.subject);
        }
        for weighing in &self.weighings {
            digest.weighing(&subjects[weighing.subject].id, &weighing.key);
            models.insert(weighing.subject);
        }
        for spectra in &self.spectra {
            digest.spectra(&subjects[spectra.subject].id, &spectra.set, spectra.bos, &spectra.key);
            models.insert(spectra.subject);
        }
        // Once a model: its facts take a walk over all its tensors.
        for subject in models.into_iter().map(|index| &subjects[index]) {
            digest.model(&subject.id, &subject.facts());
        }
        if let Some(key) = &published {
            digest.import(key);
        }
        digest.finish()
    }
}
