//! The report of a made-up view that holds every verdict, missing numbers, awkward text and long lists.

use std::collections::BTreeSet;
use std::path::Path;

use base::hash::Key;
use number::evidence::{Evidence, ModelInfo};
use number::facts::ModelFacts;
use number::index::EvidenceIndex;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};
use results::report::{
    Band, BranchWrites, LayerProfile, MetricDefinition, Part, PlotError, Provenance, Report, View,
};
use study::judge::hypothesis::Stands;
use study::judge::outcome::{Estimate, HypothesisOutcome, Judgement, PredictionOutcome, Statistic, Verdict};
use study::published::{self, llama::llama_case};

const PRIMARY: Protocol = Protocol::new(Reduction::Last, Endpoint::LastBlock, Bos::Auto);
const OTHER: Protocol = Protocol::new(Reduction::Frobenius, Endpoint::HfLast, Bos::Auto);

fn estimate(label: &str, value: f64, half: f64) -> Estimate {
    let (low, high) = (Some(value - half), Some(value + half));
    Estimate { label: label.into(), value: Some(value), low, high, p: Some(0.03), n: 25 }
}

fn judgement(evidence: Evidence, verdict: Verdict, unit: &str, estimates: Vec<Estimate>) -> Judgement {
    let untestable = verdict == Verdict::Untestable;
    Judgement {
        evidence,
        kind: "mean-by-model".into(),
        protocols: vec![PRIMARY],
        verdict,
        unit: unit.into(),
        statistics: vec![
            Statistic { name: "share-above".into(), value: Some(0.5714) },
            Statistic { name: "undefined".into(), value: Some(f64::NAN) },
            Statistic { name: "absent".into(), value: None },
        ],
        estimates,
        because: "4 of 7 models lie above 0 | and the rule asks for\nall".into(),
        missing: if untestable { vec!["models with norm = layernorm".into()] } else { vec![] },
        would_decide: String::new(),
        allows: Vec::new(),
        as_printed: None,
        notes: vec!["cannot reach alpha = 0.05 with 4 units".into()],
    }
}

fn prediction(id: &str, primary: Judgement, others: Vec<Judgement>) -> PredictionOutcome {
    let (evidence, verdict) = (primary.evidence, primary.verdict);
    let claim = format!(
        "What {id} predicts about the last block of every model, in a sentence that is long enough to need a second line"
    );
    PredictionOutcome { id: id.into(), claim, core: true, evidence, verdict, primary, others }
}

fn hypothesis(
    id: &str,
    verdicts: [Verdict; 2],
    unit: &str,
    estimates: [Vec<Estimate>; 2],
) -> HypothesisOutcome {
    let [published, measured] = estimates;
    let a = judgement(Evidence::Published, verdicts[0], unit, published.clone());
    let b = judgement(Evidence::Measured, verdicts[1], unit, measured);
    let mut other = judgement(Evidence::Published, Verdict::Supported, unit, published);
    other.protocols = vec![OTHER];
    HypothesisOutcome {
        id: id.into(),
        title: format!("A title with a | pipe for {id}"),
        statement: "The last block expands the stream.".into(),
        published_verdict: "CONFIRMED, later \"NORMALIZATION-DEPENDENT\"".into(),
        hash: Key::of_bytes(id.as_bytes()),
        status: "re-analysis".into(),
        predictions: vec![
            prediction(&format!("{id}a"), a, vec![other]),
            prediction(&format!("{id}a"), b, vec![]),
            prediction(
                &format!("{id}b"),
                judgement(Evidence::Measured, Verdict::Untestable, unit, vec![]),
                vec![],
            ),
        ],
        verdicts: vec![(Evidence::Published, verdicts[0]), (Evidence::Measured, verdicts[1])],
        published_conclusion: None,
        stands: Stands::All,
        curves: Vec::new(),
    }
}

fn profile(model: &str, layers: usize) -> LayerProfile {
    let band = |x: f64| Some(Band { low: x * 0.8, middle: x, high: x * 1.3 });
    let rest: Vec<Option<Band>> = (0..layers).map(|l| band(1.3f64.powi(l as i32))).collect();
    let first = (0..layers)
        .map(|l| if l == 2 { None } else { band(if l < 3 || l + 1 == layers { 3.0 } else { 400.0 }) });
    let protocol = Protocol::new(Reduction::MeanWithoutFirst, Endpoint::LastBlock, Bos::Auto);
    LayerProfile {
        model: model.into(),
        protocol,
        prompts: 25,
        first: first.collect(),
        rest: rest.clone(),
        first_gain: rest.clone(),
        rest_gain: rest.clone(),
        writes: vec![
            BranchWrites { branch: "attn".into(), bands: rest.clone() },
            BranchWrites { branch: "mlp".into(), bands: rest },
        ],
    }
}

pub(crate) fn view() -> View {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/published"));
    let table = published::import(folder).expect("the shipped tables import");
    let many: Vec<Estimate> = table
        .models
        .iter()
        .enumerate()
        .map(|(at, model)| estimate(&model.id, (at as f64 - 12.0) / 20.0, if at == 3 { 40.0 } else { 0.1 }))
        .collect();
    // A share among log ratios has its own unit.
    let mut many = many;
    many.push(estimate("share of models", 0.9, 0.05));
    let odd = vec![
        Estimate { label: "no value".into(), value: None, low: None, high: None, p: None, n: 0 },
        Estimate {
            label: "not a number".into(),
            value: Some(f64::NAN),
            low: Some(f64::NAN),
            high: None,
            p: Some(f64::NAN),
            n: 1,
        },
        Estimate {
            label: "endless".into(),
            value: Some(0.2),
            low: Some(f64::NEG_INFINITY),
            high: Some(f64::INFINITY),
            p: Some(1e-9),
            n: 3,
        },
        estimate("a-model-with-a-name-that-goes-on-and-on-and-on-beyond-the-column", 0.1, 0.3),
    ];
    let zoo = vec![estimate("zoo-llama", 0.31, 0.05), estimate("zoo-neox", -0.12, 0.08)];
    View {
        provenance: Provenance {
            program: "0.1.0".into(),
            experiment: "reproduce".into(),
            experiment_title: "Five hypotheses on published tables and two small checkpoints".into(),
            runtime: Some("1.27.0".into()),
            jobs: vec![("export".into(), 2), ("observe".into(), 60), ("judge".into(), 5)],
        },
        llama: Some(llama_case(&EvidenceIndex::new(&table)).expect("the rows are there")),
        hypotheses: vec![
            hypothesis(
                "H9",
                [Verdict::Supported, Verdict::Negligible],
                "log ratio",
                [zoo.clone(), zoo.clone()],
            ),
            hypothesis(
                "H13",
                [Verdict::Contradicted, Verdict::Inconclusive],
                "log ratio",
                [many, zoo.clone()],
            ),
            hypothesis("H16", [Verdict::Untestable, Verdict::Fragile], "Spearman rho", [vec![], odd]),
        ],
        models: vec![ModelInfo {
            id: "zoo-llama".into(),
            evidence: Evidence::Measured,
            facts: ModelFacts { family: Some("llama".into()), blocks: Some(4), ..ModelFacts::default() },
        }],
        profiles: vec![profile("zoo-llama", 5), profile("zoo-neox", 7), profile("llama-3.1-8b", 33)],
        metrics: vec![MetricDefinition {
            name: "last-gain".into(),
            unit: "ratio".into(),
            definition: "||h_L|| / ||h_(L-1)||".into(),
        }],
        problems: vec!["gemma-7b: no checkpoint under models/gemma-7b".into()],
        ..View::default()
    }
}

fn markdown(view: &View) -> String {
    Report::of(view).markdown()
}

fn terminal(view: &View) -> String {
    Report::of(view).terminal()
}

fn plots(view: &View) -> Result<Vec<(String, Vec<u8>)>, PlotError> {
    Report::of(view).pictures()
}

/// Writes the pictures and the report to look at: `STREAMGAUGE_LOOK=folder cargo test --test reports`.
fn look(view: &View) {
    if let Some(folder) = std::env::var_os("STREAMGAUGE_LOOK") {
        let folder = Path::new(&folder);
        std::fs::write(folder.join("report.md"), markdown(view)).expect("writes");
        std::fs::write(folder.join("terminal.txt"), terminal(view)).expect("writes");
        for (name, bytes) in plots(view).expect("draws") {
            std::fs::write(folder.join(name), bytes).expect("writes");
        }
    }
}

/// Tables of a Markdown text: each a list of its lines.
fn tables(text: &str) -> Vec<Vec<&str>> {
    let mut tables: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines() {
        match (line.starts_with('|'), tables.last_mut()) {
            (true, Some(table)) => table.push(line),
            _ => tables.push(Vec::new()),
        }
    }
    tables.retain(|table| !table.is_empty());
    tables
}

/// Columns of a table line; escaped pipes do not count.
fn columns(line: &str) -> usize {
    line.replace("\\|", "").matches('|').count() - 1
}

#[test]
fn every_table_with_measured_numbers_names_a_protocol() {
    let text = markdown(&view());
    let mut seen = 0;
    for table in tables(&text) {
        let has_decimals = table[2..].iter().any(|line| {
            line.split(['|', ' ', '[', ',', '('])
                .any(|word| word.contains('.') && word.parse::<f64>().is_ok())
        });
        if has_decimals {
            seen += 1;
            let all = table.join("\n");
            let named = Reduction::ALL.iter().any(|r| all.contains(&format!("{r}/")));
            assert!(named, "numbers without a protocol:\n{all}");
        }
    }
    assert!(seen >= 8, "only {seen} tables with numbers");
}

#[test]
fn tables_are_rectangular_whatever_the_text_in_them() {
    for table in tables(&markdown(&view())) {
        assert!(table.len() > 2, "{table:?}");
        assert!(table.iter().all(|line| columns(line) == columns(table[0])), "{}", table.join("\n"));
    }
}

#[test]
fn no_missing_number_is_printed_as_nan_or_inf() {
    let view = view();
    for text in [markdown(&view), terminal(&view)] {
        assert!(!text.contains("NaN") && !text.contains("inf ") && !text.contains("inf]"), "{text}");
    }
    for (name, bytes) in plots(&view).expect("draws") {
        if name.ends_with(".svg") {
            let text = String::from_utf8(bytes).expect("SVG is text");
            assert!(!text.contains("NaN"), "{name}");
        }
    }
}

#[test]
fn every_picture_the_report_names_exists_as_svg_and_png_and_the_other_way_round() {
    let view = view();
    look(&view);
    let text = markdown(&view);
    let named: BTreeSet<String> = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|name| name.ends_with(".svg") || name.ends_with(".png"))
        .map(str::to_string)
        .collect();
    let files = plots(&view).expect("draws");
    let drawn: BTreeSet<String> = files.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(named, drawn);
    assert_eq!(drawn.len(), 2 * 5);
    for (name, bytes) in &files {
        let magic: &[u8] = if name.ends_with(".png") { b"\x89PNG\r\n\x1a\n" } else { b"<svg" };
        assert!(bytes.starts_with(magic), "{name}");
    }
}

#[test]
fn the_same_view_gives_the_same_bytes() {
    let view = view();
    assert!(plots(&view).expect("draws") == plots(&view).expect("draws"));
    assert_eq!(markdown(&view), markdown(&view));
}

#[test]
fn the_report_opens_with_the_case_and_shows_every_verdict() {
    let text = markdown(&view());
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what:?} is in the report"));
    for value in ["0.4777", "0.6086", "1.5332"] {
        assert!(at(value) < at("## Verdicts"), "{value} comes first");
    }
    for verdict in Verdict::ALL {
        at(&format!("**{verdict}**"));
    }
    assert!(at("## Verdicts") < at("## H9") && at("## H16") < at("## Models observed here"));
    at("Missing, measured here: models with norm = layernorm");
    at("Measured here: cannot reach alpha = 0.05 with 4 units");
    at("Protocols it holds under, published rows: `frobenius/hf-last/auto`.");
    at("| share of models (a share) |");
    at("**inconclusive** (untestable: H13b)");
    let folded = text.matches("<details>").count();
    assert_eq!(folded, text.matches("</details>").count());
    at("gemma-7b: no checkpoint under models/gemma-7b");
}

#[test]
fn each_hypothesis_opens_with_what_was_claimed_what_is_found_and_what_would_change_it() {
    let view = view();
    for said in Report::of(&view).says() {
        let Some(hypothesis) =
            view.hypotheses.iter().find(|one| said.title.starts_with(&format!("{}:", one.id)))
        else {
            continue;
        };
        let words = said.parts.iter().filter_map(|part| match part {
            Part::Words(words) => Some(words.as_str()),
            _ => None,
        });
        let heads = ["What was claimed: ", "What is found: ", "What would change it: "];
        let opening: Vec<&str> = words.skip(1).take(heads.len()).collect();
        for (sentence, head) in opening.iter().zip(heads) {
            assert!(sentence.starts_with(head) && sentence.ends_with('.'), "{}: {sentence}", said.title);
        }
        assert_eq!(opening.len(), heads.len());
        assert!(opening[0].contains(hypothesis.statement.trim().trim_end_matches('.')), "{}", opening[0]);
        for (evidence, verdict) in &hypothesis.verdicts {
            let asked = hypothesis.predictions.iter().any(|one| one.evidence == *evidence);
            assert!(!asked || opening[1].contains(verdict.as_str()), "{verdict} in {}", opening[1]);
        }
    }
}

#[test]
fn what_the_method_did_in_the_case_is_the_number_of_a_verdict_or_is_not_told() {
    let mut view = view();
    for share in ["79.2 %", "20.8 %", "of its logarithm"] {
        assert!(!markdown(&view).contains(share), "{share} was judged by nothing");
    }
    let case = view.llama.clone().expect("the view has the case");
    let mut judged = view.hypotheses.iter_mut().flat_map(|hypothesis| &mut hypothesis.predictions);
    let judged = judged.find(|one| one.evidence == Evidence::Published).expect("one is published");
    let share = case.split.steps.last().map(|step| step.share);
    for (name, value) in [("method-share", share), ("log-ratio", Some(case.split.log_ratio))] {
        judged.primary.statistics.push(Statistic { name: name.into(), value });
    }
    let (id, verdict) = (judged.id.clone(), judged.verdict);
    let text = markdown(&view);
    let told = text.lines().find(|line| line.contains("of its logarithm is method")).expect("it is told");
    assert!(told.contains("79.2 %") && told.contains(&format!("[{id}](#")), "{told}");
    assert!(told.contains(&format!("is **{verdict}**")) && text.contains("-0.4 %"), "{told}");
}

#[test]
fn the_terminal_table_fits_a_hundred_columns() {
    let text = terminal(&view());
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    for word in ["contradicted", "fragile", "negligible", "0.4777", "mean/hf-last/auto"] {
        assert!(text.contains(word), "{word}:\n{text}");
    }
}

#[test]
fn a_view_with_nothing_in_it_still_renders() {
    let view = View { provenance: view().provenance, metrics: view().metrics, ..View::default() };
    assert!(plots(&view).expect("draws").is_empty());
    assert!(markdown(&view).contains("no checkpoint of this experiment was observed"));
    assert!(!terminal(&view).is_empty());
}
