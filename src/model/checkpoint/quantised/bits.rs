//! Whole numbers of a few bits packed end to end, the lowest bits first, across the borders of bytes and words.

/// The number that begins at a bit of little-endian bytes; at most eight bits.
#[inline]
pub(super) fn at(bytes: &[u8], bit: usize, bits: u32) -> u32 {
    let (byte, shift) = (bit / 8, bit % 8);
    let high = bytes.get(byte + 1).copied().unwrap_or(0);
    let pair = u32::from(u16::from_le_bytes([bytes[byte], high]));
    (pair >> shift) & ((1 << bits) - 1)
}

/// The little-endian word at this place.
#[inline]
pub(super) fn word(bytes: &[u8], index: usize) -> u32 {
    let at = 4 * index;
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The numbers that follow each other from this one on, turned into others.
#[inline(always)]
pub(super) fn run(bytes: &[u8], from: usize, bits: u32, out: &mut [f32], number: impl Fn(u32) -> f32) {
    match bits {
        8 => {
            for (out, byte) in out.iter_mut().zip(&bytes[from..]) {
                *out = number((*byte).into());
            }
        }
        4 if from.is_multiple_of(2) => {
            let (pairs, last) = out.as_chunks_mut::<2>();
            let bytes = &bytes[from / 2..];
            for (out, byte) in pairs.iter_mut().zip(bytes) {
                *out = [number(u32::from(byte & 15)), number(u32::from(byte >> 4))];
            }
            if let [last] = last {
                *last = number(u32::from(bytes[pairs.len()] & 15));
            }
        }
        _ if from.is_multiple_of(8) => {
            // Eight numbers are so many bytes.
            let (bytes, size) = (&bytes[from / 8 * bits as usize..], bits as usize);
            let (eights, last) = out.as_chunks_mut::<8>();
            for (out, bytes) in eights.iter_mut().zip(bytes.chunks_exact(size)) {
                let mut word = [0; 8];
                word[..size].copy_from_slice(bytes);
                let word = u64::from_le_bytes(word);
                for (index, out) in (0..).zip(out) {
                    *out = number((word >> (index * bits)) as u32 & ((1 << bits) - 1));
                }
            }
            for (index, out) in (8 * eights.len()..).zip(last) {
                *out = number(at(bytes, index * size, bits));
            }
        }
        _ => {
            for (index, out) in (from..).zip(out) {
                *out = number(at(bytes, index * bits as usize, bits));
            }
        }
    }
}

/// The number that begins at a bit of a column of words; `stride` words lie from one row to the next.
#[inline]
pub(super) fn down(bytes: &[u8], column: usize, stride: usize, bit: usize, bits: u32) -> u32 {
    let (row, shift) = (bit / 32, (bit % 32) as u32);
    let low = word(bytes, row * stride + column) >> shift;
    let crossing = shift + bits > 32;
    let high = if crossing { word(bytes, (row + 1) * stride + column) << (32 - shift) } else { 0 };
    (low | high) & ((1 << bits) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_cross_the_borders_of_bytes_and_words() {
        let numbers: Vec<u32> = (0..32).map(|i| (5 * i + 3) % 8).collect();
        let mut packed = [0u8; 12];
        for (i, number) in numbers.iter().enumerate() {
            for bit in 0..3 {
                let place = 3 * i + bit;
                packed[place / 8] |= ((number >> bit & 1) as u8) << (place % 8);
            }
        }
        let along: Vec<u32> = (0..32).map(|i| at(&packed, 3 * i, 3)).collect();
        let across: Vec<u32> = (0..32).map(|i| down(&packed, 0, 1, 3 * i, 3)).collect();
        assert_eq!((&along, &across), (&numbers, &numbers));
    }
}
