//! `measure`: the layer profile of each prompt, and the JSON a program reads.

use ndarray::Array2;
use serde_json::{Map, Value, json};

use super::{number, plain};
use crate::pipeline::Subject;
use base::hash::Key;
use engine::run::Runtime;
use number::evidence::PromptInfo;
use number::facts::ModelFacts;
use number::metric::{Gains, gains, measurements, reduce};
use number::observation::{ATTENTION, Axes, MLP, NamedTap, PromptObservation};
use number::protocol::{Bos, Endpoint, Reduction};

/// The model as printed.
pub(crate) struct Measured {
    pub id: String,
    pub facts: ModelFacts,
    /// `None` for an ONNX file, whose weights are not told apart from the rest.
    pub weights: Option<Key>,
    /// What the arithmetic is done in.
    pub dtype: &'static str,
    /// What the model's files say and is not followed.
    pub notes: Vec<String>,
}

impl Measured {
    pub(crate) fn subject(subject: &Subject) -> Measured {
        let (id, weights) = (subject.id.clone(), Some(subject.weights()));
        let notes = subject.checkpoint.notes().to_vec();
        Measured { id, facts: subject.facts(), weights, dtype: "float32", notes }
    }
}

/// One prompt as printed.
pub(crate) struct MeasuredRow<'a> {
    /// `None` when the input was token ids.
    pub prompt: Option<&'a str>,
    pub tokens: Vec<String>,
    pub top_tokens: Vec<String>,
    pub observation: &'a PromptObservation,
}

/// The JSON form; its shape is in `measure --help`.
pub(crate) fn measured_json(
    measured: &Measured,
    runtime: &Runtime,
    bos: Option<Bos>,
    rows: &[MeasuredRow<'_>],
) -> Value {
    let mut model = serde_json::to_value(&measured.facts).unwrap_or_default(); // a plain struct always serialises
    if let Value::Object(map) = &mut model {
        map.insert("id".into(), json!(measured.id));
        map.insert("weights".into(), json!(measured.weights));
    }
    json!({
        "schema": 2,
        "model": model,
        "runtime": {
            "name": "onnxruntime",
            "version": runtime.version(),
            "provider": runtime.device().provider(),
            "device": runtime.place(),
            "dtype": measured.dtype,
        },
        "bos": bos,
        "notes": measured.notes,
        "observations": rows.iter().map(row_json).collect::<Vec<_>>(),
    })
}

fn row_json(row: &MeasuredRow<'_>) -> Value {
    let seen = row.observation;
    let top: Vec<Value> = seen
        .top
        .iter()
        .zip(&row.top_tokens)
        .map(|(top, token)| json!({"id": top.id, "token": token, "prob": top.prob}))
        .collect();
    let mut by_protocol = Map::new();
    for (reduction, endpoint, gains) in all_gains(seen) {
        let value = json!({"last": gains.last, "cumulative": gains.cumulative, "by_layer": gains.by_layer});
        by_protocol.insert(format!("{reduction}/{endpoint}"), value);
    }
    let mut json = json!({
        "prompt": row.prompt,
        "token_ids": seen.token_ids,
        "tokens": row.tokens,
        "top": top,
        "gains": by_protocol,
        "metrics": metrics(seen),
    });
    if let Value::Object(map) = &mut json {
        let shown = |tap: &NamedTap| !tap.tap.optional || seen.has(&tap.name);
        map.extend(
            seen.named()
                .into_iter()
                .filter(shown)
                .map(|tap| (json_name(&tap).to_string(), of_tap(seen, &tap))),
        );
    }
    json
}

/// Stands where a part of a protocol does not enter a number.
const NO_PART: &str = "-";

/// Every number of the observation by the parts of a protocol that enter it and by metric; those with a value per layer by layer.
fn metrics(seen: &PromptObservation) -> Map<String, Value> {
    let nobody =
        PromptInfo { id: String::new(), category: String::new(), text: String::new(), sets: Vec::new() };
    let mut all = Map::new();
    // Which BOS policy made the tokens is said beside the observations.
    for row in measurements("", &nobody, seen, Bos::Auto) {
        let Some(protocol) = row.protocol else { continue };
        let parts = row.metric.decisive(protocol);
        let [reduction, endpoint] =
            [parts.reduction.map(Reduction::as_str), parts.endpoint.map(Endpoint::as_str)]
                .map(|part| part.unwrap_or(NO_PART));
        let name = format!("{reduction}/{endpoint}");
        let Value::Object(of) = all.entry(name).or_insert_with(|| json!({})) else { continue };
        let name = row.name().into_owned();
        match row.layer {
            None => of.insert(name, json!(row.value)),
            Some(layer) => match of.entry(name).or_insert_with(|| json!({})) {
                Value::Object(layers) => layers.insert(layer.to_string(), json!(row.value)),
                _ => None,
            },
        };
    }
    all
}

/// The key of a tap.
pub(in crate::cli) fn json_name(tap: &NamedTap) -> &str {
    if tap.name == "final_norm" { "final" } else { &tap.name }
}

/// The values of a tap; null where nothing was seen of it.
fn of_tap(seen: &PromptObservation, tap: &NamedTap) -> Value {
    let table = seen.tap(&tap.name);
    if !seen.has(&tap.name) {
        return Value::Null;
    }
    match tap.tap.axes {
        Axes::Stream | Axes::Blocks => json!(matrix(table)),
        // Rows of fewer heads than others end with not-a-number.
        Axes::Heads | Axes::Experts => {
            let known = |row: Vec<f32>| row.into_iter().filter(|value| !value.is_nan()).collect::<Vec<f32>>();
            json!(matrix(table).into_iter().map(known).collect::<Vec<_>>())
        }
        Axes::Choices => {
            let choices = (table.ncols() / seen.tokens().max(1)).max(1);
            let by_token = |row: Vec<f32>| row.chunks(choices).map(<[f32]>::to_vec).collect::<Vec<_>>();
            json!(matrix(table).into_iter().map(by_token).collect::<Vec<_>>())
        }
        Axes::Layers | Axes::Tokens => json!(table.iter().collect::<Vec<_>>()),
        Axes::Prompt => json!(table.first()),
    }
}

fn matrix(values: &Array2<f32>) -> Vec<Vec<f32>> {
    values.outer_iter().map(|row| row.to_vec()).collect()
}

fn all_gains(seen: &PromptObservation) -> Vec<(Reduction, Endpoint, Gains)> {
    let mut all = Vec::new();
    for &reduction in Reduction::ALL {
        for &endpoint in Endpoint::ALL {
            all.push((reduction, endpoint, gains(seen, reduction, endpoint)));
        }
    }
    all
}

/// The terminal form: facts, then for each prompt layers, gains and continuation.
pub(crate) fn measured(measured: &Measured, bos: Option<Bos>, rows: &[MeasuredRow<'_>]) -> String {
    let mut text = format!("{}  {}\n", measured.id, facts_line(&measured.facts));
    for row in rows {
        text.push_str(&profile(row, bos));
    }
    text
}

/// The facts of a model in one line.
pub(super) fn facts_line(facts: &ModelFacts) -> String {
    let words = [facts.family.clone(), facts.norm.clone(), facts.mlp.clone(), facts.positions.clone()];
    let mut parts: Vec<String> = words.into_iter().flatten().collect();
    parts.extend(facts.blocks.map(|n| format!("{n} blocks")));
    parts.extend(facts.width.map(|n| format!("width {n}")));
    if let (Some(heads), Some(kv)) = (facts.heads, facts.kv_heads) {
        parts.push(format!("{heads}/{kv} heads"));
    }
    parts.extend(facts.vocabulary.map(|n| format!("vocabulary {n}")));
    parts.extend(facts.dtype.clone());
    if let (Some(base), Some(change)) = (&facts.base, &facts.change) {
        parts.push(format!("{change} of {base}"));
    }
    if let (Some(series), Some(step)) = (&facts.series, facts.step) {
        parts.push(format!("step {step} of {series}"));
    }
    parts.join(", ")
}

fn profile(row: &MeasuredRow<'_>, bos: Option<Bos>) -> String {
    let seen = row.observation;
    let name =
        row.prompt.map_or_else(|| format!("token ids {:?}", seen.token_ids), |text| format!("{text:?}"));
    let mut text =
        format!("\n{name}  {} tokens, BOS {}\n", seen.tokens(), bos.map_or("as given", Bos::as_str));
    let header = [
        "layer",
        "‖resid‖ last",
        "mean",
        "first token",
        "gain last",
        "gain frobenius",
        "‖attn‖ last",
        "‖mlp‖ last",
    ];
    let mut table = plain(&header);
    let last = seen.tokens() - 1; // an observation has at least one token
    let by_last = gains(seen, Reduction::Last, Endpoint::LastBlock).by_layer;
    let by_frobenius = gains(seen, Reduction::Frobenius, Endpoint::LastBlock).by_layer;
    let at = |branch: &str, block: usize| {
        // A norm that a decoder of another tool did not give, or of a branch that the block lacks, is not-a-number.
        let norm = seen.branch_out(branch).get([block, last]).copied();
        norm.filter(|norm| !norm.is_nan()).map(f64::from)
    };
    for layer in 0..=seen.blocks() {
        let norms = seen.resid().row(layer);
        let block = layer.checked_sub(1);
        table.add_row(vec![
            if layer == 0 { "embedding".to_string() } else { format!("block {}", layer - 1) },
            number(Some(f64::from(norms[last]))),
            number(reduce(norms, Reduction::Mean)),
            number(Some(f64::from(norms[0]))),
            number(block.and_then(|b| by_last[b])),
            number(block.and_then(|b| by_frobenius[b])),
            number(block.and_then(|b| at(ATTENTION, b))),
            number(block.and_then(|b| at(MLP, b))),
        ]);
    }
    text.push_str(&format!("{table}\n\n"));
    text.push_str(&gain_table(seen));
    let continuation: Vec<String> = seen
        .top
        .iter()
        .zip(&row.top_tokens)
        .map(|(top, token)| format!("{token:?} {:.3}", top.prob))
        .collect();
    let entropy = seen.number("entropy_nats").unwrap_or(f32::NAN);
    text.push_str(&format!("\nentropy {entropy:.4} nats; next: {}\n", continuation.join("  ")));
    text
}

fn gain_table(seen: &PromptObservation) -> String {
    let mut header = vec!["last gain (cumulative) under"];
    header.extend(Endpoint::ALL.iter().map(|endpoint| endpoint.as_str()));
    let mut table = plain(&header);
    for &reduction in Reduction::ALL {
        let mut cells = vec![reduction.to_string()];
        for &endpoint in Endpoint::ALL {
            let found = gains(seen, reduction, endpoint);
            cells.push(format!("{} ({})", number(found.last), number(found.cumulative)));
        }
        table.add_row(cells);
    }
    format!("{table}\n")
}
