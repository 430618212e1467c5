//! Every defensible way of judging one prediction: which there are, and how each relates to the primary one.
//!
//! Protocols are the full product of what was observed. What can be left out (a category, a family of models) or taken alone
//! (a prompt set, a source, a dtype) is varied one at a time, under the primary protocol and its equivalents: elsewhere it would vary
//! another question.

use std::collections::BTreeSet;

use super::{
    findings::Seen,
    hypothesis::{Dimension, Hypothesis, Multiverse, Relation},
    outcome::{Choice, Kinship},
    row_filter::RowFilter,
};
use number::{
    index::EvidenceIndex,
    metric::{DecisiveParts, Metric},
    protocol::Protocol,
};

/// More ways than this are not walked: subsets are then taken under the primary protocol alone.
const MOST: usize = 400;

/// One way of judging a prediction.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Way {
    /// The protocol of every number that states none of its own.
    pub protocol: Protocol,
    /// The rows that are kept.
    pub rows: RowFilter,
    /// How it relates to the primary way.
    pub kinship: Kinship,
    /// Differs from no other way but in parts of the protocol that do not enter the numbers: not in the curve.
    pub repeats: bool,
}

/// The ways, the primary one first, and remarks on them.
pub(super) struct Ways {
    pub ways: Vec<Way>,
    pub notes: Vec<String>,
    /// The parts of the primary protocol that enter the numbers.
    decisive: DecisiveParts,
}

impl Way {
    pub(super) fn primary(hypothesis: &Hypothesis) -> Way {
        let (protocol, rows) = (hypothesis.protocol, RowFilter::default());
        Way { protocol, rows, kinship: Kinship::Primary, repeats: false }
    }

    /// Fewer rows than the primary way has, so that an open verdict may be lost power alone.
    pub(super) fn is_subset(&self) -> bool {
        self.rows != RowFilter::default()
    }
}

impl Ways {
    /// From what the primary test met. Protocols that the hypothesis lists come whether observed or not.
    pub(super) fn of(hypothesis: &Hypothesis, seen: &Seen, index: &EvidenceIndex<'_>) -> Ways {
        let multiverse = hypothesis.multiverse.clone().unwrap_or_default();
        let parts = |metric: &Metric| metric.decisive(hypothesis.protocol);
        let decisive = seen.free.iter().map(parts).fold(DecisiveParts::default(), DecisiveParts::or);
        let most = seen.free.iter().map(|metric| parts(metric).count()).max();
        let primary = Way::primary(hypothesis);
        let mut ways = vec![primary.clone()];
        let mut notes = Vec::new();
        let gains = decisive.reduction.is_some() || decisive.endpoint.is_some();
        let listed = if gains { &hypothesis.also[..] } else { &[] };
        let mut protocols: Vec<Protocol> = listed.iter().map(|other| other.protocol).collect();
        // Numbers that fewer parts enter follow whatever the others vary.
        for metric in seen.free.iter().filter(|metric| Some(parts(metric).count()) == most) {
            let observed = index.observed(*metric).map(|parts| parts.filled(hypothesis.protocol));
            protocols.extend(observed.filter(|p| inside(&multiverse, *p, hypothesis.protocol)));
        }
        let mut known = BTreeSet::from([hypothesis.protocol]);
        let mut same = BTreeSet::new();
        let mut elsewhere = false;
        for protocol in protocols {
            if !known.insert(protocol) {
                continue;
            }
            // A BOS policy that gives the same tokens to every model is no other specification.
            let twin = ways.iter().find(|way| is_twin(way.protocol, protocol, seen, index));
            same.extend(twin.map(|way| (protocol.bos.as_str(), way.protocol.bos.as_str())));
            let mut own = relation(hypothesis, &multiverse, protocol);
            // One token's entropy goes with that token's gain: a mean over others is of another thing.
            if seen.last_position
                && own == Relation::Equivalent
                && protocol.reduction != hypothesis.protocol.reduction
            {
                (own, elsewhere) = (Relation::DifferentEstimand, true);
            }
            ways.push(Way {
                protocol,
                rows: RowFilter::default(),
                kinship: kinship(own),
                repeats: twin.is_some() || decisive.of(protocol).filled(hypothesis.protocol) != protocol,
            });
        }
        for (policy, other) in same {
            notes.push(format!(
                "BOS = {policy} gives the numbers of BOS = {other} on every model here: one specification"
            ));
        }
        if elsewhere {
            notes.push(
                "another quantity is read at the last position: reductions over other tokens estimate something else".into(),
            );
        }
        let subsets = subsets(&multiverse, seen, index);
        let mut under: Vec<Way> = ways
            .iter()
            .filter(|way| !way.repeats && way.kinship != Kinship::DifferentEstimand)
            .cloned()
            .collect();
        if ways.len() + under.len() * subsets.len() > MOST {
            notes.push(format!(
                "subsets are taken under the primary protocol alone: else more than {MOST} specifications"
            ));
            under.truncate(1);
        }
        for way in &under {
            ways.extend(subsets.iter().map(|(rows, relation)| Way {
                rows: rows.clone(),
                kinship: kinship(*relation),
                ..way.clone()
            }));
        }
        Ways { ways, notes, decisive }
    }

    /// What each way chose, in dimensions that vary here or are part of every number's protocol.
    pub(super) fn choices(&self) -> Vec<Vec<Choice>> {
        let shown = |dimension: Dimension| match dimension {
            Dimension::Reduction => self.decisive.reduction.is_some(),
            Dimension::Endpoint => self.decisive.endpoint.is_some(),
            Dimension::Bos => self.decisive.bos.is_some(),
            _ => self.ways.iter().any(|way| chosen(way, dimension) != "all"),
        };
        let dimensions: Vec<Dimension> = Dimension::ALL.iter().copied().filter(|d| shown(*d)).collect();
        let choice = |way: &Way, d: Dimension| Choice { dimension: d.label().into(), value: chosen(way, d) };
        self.ways.iter().map(|way| dimensions.iter().map(|d| choice(way, *d)).collect()).collect()
    }
}

/// Whether two protocols differ in the BOS policy alone, and no number of any model does.
fn is_twin(a: Protocol, b: Protocol, seen: &Seen, index: &EvidenceIndex<'_>) -> bool {
    let alike = a.reduction == b.reduction && a.endpoint == b.endpoint && a.bos != b.bos;
    alike
        && !seen.free.is_empty()
        && seen.free.iter().all(|metric| index.same_numbers(*metric, a, b, &seen.models))
}

fn chosen(way: &Way, dimension: Dimension) -> String {
    let RowFilter { without_category, without_models: _, without_family, set, source, dtype } = &way.rows;
    let all = || "all".to_string();
    match dimension {
        Dimension::Reduction => way.protocol.reduction.to_string(),
        Dimension::Endpoint => way.protocol.endpoint.to_string(),
        Dimension::Bos => way.protocol.bos.to_string(),
        Dimension::Categories => without_category.as_ref().map_or_else(all, |c| format!("without {c}")),
        Dimension::Models => without_family.as_ref().map_or_else(all, |f| format!("without family {f}")),
        Dimension::Sets => set.clone().unwrap_or_else(all),
        Dimension::Source => source.clone().unwrap_or_else(all),
        Dimension::Dtype => dtype.clone().unwrap_or_else(all),
    }
}

/// Whether a protocol differs from the primary one in dimensions of the multiverse only.
fn inside(multiverse: &Multiverse, protocol: Protocol, primary: Protocol) -> bool {
    (protocol.reduction == primary.reduction || multiverse.has(Dimension::Reduction))
        && (protocol.endpoint == primary.endpoint || multiverse.has(Dimension::Endpoint))
        && (protocol.bos == primary.bos || multiverse.has(Dimension::Bos))
}

/// As listed; a listed reduction and endpoint under another BOS policy is as that policy is; anything not listed estimates
/// something else.
fn relation(hypothesis: &Hypothesis, multiverse: &Multiverse, protocol: Protocol) -> Relation {
    if let Some(listed) = hypothesis.also.iter().find(|other| other.protocol == protocol) {
        return listed.relation;
    }
    let alike =
        |other: Protocol| other.reduction == protocol.reduction && other.endpoint == protocol.endpoint;
    let own = match hypothesis.also.iter().find(|other| alike(other.protocol)) {
        _ if alike(hypothesis.protocol) => Relation::Equivalent,
        Some(other) => other.relation,
        None => Relation::DifferentEstimand,
    };
    match multiverse.relation(Dimension::Bos, protocol.bos.as_str()) {
        Relation::DifferentEstimand if protocol.bos != hypothesis.protocol.bos => Relation::DifferentEstimand,
        _ => own,
    }
}

fn kinship(relation: Relation) -> Kinship {
    match relation {
        Relation::Equivalent => Kinship::Equivalent,
        Relation::DifferentEstimand => Kinship::DifferentEstimand,
    }
}

/// One thing left out, or taken alone, at a time. Where there is but one of a kind nothing varies.
fn subsets(multiverse: &Multiverse, seen: &Seen, index: &EvidenceIndex<'_>) -> Vec<(RowFilter, Relation)> {
    let mut subsets = Vec::new();
    let mut add = |dimension: Dimension, values: &BTreeSet<String>, filter: &dyn Fn(&str) -> RowFilter| {
        if multiverse.has(dimension) && values.len() > 1 {
            subsets.extend(values.iter().map(|v| (filter(v), multiverse.relation(dimension, v))));
        }
    };
    let some = |value: &str| Some(value.to_string());
    add(Dimension::Categories, &seen.categories, &|category| RowFilter {
        without_category: some(category),
        ..RowFilter::default()
    });
    let family_of = |model: &str| index.model(model)?.fact("family")?.as_str();
    let families = seen.models.iter().filter_map(|m| family_of(m).map(String::from)).collect();
    add(Dimension::Models, &families, &|family| RowFilter {
        without_models: seen.models.iter().filter(|m| family_of(m) == Some(family)).cloned().collect(),
        without_family: some(family),
        ..RowFilter::default()
    });
    add(Dimension::Sets, &seen.sets, &|set| RowFilter { set: some(set), ..RowFilter::default() });
    add(Dimension::Source, &seen.sources, &|source| RowFilter {
        source: some(source),
        ..RowFilter::default()
    });
    add(Dimension::Dtype, &seen.dtypes, &|dtype| RowFilter { dtype: some(dtype), ..RowFilter::default() });
    subsets
}
