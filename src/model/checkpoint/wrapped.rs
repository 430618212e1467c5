//! Names of tensors as wrappers of a model leave them, and adapters that were not merged.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{error::CheckpointError, files::File, place::Place, read_json::optional};

/// What wrappers of a module put in its names, at any depth: data parallelism, `torch.compile`, FSDP, DeepSpeed, and
/// checkpointed activations.
const WRAPPERS: [&str; 5] =
    ["module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module", "_checkpoint_wrapped_module"];
/// How names begin in a whole model of some family, or under the wrapper of an adapter that was merged.
const WHOLE: [&str; 4] = ["model.", "transformer.", "gpt_neox.", "lm_head."];
/// Parts of names that only adapters have, of the `peft` library.
const ADAPTED: [&str; 5] = [".lora_", ".base_layer.", ".ia3_l", ".vera_lambda_", ".modules_to_save."];
/// The file that says so of a folder.
const ADAPTER: &str = "adapter_config.json";

/// Gives tensors the names that the model's own class has for them.
///
/// # Errors
/// Two tensors of one such name, or tensors of an adapter.
pub(super) fn unwrap(files: &[File], places: &mut [Place]) -> Result<(), CheckpointError> {
    if let Some(place) = places.iter().find(|place| ADAPTED.iter().any(|part| place.name.contains(part))) {
        return Err(CheckpointError::Tensor {
            file: files[place.file].path().to_path_buf(),
            tensor: place.name.clone(),
            expected: "weights of a model alone".into(),
            found: "those of an adapter that is not merged into them".into(),
            next: MERGE,
        });
    }
    let is_wrapper = |part: &str| WRAPPERS.contains(&part);
    let mut names: Vec<String> = places.iter().map(|place| place.name.clone()).collect();
    for name in names.iter_mut().filter(|name| name.split('.').any(is_wrapper)) {
        *name = name.split('.').filter(|part| !is_wrapper(part)).collect::<Vec<_>>().join(".");
    }
    while let Some(prefix) = shared(&names) {
        names.iter_mut().for_each(|name| drop(name.drain(..prefix)));
    }
    let mut by_name: Vec<(&String, &Place)> = names.iter().zip(&*places).collect();
    by_name.sort_by_key(|(name, _)| *name);
    if let Some(pair) =
        by_name.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[0].1.name != pair[1].1.name)
    {
        return Err(CheckpointError::Tensor {
            file: files[pair[1].1.file].path().to_path_buf(),
            tensor: pair[1].1.name.clone(),
            expected: "every weight once".into(),
            found: format!("it as {:?} too", pair[0].1.name),
            next: "save the model anew without its wrapper",
        });
    }
    for (place, name) in places.iter_mut().zip(names) {
        place.name = name;
    }
    places.sort_by(|a, b| (&a.name, a.file).cmp(&(&b.name, b.file)));
    Ok(())
}

/// Bytes of the first part of all names, if it is nothing but a wrapper's: what comes after it begins as a whole model.
fn shared(names: &[String]) -> Option<usize> {
    let end = names.first()?.find('.')? + 1;
    let prefix = &names[0][..end];
    let rest = |name: &String| name.strip_prefix(prefix).map(str::to_string);
    let rests: Vec<String> = names.iter().map(rest).collect::<Option<_>>()?;
    let whole = |rest: &String| WHOLE.iter().any(|start| rest.starts_with(start));
    rests.iter().any(whole).then_some(end)
}

const MERGE: &str =
    "merge the adapter into its base with peft (`model.merge_and_unload().save_pretrained(FOLDER)`)";

/// The error of a folder that holds an adapter and no model.
pub(super) fn adapter(folder: &Path) -> Option<CheckpointError> {
    let file: PathBuf = folder.join(ADAPTER);
    if !matches!(file.try_exists(), Ok(true)) {
        return None;
    }
    let said: Map<String, Value> = optional(&file).unwrap_or_default();
    let base = said.get("base_model_name_or_path").and_then(Value::as_str);
    let found = base.map_or_else(|| "an adapter".to_string(), |base| format!("an adapter of {base:?}"));
    Some(CheckpointError::File { file, expected: "a whole model".into(), found, next: MERGE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::StoredAs;

    fn unwrapped(names: &[&str]) -> Vec<String> {
        let place = |name: &&str| {
            Place::new((*name).to_string(), StoredAs::Plain(safetensors::Dtype::F32), vec![1], 0, 0..4)
        };
        let mut places: Vec<Place> = names.iter().map(place).collect();
        unwrap(&[], &mut places).unwrap();
        places.into_iter().map(|place| place.name).collect()
    }

    #[test]
    fn what_wrappers_put_in_front_is_taken_off_and_names_of_families_stay() {
        let plain = ["lm_head.weight", "model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight"];
        for prefix in [
            "",
            "module.",
            "_orig_mod.",
            "module._orig_mod.",
            "model.",
            "model.model.",
            "base_model.model.",
            "net.",
        ] {
            let names: Vec<String> = plain.iter().map(|name| format!("{prefix}{name}")).collect();
            assert_eq!(unwrapped(&names.iter().map(String::as_str).collect::<Vec<_>>()), plain, "{prefix}");
        }
        let inner = [
            "lm_head.weight",
            "model._orig_mod.embed_tokens.weight",
            "model.layers.0._fsdp_wrapped_module.mlp.up_proj.weight",
        ];
        assert_eq!(unwrapped(&inner), plain);
        for own in [
            &["model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight"][..],
            &["model.decoder.embed_tokens.weight", "model.decoder.layers.0.fc1.weight"],
            &["h.0.attn.c_attn.weight", "wte.weight"],
            &["transformer.h.0.attn.c_attn.weight", "transformer.wte.weight"],
            &["embed_out.weight", "gpt_neox.embed_in.weight"],
        ] {
            assert_eq!(unwrapped(own), own);
        }
    }
}
