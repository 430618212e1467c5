//! The statistics that the research printed, recomputed from the published rows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use number::evidence::EvidenceTable;
use number::index::EvidenceIndex;
use results::tidy;
use study::published;
use study::published::claims::{
    Answer, ClaimOutcome, ClaimsError, OF_STATISTICS, Outcome, reproduce_statistics,
};

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn folder() -> PathBuf {
    project("data/published")
}

static TABLE: LazyLock<EvidenceTable> =
    LazyLock::new(|| published::import(&folder()).expect("the shipped tables import"));
static OUTCOMES: LazyLock<Vec<ClaimOutcome>> = LazyLock::new(|| {
    reproduce_statistics(&folder(), &EvidenceIndex::new(&TABLE)).unwrap_or_else(|error| panic!("{error}"))
});

fn outcome(id: &str) -> &'static ClaimOutcome {
    OUTCOMES.iter().find(|outcome| outcome.id == id).unwrap_or_else(|| panic!("{id} has an outcome"))
}

#[test]
fn every_printed_statistic_has_its_outcome() {
    let printed = published::printed_statistics(&folder()).expect("statistics.csv reads");
    let ids = |all: &mut dyn Iterator<Item = &String>| all.cloned().collect::<Vec<_>>();
    assert_eq!(ids(&mut printed.iter().map(|p| &p.id)), ids(&mut OUTCOMES.iter().map(|one| &one.id)));
    let count = |outcome| OUTCOMES.iter().filter(|one| one.outcome == outcome).count();
    assert_eq!(
        [Outcome::Reproduces, Outcome::Differs, Outcome::NoData].map(count),
        [410, 43, 84],
        "{:?}",
        OUTCOMES.iter().filter(|one| one.outcome == Outcome::Differs).map(|one| &one.id).collect::<Vec<_>>()
    );
}

#[test]
fn what_differs_says_why_and_what_has_no_rows_says_what_is_missing() {
    for one in OUTCOMES.iter() {
        match one.outcome {
            Outcome::Differs => assert!(one.differs.len() > 20, "{one:?}"),
            Outcome::Reproduces => assert!(one.differs.is_empty() && !one.measures.is_empty(), "{one:?}"),
            Outcome::NoData => assert!(one.note.starts_with("Missing: ") && one.rows == 0, "{one:?}"),
        }
    }
    for (id, why) in [
        ("S0065", "rounded means"),
        ("S0127", "No spread of these gains"),
        ("S0179", "-0.1768"),
        ("S0286", "100 times the gain"),
        ("S0390", "-0.8116 is the correlation with rho"),
        ("S0411", "p = 0.03571"),
        ("S0419", "one standard error"),
        ("S0433", "sum to 0"),
        ("S0501", "73 of 78 blocks"),
    ] {
        assert!(outcome(id).differs.contains(why), "{id}: {}", outcome(id).differs);
    }
}

/// tests/goldens/published_statistics.json: the same statistics by pandas and SciPy, from the same tables.
#[test]
fn every_recomputed_statistic_is_that_of_pandas_and_scipy() {
    let golden = std::fs::read(project("tests/goldens/published_statistics.json")).expect("the golden");
    let golden: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&golden).expect("JSON");
    for one in OUTCOMES.iter() {
        let (found, expected) = (one.recomputed.as_ref(), golden.get(&one.id));
        match (found, expected) {
            (None, None) => {}
            (Some(Answer::Words(found)), Some(serde_json::Value::String(expected))) => {
                assert_eq!(found, expected, "{}", one.id);
            }
            (Some(Answer::Number(found)), Some(serde_json::Value::Number(expected))) => {
                let expected = expected.as_f64().expect("a number");
                let near = (found - expected).abs() <= 1e-9 * expected.abs().max(1e-6);
                assert!(near, "{}: {found} against {expected}", one.id);
            }
            _ => panic!("{}: {found:?} against {expected:?}", one.id),
        }
    }
}

#[test]
fn the_tidy_table_has_every_statistic() {
    let bytes = tidy::printed_statistics(&OUTCOMES);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV reads");
    assert_eq!(records.len(), OUTCOMES.len());
    assert_eq!((&records[0][0], &records[0][2], &records[0][7]), ("S0001", "Gemma-7B", "reproduces"));
}

/// What is said of a copy of the folder in which the first `from` of statistics.toml is `to`.
fn mistake(from: &str, to: &str) -> String {
    let copy = tempfile::tempdir().expect("a folder");
    for name in [OF_STATISTICS, published::STATISTICS] {
        std::fs::copy(folder().join(name), copy.path().join(name)).expect("a copy");
    }
    let recipes = copy.path().join(OF_STATISTICS);
    let text = std::fs::read_to_string(&recipes).expect("recipes");
    assert!(text.contains(from), "{from}");
    std::fs::write(&recipes, text.replacen(from, to, 1)).expect("written");
    match reproduce_statistics(copy.path(), &EvidenceIndex::new(&TABLE)) {
        Err(ClaimsError::Toml(report)) => {
            report.diagnostics.iter().map(|d| format!("[{}] {}\n", d.text(), d.message)).collect()
        }
        other => panic!("{from} -> {to}: {other:?}"),
    }
}

#[test]
fn mistakes_in_recipes_of_statistics_are_told() {
    let cases = [
        ("ids = \"S0001-S0004\"", "ids = \"S0001-S0003\"", "S0004 (mean last gain) has no recipe"),
        ("ids = \"S0001-S0004\"", "ids = \"S0001-S0005\"", "S0005 has a recipe above"),
        ("ids = \"S0001-S0004\"", "ids = \"S0001-S0004, S9\"", "S9 is no claim"),
        (
            "statistic = [\"min last gain\"]",
            "statistic = [\"min last gains\"]",
            "no statistic of these ids is called \"min last gains\"",
        ),
        (
            "\"Gemma-7B\" = \"gemma-7b\"",
            "\"Gemma-7B\" = \"gemma-7\"",
            "rows.gain for Gemma-7B: no published row is left",
        ),
        (
            "'Factual', 'Cliche', 'Nonsense', 'Novel', 'Syntactic'",
            "'Factual', 'Cliche'",
            "the rows have the category \"Syntactic\", which is not named",
        ),
    ];
    for (from, to, expected) in cases {
        let said = mistake(from, to);
        assert!(said.contains(expected), "{from} -> {to}\nexpected {expected}\n{said}");
    }
}

#[test]
fn a_folder_without_statistics_has_none() {
    let empty = tempfile::tempdir().expect("a folder");
    let found = reproduce_statistics(empty.path(), &EvidenceIndex::new(&TABLE)).expect("nothing to read");
    assert!(found.is_empty());
    std::fs::copy(folder().join(OF_STATISTICS), empty.path().join(OF_STATISTICS)).expect("a copy");
    assert!(reproduce_statistics(empty.path(), &EvidenceIndex::new(&TABLE)).is_err());
}
