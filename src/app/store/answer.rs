//! The answers of a store to who asks for an output: it is there, it is not, or it is lost. That the system could not read is
//! none of them but an error, since nothing is known of the output then.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use base::hash::Key;

/// The answer to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored<T> {
    /// The output, verified.
    Present(T),
    /// Nothing was ever recorded under the key.
    Absent,
    /// It was recorded, and its object is damaged or gone: it is to be computed again.
    Damaged(Damaged),
}

/// A recorded cell whose object has other bytes than were written, or is gone: the cell is to be computed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Key of the cell.
    pub key: Key,
    /// Slot under which it was recorded first.
    pub slot: String,
    /// Where the object lay.
    pub object: PathBuf,
    /// What was found instead of the object's bytes.
    pub reason: String,
    /// Whether the object was moved aside; not so in a store that this user cannot write.
    pub quarantined: bool,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damaged { slot, object, reason, quarantined, .. } = self;
        let fate = if *quarantined { "moved to quarantine, " } else { "" };
        write!(f, "{slot}: {} is damaged ({reason}); {fate}to be computed again", object.display())
    }
}

/// One line for each damaged object, however many cells it held.
pub fn damage_notes(damaged: &[Damaged]) -> Vec<String> {
    let mut by_object: Vec<(&Damaged, usize)> = Vec::new();
    for one in damaged {
        match by_object.iter_mut().find(|(first, _)| first.object == one.object) {
            Some((_, others)) => *others += 1,
            None => by_object.push((one, 0)),
        }
    }
    let note = |(first, others): (&Damaged, usize)| match others {
        0 => first.to_string(),
        more => format!("{first}, and {more} more of the same object"),
    };
    by_object.into_iter().map(note).collect()
}

/// The answers to several keys: each key is in exactly one part.
#[derive(Clone, Debug)]
pub struct Answers<T> {
    /// What was read.
    pub found: BTreeMap<Key, T>,
    /// What was recorded and is damaged or gone.
    pub damaged: Vec<Damaged>,
    /// What was never recorded.
    pub absent: Vec<Key>,
}
