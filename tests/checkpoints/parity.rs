//! Every golden checkpoint, run through the engine and compared with the float64 reference, number by number.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::goldens::{Reference, cases, golden, prompts, reference, run, run_on, runtime, runtimes};
use crate::{gguf, quantised};
use base::device::Device;
use engine::run::Graphs;
use model::{
    arch::{self, KnownFamily, NormPlaces, Recipe, known_families},
    checkpoint::{Checkpoint, quantisations},
    nn::ExpertLayout,
};
use number::{
    evidence::{Measurement, PromptInfo},
    facts::ModelFacts,
    metric::{Metric, measurements},
    observation::PromptObservation,
    protocol::Bos,
};

/// Largest error of any observation: relative, but for a cosine and a share, which are as exact as what they relate to.
const TOLERANCE: f64 = 1e-5;

/// Largest error seen so far, and where.
#[derive(Default)]
struct Worst {
    error: f64,
    place: String,
}

impl Worst {
    fn see(&mut self, found: f32, expected: f64, place: &str) {
        if found.is_nan() && expected.is_nan() {
            return; // a block without experts among some with
        }
        // A lone token attends to itself alone: an exact 0.
        let scale = if expected == 0.0 && found == 0.0 { 1.0 } else { expected.abs() };
        self.see_of(found, expected, scale, place);
    }

    /// An error as a part of `scale`.
    fn see_of(&mut self, found: f32, expected: f64, scale: f64, place: &str) {
        if found.is_nan() && expected.is_nan() {
            return;
        }
        let error = (f64::from(found) - expected).abs() / scale;
        if error.is_nan() || error > self.error {
            *self = Worst { error, place: place.to_string() };
        }
    }
}

/// How far the observations of a golden are from its reference.
fn compared(observations: &[PromptObservation], reference: &Reference) -> Result<Worst, String> {
    assert_eq!(observations.len(), reference.prompts.len());
    let mut worst = Worst::default();
    for (i, (found, expected)) in observations.iter().zip(&reference.prompts).enumerate() {
        assert_eq!(found.token_ids, expected.token_ids);
        for tap in found.named().into_iter().filter(|tap| !tap.tap.optional || found.has(&tap.name)) {
            let (name, table) = (&tap.name, found.tap(&tap.name));
            let expected = expected.tap(name, tap.tap.axes);
            assert_eq!(found.has(name), expected.is_some(), "{name}");
            let Some(expected) = expected else { continue };
            // A cosine and a share are as exact as what they relate to.
            let absolute = tap.tap.is_absolute();
            assert_eq!(table.nrows(), expected.len(), "{name}");
            for (layer, (row, expected)) in table.rows().into_iter().zip(&expected).enumerate() {
                assert_eq!(row.len(), expected.len(), "{name}");
                for (t, (found, expected)) in row.iter().zip(expected).enumerate() {
                    let place = format!("prompt {i} {name} layer {layer} token {t}");
                    match absolute {
                        true => worst.see_of(*found, *expected, 1.0, &place),
                        false => worst.see(*found, *expected, &place),
                    }
                }
            }
        }
        let ids: Vec<u32> = found.top.iter().map(|t| t.id).collect();
        let expected_ids: Vec<u32> = expected.top.iter().map(|t| t.id).collect();
        if ids != expected_ids {
            return Err(format!("prompt {i}: top tokens {ids:?}; expected {expected_ids:?}"));
        }
        for (found, expected) in found.top.iter().zip(&expected.top) {
            worst.see(found.prob, expected.prob, &format!("prompt {i} probability of {}", expected.id));
        }
    }
    Ok(worst)
}

/// Of every way to store weights.
fn all_cases() -> Vec<String> {
    cases().into_iter().chain(gguf::cases()).chain(quantised::cases()).collect()
}

#[test]
fn every_golden_agrees_with_the_float64_reference() {
    let runtimes = runtimes().unwrap_or_else(|error| panic!("{error}")); // once, not for every golden
    let mut failures = Vec::new();
    let mut table = BTreeMap::new();
    for case in &all_cases() {
        let reference = reference(case);
        let prompts = prompts(case);
        let rows = table.entry(reference.family.clone()).or_insert_with(Vec::<Row<'_>>::new);
        let mut seen: Vec<Vec<PromptObservation>> = Vec::new();
        for (runtime, products) in &runtimes {
            let found = match run_on(runtime, &golden(case), &prompts) {
                Ok(found) => found,
                Err(error) => {
                    failures.push(format!("{case}, {products}: {error}"));
                    continue;
                }
            };
            // Bit for bit what others gave: one row names them all.
            if let Some(same) = seen.iter().position(|other| *other == found) {
                let first = rows.len() - seen.len();
                rows[first + same].products.push(products);
                continue;
            }
            match compared(&found, &reference) {
                Ok(worst) => {
                    let Worst { error, place } = &worst;
                    println!("{case:40} {:12} {products:24} worst {error:.1e} at {place}", reference.family);
                    if error.is_nan() || *error > TOLERANCE {
                        failures.push(format!("{case}, {products}: {error:.1e} at {place}"));
                    }
                    rows.push(Row { case: case.clone(), products: vec![products], worst });
                    seen.push(found);
                }
                Err(why) => failures.push(format!("{case}, {products}: {why}")),
            }
        }
    }
    assert!(
        table.keys().map(String::as_str).eq(arch::families()),
        "a family without a golden: {:?}",
        table.keys()
    );
    if let Some(path) = std::env::var_os("PARITY_TABLE") {
        fs::write(path, markdown(&table)).unwrap();
    }
    if let Some(path) = std::env::var_os("FAMILIES_TABLE") {
        fs::write(path, known(&table)).unwrap();
    }
    assert!(failures.is_empty(), "refused, or beyond {TOLERANCE:e}:\n{}", failures.join("\n"));
}

const HEADER: &str = "| family | config | same bits by | worst error | where |\n";

/// Of `results/parity.md`.
struct Row<'a> {
    case: String,
    /// Who multiplied.
    products: Vec<&'a str>,
    worst: Worst,
}

/// `results/parity.md`, which `make parity` writes.
fn markdown(table: &BTreeMap<String, Vec<Row<'_>>>) -> String {
    let runtime = runtime().unwrap();
    let place = match runtime.device() {
        Device::Cpu => "a CPU".to_string(),
        Device::Cuda(_) => runtime.place(),
    };
    let mut text = format!(
        "# Parity\n\nWritten by `make parity`. Every observation of every golden checkpoint (`tests/goldens`) against \
         transformers in float64,\nof GGUF files (`gguf/`) on the numbers that the `gguf` package dequantises, of quantised safetensors (`quantised/`) on those that \
         each format's own reference does:\nnorms of the stream, of what modules receive, give and write, of a block's whole write and \
         of the final norm; cosine of stream and write;\nlargest component, attention off the diagonal by head; entropy, \
         the five most probable tokens, logits under scaling, loss, lens.\nTolerance {TOLERANCE:e}, of the cosine and the \
         share that logits move by absolute, else relative. ONNX Runtime {} on {place}, whose kind decides the last \
         digits.\nOf families whose code lies on the hub (baichuan, exaone, internlm2, minicpm, qwen) the reference is written from the \
         mathematics of that code\n(`scripts/reference/remote.py`); of models of images and text the text stack is compared.\n\n",
        runtime.version()
    );
    text += &formats(table);
    text += &format!("\n## Every checkpoint\n\n{HEADER}|---|---|---|---|---|\n");
    for (family, cases) in table {
        for Row { case, products, worst: Worst { error, place } } in cases {
            text += &format!("| {family} | {case} | {} | {error:.1e} | {place} |\n", products.join("; "));
        }
    }
    text
}

/// `src/model/arch/families/parity.json`, which `make parity` writes: a line for each family.
fn known(table: &BTreeMap<String, Vec<Row<'_>>>) -> String {
    let of = |(family, rows): (&String, &Vec<Row<'_>>)| {
        let cases: BTreeSet<&str> = rows.iter().map(|row| row.case.as_str()).collect();
        let recipes: Vec<Recipe> = cases
            .iter()
            .map(|case| Recipe::of_checkpoint(&Checkpoint::open(&golden(case)).unwrap()).unwrap())
            .collect();
        let facts = |fact: fn(ModelFacts) -> Option<String>| -> Vec<String> {
            let all: BTreeSet<String> = recipes.iter().filter_map(|recipe| fact(recipe.facts())).collect();
            all.into_iter().collect()
        };
        let places: BTreeSet<NormPlaces> = recipes.iter().map(Recipe::norm_places).collect();
        let routed = recipes.iter().flat_map(|recipe| (0..recipe.blocks()).filter_map(|l| recipe.routed(l)));
        let experts: BTreeSet<ExpertLayout> = routed.map(|one| one.experts.layout).collect();
        let worst = rows.iter().map(|row| row.worst.error).fold(0.0, f64::max);
        let known = KnownFamily {
            family: family.clone(),
            norm: facts(|facts| facts.norm),
            norm_places: places.into_iter().collect(),
            residual: facts(|facts| facts.residual),
            positions: facts(|facts| facts.positions),
            mlp: facts(|facts| facts.mlp),
            experts: experts.into_iter().collect(),
            checkpoints: cases.len(),
            worst_error: format!("{worst:.1e}").parse().unwrap(),
        };
        serde_json::to_string(&known).unwrap()
    };
    let lines: Vec<String> = table.iter().map(of).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

const FORMATS: &str = "| format | most weights stored as | checkpoints | worst error |\n";

/// What opens, by how files and most weights are stored.
fn formats(table: &BTreeMap<String, Vec<Row<'_>>>) -> String {
    let mut of = BTreeMap::<(&str, String), (BTreeSet<&str>, f64)>::new();
    for Row { case, worst, .. } in table.values().flatten() {
        let format = match case.split_once('/') {
            Some(("gguf", _)) => "GGUF",
            _ => "safetensors",
        };
        let stored = Checkpoint::open(&golden(case)).map_or_else(|error| error.to_string(), |at| at.dtype());
        let (cases, error) = of.entry((format, stored)).or_default();
        cases.insert(case);
        *error = error.max(worst.error);
    }
    let mut text = format!("## Every format\n\n{FORMATS}|---|---|---|---|\n");
    for ((format, stored), (cases, error)) in of {
        text += &format!("| {format} | {stored} | {} | {error:.1e} |\n", cases.len());
    }
    let read: Vec<&str> = quantisations().collect();
    text + &format!(
        "\n`pytorch_model.bin` (one file, or an index and shards) is the same checkpoint as its safetensors, bit for bit. The other types \
         of GGUF's weights are\nheld against the `gguf` package number by number (`tests/goldens/gguf/blocks.json`), stacked experts in \
         MXFP4 against transformers (`experts_mxfp4`).\n\nRefused by name: a `quant_method` other than {}, and of these GPTQ's marlin and \
         bitblas, AWQ's marlin\nand gemv_fast, compressed-tensors' sparse-bitmask, sparse-24-bitmask and marlin-24 and its transforms, MLX's \
         modes other than affine, modelopt's integers of 4 bits and modules that change their inputs; GGUF\nof another architecture, version 1 or big-endian; pickles of torch before 1.6 and pickles that need \
         more than rebuilding tensors.\n",
        read.join(", ")
    )
}

#[test]
fn the_gain_of_a_block_follows_from_stream_write_and_cosine() {
    for case in cases() {
        for seen in run(&golden(&case), &prompts(&case)).unwrap() {
            let prompt = PromptInfo {
                id: String::new(),
                category: String::new(),
                text: String::new(),
                sets: Vec::new(),
            };
            let rows = measurements("m", &prompt, &seen, Bos::Auto);
            let find = |metric, layer, protocol| {
                let same =
                    |r: &&Measurement| (r.metric, r.layer, r.protocol) == (metric, Some(layer), protocol);
                rows.iter().find(same).unwrap().value
            };
            let gains = rows.iter().filter(|row| row.metric == Metric::LayerGain);
            for (row, layer) in gains.map(|row| (row, row.layer.unwrap())) {
                let again = find(Metric::ReconstructedGain, layer - 1, row.protocol);
                assert!((again / row.value - 1.0).abs() < TOLERANCE, "{case}: {again} is not {}", row.value);
            }
        }
    }
}

#[test]
fn the_parity_table_is_complete() {
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/parity.md");
    let text = fs::read_to_string(written).unwrap();
    let whole = text.contains(HEADER) && text.contains(FORMATS);
    assert!(whole, "results/parity.md is of another version; run `make parity`");
    let listed: Vec<&str> = text.lines().filter_map(|line| line.split(" | ").nth(1)).skip(1).collect();
    let known = known_families().unwrap();
    assert!(known.iter().map(|known| known.family.as_str()).eq(arch::families()), "run `make parity`");
    for case in all_cases() {
        assert!(listed.contains(&case.as_str()), "results/parity.md lacks {case}; run `make parity`");
    }
}

#[test]
fn a_prompt_measures_the_same_alone_and_in_company_and_twice() {
    for case in ["llama_gqa_tied_bf16", "gpt_neox_parallel_f32"] {
        let prompts = prompts(case);
        let together = run(&golden(case), &prompts).unwrap();
        assert_eq!(together, run(&golden(case), &prompts).unwrap(), "{case}: two runs differ");
        prompts.iter().zip(&together).for_each(|seen| as_alone(&golden(case), seen, 0.0));
    }
}

/// A prompt, everything it begins with, and other ways to go on from there: all share their rows.
fn tree(stem: &[u32]) -> Vec<Vec<u32>> {
    let mut prompts: Vec<Vec<u32>> = (1..=stem.len()).map(|end| stem[..end].to_vec()).collect();
    for cut in [1, stem.len() / 2, stem.len() - 1] {
        let other = stem[cut..].iter().rev();
        prompts.push(stem[..cut].iter().chain(other).copied().collect());
    }
    prompts.push(stem.to_vec());
    prompts
}

#[test]
fn prompts_that_share_their_beginning_measure_as_they_do_alone() {
    // The zoo has widths as released models have them: every bit is the same. The goldens' are odd, so that their rows lie
    // otherwise in memory, and the runtime's sums over a row begin where that row does.
    let zoo = checkpoints(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/zoo"));
    assert!(zoo.len() >= 9, "the zoo");
    // One of each family.
    let mut families = BTreeSet::new();
    let goldens: Vec<PathBuf> = cases()
        .iter()
        .filter(|case| families.insert(reference(case).family))
        .map(|case| golden(case))
        .collect();
    let stem: Vec<u32> = (0..40).map(|i| (i * 37) % 1000 + 3).collect();
    let small: Vec<u32> = (0..19).map(|i| (i * i + 7) % 53).collect();
    for (folders, prompts, step, tolerance) in [(zoo, tree(&stem), 1, 0.0), (goldens, tree(&small), 3, 5e-6)]
    {
        for folder in folders {
            let together = run(&folder, &prompts).unwrap();
            prompts.iter().zip(&together).step_by(step).for_each(|seen| as_alone(&folder, seen, tolerance));
        }
    }
}

/// Folders of checkpoints in a folder, sorted.
fn checkpoints(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.join("config.json").exists()).collect();
    found.sort();
    found
}

/// A prompt that ran with others is seen as when it runs alone.
fn as_alone(folder: &Path, (prompt, together): (&Vec<u32>, &PromptObservation), tolerance: f64) {
    assert_eq!(&together.token_ids, prompt);
    let alone = run(folder, std::slice::from_ref(prompt)).unwrap();
    let Worst { error, place } = apart(&alone[0], together);
    let (case, tokens) = (folder.display(), prompt.len());
    assert!(error <= tolerance, "{case}, {tokens} tokens: {error:.1e} at {place}");
}

/// How far two observations of one prompt are apart.
fn apart(alone: &PromptObservation, together: &PromptObservation) -> Worst {
    let mut worst = Worst::default();
    assert_eq!(alone.branches(), together.branches());
    for tap in alone.named() {
        let (found, expected) = (alone.tap(&tap.name), together.tap(&tap.name));
        assert_eq!(found.dim(), expected.dim());
        for (found, expected) in found.iter().zip(expected) {
            let absolute = tap.tap.is_absolute();
            let scale = if absolute { 1.0 } else { f64::from(expected.abs()).max(1e-9) };
            worst.see_of(*found, f64::from(*expected), scale, &tap.name);
        }
    }
    for (found, expected) in alone.top.iter().zip(&together.top) {
        assert_eq!(found.id, expected.id);
        worst.see(found.prob, f64::from(expected.prob), "probability");
    }
    worst
}

#[test]
fn prompts_that_cannot_run_are_refused_with_their_place() {
    let refuse = |prompts: &[Vec<u32>]| run(&golden("llama_mha_f32"), prompts).unwrap_err().to_string();
    assert!(refuse(&[vec![1], vec![]]).starts_with("prompt 1 has no tokens"));
    let message = refuse(&[vec![1, 2, 131]]);
    assert!(
        message.starts_with("prompt 0, position 2: token id 131 is beyond the vocabulary of 131"),
        "{message}"
    );
    assert!(refuse(&[vec![3; 129]]).starts_with("prompt 0 has 129 tokens; the model's config allows 128"));
}

/// A copy of a golden checkpoint with one change to its config text and one to its weight file.
fn changed(
    case: &str,
    config: impl Fn(String) -> String,
    weights: impl Fn(&mut Vec<u8>),
) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(golden(case).join("config.json")).unwrap();
    fs::write(folder.path().join("config.json"), config(text)).unwrap();
    let mut bytes = fs::read(golden(case).join("model.safetensors")).unwrap();
    weights(&mut bytes);
    fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    folder
}

#[test]
fn a_damaged_weight_is_named_with_its_block() {
    let tensor = "model.layers.1.mlp.up_proj.weight";
    let folder = changed(
        "llama_mha_f32",
        |c| c,
        |bytes| {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
            let at = 8 + length + header[tensor]["data_offsets"][0].as_u64().unwrap() as usize;
            bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        },
    );
    let message = run(folder.path(), &[vec![1, 2, 3]]).unwrap_err().to_string();
    assert!(message.starts_with("block 1: ") && message.contains(tensor), "{message}");
}

#[test]
fn a_weight_of_another_shape_is_refused_before_the_run() {
    let folder = changed(
        "llama_mha_f32",
        |c| c.replace("\"intermediate_size\": 71", "\"intermediate_size\": 72"),
        |_| {},
    );
    let message = run(folder.path(), &[vec![1]]).unwrap_err().to_string();
    assert_eq!(
        message,
        "tensor model.layers.0.mlp.gate_proj.weight (block 0) has shape [71, 36] in the checkpoint; \
         config.json asks for [72, 36]"
    );
}

#[test]
fn a_checkpoint_of_the_bare_base_model_measures_the_same() {
    let case = "llama_gqa_tied_bf16";
    let folder = changed(
        case,
        |c| c,
        |bytes| {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let header = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap();
            let bare = header.replace("\"model.", "\"");
            assert_ne!(bare, header);
            bytes[8..8 + length].copy_from_slice(format!("{bare:length$}").as_bytes());
        },
    );
    let prompts = [vec![1, 2, 3]];
    assert_eq!(run(folder.path(), &prompts).unwrap(), run(&golden(case), &prompts).unwrap());
}

#[test]
fn a_config_without_sizes_is_refused() {
    for key in ["hidden_size", "num_hidden_layers", "vocab_size", "num_key_value_heads", "head_dim"] {
        let folder = changed(
            "llama_mha_f32",
            |c| {
                let mut config: serde_json::Value = serde_json::from_str(&c).unwrap();
                config[key] = 0.into();
                config.to_string()
            },
            |_| {},
        );
        let message = run(folder.path(), &[vec![1]]).unwrap_err().to_string();
        assert!(message.starts_with("config.json"), "{key}: {message}");
    }
}

#[test]
fn unknown_families_and_activations_are_refused() {
    let refuse = |from: &str, to: &str| {
        let folder = changed("llama_mha_f32", |c| c.replace(from, to), |_| {});
        run(folder.path(), &[vec![1]]).unwrap_err().to_string()
    };
    let message = refuse("\"model_type\": \"llama\"", "\"model_type\": \"mamba\"");
    assert!(message.contains("\"mamba\" is not computed: its blocks hold a recurrence"), "{message}");
    let message = refuse("\"hidden_act\": \"silu\"", "\"hidden_act\": \"snake\"");
    assert!(message.contains("`hidden_act` is \"snake\""), "{message}");
}

#[test]
fn graphs_depend_on_the_config_and_not_on_the_weights() {
    let identity = |folder: &Path| {
        let checkpoint = Checkpoint::open(folder).unwrap();
        Graphs::build(&Recipe::read(checkpoint.config()).unwrap()).unwrap().identity()
    };
    let original = identity(&golden("llama_mha_f32"));
    let other_weights = changed("llama_mha_f32", |c| c, |bytes| *bytes.last_mut().unwrap() ^= 1);
    assert_eq!(identity(other_weights.path()), original);
    let other_eps = changed("llama_mha_f32", |c| c.replace("1e-05", "1e-06"), |_| {});
    assert_ne!(identity(other_eps.path()), original);
}
