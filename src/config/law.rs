//! The law: a number never travels without its protocol, and numbers under different protocols are compared only
//! where the file says so.

use super::document::{Document, Step, at};
use super::hypothesis::{Quantity, Test};
use super::report::Diagnostic;
use crate::metric::Depends;
use crate::protocol::Protocol;

/// Quantities of a test, each with its path inside the test.
pub type Quantities<'a> = Vec<(Vec<Step<'static>>, &'a Quantity)>;

/// Checks the protocols of one prediction (index `p` in its file).
pub fn protocols(document: &Document, p: usize, primary: Protocol, test: &Test, found: &mut Vec<Diagnostic>) {
    let quantities = quantities(test);
    for (path, quantity) in &quantities {
        if quantity.protocol.is_some() && !quantity.metric.describe().needs_protocol() {
            let path =
                [&[Step::from("prediction"), p.into(), "test".into()], &path[..], &["protocol".into()]]
                    .concat();
            let message = format!("{} is a property of the weights: it has no protocol", quantity.metric);
            found.push(document.error(&path, message).suggest("drop `protocol`"));
        }
    }
    if let Test::SignFlip { protocols, .. } = test {
        if protocols.len() < 2 {
            let path = at!["prediction", p, "test", "protocols"];
            found.push(document.error(path, "a sign flip needs at least two protocols"));
        }
        if let Some((i, twice)) = protocols.iter().enumerate().find(|(i, one)| protocols[..*i].contains(one))
        {
            let path = at!["prediction", p, "test", "protocols", i];
            found.push(document.error(path, format!("protocol {twice} is listed twice")));
        }
    }
    if compares_across(test) != Some(false) {
        return;
    }
    let advice = "add `across-protocols = true` to the test if the comparison is meant";
    if let Test::SignFlip { protocols, .. } = test
        && let [first, .., last] = protocols[..]
    {
        let message = format!("compares {first} with {last}: {LAW}");
        found.push(document.error(at!["prediction", p, "test", "protocols"], message).suggest(advice));
    }
    for (i, (path, right)) in quantities.iter().enumerate() {
        let clash = quantities[..i].iter().find(|(_, left)| differ(left, right, primary));
        let Some((left_path, left)) = clash else { continue };
        let full = |path: &[Step<'static>], last: &'static str| {
            [&[Step::from("prediction"), p.into(), "test".into()], path, &[last.into()]].concat()
        };
        let protocol = |quantity: &Quantity| quantity.protocol.unwrap_or(primary);
        let message = format!(
            "`{}` is measured under {}, `{}` under {}: {LAW}",
            name(left_path),
            protocol(left),
            name(path),
            protocol(right),
        );
        let place =
            if right.protocol.is_some() { full(path, "protocol") } else { full(left_path, "protocol") };
        found.push(document.error(&place, message).suggest(advice));
        return;
    }
}

const LAW: &str =
    "a number never travels without its protocol, and two are compared across protocols only on purpose";

fn name(path: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Key(key) => (*key).to_string(),
        Step::Index(index) => index.to_string(),
    };
    path.iter().map(step).collect::<Vec<_>>().join(".")
}

/// Whether any part of the protocol that both metrics depend on differs.
fn differ(left: &Quantity, right: &Quantity, primary: Protocol) -> bool {
    let (a, b) = (left.protocol.unwrap_or(primary), right.protocol.unwrap_or(primary));
    let shared = left.metric.describe().depends.min(right.metric.describe().depends);
    (shared >= Depends::Reduction && a.reduction != b.reduction)
        || (shared >= Depends::Everything && a.endpoint != b.endpoint)
        || (shared >= Depends::Tokens && a.bos != b.bos)
}

/// `across-protocols` of a test that compares numbers; `None` where each number is judged alone.
fn compares_across(test: &Test) -> Option<bool> {
    match test {
        Test::Correlation { across_protocols, .. }
        | Test::Ratio { across_protocols, .. }
        | Test::LogRatioSplit { across_protocols, .. }
        | Test::Identity { across_protocols, .. }
        | Test::SignFlip { across_protocols, .. }
        | Test::Proportional { across_protocols, .. } => Some(*across_protocols),
        Test::MeanByModel { .. }
        | Test::ShareOfModels { .. }
        | Test::Categories { .. }
        | Test::LowestCategory { .. }
        | Test::Reproduce { .. }
        | Test::SinkFit { .. } => None,
    }
}

/// Every quantity of a test with its path inside the test.
pub fn quantities(test: &Test) -> Quantities<'_> {
    match test {
        Test::MeanByModel { of, .. }
        | Test::ShareOfModels { of, .. }
        | Test::Categories { of }
        | Test::LowestCategory { of, .. } => keyed([("of", of)]),
        Test::Correlation { x, y, given, .. } => {
            let mut all = keyed([("x", x), ("y", y)]);
            all.extend(
                given.iter().enumerate().map(|(i, one)| (vec![Step::Key("given"), Step::Index(i)], one)),
            );
            all
        }
        Test::Proportional { x, y, .. } => keyed([("x", x), ("y", y)]),
        Test::Ratio { numerator, denominator, .. } => {
            keyed([("numerator", numerator), ("denominator", denominator)])
        }
        Test::LogRatioSplit { a, b, corner, .. } => keyed([("a", a), ("b", b), ("corner", corner)]),
        Test::Identity { left, right, .. } => keyed([("left", left), ("right", right)]),
        Test::Reproduce { targets } => {
            let path = |i| vec![Step::Key("targets"), Step::Index(i), Step::Key("of")];
            targets.iter().enumerate().map(|(i, target)| (path(i), &target.of)).collect()
        }
        Test::SinkFit { .. } | Test::SignFlip { .. } => Vec::new(),
    }
}

fn keyed<'a, const N: usize>(list: [(&'static str, &'a Quantity); N]) -> Quantities<'a> {
    list.into_iter().map(|(key, quantity)| (vec![Step::Key(key)], quantity)).collect()
}
