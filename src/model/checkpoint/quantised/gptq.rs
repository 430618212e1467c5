//! GPTQ: whole numbers of 2, 3, 4 or 8 bits, packed down the columns of a transposed matrix, with a float16 scale and a zero
//! point for each group of inputs; `g_idx` says the group of each input (act-order).
//!
//! The first layout (`checkpoint_format` `gptq`) stores zero points minus one, `gptq_v2` as they are. Reference: `QuantLinear` in
//! `nn_modules/qlinear/qlinear_cuda.py` of AutoGPTQ 0.7.1, in float32; where a stored zero point is minus one, what is added runs
//! over into the next of its word, as `convert_gptq_v1_to_v2_format_module` of GPTQModel 7.7 has it.

use safetensors::Dtype;

use super::{
    super::error::CheckpointError,
    bits,
    number::{Number, SCALES},
    plan::{Plan, Weight},
    rows::{Rows, Scheme},
    source::Source,
    turned::{TOGETHER, turned, words},
};

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    let first = source.one_of("checkpoint_format", &["gptq", "gptq_v2"])? == "gptq";
    source.one_of("pack_dtype", &["int32"])?;
    let mut plan = Plan::default();
    for (module, elements) in source.modules(".qweight") {
        plan.weights.push(weight(source, module, elements, first)?);
    }
    Ok(plan)
}

fn weight(
    source: &Source<'_>,
    module: &str,
    elements: usize,
    first_layout: bool,
) -> Result<Weight, CheckpointError> {
    let [words, outputs] = source.matrix(elements, &[Dtype::I32, Dtype::U32])?;
    let (zeros, scales) =
        (source.need(elements, module, ".qzeros")?, source.need(elements, module, ".scales")?);
    let g_idx = source.part(module, ".g_idx");
    let bits = bits_of(source, elements, g_idx)?;
    if !(32 * words).is_multiple_of(bits as usize) {
        let found = format!("{words} words of numbers of {bits} bits");
        return Err(source.refuse_tensor(elements, "whole numbers in its words".into(), found));
    }
    let inputs = 32 * words / bits as usize;
    let [groups, _] = source.matrix(scales, SCALES)?;
    source.shaped(scales, &[&[groups, outputs]])?;
    source.stored_as(zeros, &[Dtype::I32, Dtype::U32])?;
    source.shaped(zeros, &[&[groups, (outputs * bits as usize).div_ceil(32)]])?;
    let group = match g_idx {
        Some(_) => 0,
        None if inputs.is_multiple_of(groups) => inputs / groups,
        None => {
            let found = format!("{groups} for {inputs} inputs");
            return Err(source.refuse_tensor(scales, "scales of groups of one size".into(), found));
        }
    };
    let scale = Number::of(source.stored_as(scales, SCALES)?).unwrap_or(Number::F16);
    let mut parts = vec![elements, scales, zeros];
    if let Some(g_idx) = g_idx {
        source.stored_as(g_idx, &[Dtype::I32])?;
        source.shaped(g_idx, &[&[inputs]])?;
        let index = source.bytes(g_idx);
        if let Some(found) = (0..inputs).map(|i| bits::word(index, i)).find(|&group| group as usize >= groups)
        {
            let expected = format!("groups below {groups}, as there are scales");
            return Err(source.refuse_tensor(g_idx, expected, (found as i32).to_string()));
        }
        parts.push(g_idx);
    }
    Ok(Weight {
        name: format!("{module}.weight"),
        scheme: Scheme::of_bits("gptq", bits),
        shape: source.sized(elements, [outputs, inputs])?,
        parts,
        rows: Box::new(Columns { bits, inputs, outputs, groups, group, first_layout, scale }),
    })
}

/// What the config says, unless the tensors, of a module that is quantised otherwise, say how many inputs its words hold.
fn bits_of(source: &Source<'_>, elements: usize, g_idx: Option<usize>) -> Result<u32, CheckpointError> {
    const KEY: &str = "bits";
    let known = |bits: i64| [2, 3, 4, 8].into_iter().find(|known| i64::from(*known) == bits);
    let words = source.shape(elements)[0];
    let inputs = g_idx.and_then(|g_idx| source.shape(g_idx).first().copied()).filter(|inputs| *inputs > 0);
    if let Some(bits) = inputs.map(|inputs| 32 * words as i64 / inputs as i64).and_then(known) {
        return Ok(bits);
    }
    let bits = source.count(KEY)?;
    bits.and_then(known).ok_or_else(|| {
        source.refuse_key(KEY, "2, 3, 4 or 8", source.config.get(KEY).unwrap_or(&serde_json::Value::Null))
    })
}

/// Rows of the weight are columns of the words.
struct Columns {
    bits: u32,
    inputs: usize,
    outputs: usize,
    groups: usize,
    /// Inputs of a group, where no part says the group of each.
    group: usize,
    /// Stored zero points are too small by one.
    first_layout: bool,
    scale: Number,
}

impl Rows for Columns {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let [elements, scales, zeros] = [parts[0], parts[1], parts[2]];
        let Columns { bits, inputs, outputs, groups, .. } = *self;
        let across = (outputs * bits as usize).div_ceil(32) * 4; // bytes of a row of zero points
        let mask = (1 << bits) - 1;
        // Scales and zero points of every group.
        let of_tile = |row: usize, rows: usize| -> Vec<([f32; TOGETHER], [i32; TOGETHER])> {
            let row = first + row;
            let of_group = |group: usize| {
                let zeros = &zeros[group * across..(group + 1) * across];
                let mut known = ([0.0; TOGETHER], [0; TOGETHER]);
                for index in 0..rows {
                    known.0[index] = self.scale.at(scales, group * outputs + row + index);
                    known.1[index] = zero(zeros, row + index, bits, self.first_layout) as i32;
                }
                known
            };
            (0..groups).map(of_group).collect()
        };
        let with_row = |row, rows| (first + row, of_tile(row, rows));
        turned(inputs, out, with_row, |(row, known), input, out| {
            let group = match parts.get(3) {
                Some(g_idx) => bits::word(g_idx, input) as usize,
                None => input / self.group,
            };
            let (scale, zero) = &known[group];
            let (at, shift) =
                (input * bits as usize / 32 * outputs + row, (input * bits as usize % 32) as u32);
            let low: [u32; TOGETHER] = words(elements, at);
            if shift + bits > 32 {
                let high: [u32; TOGETHER] = words(elements, at + outputs);
                for index in 0..TOGETHER {
                    let number = (low[index] >> shift | high[index] << (32 - shift)) & mask;
                    out[index] = scale[index] * (number as i32 - zero[index]) as f32;
                }
            } else {
                for index in 0..TOGETHER {
                    out[index] = scale[index] * ((low[index] >> shift & mask) as i32 - zero[index]) as f32;
                }
            }
        });
    }

    fn together(&self) -> usize {
        TOGETHER
    }

    fn says(&self) -> String {
        format!("gptq of {} bits, first layout {}", self.bits, self.first_layout)
    }
}

/// The zero point of an output, of a row of them.
fn zero(zeros: &[u8], output: usize, bits: u32, first_layout: bool) -> u32 {
    let bit = output * bits as usize;
    if bits == 3 {
        return (bits::at(zeros, bit, bits) + u32::from(first_layout)) & 7; // these lie across words
    }
    let ones = if first_layout { u32::MAX / ((1 << bits) - 1) } else { 0 };
    bits::word(zeros, bit / 32).wrapping_add(ones) >> (bit % 32) & ((1 << bits) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_point_below_all_runs_over_into_the_next() {
        // GPTQModel stores 0 and 5 as 0x50 - 0x11 = 0x3f.
        let stored = (0x8888_8850u32 - 0x1111_1111).to_le_bytes();
        let found = [0, 1, 2].map(|output| zero(&stored, output, 4, true));
        assert_eq!(found, [0, 5, 8]);
        assert_eq!([0, 1].map(|output| zero(&stored, output, 4, false)), [15, 3]);
        assert_eq!(zero(&[0x07, 0, 0, 0], 0, 3, true), 0);
    }
}
