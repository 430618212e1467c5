//! The basis of a judgement or a report: everything measured that it may read, and the digest of it.

use std::collections::BTreeSet;

use super::Subject;
use super::planning::Cell;
use super::spectra::SetSpectra;
use super::weighing::Weighing;
use crate::config::hypothesis::Hypothesis;
use crate::hash::Key;
use crate::judge::asks_for;
use crate::plan::keys;

/// Parts of a plan.
#[derive(Clone, Debug)]
pub(super) struct Basis<'a> {
    pub(super) cells: Vec<&'a Cell>,
    pub(super) weighings: Vec<&'a Weighing>,
    pub(super) spectra: Vec<&'a SetSpectra>,
}

impl<'a> Basis<'a> {
    pub(super) fn all(cells: &'a [Cell], weighings: &'a [Weighing], spectra: &'a [SetSpectra]) -> Basis<'a> {
        Basis {
            cells: cells.iter().collect(),
            weighings: weighings.iter().collect(),
            spectra: spectra.iter().collect(),
        }
    }

    /// What a hypothesis reads: prompts and spectra of its sets, and weights, without the revisions and variants that it
    /// does not ask for.
    pub(super) fn of(&self, hypothesis: &Hypothesis, subjects: &[Subject]) -> Basis<'a> {
        let sets = &hypothesis.prompts;
        let asked: Vec<bool> = subjects.iter().map(|s| asks_for(hypothesis, &s.id, &s.facts())).collect();
        let mut basis = self.clone();
        basis.cells.retain(|cell| asked[cell.subject] && sets.contains(&cell.set));
        basis.weighings.retain(|weighing| asked[weighing.subject]);
        basis.spectra.retain(|spectra| asked[spectra.subject] && sets.contains(&spectra.set));
        basis
    }

    /// What of it was measured.
    pub(super) fn present(&self, keys: &BTreeSet<Key>) -> Basis<'a> {
        let mut basis = self.clone();
        basis.cells.retain(|cell| keys.contains(&cell.key));
        basis.weighings.retain(|weighing| keys.contains(&weighing.key));
        basis.spectra.retain(|spectra| keys.contains(&spectra.key));
        basis
    }

    /// Slots of the jobs that make it.
    pub(super) fn slots(&self) -> impl Iterator<Item = String> {
        let cells = self.cells.iter().map(|cell| &cell.slot);
        let weighings = self.weighings.iter().map(|weighing| &weighing.slot);
        cells.chain(weighings).chain(self.spectra.iter().map(|spectra| &spectra.slot)).cloned()
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
