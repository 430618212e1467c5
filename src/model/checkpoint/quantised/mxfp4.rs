//! MXFP4: floats of 4 bits in blocks of 32 with a power of two, `<name>_blocks` and `<name>_scales`, as gpt-oss has them.
//!
//! Of plain matrices, and of experts, which are stacked and transposed: `[experts, outputs, blocks, 16]` stands for a weight
//! `[experts, inputs, outputs]`. Reference: `convert_moe_packed_tensors` in `integrations/mxfp4.py` of transformers, in float32.

use safetensors::Dtype;

use super::{
    super::error::CheckpointError,
    bits,
    number::power_of_two,
    plan::{Plan, Weight},
    rows::{Rows, Scheme},
    small_floats::FLOATS_4,
    source::Source,
};

/// Numbers of a block.
const BLOCK: usize = 32;

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    let mut plan = Plan::default();
    for (name, blocks) in source.modules("_blocks") {
        source.stored_as(blocks, &[Dtype::U8])?;
        let scales = source.need(blocks, name, "_scales")?;
        source.stored_as(scales, &[Dtype::U8, Dtype::F8_E8M0])?;
        let (shape, rows): (_, Box<dyn Rows>) = match *source.shape(blocks) {
            [rows, across, bytes] if bytes == BLOCK / 2 && across > 0 => {
                source.shaped(scales, &[&[rows, across]])?;
                let columns = BLOCK * across;
                (source.sized(blocks, [rows, columns])?, Box::new(Blocks { columns }))
            }
            [experts, outputs, across, bytes] if bytes == BLOCK / 2 && across > 0 => {
                source.shaped(scales, &[&[experts, outputs, across]])?;
                let inputs = BLOCK * across;
                // No side of a stored tensor overflows with the others; that of all experts is at most its bytes.
                source.sized(blocks, [experts.saturating_mul(outputs), inputs])?;
                (vec![experts, inputs, outputs], Box::new(Experts { inputs, outputs }))
            }
            ref other => {
                let expected = format!("rows of blocks of {} bytes, of a matrix or of several", BLOCK / 2);
                return Err(source.refuse_tensor(blocks, expected, format!("shape {other:?}")));
            }
        };
        let (name, scheme) = (name.to_string(), Scheme::new("mxfp4"));
        plan.weights.push(Weight { name, scheme, shape, parts: vec![blocks, scales], rows });
    }
    Ok(plan)
}

struct Blocks {
    columns: usize,
}

impl Rows for Blocks {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let [blocks, scales] = [parts[0], parts[1]];
        for (block, out) in (first * self.columns / BLOCK..).zip(out.chunks_mut(BLOCK)) {
            // The scale of the last exponent is infinite there, as `ldexp` has it.
            let scale = power_of_two(scales[block]);
            bits::run(blocks, block * BLOCK, 4, out, |code| FLOATS_4[code as usize & 15] * scale);
        }
    }

    fn says(&self) -> String {
        "mxfp4".to_string()
    }
}

/// A row is an input of one expert, and lies across the blocks of all its outputs.
struct Experts {
    inputs: usize,
    outputs: usize,
}

impl Rows for Experts {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let [blocks, scales] = [parts[0], parts[1]];
        let Experts { inputs, outputs } = *self;
        let (mut row, mut out) = (first, out);
        while !out.is_empty() {
            // Up to the end of the block: these rows lie in the same bytes.
            let (expert, input) = (row / inputs, row % inputs);
            let together = (BLOCK - input % BLOCK).min(out.len() / outputs);
            let (piece, rest) = out.split_at_mut(together * outputs);
            for output in 0..outputs {
                let block = (expert * outputs + output) * (inputs / BLOCK) + input / BLOCK;
                let scale = power_of_two(scales[block]);
                for (at, out) in (input % BLOCK..).zip(piece.chunks_mut(outputs)) {
                    let byte = blocks[block * BLOCK / 2 + at / 2];
                    let code = if at.is_multiple_of(2) { byte & 15 } else { byte >> 4 };
                    out[output] = FLOATS_4[usize::from(code)] * scale;
                }
            }
            row += together;
            out = rest;
        }
    }

    fn together(&self) -> usize {
        BLOCK
    }

    fn says(&self) -> String {
        "mxfp4 of experts, transposed".to_string()
    }
}
