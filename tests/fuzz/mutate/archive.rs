//! Mutations of zip archives whose members are not compressed: of what a member holds, of its name, of the archive's own fields.
//! The archive is written anew around a changed member, so that the reader of the member is tried and not only that of archives.

use rand::{RngExt, rngs::ChaCha8Rng};

use super::bytes;

/// Signatures and fixed lengths of a member's header, its entry in the directory, and the end of the directory.
/// Source: PKWARE, `APPNOTE.TXT`, 4.3.7, 4.3.12 and 4.3.16.
const HEADER: (&[u8], usize) = (b"PK\x03\x04", 30);
const ENTRY: (&[u8], usize) = (b"PK\x01\x02", 46);
const END: (&[u8], usize) = (b"PK\x05\x06", 22);

/// Members by name, in their order.
pub(super) struct Archive(Vec<(Vec<u8>, Vec<u8>)>);

impl Archive {
    /// The members of an archive.
    pub(super) fn of(archive: &[u8]) -> Option<Archive> {
        let number = |at: usize, size: usize| -> Option<usize> {
            let bytes = archive.get(at..at + size)?;
            Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
        };
        let end = archive.windows(4).rposition(|four| four == END.0)?;
        let mut at = number(end + 16, 4)?;
        let mut members = Vec::new();
        while archive.get(at..at + 4)? == ENTRY.0 {
            let (size, name, extra, comment) =
                (number(at + 20, 4)?, number(at + 28, 2)?, number(at + 30, 2)?, number(at + 32, 2)?);
            let header = number(at + 42, 4)?;
            let from = header + HEADER.1 + number(header + 26, 2)? + number(header + 28, 2)?;
            let named = archive.get(at + ENTRY.1..at + ENTRY.1 + name)?;
            members.push((named.to_vec(), archive.get(from..from + size)?.to_vec()));
            at += ENTRY.1 + name + extra + comment;
        }
        Some(Archive(members))
    }

    /// An archive with a few changes.
    pub(super) fn mutate(&self, rng: &mut ChaCha8Rng) -> Vec<u8> {
        let mut members = self.0.clone();
        for _ in 0..1 << rng.random_range(0..2) {
            let pickle = members.iter().position(|(name, _)| name.ends_with(b"data.pkl"));
            let Some(at) = pickle.filter(|_| rng.random_range(0..8) > 0) else {
                other(&mut members, rng);
                continue;
            };
            let (_, content) = &mut members[at];
            *content = match rng.random() {
                // Most programs of a few wrong instructions end at the first.
                true => one_byte(content, rng),
                false => bytes::mutate(content, content, rng),
            };
        }
        written(&members)
    }
}

/// The same but for one byte, which another of it often takes the place of.
fn one_byte(content: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut changed = content.to_vec();
    if !changed.is_empty() {
        let (at, other) = (rng.random_range(0..changed.len()), rng.random_range(0..changed.len()));
        changed[at] = match rng.random_range(0..3) {
            0 => changed[other],
            1 => changed[at] ^ 1 << rng.random_range(0..8),
            _ => rng.random(),
        };
    }
    changed
}

/// Changes a member of any name, or which there are.
fn other(members: &mut Vec<(Vec<u8>, Vec<u8>)>, rng: &mut ChaCha8Rng) {
    if members.is_empty() {
        return;
    }
    let at = rng.random_range(0..members.len());
    match rng.random_range(0..4) {
        0 => drop(members.remove(at)),
        1 => members[at].0 = bytes::mutate(&members[at].0, b"/data/0.pkl", rng),
        2 => {
            let twice = members[at].clone();
            members.push(twice);
        }
        _ => members[at].1 = bytes::mutate(&members[at].1, b"", rng),
    }
}

/// An archive of these members. Its checksums are none: no reader of weights looks at them.
fn written(members: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let at = archive.len() as u32;
        let size = (content.len() as u32).to_le_bytes();
        let named = (name.len() as u16).to_le_bytes();
        // Versions, flags, method, time and date, checksum; sizes; lengths of the name and of what follows it.
        archive.extend([HEADER.0, &[0; 14], &size, &size, &named, &[0; 2], name, content].concat());
        directory
            .extend([ENTRY.0, &[0; 16], &size, &size, &named, &[0; 12], &at.to_le_bytes(), name].concat());
    }
    let (count, length) = ((members.len() as u16).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    let at = (archive.len() as u32).to_le_bytes();
    [archive, directory, [END.0, &[0; 4], &count, &count, &length, &at, &[0; 2]].concat()].concat()
}

#[test]
fn an_archive_that_is_written_anew_holds_the_same() {
    let file = std::fs::read(crate::input::corpus("pickled").join("every_kind.bin")).unwrap();
    let members = Archive::of(&file).unwrap().0;
    assert!(members.len() > 5);
    let again = written(&members);
    assert_eq!(Archive::of(&again).unwrap().0, members);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    std::fs::write(folder.path().join("pytorch_model.bin"), again).unwrap();
    let opened = model::checkpoint::Checkpoint::open(folder.path()).unwrap();
    assert_eq!(opened.entries().count(), 6);
}
