//! Floats of 8 bits with float scales: one for a tensor, for each row, or for each block of 128 x 128.
//!
//! `weight` with `weight_scale_inv` (DeepSeek, Qwen, MiniMax: blocks) or `weight_scale` (vLLM, a number or one for each row).
//! Reference: `Fp8Dequantize` in `integrations/finegrained_fp8.py` of transformers, in float32; blocks at the edges are
//! smaller, as in `weight_dequant` of DeepSeek's `inference/kernel.py`.

use safetensors::Dtype;
use serde_json::Value;

use super::{
    super::error::CheckpointError,
    grid::Grid,
    number::{Number, SCALES_OR_POWERS},
    plan::{Plan, Weight},
    rows::{Rows, Scheme},
    source::Source,
};

const FLOATS: &[Dtype] = &[Dtype::F8_E4M3, Dtype::F8_E5M2];
const SCALE: [&str; 2] = [".weight_scale_inv", ".weight_scale"];
const UNREAD: [&str; 4] = [".input_scale", ".activation_scale", ".k_scale", ".v_scale"];

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    source.one_of("fmt", &["e4m3", "e5m2"])?;
    let block = block(source)?;
    let mut plan = Plan::default();
    for ending in SCALE {
        for (module, scale) in source.modules(ending) {
            let elements = source.need(scale, module, ".weight")?;
            source.stored_as(elements, FLOATS)?;
            plan.weights.push(weight(source, module, [elements, scale], block)?);
        }
    }
    plan.unread = UNREAD.iter().flat_map(|ending| source.modules(ending)).map(|(_, index)| index).collect();
    Ok(plan)
}

fn block(source: &Source<'_>) -> Result<Option<[usize; 2]>, CheckpointError> {
    const KEY: &str = "weight_block_size";
    let Some(found) = source.config.get(KEY).filter(|found| !found.is_null()) else { return Ok(None) };
    let sides: Option<Vec<u64>> = found.as_array().map(|all| all.iter().filter_map(Value::as_u64).collect());
    match sides.as_deref() {
        Some(&[rows, columns]) if rows > 0 && columns > 0 => {
            Ok(Some([rows, columns].map(|side| usize::try_from(side).unwrap_or(usize::MAX))))
        }
        _ => Err(source.refuse_key(KEY, "two sides of a block", found)),
    }
}

/// Small floats or whole numbers of a byte, and scales.
pub(super) fn weight(
    source: &Source<'_>,
    module: &str,
    [elements, scale]: [usize; 2],
    block: Option<[usize; 2]>,
) -> Result<Weight, CheckpointError> {
    const ELEMENTS: &[Dtype] = &[FLOATS[0], FLOATS[1], Dtype::I8];
    let shape = source.matrix(elements, ELEMENTS)?;
    let dtype = source.stored_as(scale, SCALES_OR_POWERS)?;
    let of =
        |dtype| Number::of(dtype).ok_or_else(|| source.refuse_tensor(scale, "numbers".into(), "none".into()));
    let scales = Grid::of(source, scale, of(dtype)?, shape, block)?;
    let number = of(source.stored_as(elements, ELEMENTS)?)?;
    Ok(Weight {
        name: format!("{module}.weight"),
        scheme: Scheme::new(if number == Number::I8 { "int8" } else { "fp8" }),
        shape: source.sized(elements, shape)?,
        parts: vec![elements, scale],
        rows: Box::new(Scaled { number, columns: shape[1], scales }),
    })
}

/// Every number times the scale of its block.
pub(super) struct Scaled {
    pub(super) number: Number,
    pub(super) columns: usize,
    pub(super) scales: Grid,
}

impl Rows for Scaled {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let [elements, scales] = [parts[0], parts[1]];
        for (row, out) in (first..).zip(out.chunks_mut(self.columns)) {
            let mut at = row * self.columns;
            for (out, scale) in out.chunks_mut(self.scales.columns).zip(self.scales.row(scales, row)) {
                self.number.scaled(elements, at, scale, out);
                at += out.len();
            }
        }
    }

    fn says(&self) -> String {
        format!("scaled {:?} by {:?}", self.number, self.scales)
    }
}
