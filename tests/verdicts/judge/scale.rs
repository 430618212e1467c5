//! Judging a million rows: `cargo test --release --test judge -- --ignored --nocapture scale`.

use std::time::Instant;

use base::hash::Key;
use number::{
    evidence::{Evidence, EvidenceTable, Measurement, ModelInfo},
    facts::ModelFacts,
    metric::Metric,
    protocol::{Bos, Endpoint, Protocol, Reduction},
};
use study::judge::judge;

use super::table::hypothesis;

const MODELS: usize = 20;
const PROMPTS: usize = 110;
const LAYERS: u32 = 16;

/// The last gain under all 45 protocols, and norms of two kinds at every layer under all 15 without endpoints.
fn million() -> EvidenceTable {
    let mut table = EvidenceTable::default();
    for m in 0..MODELS {
        let id = format!("some-family-model-{m:02}");
        let facts = ModelFacts { blocks: Some(LAYERS), ..ModelFacts::default() };
        table.models.push(ModelInfo { id: id.clone(), facts });
        for p in 0..PROMPTS {
            let mut put = |metric: Metric, layer: Option<u32>, protocol: Protocol| {
                let n = table.rows.len();
                table.rows.push(Measurement {
                    evidence: Evidence::Measured,
                    source: "streamgauge".into(),
                    model: id.clone(),
                    prompt: Some(format!("the-number-of-this-prompt-is-{p:03}")),
                    category: Some(["Factual", "Nonsense", "Story", "Code", "Original"][p % 5].into()),
                    metric,
                    layer,
                    protocol: Some(protocol),
                    dtype: "float32".into(),
                    value: 1.0 + (n * 7919 % 1009) as f64 / 1009.0,
                    definition: String::new(),
                });
            };
            for &bos in Bos::ALL {
                for &reduction in Reduction::ALL {
                    for &endpoint in Endpoint::ALL {
                        put(Metric::LastGain, None, Protocol::new(reduction, endpoint, bos));
                    }
                    for layer in 1..=LAYERS {
                        put(
                            Metric::ResidualNorm,
                            Some(layer),
                            Protocol::new(reduction, Endpoint::LastBlock, bos),
                        );
                        if layer <= LAYERS - 2 {
                            put(
                                Metric::MlpWrite,
                                Some(layer),
                                Protocol::new(reduction, Endpoint::LastBlock, bos),
                            );
                        }
                    }
                }
            }
        }
    }
    table
}

#[test]
#[ignore = "a measurement of time, not a test of behaviour"]
fn scale_of_look_ups() {
    let table = million();
    assert!(table.rows.len() >= 1_000_000, "{}", table.rows.len());
    let also: String = Bos::ALL
        .iter()
        .flat_map(|bos| Protocol::all(*bos))
        .filter(|p| p.to_string() != super::table::LAST)
        .take(39)
        .map(|p| format!("[[also]]\nprotocol = \"{p}\"\nrelation = \"different-estimand\"\n"))
        .collect();
    // A cheap statistic, so that looking up is what takes the time: 5 predictions of 2 quantities under 40 protocols.
    let mut one = hypothesis(
        &also,
        r#"
        rule = { supported = [{ statistic = "ratio", above = 1 }] }
        [prediction.test]
        kind = "ratio"
        numerator = { metric = "last-gain" }
        denominator = { metric = "residual-norm", select = { layers-before-last = 0 } }
        "#,
    );
    let predictions = (0..5).map(|i| {
        let mut prediction = one.predictions[0].clone();
        prediction.id = format!("H0{i}");
        prediction
    });
    one.predictions = predictions.collect();
    let start = Instant::now();
    for _ in 0..18 {
        let outcome = judge(&one, Key::of_bytes(b"h"), &EvidenceTable::default(), &table, 7);
        assert_eq!(outcome.predictions[1].others.len(), 39);
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} rows, 18 hypotheses x 5 predictions x 40 protocols x 2 quantities: {seconds:.1} s",
        table.rows.len()
    );
}
