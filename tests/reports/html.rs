//! The HTML report of a made-up view with curves, claims, figures and hostile names: well-formed, self-contained, the same
//! bytes twice, with the data of every figure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::page::Element;
use base::hash::Key;
use number::evidence::{Evidence, EvidenceTable, ModelInfo, PromptInfo};
use number::facts::ModelFacts;
use number::index::EvidenceIndex;
use number::metric::Metric;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};
use results::report::{
    Band, BranchWrites, Form, Html, LayerProfile, Lead, MetricDefinition, Prompts, Provenance, Reading,
    Report, View, Weights, published_figures,
};
use study::analysis::{Analysis, Length, Part, Replication, Rung, Sink, Spread};
use study::judge::hypothesis::Stands;
use study::judge::outcome::{
    Choice, Curve, Deciding, Estimate, FamilyMember, HypothesisOutcome, Judgement, Kinship,
    PredictionOutcome, Registration, Specification, Statistic, Verdict,
};
use study::judge::summary::survival;
use study::published::claims::{Answer, ClaimOutcome, Outcome};
use study::published::{self, llama::llama_case};

const PRIMARY: Protocol = Protocol::new(Reduction::Last, Endpoint::LastBlock, Bos::Auto);
const HOSTILE: &str = "</title><script>alert(1)</script>\"' onload=x &amp; \u{202e}../..";

fn estimate(label: &str, value: f64) -> Estimate {
    let (low, high) = (Some(value - 0.1), Some(value + 0.1));
    Estimate { label: label.into(), value: Some(value), low, high, p: Some(0.03), n: 25 }
}

fn prediction(id: &str, evidence: Evidence, verdict: Verdict) -> PredictionOutcome {
    let endless = Estimate { low: Some(f64::NEG_INFINITY), high: Some(f64::NAN), ..estimate("endless", 0.2) };
    let absent = Estimate { value: None, low: None, high: None, p: None, ..estimate("absent", 0.0) };
    let primary = Judgement {
        evidence,
        kind: "mean-by-model".into(),
        protocols: vec![PRIMARY],
        verdict,
        unit: "log ratio".into(),
        statistics: vec![Statistic { name: "mean".into(), value: Some(0.25) }],
        estimates: vec![estimate("zoo-llama", 0.3), estimate(HOSTILE, -0.1), endless, absent],
        because: format!("4 of 7 lie above 0 {HOSTILE}"),
        missing: vec![],
        would_decide: String::new(),
        allows: Vec::new(),
        as_printed: None,
        notes: vec![HOSTILE.into()],
    };
    let mut other = primary.clone();
    other.protocols = vec![Protocol::new(Reduction::Mean, Endpoint::HfLast, Bos::Auto)];
    other.verdict = Verdict::Contradicted;
    PredictionOutcome {
        id: id.into(),
        claim: HOSTILE.into(),
        core: true,
        evidence,
        verdict,
        primary,
        others: vec![other],
    }
}

fn curve(prediction: &str, count: usize) -> Curve {
    let specifications = (0..count).map(|at| {
        let effect = (at as f64 - count as f64 / 3.0) / count as f64;
        let choice =
            |dimension: &str, value: &str| Choice { dimension: dimension.into(), value: value.into() };
        Specification {
            choices: vec![
                choice("reduction", ["last", "mean", HOSTILE][at % 3]),
                choice("BOS", ["auto", "never"][at % 2]),
            ],
            relation: match at {
                1 => Kinship::Primary,
                _ if at % 3 == 2 => Kinship::DifferentEstimand,
                _ => Kinship::Equivalent,
            },
            verdict: if effect > 0.0 { Verdict::Supported } else { Verdict::Inconclusive },
            effect: (at != 5).then_some(effect),
            low: Some(effect - 0.2),
            high: Some(if at == 7 { f64::INFINITY } else { effect + 0.2 }),
            p: Some(0.1),
            n: 12,
        }
    });
    Curve {
        prediction: prediction.into(),
        evidence: Evidence::Published,
        effect: "mean log gain over models".into(),
        null: 0.0,
        null_hypothesis: "the mean over lineages is 0".into(),
        specifications: specifications.collect(),
        agreement: Some(0.75),
        median: Some(0.2),
        joint_p_median: Some(0.01),
        joint_p_share: None,
        flips: 1000,
        deciding: vec![Deciding {
            dimension: "reduction".into(),
            from: "last".into(),
            to: "mean".into(),
            relation: Kinship::Equivalent,
            verdict: Verdict::Contradicted,
        }],
        notes: vec![HOSTILE.into()],
    }
}

fn hypothesis(id: &str, said: Option<Verdict>, found: Verdict) -> HypothesisOutcome {
    let first = format!("{id}a");
    HypothesisOutcome {
        id: id.into(),
        title: format!("Title of {id} {HOSTILE}"),
        statement: HOSTILE.into(),
        published_verdict: HOSTILE.into(),
        hash: Key::of_bytes(id.as_bytes()),
        status: "re-analysis".into(),
        predictions: vec![
            prediction(&first, Evidence::Published, found),
            prediction(&first, Evidence::Measured, Verdict::Negligible),
        ],
        verdicts: vec![(Evidence::Published, found), (Evidence::Measured, Verdict::Negligible)],
        published_conclusion: said,
        stands: Stands::All,
        curves: vec![curve(&first, if id == "H1" { 12 } else { 1000 })],
    }
}

fn claim(id: &str, outcome: Outcome) -> ClaimOutcome {
    ClaimOutcome {
        definitions: Vec::new(),
        id: id.into(),
        section: HOSTILE.into(),
        text: HOSTILE.into(),
        models: vec!["llama-3.1-8b".into()],
        printed: Answer::Number(0.48),
        unit: "x".into(),
        tolerance: Some(0.005),
        recomputed: (outcome != Outcome::NoData).then_some(Answer::Words("YES".into())),
        outcome,
        measures: "a gain".into(),
        deviations: vec!["post-norm numerator".into()],
        protocols: vec![PRIMARY.to_string()],
        rows: 3,
        group: HOSTILE.into(),
        differs: HOSTILE.into(),
        note: String::new(),
    }
}

fn table() -> EvidenceTable {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/published"));
    published::import(folder).expect("the shipped tables import")
}

fn analysis() -> Analysis {
    let protocol = Protocol::new(Reduction::Frobenius, Endpoint::LastBlock, Bos::Auto);
    let rung = |tokens: f64| Rung {
        prompt: format!("{tokens} {HOSTILE}"),
        ladder: format!("Ladder {HOSTILE}"),
        tokens,
        observed: 0.5 + tokens / 100.0,
        predicted: 0.6 + tokens / 100.0,
    };
    let sink = |model: &str| Sink {
        model: model.into(),
        evidence: Evidence::Measured,
        protocol,
        prompts: 12,
        first: [400.0, 200.0],
        other: [50.0, 80.0],
        crossing: Length { tokens: Some(40.0), low: Some(31.0), high: None },
        growing: None,
        seen: vec![[2.0, 80.0], [3.0, 9.0]],
        rungs: vec![rung(2.0), rung(80.0)],
        right_side: Some(1.0),
        r_squared: None,
    };
    let part = |name: &str, share| Part { name: name.into(), share };
    Analysis {
        sinks: vec![sink("zoo-llama"), sink("zoo llama")],
        spreads: vec![Spread {
            evidence: Evidence::Measured,
            metric: Metric::LastGain,
            over: HOSTILE.into(),
            protocols: vec![protocol, PRIMARY],
            models: 2,
            prompts: 12,
            categories: 3,
            deviation: 0.5,
            parts: vec![part("model", 0.75), part("model × prompt × protocol", 0.25)],
        }],
        replications: vec![Replication {
            model: "zoo-llama".into(),
            source: HOSTILE.into(),
            dtype: "float16".into(),
            metric: Metric::LastGain,
            protocol: PRIMARY,
            prompts: 12,
            published: 1.2,
            measured: 1.25,
            low: Some(1.1),
            high: Some(1.3),
            replicates: Some(true),
        }],
    }
}

pub(crate) fn view() -> View {
    let table = table();
    let band = |x: f64| Some(Band { low: x * 0.8, middle: x, high: x * 1.3 });
    let bands: Vec<Option<Band>> =
        (0..5).map(|l| if l == 2 { None } else { band(f64::from(l) + 1.0) }).collect();
    View {
        provenance: Provenance { experiment_title: HOSTILE.into(), ..Provenance::default() },
        llama: Some(llama_case(&EvidenceIndex::new(&table)).expect("the rows are there")),
        claims: vec![claim("C001", Outcome::Differs), claim("C002", Outcome::NoData)],
        statistics: vec![claim("S0001", Outcome::Differs), claim("S0002", Outcome::NoData)],
        hypotheses: vec![
            hypothesis("H1", Some(Verdict::Supported), Verdict::Fragile),
            hypothesis("H2", Some(Verdict::Supported), Verdict::Supported),
            hypothesis("H3", None, Verdict::Inconclusive),
        ],
        models: [("zoo-llama", "original"), (HOSTILE, "original"), ("zoo llama", "revision")]
            .map(|(id, kind)| {
                let facts = ModelFacts { kind: Some(kind.into()), step: Some(64.0), ..ModelFacts::default() };
                ModelInfo { id: id.into(), evidence: Evidence::Measured, facts }
            })
            .to_vec(),
        prompts: vec![Prompts {
            id: "two".into(),
            title: HOSTILE.into(),
            source: "written for this test".into(),
            asked_by: vec!["H1".into()],
            prompts: ["The capital of France is", HOSTILE]
                .map(|text| PromptInfo {
                    id: "p".into(),
                    category: "Factual".into(),
                    text: text.into(),
                    sets: Vec::new(),
                })
                .to_vec(),
        }],
        weights: vec![(
            "zoo-llama".into(),
            Weights { origin: "owner/name, revision main".into(), hash: Key::of_bytes(b"weights") },
        )],
        profiles: ["zoo-llama", HOSTILE]
            .map(|model| LayerProfile {
                model: model.into(),
                protocol: Protocol::new(Reduction::MeanWithoutFirst, Endpoint::LastBlock, Bos::Auto),
                prompts: 25,
                first: bands.clone(),
                rest: bands.clone(),
                first_gain: bands[1..].to_vec(),
                rest_gain: bands[1..].to_vec(),
                writes: vec![
                    BranchWrites { branch: "attn".into(), bands: bands[1..].to_vec() },
                    BranchWrites { branch: "mlp".into(), bands: bands[1..].to_vec() },
                ],
            })
            .to_vec(),
        figures: published_figures(&[(Evidence::Published, EvidenceIndex::new(&table))]),
        analysis: analysis(),
        metrics: Metric::ALL
            .iter()
            .map(|metric| MetricDefinition {
                name: metric.to_string(),
                unit: "ratio".into(),
                definition: HOSTILE.into(),
            })
            .collect(),
        family: vec![FamilyMember {
            hypothesis: "H1".into(),
            evidence: Evidence::Published,
            prediction: Some("H1a".into()),
            p: Some(0.01),
            holm: Some(0.0317),
            of: 18,
            with_p: 2,
            null: "the mean over lineages is 0".into(),
            before: Some(Verdict::Supported),
            after: Some(Verdict::Inconclusive),
            note: String::new(),
        }],
        registrations: vec![(
            "H1".into(),
            Registration {
                registered: Some(Key::of_bytes(b"before")),
                exploratory: true,
                diff: vec!["-at-least = 0.5".into(), "+at-least = 0.4".into()],
                ..Registration::default()
            },
        )],
        problems: vec![HOSTILE.into()],
        ..View::default()
    }
}

fn html(view: &View) -> Html {
    Report::of(view).html()
}

fn markdown(view: &View) -> String {
    Report::of(view).markdown()
}

fn terminal(view: &View) -> String {
    Report::of(view).terminal()
}

/// Writes the page to look at: `STREAMGAUGE_LOOK=folder cargo test --test reports`.
fn look(report: &Html) {
    let Some(folder) = std::env::var_os("STREAMGAUGE_LOOK") else { return };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder.join("data")).expect("creates");
    std::fs::write(folder.join("index.html"), &report.page).expect("writes");
    for (name, csv) in &report.data {
        std::fs::write(folder.join("data").join(name), csv).expect("writes");
    }
}

fn rendered() -> (Html, Element) {
    let report = html(&view());
    look(&report);
    let document = crate::page::parse(&report.page).expect("well-formed");
    (report, document)
}

fn ids(document: &Element) -> Vec<&str> {
    document.all(&|_| true).into_iter().filter_map(|element| element.attr("id")).collect()
}

#[test]
fn the_page_is_well_formed_whatever_the_names_in_it() {
    let (_, document) = rendered();
    assert_eq!(document.named("script").len(), 1, "no name became a script");
    assert!(document.all(&|element| element.attr("onload").is_some()).is_empty());
    let main = &document.named("main")[0].source;
    assert!(!main.contains("NaN") && !main.contains(">inf") && !main.contains(" inf"));
    let ids = ids(&document);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id stands twice");
}

#[test]
fn nothing_of_the_page_comes_from_elsewhere() {
    let (report, document) = rendered();
    for scheme in ["http://", "https://", "url(", "@import", "//www"] {
        assert!(!report.page.contains(scheme), "{scheme}");
    }
    let foreign = ["img", "link", "iframe", "object", "embed"];
    let loads = |element: &Element| foreign.contains(&element.name.as_str()) || element.attr("src").is_some();
    assert_eq!(document.all(&loads).len(), 0);
}

#[test]
fn every_link_leads_to_a_place_of_the_page_or_to_data_that_are_written() {
    let (report, document) = rendered();
    let ids: BTreeSet<&str> = ids(&document).into_iter().collect();
    let files: BTreeSet<String> = report.data.iter().map(|(name, _)| format!("data/{name}")).collect();
    let links: Vec<&str> = document.named("a").into_iter().filter_map(|link| link.attr("href")).collect();
    assert!(links.len() > 50);
    for address in links {
        let known = match address.strip_prefix('#') {
            // The script shows all pages at once.
            Some("all") => true,
            Some(id) => ids.contains(id),
            None => address.starts_with("data:text/csv") || files.contains(address),
        };
        assert!(known, "{address:.80}");
    }
}

#[test]
fn every_figure_has_its_title_its_method_and_its_data() {
    let (report, document) = rendered();
    let data: BTreeMap<&str, &str> =
        report.data.iter().map(|(name, csv)| (name.as_str(), csv.as_str())).collect();
    assert_eq!(data.len(), report.data.len(), "a file is written twice");
    let figures = document.named("figure");
    assert_eq!(figures.len(), data.len());
    let (mut inline, mut linked) = (0, 0);
    for figure in figures {
        let name = format!("{}.csv", figure.attr("id").expect("has one"));
        let drawing = figure.all(&|element| element.name == "svg" && !element.has_class("swatch"))[0];
        let says =
            |name: &str| drawing.children().any(|part| part.name == name && !part.text().trim().is_empty());
        assert!(says("title") && says("desc"), "{name}");
        assert!(figure.named("details")[0].text().contains("How computed"));
        let link = figure.class("csv");
        assert_eq!(link.attr("download"), Some(name.as_str()));
        let address = link.attr("href").expect("has one");
        match address.strip_prefix("data:text/csv;charset=utf-8,") {
            Some(encoded) => {
                inline += 1;
                assert_eq!(decoded(encoded), data[name.as_str()], "{name}");
            }
            None => linked += 1,
        }
        let mut rows = csv::Reader::from_reader(data[name.as_str()].as_bytes());
        let rows: Result<Vec<_>, _> = rows.records().collect();
        assert!(!rows.expect("rectangular").is_empty(), "{name}");
    }
    assert!(inline > 0 && linked > 0, "small tables stand in the page, large ones beside it");
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: Vec<u8> = rest.by_ref().take(2).collect();
            let digits = std::str::from_utf8(&digits).expect("ASCII");
            bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_curve_of_many_specifications_stays_small_and_says_what_it_leaves_out() {
    let (report, document) = rendered();
    let figure = document.id("curve-h2a-published");
    assert!(figure.text().contains("of 999 drawn"), "{}", figure.text());
    assert!(figure.source.len() < 40_000, "{}", figure.source.len());
    let csv = &report.data.iter().find(|(name, _)| name == "curve-h2a-published.csv").expect("written").1;
    assert_eq!(csv::Reader::from_reader(csv.as_bytes()).records().count(), 1000);
    // All three kinds are drawn, each by a shape of its own.
    for kind in ["primary", "equivalent", "other"] {
        assert!(figure.source.contains(&format!(" {kind}\"")), "{kind}");
    }
}

#[test]
fn the_first_page_says_what_survives_and_what_kills_the_rest() {
    let (_, document) = rendered();
    let headline = document.class("headline").text();
    assert!(headline.contains("1 of 2") && headline.contains("other 1 of the 3"), "{headline}");
    let fates = document.class("fates").text();
    assert!(fates.contains("said supported, found fragile: contradicted with reduction = mean"), "{fates}");
    let front = document.id("report").text();
    assert!(front.contains("exploratory") && front.contains("0.0317"));
}

#[test]
fn a_conclusion_that_survives_says_what_was_said_and_found() {
    let mut view = view();
    let refuted = hypothesis("H4", Some(Verdict::Contradicted), Verdict::Contradicted);
    view.hypotheses.push(refuted);
    for text in [markdown(&view), html(&view).page, terminal(&view)] {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("said contradicted, found contradicted: the claim is refuted again"), "{text}");
        assert!(text.contains("said supported, found supported: the claim holds again"), "{text}");
        assert!(!text.contains("Survives"), "what survives is a conclusion, no claim");
    }
}

#[test]
fn what_is_rehearsed_has_its_own_place_and_is_nowhere_called_measured_or_released() {
    let mut view = view();
    let before = html(&view).page;
    assert!(!before.contains("This says nothing about language models."), "nothing was rehearsed");
    for model in &mut view.models {
        model.evidence = Evidence::Rehearsal;
    }
    for hypothesis in &mut view.hypotheses {
        for prediction in hypothesis.predictions.iter_mut().filter(|one| one.evidence == Evidence::Measured) {
            (prediction.evidence, prediction.primary.evidence) = (Evidence::Rehearsal, Evidence::Rehearsal);
        }
        hypothesis.verdicts[1] = (Evidence::Rehearsal, Verdict::Negligible);
    }
    let document = crate::page::parse(&html(&view).page).expect("well-formed");
    let front = document.id("report").text();
    let place = front.find("This says nothing about language models.").expect("its own place");
    let head = document.class("headline").text();
    assert!(!head.contains("measured here"), "{head}");
    assert!(
        place > front.find("Verdict on every hypothesis").expect("the table"),
        "after all that is evidence"
    );
    for text in [markdown(&view), html(&view).page] {
        assert!(!text.to_lowercase().contains("released"), "a miniature is no released model");
        assert!(text.contains("2 models that only test the instrument"), "counted as what they are");
    }
    let terminal = terminal(&view).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(terminal.contains("This says nothing about language models."), "{terminal}");
}

#[test]
fn a_hypothesis_that_is_told_first_stands_before_all_others_with_its_prompts_counted_and_drawn() {
    let mut view = view();
    let values = [("p0", 1.2), ("p1", 1.1), ("p2", 0.9)].map(|(id, value)| (id.to_string(), value)).to_vec();
    let reading = Reading {
        prediction: "H2a".into(),
        evidence: Evidence::Measured,
        model: "zoo-llama".into(),
        metric: Metric::LastGain,
        protocol: PRIMARY,
        values,
    };
    view.leads = vec![Lead { hypothesis: "H2".into(), readings: vec![reading] }];
    let report = html(&view);
    let front = crate::page::parse(&report.page).expect("well-formed").id("report").text();
    let place = |what: &str| front.find(what).unwrap_or_else(|| panic!("no {what} in {front}"));
    assert!(place("LLaMA-3.1 case") < place("above 1 on 2 of 3 prompts"), "after the case");
    assert!(place("above 1 on 2 of 3 prompts") < place("Verdict on every hypothesis"), "before all others");
    let gain = format!("zoo-llama has {:.4}", 0.3_f64.exp());
    for said in [gain.as_str(), "One model, zoo-llama", "nothing follows for other models"] {
        place(said);
    }
    let (_, csv) = report.data.iter().find(|(name, _)| name == "lead-h2.csv").expect("its data");
    assert_eq!(csv.lines().count(), 1 + 3);
    let markdown = markdown(&view);
    assert!(
        markdown.contains("above 1 on 2 of 3 prompts") && markdown.contains("(lead-h2.svg)"),
        "{markdown}"
    );
}

#[test]
fn which_prompts_and_which_weights_are_told_with_texts_origin_and_hash() {
    let (_, document) = rendered();
    let prompts = document.id("prompts").text();
    for said in ["2 prompts in 1 set", "The capital of France is", "written for this test"] {
        assert!(prompts.contains(said), "{said:?} is not in {prompts}");
    }
    let models = document.id("models").text();
    let hash = Key::of_bytes(b"weights").to_string();
    assert!(models.contains("owner/name, revision main") && models.contains(&hash), "{models}");
}

#[test]
fn page_markdown_and_terminal_count_the_same_survivors() {
    let view = view();
    let document = crate::page::parse(&html(&view).page).expect("well-formed");
    let headline = document.class("headline").text();
    for (evidence, place) in [(Evidence::Published, 0), (Evidence::Measured, 1)] {
        let counted = survival(&view.hypotheses, evidence);
        let (survives, fallen, open) = (counted.survives.len(), counted.fallen.len(), counted.open.len());
        let verb = if fallen == 1 { "falls" } else { "fall" };
        let (fragile, reversed) = (counted.fragile.len(), counted.reversed.len());
        let more = |n: usize, what: &str| if n == 0 { String::new() } else { format!("{n} {what}, ") };
        let reversed_too = more(reversed, "from another finding than the published one");
        let counts = format!("({fallen} {verb}, {reversed_too}{}{open} left open)", more(fragile, "fragile"));
        assert!(headline.contains(&counts), "{headline}: {counts}");
        let lists = document.all(&|element| element.has_class("fates"))[place];
        assert_eq!(lists.named("li").len(), survives + fallen + fragile + reversed + open);
        let said = format!("survives for {survives} of {} hypotheses", counted.concluded);
        assert!(markdown(&view).contains(&said), "{said}");
        let terminal = terminal(&view).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(terminal.contains(&said) && terminal.contains(&format!("{open} left open")), "{terminal}");
    }
}

#[test]
fn the_analysis_draws_models_that_are_no_stages_and_writes_all() {
    let (report, document) = rendered();
    let page = document.id("analysis");
    let ladder = document.id("ladder-measured");
    assert_eq!(ladder.all(&|element| element.has_class("head")).len(), 1, "a revision has no panel");
    let csv = |name: &str| &report.data.iter().find(|(file, _)| file == name).expect("written").1;
    assert_eq!(csv("ladder-measured.csv").lines().count(), 1 + 2 * 2);
    let bars = document.id("spread-shares").all(&|element| element.has_class("share"));
    let width = |bar: &&Element| bar.attr("width").and_then(|w| w.parse::<f64>().ok()).expect("a number");
    assert_eq!(bars.iter().map(width).collect::<Vec<_>>(), [645.0, 215.0], "3 to 1");
    assert!(csv("spread-shares.csv").contains("model,0.75\n"));
    assert!(page.text().contains("1.1000 to 1.3000") && page.text().contains("75.0 %"), "{}", page.text());
}

#[test]
fn revisions_and_variants_stand_apart_from_other_models() {
    let (_, document) = rendered();
    let fold = document.class("fold");
    assert_eq!(fold.named("li").iter().map(|li| li.text()).collect::<Vec<_>>(), ["zoo llama"]);
    let tables = document.id("models").named("tbody");
    assert_eq!(tables.iter().map(|body| body.named("tr").len()).collect::<Vec<_>>(), [2, 1, 1]);
    assert!(document.id("models").text().contains("Revisions and variants"));
}

#[test]
fn published_rows_give_each_of_the_research_figures() {
    let figures = published_figures(&[(Evidence::Published, EvidenceIndex::new(&table()))]);
    let keys: Vec<&str> = figures.iter().map(|figure| figure.key).collect();
    assert_eq!(
        keys,
        [
            "layer-gains",
            "cumulative-energy",
            "unembedding-and-gain",
            "base-and-instruct",
            "gain-and-entropy",
            "gain-by-category"
        ]
    );
    let pairs: Vec<usize> = figures[3].series.iter().map(|series| series.marks.len()).collect();
    assert_eq!(pairs, [2, 2], "each instruct model beside its base, where rows of that base are published");
    assert_eq!(figures[4].marks().count(), 4 * 25);
    assert!(
        figures.iter().all(|figure| !figure.protocols.is_empty() && figure.rows >= figure.marks().count())
    );
}

#[test]
fn the_same_view_gives_the_same_bytes() {
    assert_eq!(html(&view()), html(&view()));
}

#[test]
fn a_view_with_nothing_in_it_still_renders() {
    let empty = View { provenance: view().provenance, metrics: view().metrics, ..View::default() };
    let report = html(&empty);
    assert!(report.data.is_empty());
    assert!(report.page.contains("no checkpoint of this experiment was observed"));
}

#[test]
fn the_front_page_tells_models_from_stages() {
    let page = html(&view()).page;
    assert!(
        page.contains("2 models trained on natural data and 1 stage of a training"),
        "the models are counted by kind"
    );
}

#[test]
fn a_hypothesis_about_training_shows_the_trainings_at_hand_and_others_do_not() {
    let mut view = view();
    let mut figure = view.figures[0].clone();
    (figure.key, figure.title, figure.form) =
        ("gain-along-training", "Gain along the training", Form::Joined);
    view.training = vec![figure];
    let shows = |view: &View| html(view).page.matches("Gain along the training, ").count();
    assert_eq!(shows(&view), 0);
    let counted = Statistic { name: "series".into(), value: Some(0.0) };
    view.hypotheses[2].predictions[0].primary.statistics.push(counted);
    assert!(shows(&view) > 0);
}

#[test]
fn markdown_says_each_analysis_once() {
    let text = markdown(&view());
    for heading in ["## The first token's part in a Frobenius gain", "## Whose spread is it"] {
        assert_eq!(text.matches(heading).count(), 1, "{heading}");
    }
}

#[test]
fn where_no_published_mean_was_measured_again_the_report_says_so() {
    let mut view = view();
    view.analysis.replications.clear();
    for text in [markdown(&view), html(&view).page] {
        assert!(text.contains("replicate nothing"), "an empty section needs its reason");
    }
}
