//! Models of images and text: a known text stack in a wrapper. The text stack is measured; what the other parts add to the
//! embedding is not there where a prompt is text alone.
//!
//! The positions of such a model have three numbers for a token (M-RoPE); of a text they are equal, and turn q and k as one
//! number does.

use serde_json::{Map, Value as Json, json};

use super::{
    ArchError, Architecture, Block, Experts, Initial, LayerFacts, Names, NormPlaces, PromptLimit,
    ValueLayout, config::as_meant,
};
use crate::{
    graph::{GraphError, Value},
    nn::Scope,
};
use number::facts::ModelFacts;

/// A wrapper of a text stack.
#[derive(Debug)]
pub(super) struct Wrapper {
    /// `model_type` of the whole.
    pub family: &'static str,
    /// `model_type` of the text stack where its config does not say.
    text: &'static str,
    /// Where it is said whether the head is the embedding.
    tied: Tied,
}

/// Where a wrapper's class reads `tie_word_embeddings`.
#[derive(Clone, Copy, Debug)]
enum Tied {
    /// Beside the text stack's config, with this default.
    Beside(bool),
    /// There or within.
    Either,
}

/// The wrappers that are known, sorted.
pub(super) const WRAPPERS: &[Wrapper] = &[
    Wrapper { family: "gemma3", text: "gemma3_text", tied: Tied::Beside(true) },
    Wrapper { family: "glm4v", text: "glm4v_text", tied: Tied::Either },
    Wrapper { family: "idefics3", text: "llama", tied: Tied::Beside(false) },
    Wrapper { family: "llama4", text: "llama4_text", tied: Tied::Either },
    Wrapper { family: "llava", text: "llama", tied: Tied::Either },
    Wrapper { family: "llava_next", text: "llama", tied: Tied::Beside(false) },
    Wrapper { family: "llava_onevision", text: "qwen2", tied: Tied::Either },
    Wrapper { family: "mistral3", text: "mistral", tied: Tied::Beside(true) },
    Wrapper { family: "qwen2_5_vl", text: "qwen2_5_vl_text", tied: Tied::Either },
    Wrapper { family: "qwen3_vl", text: "qwen3_vl_text", tied: Tied::Beside(false) },
];

/// `model_type` of text stacks that are a family under another name.
const ALIASES: &[(&str, &str)] =
    &[("glm4v_text", "glm4"), ("qwen2_5_vl_text", "qwen2"), ("qwen3_vl_text", "qwen3")];

/// Where the text stack lies in files of any of these wrappers, and its head.
const BASES: &[&str] = &["model.language_model.", "language_model.model.", "model.text_model.", "model."];
const HEADS: &[&str] = &["lm_head.weight", "language_model.lm_head.weight"];

/// Keys of the text stack that its class has where the config does not say: published configs leave out what is so.
fn defaults(text: &str) -> Json {
    match text {
        "gemma3_text" => json!({"vocab_size": 262_208, "hidden_size": 2304, "intermediate_size": 9216,
            "num_hidden_layers": 26, "num_attention_heads": 8}),
        "glm4v_text" => json!({"vocab_size": 151_552, "hidden_size": 4096, "intermediate_size": 13_696,
            "num_hidden_layers": 40, "num_attention_heads": 32, "rms_norm_eps": 1e-5, "partial_rotary_factor": 1.0,
            "max_position_embeddings": 32_768}),
        "llama" => json!({"vocab_size": 32_000, "hidden_size": 4096, "intermediate_size": 11_008,
            "num_hidden_layers": 32, "num_attention_heads": 32}),
        "llama4_text" => json!({"vocab_size": 202_048, "hidden_size": 5120, "intermediate_size": 8192,
            "num_hidden_layers": 48, "num_attention_heads": 40}),
        "mistral" => json!({"vocab_size": 32_000, "hidden_size": 4096, "intermediate_size": 14_336,
            "num_hidden_layers": 32, "num_attention_heads": 32}),
        "qwen2" => json!({"vocab_size": 151_936, "hidden_size": 4096, "intermediate_size": 22_016,
            "num_hidden_layers": 32, "num_attention_heads": 32}),
        "qwen2_5_vl_text" => json!({"vocab_size": 152_064, "hidden_size": 8192, "intermediate_size": 29_568,
            "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "rms_norm_eps": 1e-5,
            "max_window_layers": 80, "rope_theta": 1_000_000.0}),
        "qwen3_vl_text" => json!({"vocab_size": 151_936, "hidden_size": 4096, "intermediate_size": 22_016,
            "num_hidden_layers": 32, "num_attention_heads": 32, "max_position_embeddings": 128_000,
            "rope_theta": 500_000.0}),
        _ => json!({}),
    }
}

/// The reader of a wrapper's config, given that of text stacks.
pub(super) fn read(
    wrapper: &'static Wrapper,
    config: &Map<String, Json>,
    text_stack: impl Fn(&Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError>,
) -> Result<Box<dyn Architecture>, ArchError> {
    let family = wrapper.family;
    let mut text = match config.get("text_config") {
        Some(Json::Object(text)) => text.clone(),
        // The first configs of Qwen2.5-VL have the text stack's keys beside the others.
        None if family == "qwen2_5_vl" => config
            .iter()
            .filter(|(key, _)| !["model_type", "vision_config"].contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        found => {
            let found = found.map_or_else(|| "none".to_string(), ToString::to_string);
            let reason = format!("`text_config`: expected the config of the text stack, found {found}");
            return Err(ArchError::Config { family, reason });
        }
    };
    let named = text.get("model_type").and_then(Json::as_str).unwrap_or(wrapper.text).to_string();
    if ALIASES.iter().any(|(alias, _)| *alias == named) {
        one_number_a_token(&mut text);
    }
    if let Json::Object(defaults) = defaults(&named) {
        // A base among the rotary parameters is the one that counts.
        let nested = ["rope_scaling", "rope_parameters"].iter().any(|key| {
            text.get(*key).and_then(Json::as_object).is_some_and(|keys| keys.contains_key("rope_theta"))
        });
        for (key, value) in defaults.into_iter().filter(|(key, _)| !(nested && key == "rope_theta")) {
            text.entry(key).or_insert(value);
        }
    }
    let says = |config: &Map<String, Json>| config.get("tie_word_embeddings").and_then(Json::as_bool);
    let tied = match wrapper.tied {
        Tied::Beside(default) => says(config).unwrap_or(default),
        Tied::Either => says(config).unwrap_or(false) || says(&text).unwrap_or(false),
    };
    text.insert("tie_word_embeddings".to_string(), tied.into());
    let known = ALIASES.iter().find(|(alias, _)| *alias == named).map_or(named.as_str(), |(_, known)| known);
    text.insert("model_type".to_string(), known.into());
    if named == "glm4v_text" {
        text.insert("attention_bias".to_string(), true.into()); // no key of this class
        text.remove("head_dim");
        let size = |key: &str| text.get(key).and_then(Json::as_u64);
        if let (Some(width), Some(heads)) = (size("hidden_size"), size("num_attention_heads"))
            && heads > 0
        {
            text.insert("head_dim".to_string(), (width / heads).into());
        }
    }
    let text = text_stack(&as_meant(&text))?;
    Ok(Box::new(Wrapped { family, text }))
}

/// The rotary parameters without what divides the frequencies among three numbers of a token.
fn one_number_a_token(text: &mut Map<String, Json>) {
    for key in ["rope_scaling", "rope_parameters"] {
        let Some(keys) = text.get_mut(key).and_then(Json::as_object_mut) else { continue };
        keys.retain(|key, _| !["mrope_section", "mrope_interleaved"].contains(&key.as_str()));
        for name in ["type", "rope_type"] {
            if keys.get(name).is_some_and(|kind| kind == "mrope") {
                keys.insert(name.to_string(), "default".into());
            }
        }
    }
}

/// A text stack that lies elsewhere in a checkpoint than alone.
#[derive(Debug)]
struct Wrapped {
    family: &'static str,
    text: Box<dyn Architecture>,
}

impl Architecture for Wrapped {
    fn facts(&self) -> ModelFacts {
        ModelFacts { family: Some(self.family.to_string()), ..self.text.facts() }
    }

    fn names(&self) -> Names {
        Names { base: BASES, unembedding: HEADS, ..self.text.names() }
    }

    fn limit(&self) -> Option<PromptLimit> {
        self.text.limit()
    }

    fn layer(&self, layer: usize) -> LayerFacts {
        self.text.layer(layer)
    }

    fn kind(&self, layer: usize) -> usize {
        self.text.kind(layer)
    }

    fn embedding_width(&self) -> Option<usize> {
        self.text.embedding_width()
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        self.text.prelude(s, rows, positions)
    }

    fn block(&self, kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        self.text.block(kind, s, x)
    }

    fn experts(&self, kind: usize) -> Option<Experts> {
        self.text.experts(kind)
    }

    fn expert(&self, kind: usize, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.text.expert(kind, s, x)
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.text.final_norm(s, x)
    }

    fn values(&self) -> (String, ValueLayout) {
        self.text.values()
    }

    fn norm_places(&self) -> NormPlaces {
        self.text.norm_places()
    }

    fn norms_from_one(&self) -> bool {
        self.text.norms_from_one()
    }

    fn initializer_range(&self) -> f64 {
        self.text.initializer_range()
    }

    fn initial(&self, tensor: &str) -> Option<Initial> {
        self.text.initial(tensor)
    }

    fn project_out(&self, s: &mut Scope, normed: Value) -> Result<Value, GraphError> {
        self.text.project_out(s, normed)
    }

    fn logits(
        &self,
        s: &mut Scope,
        hidden: Value,
        rows: Value,
        bias: Option<Value>,
    ) -> Result<Value, GraphError> {
        self.text.logits(s, hidden, rows, bias)
    }
}
