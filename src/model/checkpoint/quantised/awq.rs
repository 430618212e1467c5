//! AWQ: whole numbers of 4 bits, eight in a word, with a float16 scale and a zero point for each group of inputs.
//!
//! For the GEMM kernel words lie in a transposed matrix, interleaved; reference: `dequantize_gemm` in `awq/utils/packing_utils.py`
//! of AutoAWQ 0.2.9, in float32. For the GEMV kernel they lie along rows, in order, those of zero points and scales filled up;
//! by definition: `WQLinear_GEMV.from_linear` in `awq/modules/linear/gemv.py` there, whose kernel needs a GPU.

use safetensors::Dtype;

use super::{
    super::error::CheckpointError,
    bits,
    number::{Number, SCALES},
    plan::{Plan, Weight},
    rows::{Rows, Scheme},
    source::Source,
    turned::{self, TOGETHER, turned},
};

const BITS: u32 = 4;
const WORDS: &[Dtype] = &[Dtype::I32, Dtype::U32];
/// Numbers of a word.
const PER_WORD: usize = 8;
/// The first bit in its word of each of eight columns that follow each other.
const SHIFTS: [u32; PER_WORD] = [0, 16, 4, 20, 8, 24, 12, 28];

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    let weight = match source.one_of("version", &["gemm", "gemv"])? {
        "gemv" => along_rows,
        _ => down_columns,
    };
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

/// As the GEMM kernel takes it.
fn down_columns(source: &Source<'_>, module: &str, elements: usize) -> Result<Weight, CheckpointError> {
    let [inputs, words] = source.matrix(elements, WORDS)?;
    let outputs = PER_WORD * words;
    let scales = source.need(elements, module, ".scales")?;
    let mut parts = vec![elements, scales];
    let [groups, _] = source.matrix(scales, SCALES)?;
    source.shaped(scales, &[&[groups, outputs]])?;
    let group = source.group_of(scales, inputs, groups)?;
    let zeros = source.need(elements, module, ".qzeros")?;
    source.stored_as(zeros, WORDS)?;
    source.shaped(zeros, &[&[groups, words]])?;
    parts.push(zeros);
    let scale = Number::of(source.stored_as(scales, SCALES)?).unwrap_or(Number::F16);
    Ok(Weight {
        name: format!("{module}.weight"),
        scheme: Scheme::of_bits("awq", BITS),
        shape: source.sized(elements, [outputs, inputs])?,
        parts,
        rows: Box::new(Interleaved { inputs, words, group, scale }),
    })
}

struct Interleaved {
    inputs: usize,
    words: usize,
    group: usize,
    scale: Number,
}

impl Rows for Interleaved {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let [elements, scales, zeros] = [parts[0], parts[1], parts[2]];
        let Interleaved { inputs, words, .. } = *self;
        // A line of them: rows of which the first may lie within a word.
        let numbers = |bytes: &[u8], line: usize, row: usize| -> [i32; TOGETHER] {
            const WORDS: usize = TOGETHER / PER_WORD + 1;
            let line: [u32; WORDS] = turned::words(bytes, line * words + row / PER_WORD);
            let mut numbers = [0; TOGETHER];
            if row.is_multiple_of(PER_WORD) {
                for (numbers, word) in numbers.as_chunks_mut::<PER_WORD>().0.iter_mut().zip(&line) {
                    for index in 0..PER_WORD {
                        numbers[index] = (word >> SHIFTS[index] & 15) as i32;
                    }
                }
            } else {
                for (index, number) in (row % PER_WORD..).zip(&mut numbers) {
                    *number = (line[index / PER_WORD] >> SHIFTS[index % PER_WORD] & 15) as i32;
                }
            }
            numbers
        };
        // Scales and zero points of every group.
        let of_tile = |row: usize, rows: usize| {
            let row = first + row;
            let of_group = |group: usize| {
                let mut scale = [0.0; TOGETHER];
                for (at, scale) in (group * PER_WORD * words + row..).zip(&mut scale[..rows]) {
                    *scale = self.scale.at(scales, at);
                }
                (scale, numbers(zeros, group, row))
            };
            (row, (0..inputs / self.group).map(of_group).collect::<Vec<_>>())
        };
        turned(inputs, out, of_tile, |(row, known), input, out| {
            let (scale, zero) = &known[input / self.group];
            let number = numbers(elements, input, *row);
            for index in 0..TOGETHER {
                out[index] = (number[index] - zero[index]) as f32 * scale[index];
            }
        });
    }

    fn together(&self) -> usize {
        TOGETHER
    }

    fn says(&self) -> String {
        "awq of 4 bits, gemm".to_string()
    }
}

/// As the GEMV kernel takes it.
fn along_rows(source: &Source<'_>, module: &str, elements: usize) -> Result<Weight, CheckpointError> {
    const KEYS: [&str; 2] = ["group_size", "q_group_size"];
    let [outputs, words] = source.matrix(elements, WORDS)?;
    let inputs = PER_WORD * words;
    let given = source.count(KEYS[0])?.or(source.count(KEYS[1])?);
    let group = match given {
        Some(-1) => Some(inputs),
        given => given.and_then(|given| usize::try_from(given).ok()),
    };
    let group = group.filter(|group| *group > 0 && inputs.is_multiple_of(*group)).ok_or_else(|| {
        let expected = format!("the size of groups of {inputs} inputs");
        source.refuse_key(KEYS[0], &expected, &given.into())
    })?;
    let scales = source.need(elements, module, ".scales")?;
    let zeros = source.need(elements, module, ".qzeros")?;
    let [_, across] = source.matrix(zeros, WORDS)?;
    source.shaped(zeros, &[&[outputs, across]])?;
    if across < (inputs / group).div_ceil(PER_WORD) {
        let expected = format!("zero points of {} groups", inputs / group);
        return Err(source.refuse_tensor(zeros, expected, format!("{across} words of a row")));
    }
    source.shaped(scales, &[&[outputs, PER_WORD * across]])?;
    let scale = Number::of(source.stored_as(scales, SCALES)?).unwrap_or(Number::F16);
    Ok(Weight {
        name: format!("{module}.weight"),
        scheme: Scheme::of_bits("awq", BITS),
        shape: source.sized(elements, [outputs, inputs])?,
        parts: vec![elements, scales, zeros],
        rows: Box::new(InOrder { inputs, across, group, scale }),
    })
}

struct InOrder {
    inputs: usize,
    /// Words of a row of zero points.
    across: usize,
    group: usize,
    scale: Number,
}

impl Rows for InOrder {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let [elements, scales, zeros] = [parts[0], parts[1], parts[2]];
        for (row, out) in (first..).zip(out.chunks_mut(self.inputs)) {
            for (group, out) in out.chunks_mut(self.group).enumerate() {
                let at = row * PER_WORD * self.across + group;
                let (scale, zero) = (self.scale.at(scales, at), bits::at(zeros, 4 * at, BITS) as i32);
                let from = row * self.inputs + group * self.group;
                bits::run(elements, from, BITS, out, |number| (number as i32 - zero) as f32 * scale);
            }
        }
    }

    fn says(&self) -> String {
        format!("awq of 4 bits, gemv, groups of {}", self.group)
    }
}
