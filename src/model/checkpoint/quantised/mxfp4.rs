//! MXFP4: floats of 4 bits in blocks of 32 with a power of two, `<name>_blocks` and `<name>_scales`, as gpt-oss has them.
//!
//! Of plain matrices; the experts of gpt-oss, stacked and transposed, are of a family that is not computed here. Reference:
//! `convert_moe_packed_tensors` in `integrations/mxfp4.py` of transformers, in float32.

use safetensors::Dtype;

use super::{
    super::error::CheckpointError,
    number::power_of_two,
    plan::{Plan, Weight},
    rows::{Rows, Scheme},
    source::Source,
};

/// Numbers of a block.
const BLOCK: usize = 32;
/// What four bits stand for: sign, two bits of exponent, one of mantissa.
pub(super) const FLOATS: [f32; 16] =
    [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0];

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    let mut plan = Plan::default();
    for (name, blocks) in source.modules("_blocks") {
        source.stored_as(blocks, &[Dtype::U8])?;
        let &[rows, across, bytes] = source.shape(blocks) else {
            let expected = "rows of blocks of a matrix; stacked experts are not computed".to_string();
            return Err(source.refuse_tensor(blocks, expected, format!("shape {:?}", source.shape(blocks))));
        };
        source.shaped(blocks, &[&[rows, across, BLOCK / 2]])?;
        let scales = source.need(blocks, name, "_scales")?;
        source.stored_as(scales, &[Dtype::U8, Dtype::F8_E8M0])?;
        source.shaped(scales, &[&[rows, across]])?;
        let columns = 2 * bytes * across;
        plan.weights.push(Weight {
            name: name.to_string(),
            scheme: Scheme::new("mxfp4"),
            shape: source.sized(blocks, [rows, columns])?,
            parts: vec![blocks, scales],
            rows: Box::new(Blocks { columns }),
        });
    }
    Ok(plan)
}

struct Blocks {
    columns: usize,
}

impl Rows for Blocks {
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let [blocks, scales] = [parts[0], parts[1]];
        for (block, out) in (first * self.columns / BLOCK..).zip(out.chunks_mut(BLOCK)) {
            let bytes = &blocks[block * BLOCK / 2..][..BLOCK / 2];
            // The scale of the last exponent is infinite there, as `ldexp` has it.
            let scale = power_of_two(scales[block]);
            for (byte, out) in bytes.iter().zip(out.chunks_mut(2)) {
                out[0] = FLOATS[usize::from(byte & 15)] * scale;
                out[1] = FLOATS[usize::from(byte >> 4)] * scale;
            }
        }
    }

    fn says(&self) -> String {
        "mxfp4".to_string()
    }
}
