//! What decides an output changes its key; what does not, does not.

use std::collections::BTreeSet;

use app::plan::keys::{
    EvidenceDigest, Export, Import, Input, Judge, OBSERVATION_FORMAT, Observe, Report, Spectra, Weigh,
    digest_files, digest_keys, digest_texts, evidence_part, observe_slot, spectra_part, weighing_part,
};
use base::hash::{Fields, Key};
use number::{
    evidence::{Evidence, ModelInfo},
    facts::ModelFacts,
    observation::{Extra, Extras},
    protocol::Bos,
};

fn key(text: &str) -> Key {
    Key::of_bytes(text.as_bytes())
}

static EXTRAS: Extras = Extras::new();

fn observe(prompt: Input<'static>) -> Observe<'static> {
    Observe {
        weights: key("weights"),
        intervention: None,
        prompt,
        extras: &EXTRAS,
        graph: key("graph"),
        format: OBSERVATION_FORMAT,
        runtime: "1.23.2",
        provider: "cpu",
        dtype: "float32",
    }
}

fn one_extra() -> &'static Extras {
    Box::leak(Box::new(Extras::from([Extra::Loss])))
}

fn text() -> Input<'static> {
    Input::Text { text: "The capital of France is", tokenizer: key("tokenizer"), bos: 1 }
}

/// Each case changes one input: exactly the named field and the key must change. Together the cases must reach every
/// field, so that a field added to the key without a case here fails.
fn assert_decides(base: &Fields, cases: Vec<(&str, Fields)>) {
    let mut keys = BTreeSet::from([base.key()]);
    for (name, changed) in &cases {
        let names = base.fields.iter().map(|(name, _)| name.as_str());
        let differ: Vec<&str> = names.filter(|n| base.get(n) != changed.get(n)).collect();
        assert_eq!(differ, [*name], "{}", base.job);
        assert!(keys.insert(changed.key()), "{}: {name} does not change the key", base.job);
    }
    let reached: BTreeSet<&str> = cases.iter().map(|(name, _)| *name).collect();
    let fields: BTreeSet<&str> = base.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(reached, fields, "{}: fields without a case, or named twice", base.job);
    assert_eq!(fields.len(), base.fields.len(), "{}: a field name occurs twice", base.job);
}

#[test]
fn every_input_of_an_observation_decides_its_key() {
    let with = |change: &dyn Fn(&mut Observe<'static>)| {
        let mut inputs = observe(text());
        change(&mut inputs);
        inputs.fields()
    };
    let input =
        |text, tokenizer: &str, bos| observe(Input::Text { text, tokenizer: key(tokenizer), bos }).fields();
    // Without `..`: an input added to `Observe` does not compile here until it has a case below.
    let Observe {
        weights: _,
        intervention: _,
        prompt: _,
        extras: _,
        graph: _,
        format: _,
        runtime: _,
        provider: _,
        dtype: _,
    } = observe(text());
    assert_decides(
        &observe(text()).fields(),
        vec![
            ("weights", with(&|o| o.weights = key("finetuned"))),
            ("tokenizer", input("The capital of France is", "other", 1)),
            ("bos", input("The capital of France is", "tokenizer", 0)),
            ("bos", input("The capital of France is", "tokenizer", 2)),
            ("prompt", input("The capital of France is ", "tokenizer", 1)),
            ("prompt", input("The capital of Spain is", "tokenizer", 1)),
            ("extras", with(&|o| o.extras = one_extra())),
            ("graph", with(&|o| o.graph = key("another epsilon"))),
            ("observation format", with(&|o| o.format += 1)),
            ("runtime", with(&|o| o.runtime = "1.24.0")),
            ("provider", with(&|o| o.provider = "cuda")),
            ("dtype", with(&|o| o.dtype = "bfloat16")),
        ],
    );
}

#[test]
fn an_intervention_is_a_field_of_its_own_and_a_stored_model_has_none() {
    let with = |change| Observe { intervention: change, ..observe(text()) }.fields();
    let (stored, ten) = (with(None), with(Some("rope-theta x10")));
    assert_eq!(stored.get("intervention"), None);
    assert_eq!(ten.get("intervention"), Some("rope-theta x10"));
    assert_eq!(ten.get("weights"), stored.get("weights"));
    let keys =
        [stored, ten, with(Some("rope-theta x50")), with(Some("random init, seed 1"))].map(|f| f.key());
    assert_eq!(BTreeSet::from(keys).len(), keys.len());
}

#[test]
fn token_ids_decide_the_key_where_no_text_is_tokenised() {
    let with = |change: &dyn Fn(&mut Observe<'static>)| {
        let mut inputs = observe(Input::Tokens(&[1, 23]));
        change(&mut inputs);
        inputs.fields()
    };
    assert_decides(
        &with(&|_| {}),
        vec![
            ("weights", with(&|o| o.weights = key("finetuned"))),
            ("tokens", with(&|o| o.prompt = Input::Tokens(&[12, 3]))),
            ("tokens", with(&|o| o.prompt = Input::Tokens(&[23, 1]))),
            ("tokens", with(&|o| o.prompt = Input::Tokens(&[]))),
            ("extras", with(&|o| o.extras = one_extra())),
            ("graph", with(&|o| o.graph = key("another epsilon"))),
            ("observation format", with(&|o| o.format += 1)),
            ("runtime", with(&|o| o.runtime = "1.24.0")),
            ("provider", with(&|o| o.provider = "cuda")),
            ("dtype", with(&|o| o.dtype = "bfloat16")),
        ],
    );
    // A text that reads like ids is another input.
    let text = observe(Input::Text { text: "1 23", tokenizer: key("tokenizer"), bos: 1 });
    assert_ne!(text.fields().key(), with(&|_| {}).key());
}

#[test]
fn every_input_of_export_and_import_decides_its_key() {
    let export = |graph: &str, builder_version| Export { graph: key(graph), builder_version }.fields();
    assert_decides(
        &export("graph", 1),
        vec![("graph", export("other", 1)), ("builder version", export("graph", 2))],
    );
    let import = |tables: &str, importer_version| Import { tables: key(tables), importer_version }.fields();
    assert_decides(
        &import("tables", 1),
        vec![("tables", import("other", 1)), ("importer version", import("tables", 2))],
    );
}

#[test]
fn every_input_of_a_weighing_and_of_spectra_decides_its_key() {
    let weigh = |weights: &str, parts: &str, version| {
        Weigh { weights: key(weights), intervention: None, parts: key(parts), version }.fields()
    };
    assert_decides(
        &weigh("weights", "parts", 1),
        vec![
            ("weights", weigh("finetuned", "parts", 1)),
            ("parts", weigh("weights", "fewer heads", 1)),
            ("weigh version", weigh("weights", "parts", 2)),
        ],
    );
    let base = || Spectra {
        weights: key("weights"),
        intervention: None,
        tokenizer: key("tokenizer"),
        bos: Bos::Auto,
        prompts: digest_texts(["a", "b"]),
        graph: key("graph"),
        version: 1,
        runtime: "1.23.2",
        provider: "cpu",
        dtype: "float32",
    };
    let with = |change: &dyn Fn(&mut Spectra<'static>)| {
        let mut inputs = base();
        change(&mut inputs);
        inputs.fields()
    };
    // A model as it is stored has no field for what was changed in it.
    let changed = with(&|s| s.intervention = Some("rope-theta x10"));
    assert_eq!(changed.get("intervention"), Some("rope-theta x10"));
    assert_ne!(changed.key(), base().fields().key());
    assert_decides(
        &base().fields(),
        vec![
            ("weights", with(&|s| s.weights = key("finetuned"))),
            ("tokenizer", with(&|s| s.tokenizer = key("other"))),
            ("bos", with(&|s| s.bos = Bos::Never)),
            ("prompts", with(&|s| s.prompts = digest_texts(["b", "a"]))),
            ("prompts", with(&|s| s.prompts = digest_texts(["ab"]))),
            ("prompts", with(&|s| s.prompts = digest_texts(["a"]))),
            ("graph", with(&|s| s.graph = key("another epsilon"))),
            ("spectra version", with(&|s| s.version = 2)),
            ("runtime", with(&|s| s.runtime = "1.24.0")),
            ("provider", with(&|s| s.provider = "cuda")),
            ("dtype", with(&|s| s.dtype = "bfloat16")),
        ],
    );
}

#[test]
fn every_input_of_a_judgement_and_a_report_decides_its_key() {
    let judge = |hypothesis: &str, evidence: &str, seed, statistics_version| {
        Judge { hypothesis: key(hypothesis), evidence: key(evidence), seed, statistics_version }.fields()
    };
    assert_decides(
        &judge("h", "e", 0, 1),
        vec![
            ("hypothesis", judge("h2", "e", 0, 1)),
            ("evidence", judge("h", "e2", 0, 1)),
            ("seed", judge("h", "e", 1, 1)),
            ("statistics version", judge("h", "e", 0, 2)),
        ],
    );
    let report = |outcomes: &str, evidence: &str, title, report_version| {
        Report { outcomes: key(outcomes), evidence: key(evidence), title, report_version }.fields()
    };
    assert_decides(
        &report("o", "e", "t", 1),
        vec![
            ("outcomes", report("o2", "e", "t", 1)),
            ("evidence", report("o", "e2", "t", 1)),
            ("title", report("o", "e", "t2", 1)),
            ("report version", report("o", "e", "t", 2)),
        ],
    );
}

fn model(facts: &ModelFacts) -> ModelInfo {
    ModelInfo { id: "m".into(), evidence: Evidence::Measured, facts: facts.clone() }
}

#[test]
fn evidence_changes_with_every_row_and_every_name_but_not_with_their_order() {
    type Row = (&'static str, &'static str, &'static str, &'static str, Bos, &'static str);
    let digest = |rows: &[Row], facts: &ModelFacts, import: &str| {
        let mut digest = EvidenceDigest::default();
        for (id, set, prompt, category, bos, observation) in rows {
            digest.part(evidence_part(id, set, prompt, category, *bos, &key(observation)));
        }
        digest.model(&model(facts));
        digest.import(&key(import));
        digest.finish()
    };
    let a: Row = ("m", "s", "france", "Factual", Bos::Auto, "1");
    let b: Row = ("m", "s", "fox", "Proverb", Bos::Auto, "2");
    let facts = ModelFacts { blocks: Some(4), ..ModelFacts::default() };
    let base = digest(&[a, b], &facts, "tables");
    assert_eq!(digest(&[b, a], &facts, "tables"), base);
    let deeper = ModelFacts { blocks: Some(5), ..ModelFacts::default() };
    let with = |add: &dyn Fn(&mut EvidenceDigest)| {
        let mut digest = EvidenceDigest::default();
        digest.model(&model(&facts));
        add(&mut digest);
        digest.finish()
    };
    let more = [
        with(&|_| {}),
        with(&|d| d.part(weighing_part("m", &key("1")))),
        with(&|d| d.part(weighing_part("m", &key("2")))),
        with(&|d| d.part(weighing_part("m2", &key("1")))),
        with(&|d| d.part(spectra_part("m", "five", Bos::Auto, &key("1")))),
        with(&|d| d.part(spectra_part("m", "five", Bos::Auto, &key("2")))),
        with(&|d| d.part(spectra_part("m", "six", Bos::Auto, &key("1")))),
        with(&|d| d.part(spectra_part("m", "five", Bos::Never, &key("1")))),
        with(&|d| d.part(spectra_part("m2", "five", Bos::Auto, &key("1")))),
    ];
    assert_eq!(more.iter().collect::<BTreeSet<_>>().len(), more.len());
    let changed = [
        digest(&[a], &facts, "tables"),
        digest(&[a, ("m2", "s", "fox", "Proverb", Bos::Auto, "2")], &facts, "tables"),
        digest(&[a, ("m", "t", "fox", "Proverb", Bos::Auto, "2")], &facts, "tables"),
        digest(&[a, ("m", "s", "dog", "Proverb", Bos::Auto, "2")], &facts, "tables"),
        digest(&[a, ("m", "s", "fox", "Factual", Bos::Auto, "2")], &facts, "tables"),
        digest(&[a, ("m", "s", "fox", "Proverb", Bos::Never, "2")], &facts, "tables"),
        digest(&[a, ("m", "s", "fox", "Proverb", Bos::Auto, "3")], &facts, "tables"),
        digest(&[a, b], &deeper, "tables"),
        digest(&[a, b], &facts, "tables 2"),
    ];
    assert_eq!(changed.iter().chain([&base]).collect::<BTreeSet<_>>().len(), changed.len() + 1);
}

#[test]
fn tables_are_digested_by_name_and_content_in_any_order() {
    let base = digest_files([("a.csv", &b"1"[..]), ("b.csv", b"2")]);
    assert_eq!(base, digest_files([("b.csv", &b"2"[..]), ("a.csv", b"1")]));
    assert_ne!(base, digest_files([("a.csv", &b"2"[..]), ("b.csv", b"1")]));
    assert_ne!(base, digest_files([("a.csv", &b"1"[..])]));
    assert_ne!(digest_keys(&[key("a"), key("b")]), digest_keys(&[key("b"), key("a")]));
}

#[test]
fn names_places_and_times_do_not_reach_the_key_of_an_observation() {
    // The same inputs, met under other names: another model id, prompt set and prompt id make another slot only.
    let one = observe_slot("zoo-llama", "grand25", "france", Bos::Auto);
    let other = observe_slot("copy-of-zoo-llama", "five", "p1", Bos::Auto);
    assert_ne!(one, other);
    let fields = observe(text()).fields();
    for inputs in [
        observe(text()),
        observe(Input::Tokens(&[1, 2])),
        Observe { intervention: Some("random init"), extras: one_extra(), ..observe(text()) },
    ] {
        assert_eq!(inputs.key(), inputs.fields().key(), "with or without its fields it is one key");
    }
    for forbidden in ["model", "prompt set", "path", "folder", "time", "threads", "slot"] {
        assert_eq!(fields.get(forbidden), None);
    }
    // Written down: the keys of existing stores. A change here makes every stored observation stale, so it is a
    // decision (raise OBSERVATION_FORMAT), never an accident.
    assert_eq!(fields.key().to_string(), "05cafc107ad942928fc6f86db887978b3267e70c7fee0a2578d5669d69e98a83");
}
