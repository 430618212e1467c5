//! Mutations of plain bytes.

use rand::{RngExt, rngs::ChaCha8Rng};

use super::number;

/// Bytes at either end that are changed more often than those between: headers and footers.
const ENDS: usize = 2048;

/// A few changes, mostly near an end.
pub(super) fn mutate(bytes: &[u8], other: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut mutated = bytes.to_vec();
    for _ in 0..1 << rng.random_range(0..4) {
        let at = place(mutated.len(), rng);
        change(&mut mutated, at, other, rng);
    }
    mutated
}

/// A few changes in so many bytes at the beginning.
pub(super) fn mutate_head(bytes: &[u8], head: usize, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut mutated = bytes.to_vec();
    for _ in 0..1 << rng.random_range(0..4) {
        let within = [64, 512, head][rng.random_range(0..3)].min(mutated.len());
        let at = rng.random_range(0..=within);
        change(&mut mutated, at, bytes, rng);
    }
    mutated
}

/// A place in so many bytes.
fn place(length: usize, rng: &mut ChaCha8Rng) -> usize {
    let near = ENDS.min(length);
    match rng.random_range(0..4) {
        0 => rng.random_range(0..=near),
        1 => rng.random_range(0..=length),
        _ => length - rng.random_range(0..=near),
    }
}

fn change(bytes: &mut Vec<u8>, at: usize, other: &[u8], rng: &mut ChaCha8Rng) {
    let room = bytes.len() - at;
    match rng.random_range(0..9) {
        0..=2 if room > 0 => bytes[at] ^= 1 << rng.random_range(0..8),
        3 if room > 0 => bytes[at] = rng.random(),
        4 if room >= 8 => {
            let number = number(rng).to_le_bytes();
            let width = [1, 2, 4, 8][rng.random_range(0..4)];
            bytes[at..at + width].copy_from_slice(&number[..width]);
        }
        5 => {
            let (mut varint, mut rest) = (Vec::new(), number(rng));
            while rest > 0x7f {
                varint.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            varint.push(rest as u8);
            let end = at + varint.len().min(room);
            bytes.splice(at..end, varint);
        }
        6 => drop(bytes.drain(at..at + rng.random_range(0..=room.min(64)))),
        7 if !other.is_empty() => {
            let from = place(other.len(), rng);
            let piece = &other[from..from + rng.random_range(0..=(other.len() - from).min(256))];
            bytes.splice(at..at, piece.iter().copied());
        }
        _ if rng.random_range(0..8) == 0 => bytes.truncate(at),
        _ if room > 0 => bytes[at] = bytes[at].wrapping_add(1),
        _ => bytes.push(rng.random()),
    }
}
