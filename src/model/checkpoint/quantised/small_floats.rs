//! Floats of 4 or 6 bits, end to end along the rows of a matrix, in blocks of columns that share a scale of 8 bits; a scale of the
//! whole may divide those of the blocks.
//!
//! Source of the floats: OCP Microscaling Formats 1.0.

use safetensors::Dtype;

use super::{
    super::error::CheckpointError,
    bits,
    number::Number,
    plan::Weight,
    rows::{Rows, Scheme},
    source::Source,
};

/// What four bits stand for: sign, two bits of exponent, one of mantissa.
pub(super) const FLOATS_4: [f32; 16] =
    [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0];

/// What six bits stand for: sign, two bits of exponent, three of mantissa.
const FLOATS_6: [f32; 64] = {
    let mut all = [0.0; 64];
    let mut code = 0;
    while code < 64 {
        let (exponent, mantissa) = (code >> 3 & 3, (code & 7) as f32 / 8.0);
        let size = match exponent {
            0 => mantissa,
            _ => (1.0 + mantissa) * (1 << (exponent - 1)) as f32,
        };
        all[code] = if code & 32 != 0 { -size } else { size };
        code += 1;
    }
    all
};

/// The bits of the floats, and columns of the blocks, that are known.
const BITS: [u32; 2] = [4, 6];
const BLOCKS: [usize; 2] = [16, 32];

/// The tensors that store a weight.
pub(super) struct Stored<'a> {
    /// The weight's name.
    pub(super) name: String,
    /// Bytes of the floats, a row of them for each row of the weight.
    pub(super) elements: usize,
    /// A matrix with a scale of each block.
    pub(super) scales: usize,
    /// The scale of the whole, and what it does to those of blocks.
    pub(super) whole: Option<(Whole, usize)>,
    /// The bits that a float may have.
    pub(super) bits: &'a [u32],
}

/// What a scale of the whole does to those of blocks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whole {
    Divides,
    Multiplies,
}

impl Stored<'_> {
    pub(super) fn weight(self, source: &Source<'_>) -> Result<Weight, CheckpointError> {
        let Stored { name, elements, scales, whole, bits } = self;
        let [rows, bytes] = source.matrix(elements, &[Dtype::U8])?;
        let scale = source.stored_as(scales, &[Dtype::U8, Dtype::F8_E8M0, Dtype::F8_E4M3])?;
        let [_, across] = source.matrix(scales, &[scale])?;
        source.shaped(scales, &[&[rows, across]])?;
        let known = BITS.into_iter().filter(|known| bits.contains(known));
        let sizes = known.flat_map(|bits| BLOCKS.map(|block| (bits, block)));
        let fits =
            |&(bits, block): &(u32, usize)| across.checked_mul(block * bits as usize) == bytes.checked_mul(8);
        let Some((bits, block)) = sizes.into_iter().find(fits) else {
            let expected = format!("blocks of {BLOCKS:?} floats of {BITS:?} bits, {across} in a row");
            return Err(source.refuse_tensor(
                elements,
                expected,
                format!("shape {:?}", source.shape(elements)),
            ));
        };
        let mut parts = vec![elements, scales];
        if let Some((_, whole)) = whole {
            source.stored_as(whole, &[Dtype::F32])?;
            source.shaped(whole, &[&[], &[1]])?;
            parts.push(whole);
        }
        let name_of = match (bits, block) {
            (6, _) => "mxfp6",
            (_, 16) => "nvfp4",
            _ if whole.is_some() => "nvfp4",
            _ => "mxfp4",
        };
        let columns = block * across;
        Ok(Weight {
            name,
            scheme: Scheme::new(name_of),
            shape: source.sized(elements, [rows, columns])?,
            parts,
            rows: Box::new(Blocks {
                bits,
                columns,
                block,
                scale: Number::of(scale).unwrap_or(Number::E8M0),
                whole: whole.map(|(does, _)| does),
            }),
        })
    }
}

struct Blocks {
    bits: u32,
    columns: usize,
    block: usize,
    scale: Number,
    /// What the last part, with a scale of the whole, does to those of blocks, if there is one.
    whole: Option<Whole>,
}

impl Rows for Blocks {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let [elements, scales] = [parts[0], parts[1]];
        let whole = self.whole.map(|does| (does, Number::F32.at(parts[2], 0)));
        for (block, out) in (first * self.columns / self.block..).zip(out.chunks_mut(self.block)) {
            let scale = self.scale.at(scales, block);
            let scale = match whole {
                None => scale,
                Some((Whole::Divides, whole)) => scale / whole,
                Some((Whole::Multiplies, whole)) => scale * whole,
            };
            let from = block * self.block;
            if self.bits == 4 {
                bits::run(elements, from, 4, out, |code| FLOATS_4[code as usize & 15] * scale);
            } else {
                bits::run(elements, from, 6, out, |code| FLOATS_6[code as usize & 63] * scale);
            }
        }
    }

    fn says(&self) -> String {
        match (self.bits, self.block, self.scale) {
            (4, 32, Number::E8M0) => "mxfp4".to_string(),
            (bits, block, scale) => {
                // The words decide identities of models, so those that have been stay.
                let whole = match self.whole {
                    None => "divided false",
                    Some(Whole::Divides) => "divided true",
                    Some(Whole::Multiplies) => "multiplied",
                };
                format!("floats of {bits} bits in blocks of {block}, {scale:?}, {whole}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_bits_are_what_they_say() {
        let of = |code: usize| FLOATS_6[code];
        assert_eq!([of(1), of(7), of(8), of(16), of(31), of(40)], [0.125, 0.875, 1.0, 2.0, 7.5, -1.0]);
        assert!(of(32) == 0.0 && of(32).is_sign_negative());
    }
}
