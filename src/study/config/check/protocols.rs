//! Checks protocols: a number never travels without its protocol, and numbers under different protocols are compared
//! only where the file says so.

use crate::config::document::{Document, Step, at};
use crate::config::report::Diagnostic;
use crate::judge::hypothesis::{Quantity, Test};
use number::protocol::Protocol;

/// Checks the protocols of one prediction (index `p` in its file).
pub(super) fn protocols(
    document: &Document,
    p: usize,
    primary: Protocol,
    test: &Test,
    found: &mut Vec<Diagnostic>,
) {
    let parts = test.parts();
    let full = |path: &[Step<'static>], last: &'static str| {
        [&[Step::from("prediction"), p.into(), "test".into()], path, &[last.into()]].concat()
    };
    let all = parts.walk();
    for (path, quantity) in &all {
        if quantity.protocol.is_some() && !quantity.has_protocol() {
            let message = format!("{} is a property of the weights: it has no protocol", quantity.name());
            found.push(document.error(&full(path, "protocol"), message).suggest("drop `protocol`"));
        }
    }
    for (i, twice) in parts.protocols.iter().enumerate() {
        if parts.protocols[..i].contains(twice) {
            let path = at!["prediction", p, "test", "protocols", i];
            found.push(document.error(path, format!("protocol {twice} is listed twice")));
            break;
        }
    }
    let advice = "add `across-protocols = true` to the test if the comparison is meant";
    if let (Some(false), [first, .., last]) = (parts.across, parts.protocols) {
        let message = format!("compares {first} with {last}: {LAW}");
        found.push(document.error(at!["prediction", p, "test", "protocols"], message).suggest(advice));
    }
    // Where each number is judged alone, only what is combined into one number is compared.
    let together = |a: &[Step], b: &[Step]| parts.across.is_some() || root(a) == root(b);
    if parts.across == Some(true) {
        return;
    }
    for (i, (path, right)) in all.iter().enumerate() {
        let clash = all[..i].iter().find(|(other, left)| {
            together(other, path) && !left.decisive(primary).agree(right.decisive(primary))
        });
        let Some((left_path, left)) = clash else { continue };
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
        let error = document.error(&place, message);
        found.push(match parts.across {
            Some(_) => error.suggest(advice),
            None => error.suggest("combine numbers of one protocol"),
        });
        return;
    }
}

/// The quantity that a path lies in, without what it is combined with.
fn root<'p>(path: &'p [Step<'p>]) -> &'p [Step<'p>] {
    let combined = |step: &Step| matches!(step, Step::Key("times" | "over"));
    &path[..path.iter().position(combined).unwrap_or(path.len())]
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
