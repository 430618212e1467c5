//! The three forms of one small made-up report, whole: what a change of wording or layout does is seen in the difference of a
//! snapshot. `INSTA_UPDATE=always cargo test --test reports` writes them anew.

use base::hash::Key;
use number::evidence::{Evidence, ModelInfo};
use number::facts::ModelFacts;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};
use results::report::{Band, BranchWrites, LayerProfile, MetricDefinition, Provenance, Report, View};
use study::analysis::{Analysis, Length, Rung, Sink};
use study::judge::hypothesis::Stands;
use study::judge::outcome::{
    Choice, Curve, Deciding, Derived, Estimate, FamilyMember, HypothesisOutcome, Judgement, Kinship, Listed,
    PredictionOutcome, Registration, Specification, Statistic, Verdict,
};
use study::judge::{Calibration, Rates};
use study::published::claims::{Answer, ClaimOutcome, Outcome};

const LAST: Protocol = Protocol::new(Reduction::Last, Endpoint::LastBlock, Bos::Auto);
const MEAN: Protocol = Protocol::new(Reduction::Mean, Endpoint::LastBlock, Bos::Auto);
const FROBENIUS: Protocol = Protocol::new(Reduction::Frobenius, Endpoint::LastBlock, Bos::Auto);

fn judgement(evidence: Evidence, protocol: Protocol, verdict: Verdict, value: f64) -> Judgement {
    Judgement {
        evidence,
        kind: "mean-by-model".into(),
        protocols: vec![protocol],
        verdict,
        unit: "log ratio".into(),
        statistics: vec![Statistic { name: "mean".into(), value: Some(value) }],
        estimates: vec![Estimate {
            label: "tiny".into(),
            value: Some(value),
            low: Some(value - 0.1),
            high: Some(value + 0.1),
            p: Some(0.02),
            n: 25,
        }],
        because: "mean is above 0".into(),
        missing: vec![],
        would_decide: String::new(),
        allows: Vec::new(),
        as_printed: None,
        notes: vec!["bootstrap of 25 prompts".into()],
    }
}

fn prediction(evidence: Evidence, verdict: Verdict, value: f64) -> PredictionOutcome {
    PredictionOutcome {
        id: "H1a".into(),
        claim: "The last block expands the stream.".into(),
        core: true,
        evidence,
        verdict,
        primary: judgement(evidence, LAST, Verdict::Supported, value),
        others: vec![judgement(evidence, MEAN, Verdict::Contradicted, -value)],
    }
}

fn specification(reduction: &str, relation: Kinship, verdict: Verdict, effect: f64) -> Specification {
    let choice = |dimension: &str, value: &str| Choice { dimension: dimension.into(), value: value.into() };
    Specification {
        choices: vec![
            choice("reduction", reduction),
            choice("endpoint", "last-block"),
            choice("BOS", "auto"),
            choice("categories", "all"),
        ],
        relation,
        verdict,
        effect: Some(effect),
        low: Some(effect - 0.1),
        high: Some(effect + 0.1),
        p: Some(0.02),
        n: 25,
    }
}

fn curve() -> Curve {
    Curve {
        prediction: "H1a".into(),
        evidence: Evidence::Published,
        effect: "mean log gain".into(),
        null: 0.0,
        null_hypothesis: "the mean over lineages is 0".into(),
        specifications: vec![
            specification("mean", Kinship::Equivalent, Verdict::Contradicted, -0.25),
            specification("last", Kinship::Primary, Verdict::Supported, 0.25),
            specification("frobenius", Kinship::DifferentEstimand, Verdict::Supported, 0.5),
        ],
        agreement: Some(0.5),
        median: Some(0.0),
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
        notes: vec![],
    }
}

fn hypothesis() -> HypothesisOutcome {
    HypothesisOutcome {
        id: "H1".into(),
        title: "Expansion at the last block".into(),
        statement: "RMSNorm models expand at the last block.".into(),
        published_verdict: "CONFIRMED".into(),
        hash: Key::of_bytes(b"H1"),
        status: "re-analysis".into(),
        predictions: vec![
            prediction(Evidence::Published, Verdict::Fragile, 0.25),
            prediction(Evidence::Measured, Verdict::Supported, 0.75),
        ],
        verdicts: vec![(Evidence::Published, Verdict::Fragile), (Evidence::Measured, Verdict::Supported)],
        published_conclusion: Some(Verdict::Supported),
        stands: Stands::All,
        curves: vec![curve()],
    }
}

fn claim() -> ClaimOutcome {
    ClaimOutcome {
        id: "C001".into(),
        section: "1 Summary".into(),
        text: "The last block shrinks the stream.".into(),
        models: vec!["tiny".into()],
        printed: Answer::Number(0.48),
        unit: "x".into(),
        tolerance: Some(0.005),
        recomputed: Some(Answer::Number(0.477_67)),
        outcome: Outcome::Reproduces,
        measures: "a gain".into(),
        definitions: vec!["all tokens".into()],
        deviations: vec!["post-norm numerator".into()],
        protocols: vec![FROBENIUS.to_string()],
        rows: 3,
        group: String::new(),
        differs: String::new(),
        note: "one prompt".into(),
    }
}

fn statistic() -> ClaimOutcome {
    ClaimOutcome {
        id: "S0065".into(),
        section: "a/ANALYSIS.md: category table".into(),
        text: "mean last gain".into(),
        group: "Tiny/Factual".into(),
        outcome: Outcome::Differs,
        differs: "The mean of rounded means, rounded again.".into(),
        ..claim()
    }
}

fn profile() -> LayerProfile {
    let bands = |values: &[f64]| -> Vec<Option<Band>> {
        values.iter().map(|x| Some(Band { low: x * 0.5, middle: *x, high: x * 2.0 })).collect()
    };
    LayerProfile {
        model: "tiny".into(),
        protocol: Protocol::new(Reduction::MeanWithoutFirst, Endpoint::LastBlock, Bos::Auto),
        prompts: 25,
        first: bands(&[1.0, 8.0, 16.0]),
        rest: bands(&[1.0, 2.0, 4.0]),
        first_gain: bands(&[8.0, 2.0]),
        rest_gain: bands(&[2.0, 2.0]),
        writes: vec![
            BranchWrites { branch: "attn".into(), bands: bands(&[0.5, 1.0]) },
            BranchWrites { branch: "mlp".into(), bands: bands(&[1.0, 2.0]) },
        ],
    }
}

/// H1a finds a true claim on the published rows and is wrong too often there, can say nothing on what was measured, and H1b is not
/// simulated.
fn calibrations() -> Vec<Calibration> {
    let rates = |effect: f64, lineages: u64, verdicts: &[(Verdict, u32)]| Rates {
        effect,
        drawn: (0.02 * effect).min(0.03),
        holds: effect > 0.0,
        lineages,
        prompts: 25,
        runs: verdicts.iter().map(|(_, count)| count).sum(),
        verdicts: verdicts.iter().copied().collect(),
    };
    let one = |prediction: &str, evidence, not_simulated: &str| Calibration {
        prediction: prediction.into(),
        evidence,
        not_simulated: not_simulated.into(),
        smallest: Some(0.02),
        stated: prediction == "H1a",
        alpha: 0.05,
        worlds: Vec::new(),
        more: Vec::new(),
        larger: Vec::new(),
    };
    use Verdict::{Contradicted, Inconclusive, Supported, Untestable};
    let mute = |effect| rates(effect, 1, &[(Untestable, 20)]);
    vec![
        Calibration {
            worlds: vec![
                rates(0.0, 12, &[(Supported, 60), (Inconclusive, 440)]),
                rates(-1.0, 12, &[(Contradicted, 70), (Inconclusive, 30)]),
                rates(1.0, 12, &[(Supported, 50), (Inconclusive, 50)]),
                rates(2.0, 12, &[(Supported, 90), (Inconclusive, 10)]),
            ],
            more: vec![rates(1.0, 24, &[(Supported, 36), (Inconclusive, 4)])],
            larger: vec![
                rates(0.0, 24, &[(Supported, 3), (Inconclusive, 97)]),
                rates(-1.0, 24, &[(Contradicted, 90), (Inconclusive, 10)]),
                rates(1.0, 24, &[(Supported, 88), (Inconclusive, 12)]),
                rates(2.0, 24, &[(Supported, 100)]),
            ],
            ..one("H1a", Evidence::Published, "")
        },
        Calibration {
            worlds: vec![mute(0.0), mute(-1.0), mute(1.0), mute(2.0)],
            ..one("H1a", Evidence::Measured, "")
        },
        one("H1b", Evidence::Measured, "worlds of trainings are not simulated"),
    ]
}

pub(crate) fn view() -> View {
    View {
        provenance: Provenance {
            program: "0.1.0".into(),
            experiment: "small".into(),
            experiment_title: "One hypothesis on one model".into(),
            runtime: Some("1.27.0".into()),
            jobs: vec![("observe".into(), 25), ("judge".into(), 1)],
        },
        hypotheses: vec![hypothesis()],
        models: vec![ModelInfo {
            id: "tiny".into(),
            evidence: Evidence::Measured,
            facts: ModelFacts { family: Some("llama".into()), blocks: Some(2), ..ModelFacts::default() },
        }],
        profiles: vec![profile()],
        analysis: Analysis {
            sinks: vec![Sink {
                model: "tiny".into(),
                evidence: Evidence::Measured,
                protocol: FROBENIUS,
                prompts: 25,
                first: [8.0, 16.0],
                other: [2.0, 4.0],
                crossing: Length { tokens: None, low: Some(31.0), high: None },
                growing: None,
                seen: Vec::new(),
                rungs: vec![Rung {
                    prompt: "p".into(),
                    ladder: "Ladder".into(),
                    tokens: 4.0,
                    observed: 2.0,
                    predicted: 1.9,
                }],
                right_side: Some(1.0),
                r_squared: Some(0.5),
            }],
            ..Analysis::default()
        },
        metrics: vec![MetricDefinition {
            name: "last-gain".into(),
            unit: "ratio".into(),
            definition: "||h_L|| / ||h_(L-1)||".into(),
        }],
        claims: vec![claim()],
        statistics: vec![statistic()],
        family: vec![FamilyMember {
            hypothesis: "H1".into(),
            evidence: Evidence::Published,
            prediction: Some("H1a".into()),
            p: Some(0.02),
            holm: Some(0.06),
            of: 3,
            with_p: 2,
            null: "the mean over lineages is 0".into(),
            before: Some(Verdict::Supported),
            after: Some(Verdict::Inconclusive),
            note: "a support would not outlast it".into(),
        }],
        listed: vec![Listed {
            hypothesis: "H1".into(),
            prediction: "H1a".into(),
            evidence: Evidence::Measured,
            p: 0.02,
            adjusted: 0.04,
        }],
        registrations: vec![(
            "H1".into(),
            Registration {
                registered: Some(Key::of_bytes(b"before")),
                exploratory: true,
                diff: vec!["-at-least = 0.5".into(), "+at-least = 0.4".into()],
                later: vec!["2: wording (0123abcd)".into()],
                entered: vec!["models were left out: b".into()],
                derived: Some(Derived { from: "H0".into(), diff: vec!["-0.5".into(), "+0.4".into()] }),
                effects: vec![
                    "the change moves H1a, measured: contradicted as first registered, inconclusive now"
                        .into(),
                ],
            },
        )],
        calibrations: vec![("H1".into(), calibrations())],
        problems: vec!["other: no checkpoint under models/other".into()],
        ..View::default()
    }
}

#[test]
fn markdown_of_a_small_report() {
    insta::assert_snapshot!("markdown", Report::of(&view()).markdown());
}

#[test]
fn terminal_of_a_small_report() {
    insta::assert_snapshot!("terminal", Report::of(&view()).terminal());
}

/// Elements with their ids and classes, and the words in them. Style, script and drawings stand for themselves.
#[test]
fn structure_of_a_small_page() {
    let page = crate::page::parse(&Report::of(&view()).html().page).expect("well-formed");
    insta::assert_snapshot!("html", page.outline());
}
