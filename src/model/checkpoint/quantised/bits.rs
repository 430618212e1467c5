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
