//! Experiments as TOML: what `check` accepts, and that every kind of mistake is reported at its place.

use std::fs;
use std::path::{Path, PathBuf};

use model::checkpoint::Tokenizer;
use number::protocol::Bos;
use study::config::{self, Kind, Report, schema, template};
use tempfile::TempDir;

fn experiments() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments")
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    let folder = experiments().join("schemas");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in schema::files() {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in schema::files() {
        let committed = fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert_eq!(
            committed, text,
            "{name} is stale; run UPDATE_SCHEMAS=1 cargo test --release --test verdicts"
        );
    }
}

#[test]
fn shipped_files_pass_check() {
    let checked = config::check(&[experiments()]).unwrap_or_else(|report| panic!("{report}"));
    let has = |kind, file: &str| checked.iter().any(|c| c.kind == kind && c.path.ends_with(file));
    assert!(has(Kind::Experiment, "reproduce.toml") && has(Kind::Models, "models.toml"));
    let count = |kind| checked.iter().filter(|c| c.kind == kind).count();
    assert!(count(Kind::Hypothesis) >= 5 && count(Kind::Prompts) >= 6);
}

/// The miniatures of the models of the research, and of GPT-2.
const ZOO: [&str; 9] = [
    "pythia-tiny",
    "llama3-tiny",
    "llama3-instruct-tiny",
    "llama2-tiny",
    "mistral-tiny",
    "gemma-tiny",
    "gemma2-tiny",
    "apertus-tiny",
    "gpt2-tiny",
];

/// The models of the research.
const FULL: [&str; 8] = [
    "pythia-6.9b",
    "gemma-7b",
    "apertus-8b-2509",
    "llama-3.1-8b",
    "llama-3.1-8b-instruct",
    "llama-2-7b",
    "mistral-7b-v0.1",
    "gemma-2-9b",
];

/// The prompt sets that ship.
const SETS: [&str; 14] = [
    "grand25",
    "input_dependency5",
    "capital1",
    "fox1",
    "ladder",
    "zoo",
    "anisotropy16",
    "pythia25",
    "ffn8",
    "ffn8_6.9b",
    "scaling4",
    "sheaf4",
    "lstar5",
    "heldout120",
];

// Users add hypotheses, models and prompts of their own to these files, so what ships is asked for by id.
#[test]
fn the_shipped_experiment_loads_in_order_with_its_profile() {
    let loaded =
        config::load(&experiments().join("reproduce.toml")).unwrap_or_else(|report| panic!("{report}"));
    let shipped: Vec<String> = (1..=18).map(|n| format!("H{n}")).collect();
    let ids = loaded.hypotheses.iter().map(|(_, one, _)| &one.id);
    assert_eq!(ids.filter(|id| shipped.contains(id)).collect::<Vec<_>>(), shipped.iter().collect::<Vec<_>>());
    let selected: Vec<_> = loaded.selected().collect();
    let has = |id: &str| selected.iter().any(|model| model.id == id);
    for id in ZOO {
        assert!(has(id) && has(&format!("{id}-random")), "{id}");
    }
    // The others are stages of these or made from them; and so is, by now, what a user made from models of their own.
    for model in selected.iter().filter(|model| !ZOO.contains(&&*model.id)) {
        for origin in [&model.series, &model.base].into_iter().flatten() {
            assert!(has(origin), "{} comes from {origin}", model.id);
            assert!(!ZOO.contains(&&**origin) || model.id.starts_with(&format!("{origin}-")), "{}", model.id);
        }
    }
    for id in FULL {
        let model = loaded.models.models.iter().find(|model| model.id == id).unwrap();
        assert_eq!(model.profiles, ["full"], "{id}");
    }
    let set = |id: &str| loaded.prompt_sets.iter().find(|set| set.id == id).unwrap();
    assert_eq!(set("grand25").prompts.len(), 25);
    // Sets share prompts: capital1 and fox1 are in input_dependency5 too.
    assert!(loaded.prompts().len() < loaded.prompt_sets.iter().map(|set| set.prompts.len()).sum());
    let looked_at: Vec<&str> = SETS.into_iter().filter(|id| set(id).spectra).collect();
    assert_eq!(looked_at, ["anisotropy16"]);
    let (_, h13, _) = loaded.hypotheses.iter().find(|(_, one, _)| one.id == "H13").unwrap();
    let sizes = ["grand25", "zoo", "heldout120"].map(|id| set(id).prompts.len());
    assert_eq!(loaded.prompts_of(h13).len(), sizes.iter().sum::<usize>());
}

#[test]
fn shipped_prompts_fit_the_context_of_every_model_of_the_zoo() {
    let loaded =
        config::load(&experiments().join("reproduce.toml")).unwrap_or_else(|report| panic!("{report}"));
    let heldout = loaded.prompt_sets.iter().find(|set| set.id == "heldout120").unwrap();
    assert!(heldout.prompts.len() >= 100);
    let mut read = 0;
    for model in loaded.selected() {
        let Some(folder) = model.folder.as_ref().map(|folder| experiments().join(folder)) else { continue };
        // A pretrained model is fetched by `make reproduce`; the tests need no network for it.
        if model.fetch.is_some() && !folder.exists() {
            continue;
        }
        read += 1;
        let tokenizer = Tokenizer::open(&folder).unwrap();
        for set in &loaded.prompt_sets {
            let most = match set.context {
                None => 128,
                // That of the fetched model is longer.
                Some(context) if model.fetch.is_some() => context as usize,
                Some(_) => continue,
            };
            for prompt in &set.prompts {
                let ids = tokenizer.encode(&prompt.text, Bos::Always).unwrap();
                assert!(ids.len() <= most, "{}: {} has {} tokens", model.id, prompt.id, ids.len());
            }
        }
    }
    assert!(read >= ZOO.len(), "{read} models");
}

/// A small valid experiment in its own folder.
fn small() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "e.toml",
        "schema = 1\nid = \"e\"\ntitle = \"E\"\nmodels = \"models.toml\"\nprofile = \"tiny\"\n\
         prompts = [\"prompts/p.toml\", \"prompts/q.toml\"]\nhypotheses = [\"hypotheses/*.toml\"]\n\
         published = \"published\"\nseed = 1\n",
    );
    write(
        "models.toml",
        "schema = 1\n[[model]]\nid = \"one\"\nevidence = \"rehearsal\"\nfolder = \"zoo/one\"\nprofiles = [\"tiny\"]\n\
         [[model]]\nid = \"two\"\nevidence = \"measured\"\nhub = \"o/two\"\nrevision = \"main\"\nprofiles = [\"full\"]\npublished-as = \"two-8b\"\n",
    );
    write("prompts/p.toml", &prompts("p", "first", "second"));
    write("prompts/q.toml", &prompts("q", "first", "third"));
    write("published/models.csv", "model\ntwo-8b\n");
    write("published/prompts.csv", "prompt_id,category\nfox,Original\n");
    write(
        "published/measurements.csv",
        "source,model,prompt_id,prompt_category\nrun_a,two-8b,fox,Original\n",
    );
    write("hypotheses/H1.toml", HYPOTHESIS);
    folder
}

fn prompts(id: &str, first: &str, second: &str) -> String {
    format!(
        "schema = 1\nid = \"{id}\"\ntitle = \"T\"\nsource = \"S\"\n\
         [[prompt]]\nid = \"{first}\"\ncategory = \"Factual\"\ntext = \"text of {first}\"\n\
         [[prompt]]\nid = \"{second}\"\ncategory = \"Nonsense\"\ntext = \"text of {second}\"\n"
    )
}

const HYPOTHESIS: &str = r#"schema = 1
id = "H1"
title = "T"
statement = "S"
origin = "O"
published-verdict = "V"
status = "re-analysis"
prompts = ["p"]
protocol = "last/last-block"
alpha = 0.05

[models]
ids = ["one", "two-8b"]
where = [{ fact = "norm", is = "rmsnorm" }]

[[also]]
protocol = "mean/last-block/auto"
relation = "equivalent"

[[prediction]]
id = "H1a"
claim = "C"
test = { kind = "lowest-category", of = { metric = "last-gain", select = { prompt = "fox", source = "run_a", without-categories = ["Nonsense"] } }, category = "Factual" }
rule = { supported = [{ statistic = "low", at-least = 0.75 }], contradicted = [{ statistic = "low", below = 0.25 }] }

[[prediction]]
id = "H1b"
claim = "C"
test = { kind = "ratio", numerator = { metric = "last-gain" }, denominator = { metric = "cumulative-gain" } }
rule = { supported = [{ statistic = "single", above = 1 }], contradicted = [{ statistic = "single", below = 1 }] }
"#;

/// Replaces text in one file of the small experiment and returns the report, if any.
fn broken(file: &str, from: &str, to: &str) -> Option<Report> {
    let folder = small();
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    config::load(&folder.path().join("e.toml")).err()
}

#[test]
fn the_small_experiment_is_valid() {
    assert!(broken("e.toml", "schema = 1", "schema = 1").is_none());
}

struct Case {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// Part of the message.
    message: &'static str,
    /// The text underlined.
    underlined: &'static str,
    /// Part of the suggestion; empty: none is demanded.
    suggestion: &'static str,
}

const fn case(
    file: &'static str,
    [from, to]: [&'static str; 2],
    message: &'static str,
    underlined: &'static str,
    suggestion: &'static str,
) -> Case {
    Case { file, from, to, message, underlined, suggestion }
}

/// Where the first model of the list lies.
const ONE: &str = "folder = \"zoo/one\"";

const E: &str = "e.toml";
const M: &str = "models.toml";
const P: &str = "prompts/p.toml";
const Q: &str = "prompts/q.toml";
const H: &str = "hypotheses/H1.toml";

const CASES: &[Case] = &[
    // Quantities and kinds of test.
    case(
        H,
        ["numerator = { metric = \"last-gain\" }", "numerator = { fact = \"rope_teta\" }"],
        "models have no fact `rope_teta`",
        "\"rope_teta\"",
        "`rope_theta`",
    ),
    case(
        H,
        ["numerator = { metric = \"last-gain\" }", "numerator = { fact = \"norm\" }"],
        "fact `norm` is no number",
        "\"norm\"",
        "",
    ),
    case(
        H,
        [
            "numerator = { metric = \"last-gain\" }",
            "numerator = { fact = \"blocks\", select = { layer = 1 } }",
        ],
        "a fact is one number per model",
        "{ layer = 1 }",
        "keep `model`",
    ),
    case(
        H,
        ["numerator = { metric = \"last-gain\" }", "numerator = { scale = \"log\" }"],
        "a quantity needs `metric` or `fact`",
        "{ scale = \"log\" }",
        "metric = ",
    ),
    case(
        H,
        [
            "numerator = { metric = \"last-gain\" }",
            "numerator = { metric = \"last-gain\", fact = \"blocks\" }",
        ],
        "a metric or a fact, not both",
        "\"blocks\"",
        "`times`",
    ),
    case(
        H,
        [
            "of = { metric = \"last-gain\", ",
            "of = { metric = \"last-gain\", over = { metric = \"last-gain\", protocol = \"mean/last-block\" }, ",
        ],
        "a number never travels without its protocol",
        "\"mean/last-block\"",
        "one protocol",
    ),
    case(
        H,
        ["claim = \"C\"\ntest", "claim = \"C\"\nmodels = { where = [{ fact = \"nrm\", is = \"x\" }] }\ntest"],
        "models have no fact `nrm`",
        "\"nrm\"",
        "`norm`",
    ),
    case(
        H,
        ["claim = \"C\"\ntest", "claim = \"C\"\nmodels = { ids = [\"tow-8b\"] }\ntest"],
        "unknown model `tow-8b`",
        "\"tow-8b\"",
        "`two-8b`",
    ),
    case(
        H,
        [
            "kind = \"ratio\", numerator = { metric = \"last-gain\" }, denominator = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"single\", above = 1 }], contradicted = [{ statistic = \"single\", below = 1 }] }",
            "kind = \"k-of-n\", of = { metric = \"last-gain\" } }\nrule = { supported = [{ statistic = \"p\", below = 0.05 }], contradicted = [{ statistic = \"p-against\", below = 0.05 }] }",
        ],
        "k-of-n takes one of `k`",
        "{ kind = \"k-of-n\", of = { metric = \"last-gain\" } }",
        "share = 0.75",
    ),
    case(
        H,
        [
            "kind = \"ratio\", numerator = { metric = \"last-gain\" }, denominator = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"single\", above = 1 }], contradicted = [{ statistic = \"single\", below = 1 }] }",
            "kind = \"groups\", of = { metric = \"last-gain\" }, by = { fact = \"norm\" } }\nrule = { supported = [{ statistic = \"p\", below = 0.05 }], contradicted = [{ statistic = \"high\", below = 0.0 }] }",
        ],
        "models are grouped by a fact and its value",
        "{ fact = \"norm\" }",
        "write by",
    ),
    case(
        H,
        [
            "kind = \"ratio\", numerator = { metric = \"last-gain\" }, denominator = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"single\", above = 1 }], contradicted = [{ statistic = \"single\", below = 1 }] }",
            "kind = \"sign-pattern\", of = { metric = \"last-gain\" }, models = [\"one\", \"tow-8b\"] }\nrule = { supported = [{ statistic = \"same-sign\", at-least = 1 }], contradicted = [{ statistic = \"differ\", at-least = 1 }] }",
        ],
        "unknown model `tow-8b`",
        "\"tow-8b\"",
        "`two-8b`",
    ),
    case(
        H,
        [
            "kind = \"ratio\", numerator = { metric = \"last-gain\" }, denominator = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"single\", above = 1 }], contradicted = [{ statistic = \"single\", below = 1 }] }",
            "kind = \"layer-correlation\", method = \"spearman\", x = { metric = \"layer-gain\" }, y = { metric = \"last-gain\" } }\nrule = { supported = [{ statistic = \"low\", above = 0 }], contradicted = [{ statistic = \"high\", below = 0 }] }",
        ],
        "last-gain has one value, this test compares layers",
        "{ metric = \"last-gain\" }",
        "a value per layer",
    ),
    case(E, ["profile = \"tiny\"\n", ""], "missing field `profile`", "", "e.g. `tiny`"),
    case(
        E,
        ["seed = 1", "bos = [\"auto\", \"auto\"]\nseed = 1"],
        "`auto` is listed twice",
        "\"auto\"",
        "drop",
    ),
    case(E, ["seed = 1", "bos = []\nseed = 1"], "`bos` is empty", "", ""),
    case(
        E,
        ["seed = 1", "date = \"yesterday\"\nseed = 1"],
        "a day as YYYY-MM-DD",
        "\"yesterday\"",
        "2026-01-31",
    ),
    case(E, ["seed = 1", "date = \"2026-02-30\"\nseed = 1"], "a day as YYYY-MM-DD", "\"2026-02-30\"", ""),
    case(
        E,
        ["seed = 1", "seed = 99999999999999999999"],
        "expected -9223372036854775808 to 9223372036854775807",
        "99999999999999999999",
        "",
    ),
    // What a rule may decide on.
    case(
        H,
        [", contradicted = [{ statistic = \"single\", below = 1 }]", ""],
        "H1b has no way to be contradicted",
        "{ supported = [{ statistic = \"single\", above = 1 }] }",
        "the end of an interval",
    ),
    case(
        H,
        [
            "supported = [{ statistic = \"low\", at-least = 0.75 }]",
            "supported = [{ statistic = \"share\", at-least = 0.75 }]",
        ],
        "`supported` of H1a rests on estimates alone",
        "[{ statistic = \"share\", at-least = 0.75 }]",
        "bound one of low, high",
    ),
    case(
        H,
        [
            "kind = \"ratio\", numerator = { metric = \"last-gain\" }, denominator = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"single\", above = 1 }], contradicted = [{ statistic = \"single\", below = 1 }] }",
            "kind = \"pairs\", of = { metric = \"last-gain\" }, change = \"instruct\" }\nrule = { supported = [{ statistic = \"share-significant\", above = 0.5 }], contradicted = [{ statistic = \"share-significant\", below = 0.25 }] }",
        ],
        "a lack of significance makes H1b contradicted here (share-significant below 0.25)",
        "{ statistic = \"share-significant\", below = 0.25 }",
        "end of an interval",
    ),
    case(
        H,
        [
            "kind = \"ratio\", numerator = { metric = \"last-gain\" }, denominator = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"single\", above = 1 }], contradicted = [{ statistic = \"single\", below = 1 }] }",
            "kind = \"correlation\", method = \"pearson\", unit = \"model\", x = { metric = \"last-gain\" }, y = { metric = \"output-entropy\" }, across-protocols = true }\nrule = { supported = [{ statistic = \"low\", above = 0 }], contradicted = [{ statistic = \"p\", above = 0.05 }] }",
        ],
        "a lack of significance makes H1b contradicted here (p above 0.05)",
        "{ statistic = \"p\", above = 0.05 }",
        "end of an interval",
    ),
    case(
        H,
        [
            "kind = \"ratio\", numerator = { metric = \"last-gain\" }, denominator = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"single\", above = 1 }], contradicted = [{ statistic = \"single\", below = 1 }] }",
            "kind = \"correlation\", method = \"pearson\", unit = \"model\", x = { metric = \"last-gain\" }, y = { metric = \"output-entropy\" }, across-protocols = true }\nrule = { supported = [{ statistic = \"low\", at-least = -0.1 }], contradicted = [{ statistic = \"high\", below = -0.3 }] }",
        ],
        "the smallest effect of interest of H1b is negative: low at-least -0.1 supports it on the other side of 0",
        "{ statistic = \"low\", at-least = -0.1 }",
        "turn the sign",
    ),
    case(
        H,
        [
            "kind = \"ratio\", numerator = { metric = \"last-gain\" }, denominator = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"single\", above = 1 }], contradicted = [{ statistic = \"single\", below = 1 }] }",
            "kind = \"correlation\", method = \"pearson\", unit = \"model\", x = { metric = \"last-gain\" }, y = { metric = \"output-entropy\" }, across-protocols = true }\nrule = { supported = [{ statistic = \"low\", above = 0.1 }], contradicted = [{ statistic = \"high\", below = 0.3 }] }",
        ],
        "an interval from 0.1 to 0.3 both supports and contradicts it",
        "{ statistic = \"low\", above = 0.1 }",
        "turn the sign",
    ),
    case(
        H,
        [
            "kind = \"ratio\", numerator = { metric = \"last-gain\" }, denominator = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"single\", above = 1 }], contradicted = [{ statistic = \"single\", below = 1 }] }",
            "kind = \"pairs\", of = { metric = \"last-gain\" }, change = \"instruct\", size = -0.1 }\nrule = { supported = [{ statistic = \"low\", above = 0 }], contradicted = [{ statistic = \"high\", below = 0 }] }",
        ],
        "the smallest effect of interest is negative: -0.1",
        "-0.1",
        "without a sign",
    ),
    // Rules.
    case(H, ["at-least = 0.75", "at-least = 1e999"], "expected at most 1.797", "1e999", ""),
    case(
        H,
        [
            "contradicted = [{ statistic = \"low\", below = 0.25 }]",
            "contradicted = [{ statistic = \"low\", below = 0.25 }, { statistic = \"low\", above = 0.7 }], contradicted-when = \"any\"",
        ],
        "can hold at once",
        "[{ statistic = \"low\", below = 0.25 }, { statistic = \"low\", above = 0.7 }]",
        "separate the bounds",
    ),
    case(
        H,
        ["below = 0.25 }]", "below = 0.25 }], contradicted-when = \"some\""],
        "one of all, any",
        "\"some\"",
        "",
    ),
    // Models that come from others.
    case(M, [ONE, "folder = \"z\"\nbase = \"two\""], "nothing says what was done", "\"two\"", "intervention"),
    case(
        M,
        [ONE, "folder = \"z\"\nchange = \"instruct\""],
        "no `base`",
        "\"instruct\"",
        "an id of this list",
    ),
    case(
        M,
        [ONE, "folder = \"z\"\nbase = \"tow\"\nchange = \"instruct\""],
        "unknown model `tow`",
        "\"tow\"",
        "did you mean `two`?",
    ),
    case(M, [ONE, "folder = \"z\"\nbase = \"one\"\nchange = \"instruct\""], "its own `base`", "\"one\"", ""),
    case(
        M,
        [ONE, "intervention = { random-init = 1 }"],
        "no `base` to change",
        "{ random-init = 1 }",
        "an id of this list",
    ),
    case(
        M,
        [ONE, "folder = \"z\"\nbase = \"two\"\nintervention = { random-init = 1 }"],
        "it is made from its `base`",
        "\"z\"",
        "drop it",
    ),
    case(
        M,
        [ONE, "base = \"two\"\nchange = \"x\"\nintervention = { random-init = 1 }"],
        "both `change` and `intervention`",
        "\"x\"",
        "drop `change`",
    ),
    case(
        M,
        [ONE, "base = \"two\"\nintervention = { rope-theta-time = 10 }"],
        "unknown field `rope-theta-time`",
        "rope-theta-time",
        "`rope-theta-times`",
    ),
    case(
        M,
        [ONE, "base = \"two\"\nintervention = {}"],
        "makes 0 changes",
        "{}",
        "rope-theta-times, rope-scaling",
    ),
    case(
        M,
        [ONE, "base = \"two\"\nintervention = { rope-theta-times = 10, random-init = 1 }"],
        "makes 2 changes",
        "{ rope-theta-times = 10, random-init = 1 }",
        "one of",
    ),
    case(
        M,
        [ONE, "base = \"two\"\nintervention = { rope-theta-times = -10 }"],
        "it must be above 0",
        "-10",
        "write 10",
    ),
    case(
        M,
        [ONE, "base = \"two\"\nintervention = { rope-scaling = \"non\" }"],
        "no \"non\"",
        "\"non\"",
        "\"none\"",
    ),
    case(
        M,
        [
            "[[model]]\nid = \"two\"",
            "[[model]]\nid = \"made\"\nevidence = \"rehearsal\"\nbase = \"one\"\nintervention = { random-init = 1 }\nprofiles = [\"tiny\"]\n\
             [[model]]\nid = \"again\"\nevidence = \"rehearsal\"\nbase = \"made\"\nintervention = { random-init = 2 }\nprofiles = [\"tiny\"]\n\
             [[model]]\nid = \"two\"",
        ],
        "`made` is made by an intervention itself",
        "\"made\"",
        "the model that it is made from",
    ),
    case(
        M,
        ["id = \"one\"\nevidence = \"rehearsal\"", "id = \"one\""],
        "missing field `evidence`",
        "[[model]]",
        "`evidence = \"rehearsal\"` for one that only",
    ),
    case(
        M,
        ["id = \"one\"\nevidence = \"rehearsal\"", "id = \"one\"\nevidence = \"published\""],
        "it is one of measured, rehearsal",
        "\"published\"",
        "",
    ),
    case(
        M,
        [
            "[[model]]\nid = \"two\"",
            "[[model]]\nid = \"made\"\nevidence = \"measured\"\nbase = \"two\"\nintervention = { random-init = 1 }\n\
             profiles = [\"tiny\"]\n[[model]]\nid = \"two\"",
        ],
        "`made` has random weights",
        "\"measured\"",
        "write evidence = \"rehearsal\"",
    ),
    case(
        M,
        [
            "[[model]]\nid = \"two\"",
            "[[model]]\nid = \"stage\"\nevidence = \"measured\"\nfolder = \"z\"\nseries = \"one\"\nstep = 3\n\
             profiles = [\"tiny\"]\n[[model]]\nid = \"two\"",
        ],
        "its `series`, `one`, is a rehearsal",
        "\"measured\"",
        "write evidence = \"rehearsal\"",
    ),
    case(E, ["id = \"e\"", "id = \"e\"\nlead = [\"H11\"]"], "unknown hypothesis `H11`", "\"H11\"", "`H1`"),
    case(M, [ONE, "folder = \"z\"\nseries = \"two\""], "without `step`", "\"two\"", "step"),
    case(M, [ONE, "folder = \"z\"\nstep = 3"], "without `series`", "3", "series"),
    case(M, [ONE, "folder = \"z\"\nseries = \"too\"\nstep = 3"], "unknown model `too`", "\"too\"", "`two`"),
    case(
        M,
        [ONE, "base = \"two\"\nintervention = { random-init = 1 }\nseries = \"two\"\nstep = 3"],
        "no stage of a training",
        "\"two\"",
        "drop",
    ),
    // Shape.
    case(H, ["title = \"T\"", "titel = \"T\""], "unknown field `titel`", "titel", "`title`"),
    case(
        H,
        ["alpha = 0.05", "alpha = \"0.05\""],
        "`alpha` is a number, found text",
        "\"0.05\"",
        "without quotes",
    ),
    case(H, ["alpha = 0.05", "alpha = nan"], "finite", "nan", ""),
    case(
        H,
        ["\"re-analysis\"", "\"re-analysi\""],
        "is no \"re-analysi\"",
        "\"re-analysi\"",
        "\"re-analysis\"",
    ),
    case(H, ["claim = \"C\"\n", ""], "missing field `claim`", "[[prediction]]", ""),
    case(H, ["kind = \"ratio\"", "kind = \"ration\""], "is no \"ration\"", "\"ration\"", "\"ratio\""),
    case(H, ["kind = \"ratio\", ", ""], "missing field `kind`", "", "kinds: mean-by-model"),
    case(
        H,
        ["numerator =", "numeratr ="],
        "unknown field `numeratr` in `test` of kind ratio",
        "numeratr",
        "`numerator`",
    ),
    case(
        H,
        ["\"last-gain\" }, den", "\"last-gian\" }, den"],
        "no \"last-gian\"",
        "\"last-gian\"",
        "\"last-gain\"",
    ),
    case(
        H,
        ["last/last-block\"", "last/lastblock\""],
        "unknown endpoint",
        "\"last/lastblock\"",
        "last/last-block",
    ),
    case(H, ["is = \"rmsnorm\"", "is = []"], "true or false or a number or text", "[]", ""),
    case(H, ["prompts = [\"p\"]", "prompts = \"p\""], "`prompts` is a list, found text", "\"p\"", "[\"p\"]"),
    case(E, ["seed = 1", "seed = -1"], "at least 0", "-1", ""),
    case(E, ["seed = 1", "seed = 1.5"], "is an integer, found a number", "1.5", ""),
    case(P, ["\"text of second\"", "\" \""], "`text` is empty", "\" \"", ""),
    case(E, ["title = \"E\"", "title = \"E"], "invalid basic string", "", ""),
    // One file by itself.
    case(E, ["schema = 1", "schema = 2"], "schema version 2", "2", "schema = 1"),
    case(E, ["\"prompts/p.toml\", \"prompts/q.toml\"", ""], "`prompts` is empty", "[]", ""),
    case(P, ["id = \"second\"", "id = \"a/b\""], "contains '/'", "\"a/b\"", "\"a-b\""),
    case(P, ["id = \"second\"", "id = \"..\""], "begins with `.`", "\"..\"", "another id"),
    case(M, ["id = \"two\"", "id = \"-two.\""], "begins with `-`", "\"-two.\"", "\"two\""),
    case(
        M,
        [
            "id = \"two\"",
            "id = \"a0123456789012345678901234567890123456789012345678901234567890123456789012345678901\"",
        ],
        "has 83 characters",
        "",
        "write \"a01",
    ),
    case(M, ["folder = \"zoo/one\"\n", ""], "neither `folder` nor `hub`", "\"one\"", "add folder"),
    case(M, ["hub =", "folder = \"zoo/two\"\nhub ="], "both `folder` and `hub`", "\"o/two\"", "drop one"),
    case(M, ["revision = \"main\"\n", ""], "without `revision`", "\"o/two\"", "revision = \"main\""),
    case(
        M,
        ["folder = \"zoo/one\"", "folder = \"zoo/one\"\nrevision = \"x\""],
        "lies in a folder",
        "\"x\"",
        "",
    ),
    case(H, ["alpha = 0.05", "alpha = 0.6"], "alpha is 0.6", "0.6", "0.05"),
    case(H, ["alpha = 0.05", "alpha = 0"], "alpha is 0", "0", "0.05"),
    case(H, ["\"H1b\"", "\"H2b\""], "does not belong to hypothesis `H1`", "\"H2b\"", "`H1b`"),
    case(H, ["\"norm\"", "\"norms\""], "no fact `norms`", "\"norms\"", "`norm`"),
    case(
        H,
        ["is = \"rmsnorm\"", "at-least = 2"],
        "fact `norm` is no number",
        "{ fact = \"norm\", at-least = 2 }",
        "`is`",
    ),
    case(H, [", is = \"rmsnorm\"", ""], "has no `is`", "{ fact = \"norm\" }", ""),
    case(
        H,
        ["\"mean/last-block/auto\"", "\"last/last-block\""],
        "listed twice",
        "\"last/last-block\"",
        "drop",
    ),
    case(
        H,
        ["statistic = \"single\"", "statistic = \"rato\""],
        "offers no statistic `rato`",
        "\"rato\"",
        "`ratio`",
    ),
    case(
        H,
        ["above = 1 ", "above = 1, below = 1 "],
        "can never hold",
        "{ statistic = \"single\", above = 1, below = 1 }",
        "",
    ),
    case(H, [", above = 1", ""], "has no bound", "{ statistic = \"single\" }", "at-least"),
    case(
        H,
        ["below = 0.25", "at-most = 0.75"],
        "`supported` and `contradicted` of H1a can hold at once",
        "[{ statistic = \"low\", at-most = 0.75 }]",
        "separate",
    ),
    case(
        H,
        [
            "supported = [{ statistic = \"single\", above = 1 }]",
            "supported = [{ statistic = \"single\", above = 1 }, { statistic = \"single\", below = 0 }]",
        ],
        "`supported` can never hold",
        "[{ statistic = \"single\", above = 1 }, { statistic = \"single\", below = 0 }]",
        "",
    ),
    case(
        H,
        ["supported = [{ statistic = \"single\", above = 1 }]", "supported = []"],
        "`supported` is empty",
        "[]",
        "",
    ),
    case(
        H,
        ["\"cumulative-gain\"", "\"cumulative-gain\", protocol = \"frobenius/last-block\""],
        "a number never travels without its protocol",
        "\"frobenius/last-block\"",
        "across-protocols = true",
    ),
    case(
        H,
        ["\"cumulative-gain\"", "\"unembedding-spectral-norm\", protocol = \"last/last-block\""],
        "property of the weights",
        "\"last/last-block\"",
        "drop",
    ),
    case(
        H,
        ["prompt = \"fox\"", "layer = 3"],
        "last-gain has no layers",
        "{ layer = 3, source = \"run_a\", without-categories = [\"Nonsense\"] }",
        "drop",
    ),
    case(
        H,
        ["numerator = { metric = \"last-gain\" }", "numerator = { metric = \"layer-gain\" }"],
        "selects none",
        "{ metric = \"layer-gain\" }",
        "layers-before-last",
    ),
    case(
        H,
        [
            "kind = \"ratio\", numerator = { metric = \"last-gain\" }, denominator = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"single\", above = 1 }], contradicted = [{ statistic = \"single\", below = 1 }] }",
            "kind = \"correlation\", method = \"pearson\", unit = \"model\", within-category = true, x = { metric = \"last-gain\" }, y = { metric = \"cumulative-gain\" } }\nrule = { supported = [{ statistic = \"low\", above = 0 }], contradicted = [{ statistic = \"high\", below = 0 }] }",
        ],
        "models have no category",
        "true",
        "unit = \"prompt\"",
    ),
    // Between files.
    case(
        E,
        ["models.toml", "model.toml"],
        "there is no file `model.toml`",
        "\"model.toml\"",
        "`models.toml`",
    ),
    case(E, ["hypotheses/*.toml", "hypothesis/*.toml"], "no file matches", "\"hypothesis/*.toml\"", ""),
    case(E, ["\"published\"", "\"publish\""], "cannot read", "\"publish\"", ""),
    case(E, ["\"tiny\"", "\"tny\""], "unknown profile `tny`", "\"tny\"", "`tiny`"),
    case(E, ["\"tiny\"", "[\"full\", \"tny\"]"], "unknown profile `tny`", "\"tny\"", "`tiny`"),
    case(M, ["id = \"two\"", "id = \"one\""], "model id `one` is used twice", "\"one\"", ""),
    case(M, ["id = \"two\"", "id = \"One\""], "`One` and `one` would share", "\"One\"", "another id"),
    case(H, ["\"H1b\"", "\"H1A\""], "`H1A` and `H1a` would share", "\"H1A\"", "another id"),
    case(M, ["\"two-8b\"", "\"two-9b\""], "unknown published model", "\"two-9b\"", "`two-8b`"),
    case(P, ["id = \"second\"", "id = \"first\""], "prompt id `first` is used twice", "\"first\"", ""),
    case(Q, ["text of first", "another text"], "already stands for another text", "\"first\"", "another id"),
    case(Q, ["id = \"q\"", "id = \"p\""], "prompt set id `p` is used twice", "\"p\"", ""),
    case(H, ["\"H1b\"", "\"H1a\""], "prediction id `H1a` is used twice", "\"H1a\"", ""),
    case(H, ["\"two-8b\"]", "\"two-7b\"]"], "unknown model `two-7b`", "\"two-7b\"", "`two-8b`"),
    case(H, ["[models]", "[models]\nprofile = \"ful\""], "unknown profile `ful`", "\"ful\"", "`full`"),
    case(H, ["prompts = [\"p\"]", "prompts = [\"grand\"]"], "unknown prompt set", "\"grand\"", "known: p, q"),
    case(H, ["prompts = [\"p\"]", "prompts = []"], "is judged on what is observed here", "[]", ""),
    case(
        H,
        ["category = \"Factual\"", "category = \"Factul\""],
        "unknown category `Factul`",
        "\"Factul\"",
        "`Factual`",
    ),
    case(H, ["[\"Nonsense\"]", "[\"Nonsens\"]"], "unknown category `Nonsens`", "\"Nonsens\"", "`Nonsense`"),
    case(H, ["prompt = \"fox\"", "prompt = \"fx\""], "unknown prompt `fx`", "\"fx\"", "`fox`"),
    case(H, ["source = \"run_a\"", "source = \"run_b\""], "unknown source `run_b`", "\"run_b\"", "`run_a`"),
    case(
        H,
        ["mean/last-block/auto", "mean/last-block/never"],
        "needs BOS policy `never`",
        "\"mean/last-block/never\"",
        "`bos`",
    ),
];

#[test]
fn every_kind_of_mistake_is_reported_at_its_place() {
    let mut wrong = Vec::new();
    for case in CASES {
        let Some(report) = broken(case.file, case.from, case.to) else {
            wrong.push(format!("{} -> {}: accepted", case.from, case.to));
            continue;
        };
        let fits = |d: &&config::Diagnostic| {
            d.file().ends_with(case.file)
                && d.message.contains(case.message)
                && (case.underlined.is_empty() || d.text() == case.underlined)
                && d.suggestion.as_deref().unwrap_or_default().contains(case.suggestion)
                && d.line > 0
        };
        if report.diagnostics.iter().find(fits).is_none() {
            wrong.push(format!("{} -> {}:\n{report}", case.from, case.to));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n\n{}", wrong.len(), CASES.len(), wrong.join("\n\n"));
}

#[test]
fn one_mistake_yields_one_diagnostic() {
    // Two of the cases have two sides: an id used twice also leaves the other name without a home.
    let several =
        ["\"H1a\"", "id = \"q\"", "two-9b", "models.toml", "prompts = []", "\"E", "publish", "q.toml"];
    for case in CASES {
        if several.iter().any(|part| case.to.contains(part) || case.from.contains(part)) {
            continue;
        }
        let report = broken(case.file, case.from, case.to).unwrap();
        assert_eq!(report.diagnostics.len(), 1, "{} -> {}:\n{report}", case.from, case.to);
    }
}

#[test]
fn all_mistakes_of_all_files_come_in_one_report() {
    let folder = small();
    for (file, from, to) in [
        (E, "seed = 1", "sed = 1"),
        (M, "id = \"one\"", "name = \"one\""),
        (P, "title", "titel"),
        (H, "claim", "clame"),
    ] {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(from, to)).unwrap();
    }
    let report = config::load(&folder.path().join("e.toml")).unwrap_err();
    for file in [E, M, P, H] {
        assert!(
            report.diagnostics.iter().any(|d| d.file().ends_with(file)),
            "{file} is missing in:\n{report}"
        );
    }
    let text = report.to_string();
    assert!(text.contains("did you mean `claim`?") && text.contains("^^^^^"), "{text}");
    assert!(text.ends_with(&format!("{} errors in 4 of 5 files", report.diagnostics.len())), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours outside a terminal");
}

#[test]
fn a_slip_does_not_hide_the_mistakes_of_later_checks() {
    let folder = small();
    let path = folder.path().join(H);
    let text = fs::read_to_string(&path).unwrap();
    let edits = [
        ("title = \"T\"", "titel = \"T\""),
        ("mean/last-block", "maen/last-block"),
        ("kind = \"ratio\"", "kind = \"ration\""),
        ("alpha = 0.05", "alpha = 0.9"),
        ("\"two-8b\"]", "\"two-7b\"]"),
        ("statistic = \"single\"", "statistic = \"rato\""),
    ];
    let text = edits.iter().fold(text, |text, (from, to)| text.replacen(from, to, 1));
    fs::write(&path, text).unwrap();
    let report = config::load(&folder.path().join("e.toml")).unwrap_err();
    let underlined: Vec<&str> = report.diagnostics.iter().map(|d| d.text()).collect();
    let expected = ["titel", "0.9", "\"two-7b\"", "\"maen/last-block/auto\"", "\"ration\"", "\"rato\""];
    assert_eq!(underlined, expected, "{report}");
}

#[test]
fn a_duplicate_across_files_names_both_places() {
    let folder = small();
    let copy = folder.path().join("hypotheses/H2.toml");
    fs::copy(folder.path().join(H), copy).unwrap();
    let report = config::load(&folder.path().join("e.toml")).unwrap_err().to_string();
    assert!(report.contains("hypothesis id `H1` is used twice"), "{report}");
    assert!(report.contains("H2.toml:2:6") && report.contains("H1.toml:2:6"), "{report}");
    assert!(report.contains("first used here"), "{report}");
}

#[test]
fn json_has_a_place_and_a_suggestion_for_programs() {
    let report = broken(H, "title = \"T\"", "titel = \"T\"").unwrap();
    let json = report.to_json();
    let one = &json[0];
    assert!(one["file"].as_str().unwrap().ends_with(H));
    assert_eq!((one["line"].as_u64(), one["column"].as_u64()), (Some(3), Some(1)));
    assert_eq!(one["suggestion"], "did you mean `title`?");
}

#[test]
fn a_claim_that_no_evidence_is_asked_about_as_a_whole_is_refused() {
    let edited = |edits: &[(&str, &str)]| {
        let folder = small();
        let text = edits.iter().fold(HYPOTHESIS.to_string(), |text, (from, to)| text.replacen(from, to, 1));
        fs::write(folder.path().join(H), text).unwrap();
        config::load(&folder.path().join("e.toml")).err()
    };
    let of_a = ("claim = \"C\"\ntest = { kind = \"lowest", "claim = \"C\"\nMORE\ntest = { kind = \"lowest");
    let of_b = ("claim = \"C\"\ntest = { kind = \"ratio", "claim = \"C\"\nMORE\ntest = { kind = \"ratio");
    let more = |(from, to): (&'static str, &str), more: &str| (from, to.replace("MORE", more));
    let both = |a: &str, b: &str| {
        let (a, b) = (more(of_a, a), more(of_b, b));
        edited(&[(a.0, &a.1), (b.0, &b.1)])
    };
    let apart = both("evidence = [\"published\"]", "evidence = [\"measured\"]").unwrap();
    let [found] = &apart.diagnostics[..] else { panic!("{apart}") };
    assert!(found.message.contains("(H1a of published, H1b of measured)"), "{}", found.message);
    assert_eq!(found.text(), "[\"measured\"]");
    assert!(both("evidence = [\"published\"]", "core = false\nevidence = [\"measured\"]").is_none());
    let none = both("core = false", "core = false").unwrap();
    assert!(none.diagnostics[0].message.contains("no prediction is core"), "{none}");
}

#[test]
fn across_protocols_is_accepted_when_said() {
    let said = "\"cumulative-gain\", protocol = \"frobenius/last-block\" }, across-protocols = true";
    assert!(broken(H, "\"cumulative-gain\" }", said).is_none());
    // Entropy depends on no token reduction: there is nothing to cross.
    let entropy = "\"output-entropy\", protocol = \"frobenius/last-block\" }";
    assert!(broken(H, "\"cumulative-gain\" }", entropy).is_none());
}

#[test]
fn the_hash_is_of_the_meaning_not_the_layout() {
    let key = |edit: fn(&str) -> String| {
        let folder = small();
        fs::write(folder.path().join(H), edit(HYPOTHESIS)).unwrap();
        config::load(&folder.path().join("e.toml")).unwrap().hypotheses[0].2
    };
    let plain = key(str::to_string);
    assert_eq!(plain, key(|text| format!("# a comment\n\n{text}")));
    assert_eq!(
        plain,
        key(|text| text.replace("title = \"T\"\n", "").replace("id = \"H1\"", "title = 'T'\nid='H1'"))
    );
    assert_eq!(
        plain,
        key(|text| text
            .replace("above = 1 ", "above = 1.0 ")
            .replace("\"last/last-block\"", "\"last/last-block/auto\""))
    );
    for (from, to) in
        [("above = 1 ", "above = 1.1 "), ("alpha = 0.05", "alpha = 0.01"), ("claim = \"C\"", "claim = \"D\"")]
    {
        let folder = small();
        fs::write(folder.path().join(H), HYPOTHESIS.replacen(from, to, 1)).unwrap();
        let changed = config::load(&folder.path().join("e.toml")).unwrap().hypotheses[0].2;
        assert_ne!(plain, changed, "{from} -> {to}");
    }
}

#[test]
fn new_files_pass_check_and_never_replace_one() {
    let folder = tempfile::tempdir().unwrap();
    copy_tree(&experiments(), &folder.path().join("experiments"));
    let published = experiments().join("../data/published");
    copy_tree(&published, &folder.path().join("data/published"));
    let here = folder.path().join("experiments");
    // Whoever follows the README has an H19 of their own.
    for file in ["hypotheses/H19.toml", "prompts/stories.toml", "pilot.toml"] {
        let _ = fs::remove_file(here.join(file));
    }
    let mut made = Vec::new();
    for (kind, id) in [(Kind::Hypothesis, "H19"), (Kind::Prompts, "stories"), (Kind::Experiment, "pilot")] {
        let created = template::create(kind, id, &here).unwrap();
        assert!(created.next.contains(id), "{}", created.next);
        assert!(template::create(kind, id, &here).unwrap_err().to_string().contains("is left as it is"));
        made.push(created.path);
    }
    config::check(&made).unwrap_or_else(|report| panic!("{report}"));
    // H19 is part of the shipped experiment at once.
    config::load(&here.join("reproduce.toml")).unwrap_or_else(|report| panic!("{report}"));
    assert!(template::create(Kind::Hypothesis, "../H20", &here).is_err());
}

#[test]
fn an_experiment_begun_in_an_empty_folder_has_all_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("experiments");
    let experiment = template::create(Kind::Experiment, "mine", &here).unwrap();
    assert!(experiment.next.contains("models.toml") && experiment.next.contains("texts.toml"));
    template::create(Kind::Hypothesis, "H19", &here).unwrap();
    let loaded = config::load(&experiment.path).unwrap_or_else(|report| panic!("{report}"));
    let ids: Vec<&str> = loaded.hypotheses.iter().map(|(_, hypothesis, _)| hypothesis.id.as_str()).collect();
    assert_eq!((ids, loaded.prompt_sets.len()), (vec!["H19"], 1));
    // A second one finds the files of the first and writes none of them anew.
    let list = here.join("models.toml");
    fs::write(&list, format!("{}# mine\n", fs::read_to_string(&list).unwrap())).unwrap();
    let second = template::create(Kind::Experiment, "other", &here).unwrap();
    assert!(!second.next.contains("models.toml"), "{}", second.next);
    assert!(fs::read_to_string(&list).unwrap().ends_with("# mine\n"));
    config::load(&second.path).unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn a_file_is_checked_as_what_its_content_says() {
    let folder = small();
    let checked =
        config::check(&[folder.path().join(M), folder.path().join(P), folder.path().join(H)]).unwrap();
    let kinds: Vec<Kind> = checked.iter().map(|c| c.kind).collect();
    assert_eq!(kinds, [Kind::Models, Kind::Prompts, Kind::Hypothesis]);
    let moved = folder.path().join("anything.toml");
    fs::write(&moved, HYPOTHESIS.replace("alpha = 0.05", "alpha = 2.0")).unwrap();
    let report = config::check(&[moved]).unwrap_err();
    assert!(report.to_string().contains("alpha is 2"), "{report}");
}

#[test]
fn a_missing_file_is_an_error_not_a_panic() {
    let report = config::check(&[PathBuf::from("nowhere/e.toml")]).unwrap_err();
    assert!(report.to_string().contains("cannot read nowhere/e.toml"), "{report}");
}

#[test]
fn of_many_mistakes_the_first_are_shown_and_all_are_counted() {
    let folder = small();
    let file = folder.path().join("prompts/p.toml");
    fs::write(&file, "title = \"T\"\n".repeat(501)).unwrap();
    let report = config::load_prompts(&file).unwrap_err();
    // One for each repeat; what the whole lacks is not looked for in a file that is no TOML.
    assert_eq!(report.diagnostics.len(), 500);
    let text = report.render(false);
    assert!(text.contains("The first 200 are shown") && text.contains("500 errors"), "{text}");
    assert_eq!(text.matches("-->").count(), 200);
}

#[test]
fn odd_files_are_reported_not_panicked_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hypotheses.toml");
    let texts: [&[u8]; 8] = [
        b"",
        b"# only a comment",
        b"\xef\xbb\xbfschema = 1\r\ntitle = 1\r\n",
        "schema = 1\nprompt = [[\"\u{e9}\u{1f600}\", 1979-05-27]]\n\u{1f600} = 2".as_bytes(),
        b"schema = 99999999999999999999\nid = [{ a.b = { c = [1, \"x\"] } }]",
        b"schema = 9999999999\nprediction = 3\nmodels = { ids = \"x\", where = [[]] }",
        b"\xff\xfe not text",
        b"[[prediction]]\n[prediction.test]\nkind = 3\n[[prediction]]\ntest = \"x\"\nrule = []",
    ];
    for text in texts {
        fs::write(&path, text).unwrap();
        let report = config::check(std::slice::from_ref(&path)).unwrap_err();
        let shown = format!("{report}{}", report.render(true));
        assert!(shown.contains("error"), "{shown}");
        assert_eq!(report.to_json().as_array().map(Vec::len), Some(report.diagnostics.len()));
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
