//! Outcomes as CSV rows: predictions, their statistics and estimates, and the points of specification curves.

use super::columns::table;
use crate::csv_cell::cell;
use number::protocol::Protocol;
use study::judge::outcome::{HypothesisOutcome, Judgement, PredictionOutcome};

/// `predictions.csv`.
pub fn predictions(outcomes: &[HypothesisOutcome]) -> Vec<u8> {
    csv("predictions", |rows| {
        for (head, prediction, judgement) in judgements(outcomes) {
            let mut row = head;
            row.extend([
                prediction.core.to_string(),
                judgement.verdict.to_string(),
                prediction.verdict.to_string(),
                judgement.because.clone(),
                judgement.missing.join("; "),
            ]);
            rows.push(row);
        }
    })
}

/// `statistics.csv`.
pub fn statistics(outcomes: &[HypothesisOutcome]) -> Vec<u8> {
    csv("statistics", |rows| {
        for (head, _, judgement) in judgements(outcomes) {
            for statistic in &judgement.statistics {
                let mut row = head.clone();
                row.extend([statistic.name.clone(), number(statistic.value)]);
                rows.push(row);
            }
        }
    })
}

/// `estimates.csv`.
pub fn estimates(outcomes: &[HypothesisOutcome]) -> Vec<u8> {
    csv("estimates", |rows| {
        for (head, _, judgement) in judgements(outcomes) {
            for estimate in &judgement.estimates {
                let mut row = head.clone();
                row.extend([
                    estimate.label.clone(),
                    judgement.unit.clone(),
                    number(estimate.value),
                    number(estimate.low),
                    number(estimate.high),
                    number(estimate.p),
                    estimate.n.to_string(),
                ]);
                rows.push(row);
            }
        }
    })
}

/// `specifications.csv`.
pub fn specifications(outcomes: &[HypothesisOutcome]) -> Vec<u8> {
    csv("specifications", |rows| {
        for outcome in outcomes {
            for curve in &outcome.curves {
                for (at, one) in curve.specifications.iter().enumerate() {
                    let choices: Vec<String> =
                        one.choices.iter().map(|c| format!("{}={}", c.dimension, c.value)).collect();
                    rows.push(vec![
                        outcome.id.clone(),
                        curve.prediction.clone(),
                        curve.evidence.to_string(),
                        (at + 1).to_string(),
                        choices.join("; "),
                        one.relation.to_string(),
                        one.verdict.to_string(),
                        curve.effect.clone(),
                        number(one.effect),
                        number(one.low),
                        number(one.high),
                        number(one.p),
                        one.n.to_string(),
                    ]);
                }
            }
        }
    })
}

/// Every judgement with the columns that name it: hypothesis, prediction, evidence, protocol, primary.
fn judgements(
    outcomes: &[HypothesisOutcome],
) -> impl Iterator<Item = (Vec<String>, &PredictionOutcome, &Judgement)> {
    outcomes.iter().flat_map(|outcome| {
        outcome.predictions.iter().flat_map(move |prediction| {
            let all = std::iter::once((&prediction.primary, true))
                .chain(prediction.others.iter().map(|other| (other, false)));
            all.map(move |(judgement, primary)| {
                let protocols: Vec<String> = judgement.protocols.iter().map(Protocol::to_string).collect();
                let head = vec![
                    outcome.id.clone(),
                    prediction.id.clone(),
                    prediction.evidence.to_string(),
                    protocols.join(" and "),
                    primary.to_string(),
                ];
                (head, prediction, judgement)
            })
        })
    })
}

/// As many digits as tell the number from its neighbours.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |v| format!("{v:?}"))
}

pub(super) fn csv(name: &str, fill: impl FnOnce(&mut Vec<Vec<String>>)) -> Vec<u8> {
    let mut rows =
        vec![table(name).map_or_else(Vec::new, |table| {
            table.columns.iter().map(|column| column.name.to_string()).collect()
        })];
    fill(&mut rows);
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Into memory, every row as wide as the header: neither can fail.
        let _ = writer.write_record(row.iter().map(|text| cell(text).into_owned()));
    }
    writer.into_inner().unwrap_or_default()
}
