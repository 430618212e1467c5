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

/// How zero points are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zeros {
    AsTheyAre,
    /// Minus one; what is added runs over into the next of its word.
    Below,
    /// Minus one; what is added may make one more than its bits can hold.
    EachBelow,
}

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    let first = source.one_of("checkpoint_format", &["gptq", "gptq_v2"])? == "gptq";
    source.one_of("pack_dtype", &["int32"])?;
    stored_with(source, if first { Zeros::Below } else { Zeros::AsTheyAre })
}

/// Weights of which the zero points are stored so.
pub(super) fn stored_with(source: &Source<'_>, zeros: Zeros) -> Result<Plan, CheckpointError> {
    let mut plan = Plan::default();
    for (module, elements) in source.modules(".qweight") {
        plan.weights.push(weight(source, module, elements, zeros)?);
    }
    Ok(plan)
}

fn weight(
    source: &Source<'_>,
    module: &str,
    elements: usize,
    stored: Zeros,
) -> Result<Weight, CheckpointError> {
    let [words, outputs] = source.matrix(elements, &[Dtype::I32, Dtype::U32])?;
    let (zeros, scales) =
        (source.need(elements, module, ".qzeros")?, source.need(elements, module, ".scales")?);
    let g_idx = source.part(module, ".g_idx");
    let bits = bits_of(source, module, elements, g_idx)?;
    let inputs = source.numbers_of(elements, words, bits)?;
    let [groups, _] = source.matrix(scales, SCALES)?;
    source.shaped(scales, &[&[groups, outputs]])?;
    source.stored_as(zeros, &[Dtype::I32, Dtype::U32])?;
    source.shaped(zeros, &[&[groups, (outputs * bits as usize).div_ceil(32)]])?;
    let group = match g_idx {
        Some(_) => 0,
        // The last group may be smaller.
        None if size_of(source, module)?.is_some_and(|size| inputs.div_ceil(size) == groups) => {
            size_of(source, module)?.unwrap_or(inputs)
        }
        None => source.group_of(scales, inputs, groups)?,
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
        rows: Box::new(Columns { bits, inputs, outputs, groups, group, stored, scale }),
    })
}

/// What the config says, unless the tensors, of a module that is quantised otherwise, say how many inputs its words hold.
fn bits_of(
    source: &Source<'_>,
    module: &str,
    elements: usize,
    g_idx: Option<usize>,
) -> Result<u32, CheckpointError> {
    const KEY: &str = "bits";
    let known = |bits: i64| [2, 3, 4, 8].into_iter().find(|known| i64::from(*known) == bits);
    let words = source.shape(elements)[0];
    let inputs = g_idx.and_then(|g_idx| source.shape(g_idx).first().copied()).filter(|inputs| *inputs > 0);
    if let Some(bits) = inputs.map(|inputs| 32 * words as i64 / inputs as i64).and_then(known) {
        return Ok(bits);
    }
    let bits = of_module(source, module, KEY)?;
    bits.and_then(known).ok_or_else(|| {
        source.refuse_key(KEY, "2, 3, 4 or 8", source.config.get(KEY).unwrap_or(&serde_json::Value::Null))
    })
}

/// The inputs of a group, as the config says; none where it says that all are one.
fn size_of(source: &Source<'_>, module: &str) -> Result<Option<usize>, CheckpointError> {
    let size = of_module(source, module, "group_size")?;
    Ok(size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0))
}

/// What the config says of a module, or else of all.
fn of_module(source: &Source<'_>, module: &str, key: &str) -> Result<Option<i64>, CheckpointError> {
    let own = source.config.get("extra_config").and_then(|modules| modules.get(module)?.get(key));
    match own.filter(|own| !own.is_null()) {
        Some(own) => own.as_i64().map(Some).ok_or_else(|| source.refuse_key(key, "a whole number", own)),
        None => source.count(key),
    }
}

/// Rows of the weight are columns of the words.
struct Columns {
    bits: u32,
    inputs: usize,
    outputs: usize,
    groups: usize,
    /// Inputs of a group, where no part says the group of each.
    group: usize,
    stored: Zeros,
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
                    known.1[index] = zero(zeros, row + index, bits, self.stored) as i32;
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
        match self.stored {
            Zeros::EachBelow => format!("gptq of {} bits, zero points each one below", self.bits),
            stored => format!("gptq of {} bits, first layout {}", self.bits, stored == Zeros::Below),
        }
    }
}

/// The zero point of an output, of a row of them.
fn zero(zeros: &[u8], output: usize, bits: u32, stored: Zeros) -> u32 {
    let bit = output * bits as usize;
    match stored {
        Zeros::EachBelow => return bits::at(zeros, bit, bits) + 1,
        _ if bits == 3 => return (bits::at(zeros, bit, bits) + u32::from(stored == Zeros::Below)) & 7, // these lie across words
        _ => {}
    }
    let ones = if stored == Zeros::Below { u32::MAX / ((1 << bits) - 1) } else { 0 };
    bits::word(zeros, bit / 32).wrapping_add(ones) >> (bit % 32) & ((1 << bits) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_point_below_all_runs_over_into_the_next() {
        // GPTQModel stores 0 and 5 as 0x50 - 0x11 = 0x3f.
        let stored = (0x8888_8850u32 - 0x1111_1111).to_le_bytes();
        let found = [0, 1, 2].map(|output| zero(&stored, output, 4, Zeros::Below));
        assert_eq!(found, [0, 5, 8]);
        assert_eq!([0, 1].map(|output| zero(&stored, output, 4, Zeros::AsTheyAre)), [15, 3]);
        assert_eq!(zero(&[0x07, 0, 0, 0], 0, 3, Zeros::Below), 0);
        assert_eq!(zero(&[0xff, 0, 0, 0], 0, 4, Zeros::EachBelow), 16);
    }
}
