//! Branches that quantities name, against those that models have. The models are read by whoever asks.

use std::{collections::BTreeMap, path::Path};

use super::common::Found;
use crate::config::document::{Document, Step};
use crate::config::report::Report;
use crate::judge::hypothesis::Hypothesis;
use crate::judge::kind::Parts;

/// Names of branches by the id of the model that has them.
pub type BranchesByModel = BTreeMap<String, Vec<String>>;

/// Whether some quantity of a hypothesis names a branch.
pub fn names_a_branch(hypothesis: &Hypothesis) -> bool {
    let named = |parts: Parts<'_>| parts.walk().iter().any(|(_, quantity)| quantity.branch.is_some());
    hypothesis.predictions.iter().any(|prediction| named(prediction.test.parts()))
}

/// Says of every quantity of a hypothesis whose branch no model has, which branches there are. Of no model nothing is known,
/// and nothing is said.
///
/// # Errors
/// The report of all such quantities, or that the file cannot be read.
pub fn branches(path: &Path, hypothesis: &Hypothesis, known: &BranchesByModel) -> Result<(), Report> {
    let document = Document::open(path).map_err(|diagnostics| Report { diagnostics, files: 1 })?;
    let mut found = Found::new();
    for (p, prediction) in hypothesis.predictions.iter().enumerate() {
        let root = [Step::from("prediction"), p.into(), "test".into()];
        for (path, quantity) in prediction.test.parts().walk() {
            let Some(branch) = &quantity.branch else { continue };
            if known.is_empty() || known.values().flatten().any(|known| known == branch) {
                continue;
            }
            let place = [&root[..], &path, &["branch".into()]].concat();
            let message =
                format!("no model of the experiment has a branch {branch:?}; branches: {}", in_words(known));
            let error = document.error(&place, message);
            found.push(error.suggest_nearest(branch, known.values().flatten().map(String::as_str)));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(Report { diagnostics: found, files: 1 }) }
}

/// E.g. `attn, mlp (gpt2 and 2 others); mixer (mamba)`.
fn in_words(known: &BranchesByModel) -> String {
    let mut models = BTreeMap::<String, Vec<&str>>::new();
    for (model, branches) in known {
        models.entry(branches.join(", ")).or_default().push(model);
    }
    let lists = models.iter().map(|(branches, models)| match &models[..] {
        [one] => format!("{branches} ({one})"),
        [first, other] => format!("{branches} ({first} and {other})"),
        [first, rest @ ..] => format!("{branches} ({first} and {} others)", rest.len()),
        [] => branches.clone(),
    });
    lists.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_that_no_model_has_is_named_with_those_that_there_are() {
        let text = crate::config::template::hypothesis("H19");
        let start = text.find("[prediction.test]").unwrap();
        let end = start + text[start..].find("[prediction.rule]").unwrap();
        let test = "[prediction.test]\nkind = \"mean-by-model\"\n\
            of = { metric = \"branch-write\", branch = \"cros\", select = { layer = 0 } }\n";
        let text = [&text[..start], test, &text[end..]].concat();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("H19.toml");
        std::fs::write(&path, &text).unwrap();
        let hypothesis: Hypothesis = toml::from_str(&text).unwrap();
        let known = |branches: &[&[&str]]| -> BranchesByModel {
            let named = |(i, branches): (usize, &&[&str])| {
                (format!("m{i}"), branches.iter().map(|branch| branch.to_string()).collect())
            };
            branches.iter().enumerate().map(named).collect()
        };
        let report = branches(&path, &hypothesis, &known(&[&["attn", "mlp"], &["cross"], &["attn", "mlp"]]));
        let report = report.unwrap_err();
        let [found] = &report.diagnostics[..] else { panic!("{report:?}") };
        let expected =
            "no model of the experiment has a branch \"cros\"; branches: attn, mlp (m0 and m2); cross (m1)";
        assert_eq!(found.message, expected);
        assert_eq!(found.suggestion.as_deref(), Some("did you mean `cross`?"));
        assert!(found.line > 1 && found.column > 1);
        assert!(branches(&path, &hypothesis, &known(&[&["cros"]])).is_ok());
        assert!(branches(&path, &hypothesis, &known(&[])).is_ok(), "of no model nothing is known");
    }
}
