//! The page of error rates: how often each verdict would have come out had a claim been false, and had it been true; and what of it is
//! said beside the verdicts themselves.

use std::collections::BTreeMap;

use super::context::RenderContext;
use super::prose;
use super::rates;
use crate::report::document::{
    Block, Cell, Digits, Group, Line, Page, Role, Span, Table, column, count, line, link, number, or_dash,
    paragraph, percent, prose, row, strong,
};
use crate::report::text::{capital, evidence_phrase};
use number::evidence::Evidence;
use number::protocol::Protocol;
use study::judge::outcome::Verdict;
use study::judge::{Calibration, Rates, WANTED_POWER};

/// The address of the page.
const ADDRESS: &str = "error-rates";
const TITLE: &str = "What this judge would have said";

pub(super) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let all: Vec<(&str, &Calibration)> = all(context).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::text(Role::Lead, lead(&all))];
    blocks.extend(excesses(context, &all));
    blocks.push(Block::section("worlds", "What was simulated"));
    blocks.push(paragraph(prose(prose::WORLDS)));
    blocks.push(paragraph(prose(prose::WORLDS_OF_SHAPES)));
    blocks.push(paragraph(prose(prose::WORLDS_SAY_NOT)));
    for &evidence in Evidence::ALL {
        let of: Vec<(&str, &Calibration)> =
            all.iter().copied().filter(|(_, one)| one.evidence == evidence).collect();
        blocks.extend(on(context, evidence, &of));
    }
    blocks.extend(not_simulated(context, &all));
    vec![Page {
        id: ADDRESS.into(),
        group: Group::Report,
        label: (TITLE.into(), String::new()),
        kicker: "Error rates of the rules".into(),
        title: TITLE.into(),
        blocks,
    }]
}

/// Every prediction that was simulated, or why it was not, with its hypothesis.
fn all<'a>(context: &RenderContext<'a>) -> impl Iterator<Item = (&'a str, &'a Calibration)> {
    let all = context.view.calibrations.iter();
    all.flat_map(|(hypothesis, of)| of.iter().map(move |one| (hypothesis.as_str(), one)))
}

fn lead(all: &[(&str, &Calibration)]) -> Line {
    let simulated: Vec<&Calibration> =
        all.iter().map(|(_, one)| *one).filter(|one| !one.worlds.is_empty()).collect();
    let speaking: Vec<&Calibration> = simulated.iter().copied().filter(|one| !one.is_mute()).collect();
    let powerful = |effect: f64| {
        let found = |one: &&&Calibration| one.power(effect).is_some_and(|power| power >= WANTED_POWER);
        speaking.iter().filter(found).count()
    };
    line![
        "How often a rule is wrong is measured here, not assumed: for ",
        count(simulated.len()),
        " predictions on a kind of evidence worlds were simulated in which the claim is false, and in which it is true, and the rule as \
         it stands judged each. ",
        count(speaking.len()),
        " of them can come to a verdict on as many models and prompts as there are: a true claim would be found in 80 of 100 worlds by ",
        count(powerful(1.0)),
        " if its effect were just the smallest one of interest, by ",
        count(powerful(2.0)),
        " if it were twice that."
    ]
}

/// Rules that are wrong more often than their level allows.
fn excesses(context: &RenderContext<'_>, all: &[(&str, &Calibration)]) -> Vec<Block> {
    let found: Vec<Line> = all
        .iter()
        .flat_map(|(hypothesis, one)| one.excesses().map(move |rates| (*hypothesis, *one, rates)))
        .map(|(hypothesis, one, rates)| {
            let (said, is) = if rates.holds { ("contradicted", "true") } else { ("supported", "false") };
            line![
                named(context, hypothesis, &one.prediction),
                format!(", {}: {said} in ", evidence_phrase(one.evidence)),
                count(rates.false_verdicts()),
                " of ",
                count(rates.runs),
                " worlds of ",
                count(rates.lineages),
                format!(" lineages in which it is {is} ({}", rates::of_effect(rates.effect)),
                rates::smaller(rates, one).map(|drawn| line![", drawn: ", drawn]),
                ")"
            ]
        })
        .collect();
    match found.is_empty() {
        true => vec![paragraph(line![
            strong("No rule is wrong more often than its level allows"),
            ", beyond what chance does with so many worlds: a false claim is supported, and a true one contradicted, in at most the \
             level of its hypothesis (",
            Digits::joined(levels(all).into_iter().map(percent), ", ").counted(),
            ") of them."
        ])],
        false => vec![
            paragraph(line![
                strong("Wrong more often than the level allows"),
                ", beyond what chance does with so many worlds:"
            ]),
            Block::Notes(found),
        ],
    }
}

/// The levels of the hypotheses, each once.
fn levels(all: &[(&str, &Calibration)]) -> Vec<f64> {
    let mut levels: Vec<f64> = all.iter().map(|(_, one)| one.alpha).collect();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    levels
}

/// The figure and the table of one kind of evidence, and the predictions that can say nothing on it.
fn on(context: &RenderContext<'_>, evidence: Evidence, of: &[(&str, &Calibration)]) -> Vec<Block> {
    let simulated: Vec<(&str, &Calibration)> =
        of.iter().copied().filter(|(_, one)| !one.worlds.is_empty()).collect();
    if simulated.is_empty() {
        return Vec::new();
    }
    let (mute, speaking): (Vec<_>, Vec<_>) = simulated.iter().copied().partition(|(_, one)| one.is_mute());
    let mut blocks = vec![Block::heading(capital(evidence))];
    let seen: Vec<Worlds<'_>> = speaking.iter().map(|(of, one)| (*of, *one, &one.worlds[..])).collect();
    blocks.extend(shown(context, evidence, &seen, false));
    if !mute.is_empty() {
        let each = mute.iter().map(|(hypothesis, one)| {
            let mut line = Line::from(named(context, hypothesis, &one.prediction));
            line.push(one.enough().map(|rates| line![" (", enough(one, rates), ")"]));
            line
        });
        blocks.push(paragraph(line![
            strong("Whatever is true, untestable"),
            " on as many models and prompts as there are (what would find a true claim in brackets, where a number that was tried does): ",
            Line::joined(each, ", "),
            "."
        ]));
    }
    let larger = simulated.iter().filter(|(_, one)| !one.larger.is_empty());
    let larger: Vec<Worlds<'_>> = larger.map(|(of, one)| (*of, *one, &one.larger[..])).collect();
    if !larger.is_empty() {
        blocks.push(paragraph(
            "The same with as many lineages and prompts as find a true claim, or where none that were tried do with the most of them:",
        ));
        blocks.extend(shown(context, evidence, &larger, true));
    }
    blocks
}

/// A prediction of a hypothesis, and its worlds of one size.
type Worlds<'a> = (&'a str, &'a Calibration, &'a [Rates]);

/// The figure and the table of some worlds.
fn shown(context: &RenderContext<'_>, evidence: Evidence, of: &[Worlds<'_>], larger: bool) -> Vec<Block> {
    if of.is_empty() {
        return Vec::new();
    }
    let drawn: Vec<(&Calibration, &[Rates])> = of.iter().map(|(_, one, worlds)| (*one, *worlds)).collect();
    let protocols = protocols(context, evidence, &drawn);
    vec![
        Block::figure(rates::figure(evidence, &drawn, larger, protocols)),
        Block::folded(table(context, evidence, of, larger)),
    ]
}

/// The protocols that these predictions are judged under.
fn protocols(
    context: &RenderContext<'_>,
    evidence: Evidence,
    drawn: &[(&Calibration, &[Rates])],
) -> Vec<Protocol> {
    let outcomes = context.view.hypotheses.iter().flat_map(|hypothesis| &hypothesis.predictions);
    let of = outcomes.filter(|outcome| {
        outcome.evidence == evidence && drawn.iter().any(|(one, _)| one.prediction == outcome.id)
    });
    let mut protocols: Vec<Protocol> = of.flat_map(|outcome| outcome.primary.protocols.clone()).collect();
    protocols.sort();
    protocols.dedup();
    protocols
}

fn named(context: &RenderContext<'_>, hypothesis: &str, prediction: &str) -> Span {
    link(context.hypothesis(hypothesis), prediction)
}

/// `20 lineages, 25 prompts each`.
fn enough(one: &Calibration, rates: &Rates) -> Line {
    let mut line = line![count(rates.lineages), if rates.lineages == 1 { " lineage" } else { " lineages" }];
    if rates.prompts > 0 {
        line.push(line![", ", count(rates.prompts), if rates.prompts == 1 { " prompt" } else { " prompts" }]);
    }
    if rates.effect == 2.0 {
        line.push(", for twice the smallest effect");
    }
    if let Some(drawn) = rates::smaller(rates, one) {
        line.push(line![" (drawn: ", drawn, ")"]);
    }
    line
}

fn table(context: &RenderContext<'_>, evidence: Evidence, of: &[Worlds<'_>], larger: bool) -> Table {
    let columns = [
        "prediction",
        "smallest effect",
        "lineages",
        "prompts",
        "false: no effect",
        "false: the other way",
        "true: once",
        "true: twice",
        "worlds",
        "would do",
    ]
    .map(column);
    let rows = of.iter().map(|(hypothesis, one, worlds)| {
        let [none, other, once, twice] =
            rates::placed(worlds).map(|rates| rates.map_or_else(|| or_dash(None), shares));
        let first = &worlds[0];
        let runs: Vec<u32> = worlds.iter().map(|rates| rates.runs).collect();
        row![
            Cell::head(named(context, hypothesis, &one.prediction)),
            smallest(one, worlds),
            count(first.lineages),
            count(first.prompts),
            none,
            other,
            once,
            twice,
            Digits::joined(dedup(runs).into_iter().map(|runs| Digits::quoted(runs.to_string())), ", ")
                .counted(),
            one.enough().map_or_else(|| or_dash(None), |rates| enough(one, rates))
        ]
    });
    let caption = format!(
        "{}{}: percent of worlds in which it is supported / contradicted / negligible / inconclusive / untestable",
        capital(evidence),
        if larger { ", more lineages or prompts" } else { "" }
    );
    Table::new(caption, columns).with(rows)
}

fn dedup(mut runs: Vec<u32>) -> Vec<u32> {
    runs.sort_unstable();
    runs.dedup();
    runs
}

/// The smallest effect of interest; one that no rule states is marked, and one of which a multiple was not drawn as such.
fn smallest(one: &Calibration, worlds: &[Rates]) -> Line {
    let Some(smallest) = one.smallest else { return or_dash(None) };
    let mut line = Line::from(number(smallest).said_by_row());
    if !one.stated {
        line.push(", not stated");
    }
    for rates in worlds.iter().filter(|rates| rates.effect > 0.0) {
        if let Some(drawn) = rates::smaller(rates, one) {
            let times = if rates.effect == 2.0 { ", twice" } else { "" };
            line.push(line![times, " drawn as ", drawn]);
        }
    }
    line
}

fn shares(rates: &Rates) -> Line {
    let shares = rates::VERDICTS
        .iter()
        .map(|(verdict, ..)| Digits::quoted(format!("{:.0}", 100.0 * rates.share(*verdict))));
    Digits::joined(shares, " / ").counted().into()
}

/// By reason, the predictions of which no worlds were drawn.
fn not_simulated(context: &RenderContext<'_>, all: &[(&str, &Calibration)]) -> Vec<Block> {
    let mut reasons = BTreeMap::<&str, Vec<(&str, &str, Vec<&str>)>>::new();
    for (hypothesis, one) in all.iter().filter(|(_, one)| !one.not_simulated.is_empty()) {
        let of = reasons.entry(&one.not_simulated).or_default();
        let kind = evidence_phrase(one.evidence);
        match of.iter_mut().find(|(_, prediction, _)| *prediction == one.prediction) {
            Some((.., kinds)) => kinds.push(kind),
            None => of.push((hypothesis, &one.prediction, vec![kind])),
        }
    }
    let lines: Vec<Line> = reasons
        .into_iter()
        .map(|(reason, of)| {
            let each = of.into_iter().map(|(hypothesis, prediction, kinds)| {
                line![named(context, hypothesis, prediction), format!(" ({})", kinds.join(", "))]
            });
            line![Line::joined(each, ", "), format!(": {reason}")]
        })
        .collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let summary = line!["Not simulated, and why (", count(lines.len()), " reasons)"];
    vec![Block::Fold { summary, blocks: vec![Block::Notes(lines)] }]
}

/// What the opening page says of error rates; `None` where nothing was simulated.
pub(super) fn pointer(context: &RenderContext<'_>) -> Option<Block> {
    all(context).next()?;
    Some(paragraph(line![
        "How often each verdict would come out were the claim false, and were it true: ",
        link(ADDRESS, TITLE),
        "."
    ]))
}

/// What a prediction's section says: how often its rule finds what is true on these data, and supports what is false.
pub(super) fn beside_verdict(context: &RenderContext<'_>, hypothesis: &str, prediction: &str) -> Vec<Block> {
    let own = all(context).filter(|(of, one)| *of == hypothesis && one.prediction == prediction);
    let lines: Vec<Line> = own.filter_map(|(_, one)| said(one)).collect();
    if lines.is_empty() { Vec::new() } else { vec![Block::Notes(lines)] }
}

fn said(one: &Calibration) -> Option<Line> {
    let of = evidence_phrase(one.evidence);
    let worlds = |line: Line| line![line, " (", link(ADDRESS, "simulated worlds"), ")."];
    if one.worlds.is_empty() {
        return None;
    }
    let would_do = one.enough().map(|rates| line!["; ", enough(one, rates), " would do"]);
    if one.is_mute() {
        let line = line![
            format!("With data like these ({of}) the rule would find nothing, whatever is true"),
            would_do
        ];
        return Some(worlds(line));
    }
    let wrong = percent(one.falsely_supported()?).counted();
    let line = match (one.power(1.0), one.power(2.0), one.power(0.0)) {
        (Some(once), Some(twice), _) => line![
            format!(
                "With data like these ({of}) the rule would find a true effect of once the smallest one of interest in "
            ),
            percent(once).counted(),
            " of worlds, of twice that in ",
            percent(twice).counted()
        ],
        (.., Some(none)) => line![
            format!(
                "With data like these ({of}) the rule would find that there is no effect, where that is so, in "
            ),
            percent(none).counted(),
            " of worlds"
        ],
        _ => return None,
    };
    Some(worlds(line![
        line,
        ", and would wrongly support the claim in ",
        wrong,
        " of those in which it is false",
        would_do
    ]))
}

/// How many lineages and prompts would find an open core prediction if it is true; `None` where none that were tried would.
pub(super) fn needs(context: &RenderContext<'_>, hypothesis: &str, evidence: Evidence) -> Option<Line> {
    let outcome = context.view.hypotheses.iter().find(|outcome| outcome.id == hypothesis)?;
    let open = outcome.predictions.iter().filter(|one| {
        one.core
            && one.evidence == evidence
            && matches!(one.verdict, Verdict::Inconclusive | Verdict::Untestable)
    });
    let each: Vec<Line> = open
        .filter_map(|open| {
            let of = |(of, one): &(&str, &Calibration)| {
                *of == hypothesis && one.prediction == open.id && one.evidence == evidence
            };
            let (_, own) = all(context).find(of)?;
            Some(line![open.id.as_str(), " with ", enough(own, own.enough()?)])
        })
        .collect();
    (!each.is_empty()).then(|| {
        line![
            "In ",
            link(ADDRESS, "simulated worlds"),
            " 80 of 100 true claims are found: ",
            Line::joined(each, "; "),
            "."
        ]
    })
}
