//! bitsandbytes: codes of 4 bits (nf4, fp4) in blocks with a largest size, itself quantised or not; or rows of 8-bit numbers.
//!
//! Of 4 bits: `weight` (two codes a byte, the first above), `weight.absmax`, `weight.quant_map` (what codes stand for) and the
//! JSON `weight.quant_state.bitsandbytes__nf4`; double quantisation adds `weight.nested_absmax`, `weight.nested_quant_map` and an
//! offset. Of 8 bits: `weight` and `SCB`, the largest size of each row. Reference: `dequantize_4bit` and
//! `int8_vectorwise_dequant` of bitsandbytes on a CPU, in float32.

use safetensors::Dtype;
use serde::Deserialize;

use super::{
    super::error::CheckpointError,
    number::Number,
    plan::{Plan, Weight},
    rows::{Rows, Scheme},
    source::Source,
};

/// More sides than a weight has.
const MOST_SIDES: usize = 8;
/// Bytes of the JSON of a weight, at most.
const LONGEST: usize = 1 << 16;

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    let mut plan = Plan::default();
    for (kind, scheme) in [("nf4", Scheme::new("nf4")), ("fp4", Scheme::new("fp4"))] {
        let ending = format!(".quant_state.bitsandbytes__{kind}");
        for (name, state) in source.modules(&ending) {
            plan.weights.push(codes(source, name, state, kind, scheme)?);
        }
    }
    for (module, largest) in source.modules(".SCB") {
        plan.weights.push(rows(source, module, largest)?);
    }
    plan.unread = source.modules(".weight_format").into_iter().map(|(_, index)| index).collect();
    Ok(plan)
}

/// What the JSON of a weight says.
#[derive(Deserialize)]
struct State {
    quant_type: String,
    blocksize: usize,
    shape: Vec<usize>,
    nested_blocksize: Option<usize>,
    nested_offset: Option<f64>,
}

fn codes(
    source: &Source<'_>,
    name: &str,
    state: usize,
    kind: &str,
    scheme: Scheme,
) -> Result<Weight, CheckpointError> {
    let refuse =
        |index, expected: &str, found: String| source.refuse_tensor(index, expected.to_string(), found);
    let text = source.bytes(state);
    if text.len() > LONGEST {
        return Err(refuse(state, "a short JSON object", format!("{} bytes", text.len())));
    }
    let read: State = serde_json::from_slice(text)
        .map_err(|error| refuse(state, "a JSON object that describes a weight", error.to_string()))?;
    if read.quant_type != kind {
        return Err(refuse(state, &format!("quant_type {kind:?}"), format!("{:?}", read.quant_type)));
    }
    let sides = &read.shape;
    let elements = sides.iter().try_fold(1usize, |all, side| all.checked_mul(*side));
    let sound = (1..=MOST_SIDES).contains(&sides.len()) && read.blocksize > 0;
    let Some(elements) = elements.filter(|elements| sound && *elements > 0) else {
        let found = format!("shape {sides:?}, blocks of {}", read.blocksize);
        return Err(refuse(state, "sides and a block size above 0", found));
    };
    source.sized(state, [elements, 1])?;
    let codes =
        source.part(name, "").ok_or_else(|| refuse(state, &format!("the tensor {name:?}"), "none".into()))?;
    if source.bytes(codes).len() != elements.div_ceil(2) {
        let found = format!("{} bytes", source.bytes(codes).len());
        return Err(refuse(codes, &format!("two numbers a byte of a weight of shape {sides:?}"), found));
    }
    let floats = |part, count: usize| {
        source.stored_as(part, &[Dtype::F32])?;
        source.shaped(part, &[&[count]])
    };
    let (absmax, map) = (source.need(state, name, ".absmax")?, source.need(state, name, ".quant_map")?);
    floats(map, 16)?;
    let blocks = elements.div_ceil(read.blocksize);
    let mut parts = vec![codes, absmax, map];
    let nested = match (read.nested_blocksize, read.nested_offset) {
        (Some(block), Some(offset)) if block > 0 => {
            source.stored_as(absmax, &[Dtype::U8])?;
            source.shaped(absmax, &[&[blocks]])?;
            let largest = source.need(state, name, ".nested_absmax")?;
            let map = source.need(state, name, ".nested_quant_map")?;
            floats(largest, blocks.div_ceil(block))?;
            floats(map, 256)?;
            parts.extend([largest, map]);
            Some((block, offset as f32))
        }
        (None, None) => {
            floats(absmax, blocks)?;
            None
        }
        _ => return Err(refuse(state, "nested_blocksize and nested_offset", "one of them".into())),
    };
    let columns = sides[sides.len() - 1]; // at least one
    parts.push(state);
    Ok(Weight {
        name: name.to_string(),
        scheme,
        shape: read.shape.clone(),
        parts,
        rows: Box::new(Codes { columns, block: read.blocksize, nested }),
    })
}

struct Codes {
    columns: usize,
    /// Elements that share a largest size, along rows and from one to the next.
    block: usize,
    /// Blocks of largest sizes, and the offset of all, where these are quantised too.
    nested: Option<(usize, f32)>,
}

impl Codes {
    fn largest(&self, parts: &[&[u8]], block: usize) -> f32 {
        match self.nested {
            None => Number::F32.at(parts[1], block),
            Some((of, offset)) => {
                let code = Number::F32.at(parts[4], usize::from(parts[1][block]));
                code * Number::F32.at(parts[3], block / of) + offset
            }
        }
    }
}

impl Rows for Codes {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let map: [f32; 16] = std::array::from_fn(|code| Number::F32.at(parts[2], code));
        let mut at = first * self.columns;
        let mut out = out;
        while !out.is_empty() {
            let block = at / self.block;
            let (piece, rest) = out.split_at_mut(((block + 1) * self.block - at).min(out.len()));
            let largest = self.largest(parts, block);
            for out in piece {
                let shift = if at.is_multiple_of(2) { 4 } else { 0 };
                *out = map[usize::from(parts[0][at / 2] >> shift & 15)] * largest;
                at += 1;
            }
            out = rest;
        }
    }

    fn says(&self) -> String {
        format!("codes in blocks of {}, nested {:?}", self.block, self.nested)
    }
}

fn rows(source: &Source<'_>, module: &str, largest: usize) -> Result<Weight, CheckpointError> {
    let elements = source.need(largest, module, ".weight")?;
    let shape = source.matrix(elements, &[Dtype::I8])?;
    source.stored_as(largest, &[Dtype::F32])?;
    source.shaped(largest, &[&[shape[0]]])?;
    Ok(Weight {
        name: format!("{module}.weight"),
        scheme: Scheme::new("llm.int8"),
        shape: source.sized(elements, shape)?,
        parts: vec![elements, largest],
        rows: Box::new(Bytes { columns: shape[1] }),
    })
}

/// 1 / 127 as the reference writes it.
const STEP: f32 = 7.874_016e-3;

struct Bytes {
    columns: usize,
}

impl Rows for Bytes {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        for (row, out) in (first..).zip(out.chunks_mut(self.columns)) {
            let largest = Number::F32.at(parts[1], row);
            for (at, out) in (row * self.columns..).zip(out) {
                *out = Number::I8.at(parts[0], at) * largest * STEP;
            }
        }
    }

    fn says(&self) -> String {
        "rows of 8 bits".to_string()
    }
}
