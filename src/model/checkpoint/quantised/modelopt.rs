//! modelopt, NVIDIA's Model Optimizer: floats of 4 bits in blocks of columns whose scales of 8 bits one of the whole multiplies
//! (NVFP4) or that are powers of two (MXFP4), floats of 8 bits with a scale for the tensor, for rows, for blocks or as powers of
//! two (FP8, MXFP8), and whole numbers of 8 bits.
//!
//! `weight`, `weight_scale`, `weight_scale_2` (of the whole). Which a module has follows from its tensors, as `quant_algo` may be
//! mixed. Reference: `dequantize` of `NVFP4QTensor`, `MXFP4QTensor`, `FP8QTensor` and `MXFP8QTensor` and, for whole numbers,
//! `from_quantized_weight` in `export/quant_utils.py` (0.47), in float32. Where inputs are multiplied by a
//! `pre_quant_scale`, or a product of two small matrices is added (`svdquant_lora_a`), a weight is not all of a module.

use safetensors::Dtype;
use serde_json::Value;

use super::{
    super::error::{CheckpointError, OTHERWISE},
    fp8,
    plan::{Plan, Weight},
    small_floats::{Stored, Whole},
    source::Source,
};

const SCALE: &str = ".weight_scale";
const UNREAD: [&str; 5] = [".input_scale", ".k_scale", ".v_scale", ".k_bias", ".v_bias"];
/// What a module computes with beside its weight.
const BESIDE: [&str; 3] = [".pre_quant_scale", ".svdquant_lora_a", ".svdquant_lora_b"];
/// Under `quant_algo`, in any case.
const ALGORITHMS: [&str; 14] = [
    "fp8",
    "fp8_per_channel_per_token",
    "fp8_pb_wo",
    "mixed_precision",
    "mxfp4",
    "mxfp8",
    "nvfp4",
    "nvfp4_awq",
    "nvfp4_svd",
    "w4a16_nvfp4",
    "w4a8_mxfp4_fp8",
    "w4a8_nvfp4_fp8",
    "w8a16",
    "w8a8_sq_per_channel",
];
/// The sides of blocks, which no key says.
const BLOCK: [usize; 2] = [128, 128];

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    // Beside `config.json` its own file has the keys one deeper.
    let nested = source.config.get("quantization").and_then(Value::as_object);
    let source = &Source { config: nested.unwrap_or(source.config), ..*source };
    source.one_of("quant_algo", &ALGORITHMS)?;
    if let Some((_, beside)) = BESIDE.iter().flat_map(|ending| source.modules(ending)).next() {
        return Err(CheckpointError::Quantisation {
            file: source.files[source.places[beside].file].path().to_path_buf(),
            what: format!("quantisation `{}`, tensor {:?}", source.method, source.places[beside].name),
            expected: "modules that compute with their weight alone".into(),
            found: "one that changes their inputs or outputs".into(),
            next: OTHERWISE,
        });
    }
    let mut plan = Plan::default();
    for (module, scale) in source.modules(SCALE) {
        plan.weights.push(weight(source, module, scale)?);
    }
    plan.unread = UNREAD.iter().flat_map(|ending| source.modules(ending)).map(|(_, index)| index).collect();
    Ok(plan)
}

fn weight(source: &Source<'_>, module: &str, scale: usize) -> Result<Weight, CheckpointError> {
    let elements = source.need(scale, module, ".weight")?;
    if source.stored_as(elements, &[Dtype::U8, Dtype::F8_E4M3, Dtype::I8])? == Dtype::U8 {
        let whole = source.part(module, ".weight_scale_2").map(|whole| (Whole::Multiplies, whole));
        let name = format!("{module}.weight");
        return Stored { name, elements, scales: scale, whole, bits: &[4] }.weight(source);
    }
    // A scale for each block has an axis of size 1 after each of its own.
    let block = (source.shape(scale).len() == 4).then_some(BLOCK);
    fp8::weight(source, module, [elements, scale], block)
}
