//! Rows of a weight whose numbers lie in the columns of another matrix: read a band at a time, one line of a few rows after the
//! other, and then turned, so that neither reading nor writing strides through memory. Loops are written out: functions of the
//! standard library would not be compiled for wide registers.

/// Rows that are read at once.
pub(super) const TOGETHER: usize = 64;
/// Inputs that are turned at once.
const BAND: usize = 64;

/// Writes rows of so many inputs into `out`: [`TOGETHER`] of them at a time, the last time fewer. For each such tile `of_tile` gets
/// its first row, from that of `out` on, and how many they are, and what it makes of them goes to `line`, which writes the
/// numbers of one input for all these rows.
#[inline(always)]
pub(super) fn turned<T>(
    inputs: usize,
    out: &mut [f32],
    of_tile: impl Fn(usize, usize) -> T,
    line: impl Fn(&T, usize, &mut [f32; TOGETHER]),
) {
    for (tile, out) in out.chunks_mut(TOGETHER * inputs).enumerate() {
        let known = of_tile(TOGETHER * tile, out.len() / inputs);
        let mut band = [[0.0; TOGETHER]; BAND];
        for start in (0..inputs).step_by(BAND) {
            let count = BAND.min(inputs - start);
            for (input, numbers) in (start..).zip(&mut band[..count]) {
                line(&known, input, numbers);
            }
            for (row, out) in out.chunks_mut(inputs).enumerate() {
                for (out, numbers) in out[start..start + count].iter_mut().zip(&band) {
                    *out = numbers[row % TOGETHER];
                }
            }
        }
    }
}

/// As many of a line of words as there are, from this one on.
#[inline(always)]
pub(super) fn words<const N: usize>(bytes: &[u8], from: usize) -> [u32; N] {
    let mut words = [0; N];
    let there = bytes[4 * from..].as_chunks::<4>().0;
    match there.first_chunk::<N>() {
        Some(all) => {
            for index in 0..N {
                words[index] = u32::from_le_bytes(all[index]);
            }
        }
        None => {
            for (word, bytes) in words.iter_mut().zip(there) {
                *word = u32::from_le_bytes(*bytes);
            }
        }
    }
    words
}
