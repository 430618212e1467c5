//! MLX: whole numbers of 2 to 8 bits packed along rows, with a scale and a bias for each group of columns.
//!
//! `weight`, `scales`, `biases`; the config gives bits and group sizes, of single modules under their names. Reference:
//! `mlx.core.dequantize` on a CPU, in float32.

use safetensors::Dtype;
use serde_json::Value;

use super::{
    super::error::CheckpointError,
    bits,
    number::{Number, SCALES},
    plan::{Plan, Weight},
    rows::{Rows, Scheme},
    source::Source,
};

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    source.one_of("mode", &["affine"])?;
    let mut plan = Plan::default();
    for (module, scales) in source.modules(".scales") {
        plan.weights.push(weight(source, module, scales)?);
    }
    Ok(plan)
}

/// What the config says of a module, or else of all.
fn of_module(source: &Source<'_>, module: &str, key: &'static str) -> Result<i64, CheckpointError> {
    let own = source.config.get(module).and_then(Value::as_object);
    if let Some(found) = own.and_then(|own| own.get("mode")).filter(|found| found.as_str() != Some("affine"))
    {
        return Err(source.refuse_key(&format!("{module}.mode"), "affine", found));
    }
    match own.and_then(|own| own.get(key)) {
        Some(found) => found
            .as_i64()
            .ok_or_else(|| source.refuse_key(&format!("{module}.{key}"), "a whole number", found)),
        None => source.count(key)?.ok_or_else(|| source.refuse_key(key, "a whole number", &Value::Null)),
    }
}

fn weight(source: &Source<'_>, module: &str, scales: usize) -> Result<Weight, CheckpointError> {
    let elements = source.need(scales, module, ".weight")?;
    let biases = source.need(scales, module, ".biases")?;
    let [bits, group] = [of_module(source, module, "bits")?, of_module(source, module, "group_size")?];
    let known = [2, 3, 4, 5, 6, 8].into_iter().find(|known| i64::from(*known) == bits);
    let bits = known.ok_or_else(|| source.refuse_key("bits", "2, 3, 4, 5, 6 or 8", &bits.into()))?;
    let group = usize::try_from(group).ok().filter(|group| (1..=1 << 20).contains(group));
    let group = group.ok_or_else(|| source.refuse_key("group_size", "the size of a group", &Value::Null))?;
    let [rows, words] = source.matrix(elements, &[Dtype::U32])?;
    let columns = source.numbers_of(elements, words, bits)?;
    if !columns.is_multiple_of(group) {
        let found = format!("{columns}");
        return Err(source.refuse_tensor(elements, format!("columns in groups of {group}"), found));
    }
    let scale = Number::of(source.stored_as(scales, SCALES)?).unwrap_or(Number::F32);
    let bias = Number::of(source.stored_as(biases, SCALES)?).unwrap_or(Number::F32);
    for part in [scales, biases] {
        source.shaped(part, &[&[rows, columns / group]])?;
    }
    Ok(Weight {
        name: format!("{module}.weight"),
        scheme: Scheme::of_bits("mlx", bits),
        shape: source.sized(elements, [rows, columns])?,
        parts: vec![elements, scales, biases],
        rows: Box::new(Affine { bits, columns, group, scale, bias }),
    })
}

struct Affine {
    bits: u32,
    columns: usize,
    group: usize,
    scale: Number,
    bias: Number,
}

impl Rows for Affine {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let [elements, scales, biases] = [parts[0], parts[1], parts[2]];
        for (group, out) in (first * self.columns / self.group..).zip(out.chunks_mut(self.group)) {
            let (scale, bias) = (self.scale.at(scales, group), self.bias.at(biases, group));
            bits::run(elements, group * self.group, self.bits, out, |number| number as f32 * scale + bias);
        }
    }

    fn says(&self) -> String {
        format!("mlx affine of {} bits, groups of {}", self.bits, self.group)
    }
}
