//! Published models at their full size, the eight of the research and one of each further family, without a weight: their published configs against the names and
//! shapes that the reference gives their tensors. The weights are a file of the right length with nothing in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use base::glob;
use engine::run::Graphs;
use model::{arch::Recipe, checkpoint::Checkpoint};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// `tests/headers/<model>.json`, see `scripts/reference/make_headers.py`.
#[derive(Deserialize)]
struct Header {
    config: Map<String, Value>,
    parameters: u64,
    /// Blocks folded: `model.layers.{0..31}.mlp.up_proj.weight`.
    tensors: BTreeMap<String, Vec<usize>>,
}

/// Every model that has a file.
fn models() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/headers");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut models: Vec<String> =
        files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_string()).collect();
    models.sort();
    models
}

fn read(model: &str) -> Header {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/headers/{model}.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap_or_else(|e| panic!("{model}: {e}"))
}

/// `a.{0..2}.b` is `a.0.b`, `a.1.b`, `a.2.b`, and so on with what follows.
fn unfolded(name: &str) -> Vec<String> {
    let Some((before, rest)) = name.split_once('{') else { return vec![name.to_string()] };
    let (range, after) = rest.split_once('}').unwrap();
    let (first, last) = range.split_once("..").unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let after = unfolded(after);
    (first..=last).flat_map(|i| after.iter().map(move |after| format!("{before}{i}{after}"))).collect()
}

type Tensors = BTreeMap<String, Vec<usize>>;

fn tensors(header: &Header) -> Tensors {
    let all = header.tensors.iter();
    all.flat_map(|(name, shape)| unfolded(name).into_iter().map(|name| (name, shape.clone()))).collect()
}

/// A checkpoint of bfloat16 tensors whose file is a hole.
fn hollow(folder: &Path, config: &Map<String, Value>, tensors: &Tensors) -> Checkpoint {
    fs::write(folder.join("config.json"), Value::Object(config.clone()).to_string()).unwrap();
    let (mut header, mut end) = (Map::new(), 0);
    for (name, shape) in tensors {
        let start = end;
        end += 2 * shape.iter().product::<usize>();
        header.insert(name.clone(), json!({"dtype": "BF16", "shape": shape, "data_offsets": [start, end]}));
    }
    let header = Value::Object(header).to_string();
    let mut file = File::create(folder.join("model.safetensors")).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len((8 + header.len() + end) as u64).unwrap();
    Checkpoint::open(folder).unwrap()
}

#[test]
fn every_weight_of_published_models_has_its_name_and_shape() {
    assert!(models().len() >= 36, "headers are missing");
    for model in models() {
        let header = read(&model);
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = hollow(folder.path(), &header.config, &tensors(&header));
        let recipe = Recipe::read(checkpoint.config()).unwrap_or_else(|e| panic!("{model}: {e}"));
        Graphs::build(&recipe).unwrap_or_else(|e| panic!("{model}: {e}"));
        let uses = recipe.checked_weights(&checkpoint).unwrap_or_else(|e| panic!("{model}: {e}"));
        let used: BTreeSet<&str> = uses.iter().map(|weight| weight.tensor.as_str()).collect();
        let unused: Vec<&str> =
            checkpoint.entries().map(|entry| entry.name).filter(|name| !used.contains(name)).collect();
        assert!(unused.is_empty(), "{model}: nothing reads {unused:?}");
        // Buffers of apertus' activation are stored, but are no parameters.
        let buffers = checkpoint.entries().filter(|e| e.name.ends_with(".beta") || e.name.ends_with(".eps"));
        assert_eq!(checkpoint.parameters() - buffers.count() as u64, header.parameters, "{model}");
    }
}

#[test]
fn tensors_beside_a_text_stack_are_not_read_nor_counted_and_it_is_said() {
    let checkpoint = Checkpoint::open(&crate::goldens::golden("llava_1_5_bf16")).unwrap();
    let recipe = Recipe::of_checkpoint(&checkpoint).unwrap();
    let uses = recipe.checked_weights(&checkpoint).unwrap();
    let read: usize = uses.iter().map(|weight| weight.shape.iter().product::<usize>()).sum();
    assert_eq!(checkpoint.parameters(), read as u64);
    let beside = checkpoint.entries().count() - uses.len();
    let [note] = checkpoint.notes() else { panic!("{:?}", checkpoint.notes()) };
    assert!(beside > 20 && note.contains(&format!("{beside} tensors of ")), "{beside}: {note}");
}

#[test]
fn a_weight_that_is_missing_or_misshapen_is_named() {
    let header = read("llama-2-7b");
    let message = |change: &dyn Fn(&mut Tensors)| {
        let folder = tempfile::tempdir().unwrap();
        let mut tensors = tensors(&header);
        change(&mut tensors);
        let checkpoint = hollow(folder.path(), &header.config, &tensors);
        let recipe = Recipe::read(checkpoint.config()).unwrap();
        recipe.checked_weights(&checkpoint).unwrap_err().to_string()
    };
    let name = "model.layers.31.mlp.up_proj.weight";
    let missing = message(&|tensors| {
        tensors.remove(name);
    });
    assert!(missing.contains(name), "{missing}");
    let turned = message(&|tensors| {
        tensors.insert(name.to_string(), vec![4096, 11008]);
    });
    assert!(
        turned.contains(name) && turned.contains("block 31") && turned.contains("[11008, 4096]"),
        "{turned}"
    );
}

#[test]
fn a_model_of_full_size_is_exported_without_reading_or_copying_its_weights() {
    let header = read("llama-3.1-8b");
    let source = tempfile::tempdir().unwrap();
    let checkpoint = hollow(source.path(), &header.config, &tensors(&header));
    let target: PathBuf = source.path().join("exported");
    let exported = model::export::export(&checkpoint, &[], &target, false).unwrap();
    assert_eq!(exported.outputs.len(), 32 * 5 + 2);
    assert!(exported.bytes < 2_000_000, "{} bytes", exported.bytes);
    assert_eq!(exported.weights[0].how, "linked");
    let folded = model::export::folded(&exported.outputs);
    assert!(folded.contains("blocks.{0..31}.hook_resid_mid"), "{folded}");
    assert!(exported.outputs.iter().all(|name| glob::matches("*hook_*", name) || name == "logits"));
}
