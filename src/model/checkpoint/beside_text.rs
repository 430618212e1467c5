//! Tensors of a model of images and text that are no part of its text stack.

use std::path::Path;

use serde_json::{Map, Value};

use super::place::Place;

/// Keys of a config that describe other parts than the text stack.
const DESCRIBED: [&str; 2] = ["vision_config", "audio_config"];
/// Parts of the names of such tensors, in any of the wrappers.
const PARTS: [&str; 12] = [
    "audio_tower",
    "connector",
    "embed_audio",
    "embed_vision",
    "image_newline",
    "multi_modal_projector",
    "vision_embed_tokens",
    "vision_model",
    "vision_projection",
    "vision_proj",
    "vision_tower",
    "visual",
];

/// Whether the config describes more than text.
pub(super) fn described(config: &Map<String, Value>) -> bool {
    DESCRIBED.iter().any(|key| config.get(*key).is_some_and(Value::is_object))
}

/// Whether a tensor of this name is no part of the text stack.
pub(super) fn is_beside(name: &str) -> bool {
    name.split('.').any(|part| PARTS.contains(&part))
}

/// What is said of tensors that are not read.
pub(super) fn note(config: &Path, places: &[Place]) -> Option<String> {
    let beside: Vec<&Place> = places.iter().filter(|place| is_beside(&place.name)).collect();
    let elements: usize = beside.iter().map(|place| place.shape.iter().product::<usize>()).sum();
    (!beside.is_empty()).then(|| {
        format!(
            "{}: it describes a model of images and text, of which the text stack is measured on text alone: {} tensors of \
             {elements} numbers beside it are not read, nor counted among its parameters",
            config.display(),
            beside.len()
        )
    })
}
