//! The published tables as they ship: every number with its protocol, and errors that point at a cell.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use number::evidence::{Evidence, EvidenceTable, Measurement};
use number::index::EvidenceIndex;
use number::metric::Metric;
use study::published::Stated;
use study::published::{self, llama::llama_case};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/published"))
}

fn table() -> EvidenceTable {
    published::import(folder()).expect("the shipped tables import")
}

fn of(table: &EvidenceTable, metric: Metric) -> Vec<&Measurement> {
    table.rows.iter().filter(|row| row.metric == metric).collect()
}

/// The one row that matches, by a prefix of its prompt id.
fn one(table: &EvidenceTable, metric: Metric, source: &str, model: &str, prompt: &str) -> Measurement {
    let rows: Vec<&Measurement> = of(table, metric)
        .into_iter()
        .filter(|row| row.source == source && row.model == model)
        .filter(|row| row.prompt.as_deref().unwrap_or("").starts_with(prompt))
        .collect();
    assert_eq!(rows.len(), 1, "{metric} of {source}, {model}, {prompt}");
    rows[0].clone()
}

#[test]
fn every_last_gain_has_the_endpoint_its_code_really_measured() {
    let table = table();
    let mut counts = BTreeMap::new();
    for row in of(&table, Metric::LastGain) {
        *counts.entry(row.protocol.expect("a gain has a protocol").endpoint.as_str()).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([("last-block", 364), ("hf-last", 244), ("hf-penultimate", 226)]));
}

#[test]
fn only_properties_of_the_weights_have_no_protocol() {
    for row in &table().rows {
        assert_eq!(row.protocol.is_some(), row.metric.describe().needs_protocol(), "{row:?}");
        assert_eq!(row.evidence, Evidence::Published);
        assert!(row.value.is_finite() && !row.dtype.is_empty() && !row.source.is_empty(), "{row:?}");
    }
}

#[test]
fn aggregates_have_no_prompt_and_say_over_how_many() {
    let table = table();
    let means: Vec<_> = of(&table, Metric::LastGain).into_iter().filter(|row| row.prompt.is_none()).collect();
    assert_eq!(means.len(), 64);
    assert!(means.iter().all(|row| row.definition.contains("mean over")));
    let prompts: Vec<&str> = table.prompts.iter().map(|prompt| prompt.id.as_str()).collect();
    for row in table.rows.iter().filter_map(|row| row.prompt.as_deref()) {
        assert!(prompts.binary_search(&row).is_ok(), "{row} is a listed prompt");
    }
}

#[test]
fn totals_over_the_embedding_and_over_the_first_block_stay_apart() {
    let table = table();
    assert_eq!(of(&table, Metric::CumulativeGain).len(), 13);
    assert_eq!(of(&table, Metric::GainAfterFirstBlock).len(), 351);
    let mistral = one(&table, Metric::GainAfterFirstBlock, "mistral_paradox", "mistral-7b-v0.1", "");
    assert!((mistral.value - 56.8276).abs() < 1e-4);
    let gemma = one(&table, Metric::CumulativeGain, "four_model", "gemma-7b", "");
    assert!(gemma.definition.contains("BEFORE the *sqrt(3072)"), "{}", gemma.definition);
}

#[test]
fn an_embedding_exists_only_where_one_was_measured() {
    let table = table();
    let embedding =
        |model: &str| of(&table, Metric::EmbeddingNorm).iter().filter(|r| r.model == model).count();
    assert_eq!(embedding("mistral-7b-v0.1"), 0);
    assert_eq!(embedding("gemma-7b"), 1);
    let gemma = one(&table, Metric::EmbeddingNorm, "four_model", "gemma-7b", "");
    assert!(gemma.definition.contains("before sqrt(d) scaling"), "{}", gemma.definition);
    let gains: Vec<_> =
        of(&table, Metric::LayerGain).into_iter().filter(|row| row.model == "gemma-7b").collect();
    assert!(gains.iter().all(|row| (row.layer == Some(1)) == row.definition.contains("scaling")));
}

#[test]
fn norms_rounded_to_few_bits_say_so() {
    let table = table();
    for row in of(&table, Metric::LastGain) {
        let bits = match row.source.as_str() {
            "twin_test" | "gptj_parallel" => "bfloat16",
            "grand_unified" => "float16",
            _ => "",
        };
        assert_eq!(row.definition.contains("rounded to"), !bits.is_empty(), "{row:?}");
        assert!(row.definition.contains(bits), "{row:?}");
    }
    let entropy = of(&table, Metric::OutputEntropy);
    assert_eq!(entropy.len(), 356);
    assert!(entropy.iter().all(|row| !row.definition.contains("rounded to")));
}

#[test]
fn facts_use_the_vocabulary_of_configs() {
    let table = table();
    let facts = |id: &str| table.models.iter().find(|m| m.id == id).expect("listed").facts.clone();
    let llama = facts("llama-3.1-8b");
    assert_eq!((llama.norm.as_deref(), llama.mlp.as_deref()), (Some("rmsnorm"), Some("swiglu")));
    assert_eq!((llama.context, llama.rope_scaling.as_deref()), (Some(131072), Some("llama3")));
    let pythia = facts("pythia-6.9b");
    assert_eq!((pythia.norm.as_deref(), pythia.residual.as_deref()), (Some("layernorm"), Some("parallel")));
    assert_eq!((pythia.positions.as_deref(), pythia.parameters), (Some("partial-rotary"), Some(6857302016)));
    assert_eq!(facts("llama-3.1-8b-instruct").blocks, Some(32), "known from its measurements");
    assert_eq!(facts("gemma-2-9b").blocks, None, "never run");
    assert_eq!(table.models.len(), 36);
}

#[test]
fn tuned_models_name_the_base_they_were_tuned_from_and_no_other() {
    let table = table();
    let tuned: Vec<_> = table.models.iter().filter(|model| model.facts.base.is_some()).collect();
    assert_eq!(tuned.len(), 3);
    assert!(tuned.iter().all(|model| model.facts.change.as_deref() == Some("instruct")));
    let base =
        |id: &str| tuned.iter().find(|model| model.id == id).and_then(|model| model.facts.base.as_deref());
    assert_eq!(base("llama-3.1-8b-instruct"), Some("llama-3.1-8b"));
    assert_eq!(base("gemma-7b-it"), Some("gemma-7b"));
    // Published as a twin of v0.1, which has numbers; its base has none.
    assert_eq!(base("mistral-7b-instruct-v0.2"), Some("mistral-7b-v0.2"));
    assert!(table.models.iter().all(|model| model.id != "mistral-7b-v0.2"));
    let theta = |id: &str| table.models.iter().find(|model| model.id == id).and_then(|m| m.facts.rope_theta);
    assert_eq!(
        (theta("llama-3.1-8b"), theta("llama-2-7b"), theta("mistral-7b-v0.1")),
        (Some(5e5), Some(1e4), Some(1e4))
    );
}

#[test]
fn module_gains_correlations_and_both_matrices_are_imported_as_what_they_are() {
    let table = table();
    let count = |metric| of(&table, metric).len();
    assert_eq!([count(Metric::AttentionGain), count(Metric::MlpGain)], [316, 316]);
    assert_eq!([count(Metric::ModuleGainProduct), count(Metric::EmbeddingCorrelation)], [134, 55]);
    assert_eq!([count(Metric::UnembeddingSpectralNorm), count(Metric::EmbeddingSpectralNorm)], [6, 1]);
    let first = of(&table, Metric::AttentionGain)
        .into_iter()
        .find(|row| {
            (row.source.as_str(), row.model.as_str(), row.layer) == ("ffn_expansion", "pythia-1.4b", Some(0))
        })
        .expect("the first row of components.csv");
    assert_eq!(first.value, 0.5269130406442787);
    assert_eq!(first.protocol.expect("tokens enter it").to_string(), "mean/last-block/auto");
    assert!(first.definition.contains("not the residual stream"), "{}", first.definition);
    assert!(of(&table, Metric::MlpGain).iter().all(|row| row.definition.contains("; over ")));
}

#[test]
fn what_follows_from_all_layers_is_derived_and_from_some_is_not() {
    let table = table();
    let of_llama = |metric| -> Vec<f64> {
        let rows = of(&table, metric).into_iter();
        rows.filter(|row| row.model == "llama-3.1-8b" && row.source == "four_model")
            .map(|row| row.value)
            .collect()
    };
    // 10.2 from the embedding to block 0, 39.3 from there to block 1: printed so in the research note.
    assert_eq!(of_llama(Metric::JumpLayer), [2.0]);
    let gain = of(&table, Metric::LayerGain)
        .into_iter()
        .find(|row| row.model == "llama-3.1-8b" && row.source == "four_model" && row.layer == Some(2));
    assert!((gain.unwrap().value - 39.3).abs() < 0.05);
    assert!(
        of_llama(Metric::PlateauRatio)[0] > 1.0
            && of_llama(Metric::PlateauRatio)[0] < of_llama(Metric::NormRange)[0]
    );
    // Mistral was published without its embedding: its largest gain is unknown.
    assert!(of(&table, Metric::JumpLayer).iter().all(|row| row.model != "mistral-7b-v0.1"));
    let shares = of(&table, Metric::ContractingAttentionShare);
    assert!(!shares.is_empty() && shares.iter().all(|row| (0.0..=1.0).contains(&row.value)));
    assert!(shares.iter().all(|row| row.definition.contains("attention-gain") && row.layer.is_none()));
}

#[test]
fn correlations_name_their_pooling_and_what_lies_after_the_final_norm() {
    let table = table();
    let rows = of(&table, Metric::EmbeddingCorrelation);
    assert_eq!(rows.len(), 55);
    for row in &rows {
        let last = row.layer == Some(if row.model == "gemma-2b" { 18 } else { 32 });
        let expected =
            if last { "mean-without-first/hf-last/auto" } else { "mean-without-first/last-block/auto" };
        assert_eq!(row.protocol.expect("tokens enter it").to_string(), expected);
        assert_eq!(row.definition.contains("after the final norm"), last, "{row:?}");
        assert_eq!(row.dtype == "float32", row.model == "apertus-8b-2509", "{row:?}");
        assert_eq!(row.definition.contains("template"), row.source.ends_with("template"), "{row:?}");
    }
    let at = |source: &str, model: &str, layer| {
        let mut found =
            rows.iter().filter(|r| r.source == source && r.model == model && r.layer == Some(layer));
        found.next().expect("a row").value
    };
    assert_eq!(at("paper2_correlation", "apertus-8b-2509", 28), -0.41);
    assert_eq!(at("paper2_correlation", "llama-3.1-8b-instruct", 0), 0.27);
    assert_eq!(at("paper2_correlation_template", "llama-3.1-8b-instruct", 0), -0.25);
    assert_eq!(at("paper2_correlation", "gemma-2b", 18), -0.08);
}

#[test]
fn a_forward_pass_published_twice_says_so_and_stays() {
    let table = table();
    let repeated: Vec<_> =
        table.rows.iter().filter(|row| row.definition.contains("published again")).collect();
    assert!(repeated.iter().all(|row| row.source == "rlhf_brake" && row.model == "llama-3.1-8b"));
    // Last gain, cumulative gain, embedding norm, 33 norms and 32 gains by layer.
    assert_eq!(repeated.len(), 68);
    let base = one(&table, Metric::LastGain, "rlhf_brake", "llama-3.1-8b", "");
    assert!(
        base.definition.starts_with("the forward pass of four_model published again"),
        "{}",
        base.definition
    );
    let instruct = one(&table, Metric::LastGain, "rlhf_brake", "llama-3.1-8b-instruct", "");
    assert!(!instruct.definition.contains("four_model"), "{}", instruct.definition);
}

#[test]
fn claims_are_numbers_with_a_tolerance_or_words() {
    let claims = published::printed_claims(folder()).expect("claims.csv reads");
    let numbers = claims.iter().filter(|claim| matches!(claim.stated, Stated::Number { .. })).count();
    assert_eq!((claims.len(), numbers), (159, 117));
    assert_eq!((claims[0].id.as_str(), &claims[0].models[..]), ("C001", &["pythia-6.9b".to_string()][..]));
    assert_eq!(claims[0].stated, Stated::Number { value: 0.22, tolerance: 0.005 });
    let words = claims.iter().find(|claim| claim.id == "C018").expect("C018");
    assert_eq!(words.stated, Stated::Words("3/4".into()));
    assert_eq!(words.sources, ["four_model", "mistral_paradox"]);
    let unbacked = claims.iter().find(|claim| claim.id == "C105").expect("C105");
    assert!(unbacked.sources.is_empty() && unbacked.models.is_empty(), "{unbacked:?}");
}

#[test]
fn the_llama_case_is_computed_from_its_rows() {
    let case = llama_case(&EvidenceIndex::new(&table())).expect("the rows are there");
    let values: Vec<f64> = case.rows.iter().map(|row| (row.gain.value * 1e4).round() / 1e4).collect();
    assert_eq!(values, [0.4777, 0.6086, 1.5332]);
    let protocols: Vec<String> =
        case.rows.iter().map(|row| row.gain.protocol.map(|p| p.to_string()).unwrap_or_default()).collect();
    assert_eq!(protocols, ["frobenius/last-block/auto", "frobenius/last-block/auto", "mean/hf-last/auto"]);
    assert!((case.last_token.gain.value - 1.4845).abs() < 5e-5);
    assert_eq!(case.last_token.prompt, "mean of 25 prompts, 25 of them above 1");

    let percent = |at: usize| (case.split_with_dtype.steps[at].share * 1000.0).round() / 10.0;
    assert_eq!([percent(0), percent(1), percent(2)], [-0.4, 20.8, 79.5]);
    assert!((case.split_with_dtype.log_ratio - 1.162).abs() < 5e-4);
    for split in [&case.split, &case.split_with_dtype] {
        let sum: f64 = split.steps.iter().map(|step| step.log_ratio).sum();
        assert!((sum - split.log_ratio).abs() < 1e-12);
    }
    assert_eq!(case.split.steps.iter().map(|s| s.changes).collect::<Vec<_>>(), ["prompt", "method"]);
}

#[test]
fn a_table_without_the_case_names_the_missing_row() {
    let mut table = table();
    table.rows.retain(|row| row.source != "llama2_vs_llama31");
    let error = llama_case(&EvidenceIndex::new(&table)).unwrap_err().to_string();
    assert!(error.contains("llama2_vs_llama31") && error.contains("mean/hf-last/auto"), "{error}");
}

#[test]
fn a_table_without_a_published_row_is_an_error_and_no_missing_page() {
    let mut table = table();
    assert!(published::retest(folder(), &EvidenceIndex::new(&table)).is_ok());
    table.rows.retain(|row| row.source != "llama2_vs_llama31");
    let error = published::retest(folder(), &EvidenceIndex::new(&table)).map(|_| ());
    assert!(error.is_err(), "the rows of the case are not there");
}

/// Imports a copy of the tables in which `from` became `to` once in `file`.
fn import_with(file: &str, from: &str, to: &str) -> Result<EvidenceTable, String> {
    let copy = tempfile::tempdir().expect("a temporary folder");
    for entry in fs::read_dir(folder()).expect("the folder lists") {
        let path = entry.expect("the entry reads").path();
        fs::copy(&path, copy.path().join(path.file_name().expect("a file has a name"))).expect("copies");
    }
    let text = fs::read_to_string(copy.path().join(file)).expect("reads");
    assert!(text.contains(from), "{from:?} is in {file}");
    fs::write(copy.path().join(file), text.replacen(from, to, 1)).expect("writes");
    published::import(copy.path()).map_err(|error| error.to_string())
}

/// The shipped text of a table with another value in one column of its first row that has one, and that row's line.
fn with_cell(file: &str, column: &str, value: &str) -> (String, usize) {
    let mut reader = csv::Reader::from_path(folder().join(file)).unwrap();
    let header = reader.headers().unwrap().clone();
    let at =
        header.iter().position(|name| name == column).unwrap_or_else(|| panic!("{file} has no {column}"));
    let (mut writer, mut line) = (csv::Writer::from_writer(Vec::new()), None);
    writer.write_record(&header).unwrap();
    for record in reader.records().map(Result::unwrap) {
        writer.flush().unwrap();
        let here = line.is_none() && !record[at].is_empty();
        let before = writer.get_ref().iter().filter(|byte| **byte == b'\n').count(); // cells may have several lines
        line = line.or(here.then_some(before + 1));
        let cell = |(place, cell): (usize, &str)| {
            if here && place == at { value.to_string() } else { cell.to_string() }
        };
        writer.write_record(record.iter().enumerate().map(cell)).unwrap();
    }
    let line = line.unwrap_or_else(|| panic!("{file} has no value in {column}"));
    (String::from_utf8(writer.into_inner().unwrap()).unwrap(), line)
}

#[test]
fn numbers_that_no_measurement_can_give_are_named_with_file_line_and_column() {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    published::import(copy.path()).unwrap();
    let (count, norm, ratio) = (["0", "-1", "many"], ["-1", "1e308", "text"], ["0", "-0.5", "1e39"]);
    let (share, nats) = (["-1", "1e308", "likely"], ["-0.1", "1e308", "low"]);
    for (file, column, values) in [
        ("measurements.csv", "last_gain", ratio),
        ("measurements.csv", "total_amplification", ratio),
        ("measurements.csv", "entropy_nats", nats),
        ("measurements.csv", "top_prob", share),
        ("measurements.csv", "n_layers", count),
        ("measurements.csv", "n_prompts", count),
        ("measurements.csv", "gain_std", norm),
        ("layer_profile.csv", "layer", ["-1", "1e308", "49"]),
        ("layer_profile.csv", "norm", norm),
        ("layer_profile.csv", "gain", ratio),
        ("components.csv", "layer", ["-1", "first", "24"]),
        ("components.csv", "gain", ratio),
        ("components.csv", "n_prompts", count),
        ("unembedding.csv", "rows", count),
        ("unembedding.csv", "spectral_norm", norm),
        ("unembedding.csv", "frobenius_norm", norm),
        ("unembedding.csv", "mean_row_norm", norm),
        ("unembedding.csv", "std_row_norm", norm),
        ("paper2_correlation.csv", "n_layers", count),
        ("paper2_correlation.csv", "r", ["-1.1", "1e308", "strong"]),
        ("models.csv", "n_layers", count),
        ("models.csv", "n_heads", count),
        ("models.csv", "d_model", count),
        ("models.csv", "vocab", count),
        ("models.csv", "n_params", count),
        ("models.csv", "rho", ["0", "-1", "text"]),
        ("models.csv", "rope_theta", norm),
        ("positions.csv", "max_position", count),
        ("positions.csv", "context", count),
        ("prompts.csv", "complexity", count),
        ("claims.csv", "tolerance", norm),
    ] {
        let target = copy.path().join(file);
        let shipped = fs::read(&target).unwrap();
        for value in values {
            let (text, line) = with_cell(file, column, value);
            fs::write(&target, text).unwrap();
            let error = published::import(copy.path()).expect_err(&format!("{file}, {column}: {value}"));
            let message = error.to_string();
            let place = format!("{file}:{line}: column {column}: found {value:?}, expected ");
            assert!(message.contains(&place), "{place}\n{message}");
        }
        fs::write(&target, shipped).unwrap();
    }
}

#[test]
fn a_bad_cell_is_named_with_file_line_column_and_what_was_expected() {
    let cases = [
        (
            "measurements.csv",
            "frobenius_all_tokens",
            "frobenius",
            "measurements.csv:2: column token_reduction",
        ),
        ("measurements.csv", "0.2173087050705337", "0.21x", "measurements.csv:2: column last_gain"),
        ("measurements.csv", "0.2173087050705337", "NaN", "found \"NaN\", expected a finite number"),
        ("measurements.csv", "0.2173087050705337", "-1", "a ratio of norms, above 0"),
        (
            "measurements.csv",
            ",float32,31,",
            ",float32,30,",
            "column measured_block: found \"30\", expected 31, which last-block",
        ),
        ("measurements.csv", "measured_block", "block", "column \"measured_block\" is missing"),
        ("layer_profile.csv", ",embedding,", ",embeddings,", "layer_profile.csv:2: column row_tap"),
        ("layer_profile.csv", "four_model,", "five_model,", "column source: found \"five_model\""),
        ("models.csv", ",LayerNorm,", ",BatchNorm,", "models.csv:2: column norm_type"),
        ("prompts.csv", "prompt_id", "id", "column \"prompt_id\" is missing"),
        ("positions.csv", "llama3", "ll\"ama3", "positions.csv"),
        (
            "positions.csv",
            "llama-3.1-8b,500000.0",
            "llama-3.1-8b,5000.0",
            "column rope_theta: found \"500000.0\", expected 5000",
        ),
        ("relations.csv", ",gemma-7b,", ",,", "relations.csv:2: column base"),
        ("components.csv", ",attn,", ",attention,", "components.csv:2: column component"),
        ("paper2_correlation.csv", "Pythia-6.9B", "Pythia", "paper2_correlation.csv:2: column model"),
        ("paper2_correlation.csv", "Apertus-8B", "Apertus", "column model: found \"Apertus\""),
        ("paper2_correlation.csv", "0,0.46,", "0,0.64,", "paper2_correlation.csv:2: column r"),
        (
            "paper2_correlation.csv",
            ",32,32,",
            ",32,33,",
            "column layer: found \"33\", expected a layer of 0..32",
        ),
        ("claims.csv", ",0.22,x,0.005,", ",0.22,x,,", "claims.csv:2: column tolerance"),
        ("claims.csv", ",0.22,x,0.005,", ",low,x,0.005,", "claims.csv:2: column value"),
        (
            "claims.csv",
            ",four_model,",
            ",five_model,",
            "claims.csv:2: column backing_source: found \"five_model\"",
        ),
        ("claims.csv", "C002", "C001", "claims.csv:3: column claim_id"),
        ("unembedding.csv", "94.60694885253906", "", "column spectral_norm: found \"\""),
    ];
    for (file, from, to, expected) in cases {
        let error = import_with(file, from, to).map(|_| ()).unwrap_err();
        assert!(error.contains(expected), "{file}, {from} -> {to}: {error}");
    }
}

#[test]
fn the_spread_of_the_unified_gains_is_nearly_all_the_models() {
    let table = table();
    let found = study::analysis::spreads(Evidence::Published, &EvidenceIndex::new(&table));
    let unified =
        found.iter().find(|spread| spread.over == "grand_unified").expect("four models, 25 prompts");
    let share = |name: &str| {
        let parts = unified.parts.iter().filter(|part| part.name.starts_with(name));
        parts.map(|part| part.share).sum::<f64>()
    };
    // By NumPy: 0.9041 of the sum of squares between models, 0.0548 between prompts (category and within).
    let prompts = share("category") + share("prompt within");
    let models = unified.parts.iter().find(|part| part.name == "model").map(|part| part.share).unwrap_or(0.0);
    assert!((models - 0.904_149).abs() < 1e-5 && (prompts - 0.054_800).abs() < 1e-5, "{:?}", unified.parts);
    assert!(found.iter().all(|spread| spread.protocols.len() == 1 && spread.models >= 3));
}
