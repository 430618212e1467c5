//! AWQ: whole numbers of 4 bits, eight in a word of a transposed matrix, interleaved, with a float16 scale and a zero point for
//! each group of inputs.
//!
//! The layout is that of its GEMM kernel. Reference: `dequantize_gemm` in `awq/utils/packing_utils.py` of AutoAWQ 0.2.9, in float32.

use safetensors::Dtype;

use super::{
    super::error::CheckpointError,
    bits,
    number::{Number, SCALES},
    plan::{Plan, Weight},
    rows::{Rows, Scheme},
    source::Source,
};

const BITS: u32 = 4;
/// Numbers of a word.
const PER_WORD: usize = 8;
/// The place in its word of each of eight columns that follow each other.
const PLACES: [u32; PER_WORD] = [0, 4, 1, 5, 2, 6, 3, 7];

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    source.one_of("version", &["gemm"])?;
    let found = source.count("bits")?.or(source.count("w_bit")?);
    if found.is_some_and(|bits| bits != i64::from(BITS)) {
        return Err(source.refuse_key("bits", "4", &found.into()));
    }
    let mut plan = Plan::default();
    for (module, elements) in source.modules(".qweight") {
        plan.weights.push(weight(source, module, elements)?);
    }
    Ok(plan)
}

fn weight(source: &Source<'_>, module: &str, elements: usize) -> Result<Weight, CheckpointError> {
    let [inputs, words] = source.matrix(elements, &[Dtype::I32, Dtype::U32])?;
    let outputs = PER_WORD * words;
    let scales = source.need(elements, module, ".scales")?;
    let mut parts = vec![elements, scales];
    let [groups, _] = source.matrix(scales, SCALES)?;
    source.shaped(scales, &[&[groups, outputs]])?;
    if !inputs.is_multiple_of(groups) {
        let found = format!("{groups} for {inputs} inputs");
        return Err(source.refuse_tensor(scales, "scales of groups of one size".into(), found));
    }
    let zeros = source.need(elements, module, ".qzeros")?;
    source.stored_as(zeros, &[Dtype::I32, Dtype::U32])?;
    source.shaped(zeros, &[&[groups, words]])?;
    parts.push(zeros);
    let scale = Number::of(source.stored_as(scales, SCALES)?).unwrap_or(Number::F16);
    Ok(Weight {
        name: format!("{module}.weight"),
        scheme: Scheme::of_bits("awq", BITS),
        shape: source.sized(elements, [outputs, inputs])?,
        parts,
        rows: Box::new(Interleaved { inputs, words, group: inputs / groups, scale }),
    })
}

struct Interleaved {
    inputs: usize,
    words: usize,
    group: usize,
    scale: Number,
}

impl Rows for Interleaved {
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let [elements, scales, zeros] = [parts[0], parts[1], parts[2]];
        let Interleaved { inputs, words, .. } = *self;
        for (row, out) in (first..).zip(out.chunks_mut(inputs)) {
            let (word, shift) = (row / PER_WORD, BITS * PLACES[row % PER_WORD]);
            let number =
                |bytes: &[u8], line: usize| (bits::word(bytes, line * words + word) >> shift & 15) as i32;
            for (group, out) in out.chunks_mut(self.group).enumerate() {
                let (scale, zero) =
                    (self.scale.at(scales, group * PER_WORD * words + row), number(zeros, group));
                for (input, out) in (group * self.group..).zip(out) {
                    *out = (number(elements, input) - zero) as f32 * scale;
                }
            }
        }
    }

    fn together(&self) -> usize {
        PER_WORD
    }

    fn says(&self) -> String {
        "awq of 4 bits, gemm".to_string()
    }
}
