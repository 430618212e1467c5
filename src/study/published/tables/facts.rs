//! models.csv, positions.csv, relations.csv, prompts.csv: facts about models and the prompts behind the numbers.
//!
//! Facts may come from general knowledge (columns ending in `_ext`, block and position scheme); measurements never do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::bounds::{Bounds, Numbers};
use super::error::EvidenceError;
use super::shared::Blocks;
use super::sheet::{Row, Sheet};
use number::evidence::{Evidence, ModelInfo, PromptInfo};
use number::facts::{ModelFacts, ORIGINAL};

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

const MODEL_NUMBERS: Numbers = &[
    ("n_layers", Bounds::Count),
    ("n_heads", Bounds::Count),
    ("n_kv_heads_ext", Bounds::Count),
    ("d_model", Bounds::Count),
    ("d_head", Bounds::Count),
    ("vocab", Bounds::Count),
    ("n_params", Bounds::Count),
    ("rho", Bounds::Positive),
    ("rope_theta", Bounds::Positive),
    ("max_position", Bounds::Count),
];

const POSITION_COLUMNS: &[&str] = &["model", "rope_theta", "rope_scaling", "max_position"];

const POSITION_NUMBERS: Numbers =
    &[("rope_theta", Bounds::Positive), ("max_position", Bounds::Count), ("context", Bounds::Count)];

const PROMPT_NUMBERS: Numbers = &[("complexity", Bounds::Count), ("index", Bounds::Index)];

/// Facts of the models in `measured`, sorted by id. `blocks` fills in what models.csv leaves open.
pub(super) fn models(
    folder: &Path,
    measured: &BTreeSet<&str>,
    blocks: &Blocks,
) -> Result<Vec<ModelInfo>, EvidenceError> {
    let sheet = Sheet::read(folder, "models.csv", MODEL_COLUMNS, MODEL_NUMBERS)?;
    let rotary = rotary(folder)?;
    let relations = relations(folder)?;
    let mut found = BTreeMap::new();
    for row in sheet.rows() {
        let id = row.required("model")?;
        let mut facts = facts(row)?;
        facts.blocks = facts.blocks.or(blocks.get(id).copied());
        if let Some(stated) = rotary.get(id) {
            facts.rope_theta = stated.theta.or(facts.rope_theta);
            facts.rope_scaling = stated.scaling.clone().or(facts.rope_scaling);
            facts.context = stated.context.or(facts.context);
        }
        if let Some(relation) = relations.get(id).cloned() {
            (facts.base, facts.change) = (Some(relation.base), Some(relation.change));
            facts.lineage = relation.lineage;
        }
        if measured.contains(id) {
            found.insert(id, ModelInfo { id: id.to_string(), evidence: Evidence::Published, facts });
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
        kind: Some(ORIGINAL.to_string()), // every row is a model of the hub
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

/// What positions.csv says about one model: numbers that a run printed from its config.
#[derive(Default)]
struct Rotary {
    theta: Option<f64>,
    scaling: Option<String>,
    context: Option<u32>,
}

/// By model. Where two runs state a number, it must be one. JSON null means no scaling.
fn rotary(folder: &Path) -> Result<BTreeMap<String, Rotary>, EvidenceError> {
    let sheet = Sheet::read(folder, "positions.csv", POSITION_COLUMNS, POSITION_NUMBERS)?;
    let mut found = BTreeMap::<String, Rotary>::new();
    for row in sheet.rows() {
        let entry = found.entry(row.required("model")?.to_string()).or_default();
        agree(row, "rope_theta", &mut entry.theta, row.number("rope_theta")?)?;
        agree(row, "rope_scaling", &mut entry.scaling, scaling(row)?)?;
        agree(row, "max_position", &mut entry.context, row.integer("max_position")?)?;
    }
    Ok(found)
}

fn agree<T: PartialEq + std::fmt::Display>(
    row: Row<'_>,
    column: &'static str,
    known: &mut Option<T>,
    stated: Option<T>,
) -> Result<(), EvidenceError> {
    match (&known, stated) {
        (Some(one), Some(other)) if *one != other => {
            Err(row.bad(column, &format!("{one}, as another row of this model says")))
        }
        (_, None) => Ok(()),
        (_, stated) => {
            *known = stated;
            Ok(())
        }
    }
}

/// `rope_type`, as a config names it.
fn scaling(row: Row<'_>) -> Result<Option<String>, EvidenceError> {
    let Some(text) = row.some("rope_scaling") else { return Ok(None) };
    let expected = "JSON: null or an object with a text \"rope_type\"";
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|_| row.bad("rope_scaling", expected))?;
    let kind = match &json {
        serde_json::Value::Null => "default",
        _ => json["rope_type"].as_str().ok_or_else(|| row.bad("rope_scaling", expected))?,
    };
    Ok(Some(kind.to_string()))
}

/// What a tuned model was made from.
#[derive(Clone)]
struct Relation {
    base: String,
    change: String,
    /// Where it is not that of its base.
    lineage: Option<String>,
}

/// By model, of tuned models whose base is named.
fn relations(folder: &Path) -> Result<BTreeMap<String, Relation>, EvidenceError> {
    let sheet = Sheet::read(folder, "relations.csv", &["model", "base", "change", "lineage"], &[])?;
    let mut found = BTreeMap::new();
    for row in sheet.rows() {
        let relation = Relation {
            base: row.required("base")?.to_string(),
            change: row.required("change")?.to_string(),
            lineage: row.some("lineage").map(str::to_string),
        };
        if found.insert(row.required("model")?.to_string(), relation).is_some() {
            return Err(row.bad("model", "a model that no row above names"));
        }
    }
    Ok(found)
}

/// Prompts by id. A prompt of several sets takes the first category that is given; each measurement has its own.
pub(super) fn prompts(folder: &Path) -> Result<Vec<PromptInfo>, EvidenceError> {
    let columns = ["prompt_set", "prompt_id", "category", "text"];
    let sheet = Sheet::read(folder, "prompts.csv", &columns, PROMPT_NUMBERS)?;
    let mut found: BTreeMap<&str, PromptInfo> = BTreeMap::new();
    for row in sheet.rows() {
        let (id, text) = (row.required("prompt_id")?, row.required("text")?);
        let category = row.text("category").to_string();
        let entry = found.entry(id).or_insert_with(|| PromptInfo {
            id: id.to_string(),
            category: category.clone(),
            text: text.to_string(),
            sets: Vec::new(),
        });
        let set = row.required("prompt_set")?;
        if !entry.sets.iter().any(|known| known == set) {
            entry.sets.push(set.to_string());
        }
        if entry.text != text {
            return Err(row.bad("text", &format!("{:?}, the text of this prompt_id above", entry.text)));
        }
        if entry.category.is_empty() {
            entry.category = category;
        }
    }
    Ok(found.into_values().collect())
}
