//! A whole decoder from a file, run on one prompt: what another tool exported, tapped or not.

use std::{collections::BTreeMap, path::Path};

use ort::{
    memory::Allocator,
    session::{Session as OrtSession, SessionInputValue},
    value::{DynTensor, Tensor, TensorElementType, ValueType},
};

use super::{
    RunError, Runtime,
    session::{builder, fault},
};

/// A decoder with the inputs that exporters give one: `input_ids` and, if it has them, `attention_mask`,
/// `position_ids`, `segment_ids` (which keep packed prompts apart) and a KV cache, which is left empty.
pub struct Decoder {
    file: String,
    session: OrtSession,
}

/// An output: shape, and elements in row-major order.
pub type Floats = (Vec<usize>, Vec<f32>);

impl Decoder {
    /// Opens a `.onnx` file; external data is looked for beside it.
    pub fn open(runtime: &Runtime, path: &Path) -> Result<Decoder, RunError> {
        let file = path.display().to_string();
        let session = builder(runtime).and_then(|mut builder| builder.commit_from_file(path));
        Ok(Decoder { session: session.map_err(|e| fault(&file, e))?, file })
    }

    /// The outputs in float32, `[1, T, …]` for taps. `sizes` gives the axes of the KV cache that the file names but
    /// does not fix, e.g. the size of a head.
    ///
    /// # Errors
    /// An input that no exporter gives a decoder, an axis without a size, a failure of the runtime, or a tap that is not finite.
    pub fn run(
        &mut self,
        token_ids: &[u32],
        sizes: &BTreeMap<String, usize>,
    ) -> Result<BTreeMap<String, Floats>, RunError> {
        self.run_packed(&[token_ids.to_vec()], sizes)
    }

    /// Several prompts one after another, by a decoder that takes them so (`streamgauge export`).
    ///
    /// # Errors
    /// As [`Decoder::run`].
    pub fn run_packed(
        &mut self,
        prompts: &[Vec<u32>],
        sizes: &BTreeMap<String, usize>,
    ) -> Result<BTreeMap<String, Floats>, RunError> {
        let tokens = Tokens::of(prompts);
        let mut inputs = Vec::new();
        for input in self.session.inputs() {
            let fed = feed(input.name(), input.dtype(), &tokens, sizes);
            let fed =
                fed.map_err(|reason| fault(&self.file, format!("input {:?}: {reason}", input.name())))?;
            inputs.push((input.name().to_string(), fed));
        }
        let outputs = self.session.run(inputs).map_err(|e| fault(&self.file, e))?;
        let float = |(name, value): (&str, ort::value::DynValue)| Some((name.to_string(), widened(&value)?));
        let outputs = outputs.into_iter().filter_map(float).collect();
        self.check_finite(&outputs)?;
        Ok(outputs)
    }

    /// The first tap of the flow that is not finite is an error: norms of it, and all that follow, say nothing.
    fn check_finite(&self, outputs: &BTreeMap<String, Floats>) -> Result<(), RunError> {
        let (inputs, given) = (self.session.inputs(), self.session.outputs());
        let tapped = given.iter().map(|output| output.name()).filter(|name| is_tap(name));
        for name in tapped.chain([LOGITS]) {
            let Some((_, data)) = outputs.get(name) else { continue };
            // A decoder may put the logits of tokens that do not exist at minus infinity.
            let is_wrong = |x: &f32| x.is_nan() || (x.is_infinite() && (name != LOGITS || *x > 0.0));
            if data.iter().any(is_wrong) {
                let types = inputs.iter().map(|input| input.dtype());
                let types = types.chain(given.iter().map(|output| output.dtype()));
                return Err(RunError::TapNotFinite {
                    file: self.file.clone(),
                    tap: name.to_string(),
                    dtype: computes_in(types),
                });
            }
        }
        Ok(())
    }
}

const LOGITS: &str = "logits";

/// Outputs that are the stream, what is added to it, or what the head reads.
fn is_tap(name: &str) -> bool {
    [
        "hook_resid_pre",
        "hook_attn_out",
        "hook_resid_mid",
        "hook_mlp_out",
        "hook_resid_post",
        "hook_normalized",
    ]
    .iter()
    .any(|hook| name.ends_with(hook))
}

/// The type of numbers that a decoder computes in, by that of its KV cache and its logits; taps are float32 whatever it is.
fn computes_in<'a>(types: impl Iterator<Item = &'a ValueType>) -> &'static str {
    let mut narrowest = "float32";
    for dtype in types {
        match dtype {
            ValueType::Tensor { ty: TensorElementType::Float16, .. } => return "float16",
            ValueType::Tensor { ty: TensorElementType::Bfloat16, .. } => narrowest = "bfloat16",
            _ => {}
        }
    }
    narrowest
}

/// An output of numbers of any float type.
fn widened(value: &ort::value::DynValue) -> Option<Floats> {
    let sizes = |shape: &ort::value::Shape| shape.iter().map(|&size| size as usize).collect();
    if let Ok((shape, data)) = value.try_extract_tensor::<f32>() {
        return Some((sizes(shape), data.to_vec()));
    }
    if let Ok((shape, data)) = value.try_extract_tensor::<half::f16>() {
        return Some((sizes(shape), data.iter().map(|x| x.to_f32()).collect()));
    }
    let (shape, data) = value.try_extract_tensor::<half::bf16>().ok()?;
    Some((sizes(shape), data.iter().map(|x| x.to_f32()).collect()))
}

/// Prompts packed one after another, each `[T]`.
struct Tokens {
    ids: Vec<i64>,
    positions: Vec<i64>,
    segments: Vec<i64>,
}

impl Tokens {
    fn of(prompts: &[Vec<u32>]) -> Tokens {
        let mut tokens = Tokens { ids: Vec::new(), positions: Vec::new(), segments: Vec::new() };
        for (segment, prompt) in prompts.iter().enumerate() {
            tokens.ids.extend(prompt.iter().map(|&id| i64::from(id)));
            tokens.positions.extend(0..prompt.len() as i64);
            tokens.segments.extend(prompt.iter().map(|_| segment as i64));
        }
        tokens
    }
}

fn feed(
    name: &str,
    dtype: &ValueType,
    tokens: &Tokens,
    sizes: &BTreeMap<String, usize>,
) -> Result<SessionInputValue<'static>, String> {
    let ValueType::Tensor { ty, shape, dimension_symbols } = dtype else {
        return Err(format!("expected a tensor, found {dtype}"));
    };
    let ids: Vec<i64> = match name {
        "input_ids" => tokens.ids.clone(),
        "attention_mask" => vec![1; tokens.ids.len()],
        "position_ids" => tokens.positions.clone(),
        "segment_ids" => tokens.segments.clone(),
        _ if name.starts_with("past") => return empty(*ty, shape, dimension_symbols, sizes),
        _ => return Err("expected token ids, a mask, positions or a KV cache (past…)".to_string()),
    };
    // Most exporters have a batch axis; packed tokens need none.
    let dims = if shape.len() == 1 { vec![ids.len()] } else { vec![1, ids.len()] };
    match ty {
        TensorElementType::Int64 => Tensor::from_array((dims, ids)).map(SessionInputValue::from),
        TensorElementType::Int32 => {
            let ids: Vec<i32> = ids.into_iter().map(|id| id as i32).collect(); // as the model declares them
            Tensor::from_array((dims, ids)).map(SessionInputValue::from)
        }
        _ => return Err(format!("expected integers, found {ty}")),
    }
    .map_err(|e| e.to_string())
}

/// A KV cache of no tokens: its axis of past tokens has size 0, its batch 1.
fn empty(
    ty: TensorElementType,
    shape: &[i64],
    names: &[String],
    sizes: &BTreeMap<String, usize>,
) -> Result<SessionInputValue<'static>, String> {
    let size = |(size, name): (&i64, &String)| match (usize::try_from(*size), sizes.get(name)) {
        (Ok(fixed), _) => Ok(fixed),
        (_, Some(given)) => Ok(*given),
        _ if name.contains("batch") => Ok(1),
        _ if name.contains("past") => Ok(0),
        _ => Err(format!("its axis {name:?} has no size; give one with --axis {name}=SIZE")),
    };
    let dims: Vec<usize> = shape.iter().zip(names).map(size).collect::<Result<_, _>>()?;
    if !dims.contains(&0) {
        return Err(format!("expected an axis of past tokens, found {dims:?} ({names:?})"));
    }
    let tensor = DynTensor::new(&Allocator::default(), ty, dims).map_err(|e| e.to_string())?;
    Ok(tensor.into())
}
