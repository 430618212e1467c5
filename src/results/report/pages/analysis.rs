//! A page of what the numbers say beyond single claims: the effect of the first token, whose spread it is, replication.

use super::context::RenderContext;
use super::{ladder, prose, shares};
use crate::report::document::{
    Block, Cell, Digits, Group, Line, Page, Role, Span, Table, column, count, line, number, optional,
    or_dash, paragraph, percent, prose, protocol_links, row, strong,
};
use crate::report::text::capital;
use number::evidence::{Evidence, ModelInfo};
use number::protocol::Protocol;
use study::analysis::{Length, Replication, Sink, Spread};

pub(super) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    if !context.view.has_analysis() {
        return Vec::new();
    }
    let analysis = &context.view.analysis;
    let lead =
        "What the rows say beyond single claims, each kind of evidence by itself. No verdict rests on it.";
    let mut blocks = vec![Block::text(Role::Lead, lead)];
    blocks.extend(sinks(context, &analysis.sinks));
    blocks.extend(spreads(&analysis.spreads));
    blocks.extend(replications(context, &analysis.replications));
    vec![Page {
        id: "analysis".into(),
        group: Group::Report,
        label: ("First token and spread".into(), String::new()),
        kicker: Line::default(),
        title: "First token and spread".into(),
        blocks,
    }]
}

fn sinks(context: &RenderContext<'_>, sinks: &[Sink]) -> Vec<Block> {
    let Some(first) = sinks.first() else { return Vec::new() };
    let under = line![prose(prose::SINK), " All here is under ", protocol_links(&[first.protocol]), "."];
    let mut blocks =
        vec![Block::section("first-token", "The first token's part in a Frobenius gain"), paragraph(under)];
    for &evidence in Evidence::ALL {
        let of: Vec<&Sink> = sinks.iter().filter(|sink| sink.evidence == evidence).collect();
        if !of.is_empty() {
            blocks.push(Block::subheading(capital(evidence)));
            blocks.extend(sinks_of(context, evidence, &of));
        }
    }
    blocks
}

fn sinks_of(context: &RenderContext<'_>, evidence: Evidence, sinks: &[&Sink]) -> Vec<Block> {
    let mut blocks = Vec::new();
    blocks.extend(findings(sinks, &context.view.models).map(paragraph));
    blocks.extend(ladder::figure(&context.view.models, evidence, sinks).map(Block::figure));
    let columns = [
        "model",
        "prompts",
        "first token's norm B, before → after",
        "another token's norm r, before → after",
        "predicted gain is 1 at (tokens)",
        "… where r may grow with the length",
        "seen on each ladder (tokens)",
        "rungs",
        "on the predicted side of 1",
        "R² of log gain",
        "… where r may grow",
    ]
    .map(column);
    let caption =
        format!("{}: norms around the last block and what they predict for the ladders", capital(evidence));
    blocks.push(Block::Table(Table::new(caption, columns).with(sinks.iter().map(|sink| {
        let under = |digits: Digits| digits.under(&[sink.protocol]);
        let arrow = |pair: [f64; 2]| under(Digits::joined(pair.map(number), " → "));
        row![
            Cell::head(context.model_link(&sink.model)),
            count(sink.prompts),
            arrow(sink.first),
            arrow(sink.other),
            crossing(&sink.crossing, under),
            sink.growing.map_or_else(|| or_dash(None), |growing| crossing(&growing.crossing, under)),
            seen(&sink.seen, under),
            count(sink.rungs.len()),
            under(share(sink.right_side)),
            under(optional(sink.r_squared)),
            under(optional(sink.growing.and_then(|growing| growing.r_squared)))
        ]
    }))));
    let ladder = ladder::table(context, evidence, sinks);
    if !ladder.rows.is_empty() {
        blocks.push(Block::folded(ladder));
    }
    blocks
}

/// A length and its interval, e.g. `512 (186 to 1204)`; an end that no resample reaches is not there.
fn crossing(length: &Length, under: impl Fn(Digits) -> Span) -> Line {
    let digits = |tokens: f64| under(number(tokens));
    let mut said = length.tokens.map_or_else(|| Line::from("never"), |tokens| Line::from(digits(tokens)));
    match (length.low, length.high) {
        (Some(low), Some(high)) => said.push(line![" (", digits(low), " to ", digits(high), ")"]),
        (Some(low), None) => said.push(line![" (from ", digits(low), " on)"]),
        _ => {}
    }
    said
}

/// Where each ladder's gain changed side of 1, e.g. `186 to 195; 384 to 438`.
fn seen(seen: &[[f64; 2]], under: impl Fn(Digits) -> Span) -> Line {
    let mut said = Line::default();
    for (at, rungs) in seen.iter().enumerate() {
        if at > 0 {
            said.push("; ");
        }
        said.push(under(Digits::joined(rungs.map(number), " to ")));
    }
    if seen.is_empty() { or_dash(None) } else { said }
}

/// How well the ladders are predicted and whether there is a change of side to find, over models that have a ladder;
/// `None` without one.
fn findings(sinks: &[&Sink], models: &[ModelInfo]) -> Option<Line> {
    let fitted: Vec<(&Sink, f64)> = sinks.iter().filter_map(|sink| Some((*sink, sink.r_squared?))).collect();
    let is_original = |id: &str| models.iter().any(|model| model.id == id && model.facts.is_original());
    let only: Vec<(&Sink, f64)> =
        fitted.iter().copied().filter(|(sink, _)| is_original(&sink.model)).collect();
    let (kind, chosen) = if only.is_empty() {
        ("models", fitted)
    } else {
        ("models that are neither stages nor variants", only)
    };
    let protocols: Vec<Protocol> = chosen.first().map(|(sink, _)| sink.protocol).into_iter().collect();
    let all = chosen.len();
    let extreme = |of: &dyn Fn(&(&Sink, f64)) -> f64, pick: fn(f64, f64) -> f64| {
        chosen.iter().map(of).reduce(pick).map(|value| number(value).under(&protocols))
    };
    let fit = |found: &(&Sink, f64)| found.1;
    let (worst, best) = (extreme(&fit, f64::min)?, extreme(&fit, f64::max)?);
    let missed = chosen.iter().filter(|(_, fit)| *fit < 0.0).count();
    let mut said = if missed == 0 {
        line!["R² of the log gain over the ladders is ", worst, " to ", best, " for the ", count(all)]
    } else {
        let many = line![count(missed), " of ", count(all), " ", kind];
        line![
            strong(line!["The ladders are predicted badly for ", many]),
            ": R² of the log gain is negative, so one constant would do better than the lengths do (worst ",
            worst,
            ", best ",
            best,
            "). With each prompt's own B and r the formula is an identity; a miss says that they differ from the other prompts to \
             the ladders' texts by more than its length explains."
        ]
    };
    if missed == 0 {
        said.push(line![" ", kind, " that have one."]);
    }
    let sides = chosen.iter().filter(|(sink, _)| sink.crossing.tokens.is_some()).count();
    said.push(match sides {
        0 => line![
            " None of the ",
            count(all),
            " has a length at which the gain should change side: in none does one of B and r fall across the last block while \
             the other rises."
        ],
        _ => line![
            " For ",
            count(sides),
            " of the ",
            count(all),
            " there is a length at which the gain should change side."
        ],
    });
    let heavy = |found: &(&Sink, f64)| found.0.first[0] / found.0.other[0];
    let (lightest, heaviest) = (extreme(&heavy, f64::min)?, extreme(&heavy, f64::max)?);
    said.push(line![" Before the last block B is ", lightest, " to ", heaviest, " times r."]);
    Some(said)
}

fn spreads(spreads: &[Spread]) -> Vec<Block> {
    if spreads.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![
        Block::section("spread", "Whose spread is it"),
        paragraph(prose(prose::SPREAD)),
        Block::figure(shares::figure(spreads)),
    ];
    for &evidence in Evidence::ALL {
        let of: Vec<Spread> = spreads.iter().filter(|spread| spread.evidence == evidence).cloned().collect();
        if of.is_empty() {
            continue;
        }
        let mut columns = vec![column("share of the sum of squares")];
        columns.extend(of.iter().map(|spread| column(shares::head(spread))));
        let rows = shares::names(&of).into_iter().map(|name| {
            let mut row = vec![Cell::head(name)];
            row.extend(of.iter().map(|spread| {
                let part = spread.parts.iter().find(|part| part.name == name);
                Cell::new(share(part.map(|part| part.share)).under(&spread.protocols))
            }));
            row
        });
        let caption = format!("{}: shares of the sum of squares of the log gain", capital(evidence));
        blocks.push(Block::Table(Table::new(caption, columns).with(rows)));
    }
    blocks
}

fn replications(context: &RenderContext<'_>, replications: &[Replication]) -> Vec<Block> {
    // Only where something was published could it have come back.
    if replications.is_empty() && context.view.claims.is_empty() {
        return Vec::new();
    }
    let heading = Block::section("replication", "Published means and ours");
    if replications.is_empty() {
        return vec![heading, paragraph(prose::NO_REPLICATION)];
    }
    let columns = [
        "model",
        "published by",
        "protocol",
        "prompts",
        "published",
        "ours",
        "interval for ours",
        "replicates",
    ]
    .map(column);
    let rows = replications.iter().map(|one| {
        let under = |digits: Digits| digits.under(&[one.protocol]);
        let interval = one
            .low
            .zip(one.high)
            .map(|(low, high)| Line::from(under(Digits::joined([low, high].map(number), " to "))));
        row![
            Cell::head(context.model_link(&one.model)),
            format!("{} ({})", one.source, one.dtype),
            protocol_links(&[one.protocol]),
            count(one.prompts),
            under(number(one.published)),
            under(number(one.measured)),
            interval.unwrap_or_else(|| or_dash(None)),
            or_dash(one.replicates.map(|yes| if yes { "yes" } else { "no" }))
        ]
    });
    vec![
        heading,
        paragraph(prose::REPLICATION),
        Block::Table(Table::new("Published geometric means beside ours", columns).with(rows)),
    ]
}

fn share(value: Option<f64>) -> Digits {
    percent(value.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::facts::ModelFacts;
    use number::protocol::{Bos, Endpoint, Reduction};

    fn model(id: &str, kind: &str) -> ModelInfo {
        ModelInfo {
            id: id.into(),
            evidence: Evidence::Measured,
            facts: ModelFacts { kind: Some(kind.into()), ..ModelFacts::default() },
        }
    }

    fn sink(model: &str, crossing: Option<f64>, r_squared: f64) -> Sink {
        Sink {
            model: model.into(),
            evidence: Evidence::Measured,
            protocol: Protocol::new(Reduction::Frobenius, Endpoint::LastBlock, Bos::Auto),
            prompts: 5,
            first: [8.0, 8.0],
            other: [2.0, 2.5],
            crossing: Length { tokens: crossing, ..Length::default() },
            growing: None,
            seen: Vec::new(),
            rungs: Vec::new(),
            right_side: None,
            r_squared: Some(r_squared),
        }
    }

    #[test]
    fn a_ladder_predicted_worse_than_by_a_constant_is_called_so() {
        let models = [model("a", "original"), model("b", "original"), model("v", "variant")];
        let said = |a, b, crossing| {
            let sinks = [sink("a", crossing, a), sink("b", None, b), sink("v", None, -9.0)];
            findings(&sinks.iter().collect::<Vec<_>>(), &models).expect("two models have a ladder").plain()
        };
        let bad = said(-0.5, 0.7, None);
        assert!(
            bad.contains("badly for 1 of 2 models that are neither") && bad.contains("None of the 2"),
            "{bad}"
        );
        assert!(
            bad.contains("worst -0.5000, best 0.7000") && bad.contains("4.0000 to 4.0000 times"),
            "{bad}"
        );
        let good = said(0.9, 0.7, Some(12.0));
        assert!(!good.contains("badly") && good.contains("For 1 of the 2"), "{good}");
        assert_eq!(findings(&[], &models), None);
    }
}
