//! The models of the research by their published configs and tensor shapes: each is read at its full size, without weights.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    path::Path,
};

use serde_json::{Map, Value, json};
use streamgauge::{arch::Recipe, checkpoint::Checkpoint};

/// `a.{0..3}.b` stands for `a.0.b` to `a.3.b`.
fn expanded(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('{') else { return vec![pattern.to_string()] };
    let (range, after) = rest.split_once('}').unwrap();
    let (first, last) = range.split_once("..").unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    (first..=last).map(|i| format!("{before}{i}{after}")).collect()
}

/// A checkpoint of these shapes whose weights are a hole in the file.
fn hollow(folder: &Path, model: &Value) -> BTreeSet<String> {
    let (mut header, mut end) = (Map::new(), 0);
    for (pattern, shape) in model["tensors"].as_object().unwrap() {
        let bytes = 2 * shape.as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).product::<u64>();
        for name in expanded(pattern) {
            header.insert(name, json!({"dtype": "BF16", "shape": shape, "data_offsets": [end, end + bytes]}));
            end += bytes;
        }
    }
    let text = serde_json::to_string(&header).unwrap();
    let mut file = File::create(folder.join("model.safetensors")).unwrap();
    file.write_all(&(text.len() as u64).to_le_bytes()).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.set_len(8 + text.len() as u64 + end).unwrap();
    fs::write(folder.join("config.json"), model["config"].to_string()).unwrap();
    header.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_model_of_the_research_is_read_and_all_its_tensors_are_used() {
    let headers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/headers");
    let mut paths: Vec<_> = fs::read_dir(headers).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 8, "headers are missing: {paths:?}");
    for path in paths {
        let model: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let tensors = hollow(folder.path(), &model);
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        let recipe = Recipe::read(checkpoint.config()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let weights =
            recipe.checked_weights(&checkpoint).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let used: BTreeSet<String> = weights.into_iter().map(|weight| weight.tensor).collect();
        assert_eq!(used, tensors, "{}", path.display());
        let facts = recipe.facts();
        assert_eq!(facts.family.as_deref(), model["config"]["model_type"].as_str());
    }
}
