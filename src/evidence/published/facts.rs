//! models.csv, positions.csv, prompts.csv: facts about models and the prompts behind the numbers.
//!
//! Facts may come from general knowledge (columns ending in `_ext`, block and position scheme); measurements never do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Blocks;
use crate::evidence::sheet::{Row, Sheet};
use crate::evidence::{EvidenceError, ModelInfo, PromptInfo};
use crate::facts::ModelFacts;

const MODEL_COLUMNS: &[&str] = &[
    "model",
    "model_type",
    "n_layers",
    "n_heads",
    "n_kv_heads_ext",
    "d_model",
    "d_head",
    "vocab",
    "n_params",
    "norm_type",
    "mlp_type",
    "block",
    "position_scheme",
    "rope_theta",
    "max_position",
    "tied_ext",
];

/// Facts of the models in `measured`, sorted by id. `blocks` fills in what models.csv leaves open.
pub(super) fn models(
    folder: &Path,
    measured: &BTreeSet<&str>,
    blocks: &Blocks,
) -> Result<Vec<ModelInfo>, EvidenceError> {
    let sheet = Sheet::read(folder, "models.csv", MODEL_COLUMNS)?;
    let scaling = rope_scaling(folder)?;
    let mut found = BTreeMap::new();
    for row in sheet.rows() {
        let id = row.required("model")?;
        let mut facts = facts(row)?;
        facts.blocks = facts.blocks.or(blocks.get(id).copied());
        facts.rope_scaling = scaling.get(id).cloned().or(facts.rope_scaling);
        if measured.contains(id) {
            found.insert(id, ModelInfo { id: id.to_string(), facts });
        }
    }
    if let Some(id) = measured.iter().find(|id| !found.contains_key(**id)) {
        return Err(EvidenceError::Column {
            file: folder.join("models.csv"),
            column: format!("model = {id}"),
            found: "no row for it, though other tables hold its numbers".into(),
        });
    }
    Ok(found.into_values().collect())
}

fn facts(row: Row<'_>) -> Result<ModelFacts, EvidenceError> {
    let word = |text: &'static str| Some(text);
    let norm = row.word(
        "norm_type",
        &[
            ("", None),
            ("LayerNorm", word("layernorm")),
            ("RMSNorm", word("rmsnorm")),
            ("RMSNorm(1+w)", word("rmsnorm")),
            ("RMSNorm(1+w) pre+post", word("rmsnorm")),
        ],
    )?;
    let mlp = row.word(
        "mlp_type",
        &[
            ("", None),
            ("GELU", word("gelu")),
            ("ReLU", word("relu")),
            ("SwiGLU", word("swiglu")),
            ("GeGLU", word("geglu")),
            ("xIELU", word("xielu")),
        ],
    )?;
    let residual = row.word(
        "block",
        &[
            ("", None),
            ("parallel", word("parallel")),
            ("parallel (single LN)", word("parallel")),
            ("sequential", word("sequential")),
            ("sequential; alternating global/local attention", word("sequential")),
        ],
    )?;
    let (positions, theta, scaling) = positions(row)?;
    Ok(ModelFacts {
        family: row.some("model_type").map(str::to_string),
        norm: norm.map(str::to_string),
        mlp: mlp.map(str::to_string),
        residual: residual.map(str::to_string),
        blocks: row.integer("n_layers")?,
        width: row.integer("d_model")?,
        heads: row.integer("n_heads")?,
        kv_heads: row.integer("n_kv_heads_ext")?,
        head_width: row.integer("d_head")?,
        vocabulary: row.integer("vocab")?,
        context: row.integer("max_position")?,
        positions: positions.map(str::to_string),
        rope_theta: row.number("rope_theta")?.or(theta),
        rope_scaling: scaling.map(str::to_string),
        tied: row.word("tied_ext", &[("", None), ("yes", Some(true)), ("no", Some(false))])?,
        parameters: row.integer("n_params")?,
        mlp_width: None,
        dtype: None,
        ..ModelFacts::default()
    })
}

type Positions = (Option<&'static str>, Option<f64>, Option<&'static str>);

/// Scheme, RoPE base and scaling, as the free text of `position_scheme` gives them.
fn positions(row: Row<'_>) -> Result<Positions, EvidenceError> {
    const ROTARY: Option<&str> = Some("rotary");
    const PARTIAL: Option<&str> = Some("partial-rotary");
    row.word(
        "position_scheme",
        &[
            ("", (None, None, None)),
            ("rope", (ROTARY, None, None)),
            ("rope(25%)", (PARTIAL, None, None)),
            ("rope(40%)", (PARTIAL, None, None)),
            ("rope(64 dims)", (PARTIAL, None, None)),
            ("rope; alternating sliding window", (ROTARY, None, None)),
            ("rope theta 1e4", (ROTARY, Some(1e4), None)),
            ("rope theta 1e4, sliding window 4096", (ROTARY, Some(1e4), None)),
            ("rope theta 1e6, no sliding window", (ROTARY, Some(1e6), None)),
            ("rope theta 5e5, llama3 scaling", (ROTARY, Some(5e5), Some("llama3"))),
            ("learned", (Some("learned"), None, None)),
            ("ALiBi", (Some("alibi"), None, None)),
        ],
    )
}

/// `rope_type` by model, where positions.csv recorded a config. JSON null means no scaling.
fn rope_scaling(folder: &Path) -> Result<BTreeMap<String, String>, EvidenceError> {
    let sheet = Sheet::read(folder, "positions.csv", &["model", "rope_scaling"])?;
    let mut found = BTreeMap::new();
    for row in sheet.rows() {
        let Some(text) = row.some("rope_scaling") else { continue };
        let expected = "JSON: null or an object with a text \"rope_type\"";
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|_| row.bad("rope_scaling", expected))?;
        let kind = match &json {
            serde_json::Value::Null => "default",
            _ => json["rope_type"].as_str().ok_or_else(|| row.bad("rope_scaling", expected))?,
        };
        found.insert(row.required("model")?.to_string(), kind.to_string());
    }
    Ok(found)
}

/// Prompts by id. A prompt of several sets takes the first category that is given; each measurement has its own.
pub(super) fn prompts(folder: &Path) -> Result<Vec<PromptInfo>, EvidenceError> {
    let sheet = Sheet::read(folder, "prompts.csv", &["prompt_id", "category", "text"])?;
    let mut found: BTreeMap<&str, PromptInfo> = BTreeMap::new();
    for row in sheet.rows() {
        let (id, text) = (row.required("prompt_id")?, row.required("text")?);
        let category = row.text("category").to_string();
        let entry = found.entry(id).or_insert_with(|| PromptInfo {
            id: id.to_string(),
            category: category.clone(),
            text: text.to_string(),
        });
        if entry.text != text {
            return Err(row.bad("text", &format!("{:?}, the text of this prompt_id above", entry.text)));
        }
        if entry.category.is_empty() {
            entry.category = category;
        }
    }
    Ok(found.into_values().collect())
}
