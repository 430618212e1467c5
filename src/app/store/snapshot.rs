//! What the store held at one moment. Taking one needs no lock.

use std::sync::Arc;

use super::{
    StoreError,
    files::Files,
    index::{Catalog, Place},
};
use crate::plan::Known;
use base::hash::{Fields, Key};

/// The recorded cells and whether their objects were there.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(super) catalog: Arc<Catalog>,
    /// By record: its object exists.
    present: Vec<bool>,
    notes: Vec<String>,
}

impl Snapshot {
    pub(super) fn take(files: &Files, catalog: Arc<Catalog>) -> Result<Snapshot, StoreError> {
        let records = catalog.records();
        let present: Vec<bool> =
            records.iter().map(|r| files.has_object(&r.object)).collect::<Result<_, _>>()?;
        let mut snapshot = Snapshot { notes: catalog.notes.clone(), catalog, present };
        let mut lost = vec![0usize; snapshot.present.len()];
        for (_, places) in snapshot.catalog.keys().filter(|(_, places)| snapshot.usable(places).is_none()) {
            lost[places[0].record] += 1;
        }
        for (record, cells) in lost.into_iter().enumerate().filter(|(_, cells)| *cells > 0) {
            let object = snapshot.catalog.records()[record].object.file();
            snapshot.notes.push(format!(
                "object {object} is missing or was quarantined; {cells} cell{} to be computed again",
                if cells == 1 { "" } else { "s" }
            ));
        }
        Ok(snapshot)
    }

    /// One line each for people: ignored index files, lost objects.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Number of cells whose output exists.
    pub fn cells(&self) -> usize {
        self.catalog.keys().filter(|(_, places)| self.usable(places).is_some()).count()
    }

    /// Whether the output of a job of this kind exists that has this value in a field of its key.
    pub fn mentions(&self, job: &str, field: &str, value: &str) -> bool {
        let mut present = self.catalog.records().iter().zip(&self.present).filter(|(_, present)| **present);
        present.any(|(record, _)| record.mentions(job, field, value))
    }

    /// The first place whose object exists.
    pub(super) fn usable(&self, places: &[Place]) -> Option<Place> {
        places.iter().copied().find(|p| self.present[p.record])
    }

    /// From now on, the object of this record counts as missing.
    pub(super) fn lose(&mut self, record: usize) {
        self.present[record] = false;
    }

    pub(super) fn present(&self, record: usize) -> bool {
        self.present[record]
    }
}

impl Known for Snapshot {
    fn has(&self, key: &Key) -> bool {
        self.usable(self.catalog.places(key)).is_some()
    }

    fn last_fields(&self, slot: &str) -> Option<Fields> {
        self.catalog.last_fields(slot)
    }

    fn quarantined(&self, key: &Key) -> bool {
        let places = self.catalog.places(key);
        !places.is_empty() && self.usable(places).is_none()
    }
}
