//! How numbers become verdicts: rules, protocols, needs, filters.

use number::{
    evidence::{Evidence, EvidenceTable, PromptInfo},
    metric::Metric,
};
use study::judge::outcome::{HypothesisOutcome, PredictionOutcome, Verdict};

use super::table::{
    BOTH, DOWN, EXPANDS, LAST, Table, UP, apart, hypothesis, measured, noted, outcome, published, statistic,
};

#[test]
fn means_clear_of_one_support_and_one_counterexample_contradicts() {
    let h = hypothesis("", EXPANDS);
    let up = Table::default().rows("a", Metric::LastGain, LAST, &UP).rows("b", Metric::LastGain, LAST, &UP);
    let found = published(&h, &up);
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert_eq!(
        found.primary.because,
        "the share of lineages that lie above with their whole interval (1) is at least 1"
    );
    assert_eq!(found.primary.unit, "log ratio");
    let estimate = &found.primary.estimates[0];
    assert!(estimate.low.unwrap() > 0.0 && estimate.low < estimate.value && estimate.value < estimate.high);
    assert!(estimate.p.unwrap() < 0.05, "p is below alpha as the interval excludes 0");

    let mixed = up.clone().rows("c", Metric::LastGain, LAST, &DOWN);
    assert_eq!(published(&h, &mixed).verdict, Verdict::Contradicted);

    let unclear = up.rows("c", Metric::LastGain, LAST, &BOTH);
    let found = published(&h, &unclear);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(
        found.primary.because.contains("their whole interval (0.667) is not at least 1"),
        "{}",
        found.primary.because
    );
}

#[test]
fn an_equivalent_protocol_that_contradicts_makes_a_claim_fragile() {
    let other = |relation: &str| {
        format!("[[also]]\nprotocol = \"mean-without-first/last-block\"\nrelation = \"{relation}\"\n")
    };
    let table = Table::default().rows("a", Metric::LastGain, LAST, &UP).rows(
        "a",
        Metric::LastGain,
        "mean-without-first/last-block",
        &DOWN,
    );
    let found = outcome(&hypothesis(&other("equivalent"), EXPANDS), &table);
    let prediction = &found.predictions[0];
    assert_eq!(prediction.primary.verdict, Verdict::Supported);
    assert_eq!(prediction.others[0].verdict, Verdict::Contradicted);
    assert_eq!(prediction.verdict, Verdict::Fragile);
    assert_eq!(found.verdicts[0], (Evidence::Published, Verdict::Fragile));
    // So does one that leaves it open: the verdict is not the same under both.
    let open = Table::default().rows("a", Metric::LastGain, LAST, &UP).rows(
        "a",
        Metric::LastGain,
        "mean-without-first/last-block",
        &BOTH,
    );
    assert_eq!(published(&hypothesis(&other("equivalent"), EXPANDS), &open).verdict, Verdict::Fragile);
    // Another estimand may well differ.
    let found = published(&hypothesis(&other("different-estimand"), EXPANDS), &table);
    assert_eq!(found.verdict, Verdict::Supported);
    // A protocol nobody measured under says nothing.
    let alone = Table::default().rows("a", Metric::LastGain, LAST, &UP);
    let found = published(&hypothesis(&other("equivalent"), EXPANDS), &alone);
    assert_eq!((found.verdict, found.others[0].verdict), (Verdict::Supported, Verdict::Untestable));
}

#[test]
fn untestable_says_exactly_what_is_missing() {
    let needy = hypothesis("", &format!("needs = {{ models = 16 }}\n{EXPANDS}"));
    let table =
        Table::default().rows("a", Metric::LastGain, LAST, &UP).rows("b", Metric::LastGain, LAST, &UP);
    let found = published(&needy, &table);
    assert_eq!(found.verdict, Verdict::Untestable);
    assert_eq!(found.primary.missing, ["needs 16 lineages of models, have 2 (a, b)"]);

    let needy = hypothesis("", &format!("needs = {{ prompts = 100 }}\n{EXPANDS}"));
    let found = published(&needy, &table).primary;
    assert_eq!(found.missing, ["last-gain: needs 100 prompts per model, have at most 6"]);
    assert_eq!(found.estimates.len(), 3, "what there is can still be read, and its pool");

    let mut h = hypothesis("", EXPANDS);
    h.models.ids = vec!["llama-3.1-8b".into()];
    h.protocol = "mean-without-first/last-block".parse().unwrap();
    let table = Table::default().rows("llama-3.1-8b", Metric::LastGain, LAST, &UP);
    let found = published(&h, &table);
    let missing =
        "no published row of metric last-gain under mean-without-first/last-block/auto for llama-3.1-8b";
    assert_eq!(found.primary.missing, [missing]);
    assert!(found.primary.because.contains(missing));

    let whole = outcome(&h, &table);
    assert_eq!(whole.verdicts[1], (Evidence::Measured, Verdict::Untestable), "nothing was measured");
}

#[test]
fn one_prompt_is_no_interval_and_an_aggregate_is_no_prompt() {
    let table = Table::default()
        .rows("a", Metric::LastGain, LAST, &UP)
        .row("a", "", Metric::LastGain, LAST, 99.0)
        .row("one", "p0", Metric::LastGain, LAST, 0.2)
        .row("whole", "", Metric::LastGain, LAST, 0.2);
    let found = published(&hypothesis("", EXPANDS), &table).primary;
    assert_eq!(statistic(&found, "models"), Some(3.0));
    assert_eq!(statistic(&found, "models-below"), Some(0.0));
    let values: Vec<u64> = found.estimates.iter().map(|e| e.n).collect();
    assert_eq!(values, [6, 1, 1]);
    assert!(found.estimates[0].value.unwrap() < 1.0, "the aggregate entered the mean");
    noted(&found, "one unit, no interval, neither above nor below: one, whole");
    noted(&found, "whole: only an aggregate over prompts exists");
    // What is not used needs no remark.
    let remarked =
        table.with(|row| row.definition = "used".into()).row("a", "", Metric::LastGain, LAST, 99.0);
    let remarked = remarked.with(|row| row.definition = "not used".into());
    let found = published(&hypothesis("", EXPANDS), &remarked).primary;
    noted(&found, "last-gain of whole: made-up: used");
    assert!(!found.notes.iter().any(|n| n.contains("not used")), "{:#?}", found.notes);
}

#[test]
fn rows_of_one_prompt_are_averaged_on_the_scale_and_said_so() {
    let table = Table::default()
        .row("a", "p0", Metric::LastGain, LAST, 1.0)
        .row("a", "p0", Metric::LastGain, LAST, 4.0)
        .with(|row| row.source = "another".into());
    let found = published(&hypothesis("", EXPANDS), &table).primary;
    assert!((found.estimates[0].value.unwrap() - 2.0_f64.ln()).abs() < 1e-12);
    assert_eq!(found.estimates[0].n, 1);
    noted(&found, "1 cells of last-gain are the mean of several rows (another float32, made-up float32)");
}

/// p of the effect of the mean in the primary specification.
fn effect_p(table: &Table) -> Option<f64> {
    let found = outcome(&hypothesis("", EXPANDS), table);
    super::table::curve(&found).specifications[0].p
}

#[test]
fn alpha_out_of_reach_is_said_instead_of_a_p() {
    let table = Table::default().rows("a", Metric::LastGain, LAST, &UP[..4]);
    let found = published(&hypothesis("", EXPANDS), &table).primary;
    let one = &found.estimates[0];
    assert_eq!(one.p.unwrap() < 0.05, one.low.unwrap() > 0.0, "p of a model and its interval say one thing");
    assert_eq!(effect_p(&table), None, "four prompts turn in 16 ways");
    let share = r#"
        test = { kind = "share-of-models", of = { metric = "last-gain" }, above = 1.0 }
        rule = { supported = [{ statistic = "p", below = 0.05 }] }
    "#;
    let found = published(&hypothesis("", share), &table).primary;
    assert_eq!((found.verdict, statistic(&found, "share")), (Verdict::Untestable, Some(1.0)));
    noted(&found, "cannot reach alpha = 0.05 with 1 lineages");
}

#[test]
fn comparing_protocols_without_saying_so_is_refused_even_past_the_check() {
    let ratio = |across: &str| {
        format!(
            r#"
            rule = {{ supported = [{{ statistic = "ratio", above = 1 }}] }}
            [prediction.test]
            kind = "ratio"
            {across}
            numerator = {{ metric = "last-gain", protocol = "mean/hf-last" }}
            denominator = {{ metric = "last-gain" }}
            "#
        )
    };
    let table = Table::default().row("a", "p", Metric::LastGain, "mean/hf-last", 3.0).row(
        "a",
        "p",
        Metric::LastGain,
        LAST,
        1.5,
    );
    let found = published(&hypothesis("", &ratio("")), &table);
    assert_eq!(found.verdict, Verdict::Untestable);
    assert!(found.primary.missing[0].starts_with("refused: last-gain under mean/hf-last/auto"), "{found:#?}");
    let found = published(&hypothesis("", &ratio("across-protocols = true")), &table);
    assert_eq!((found.verdict, statistic(&found.primary, "ratio")), (Verdict::Supported, Some(2.0)));
    assert_eq!(found.primary.protocols.len(), 2);
}

#[test]
fn only_tests_that_leave_a_protocol_open_are_repeated_under_others() {
    let also = "[[also]]\nprotocol = \"mean/last-block\"\nrelation = \"equivalent\"\n";
    let fixed = r#"
        test = { kind = "reproduce", targets = [{ printed = 0.61, of = { metric = "last-gain", protocol = "last/last-block" } }] }
        rule = { supported = [{ statistic = "worst-relative-error", below = 0.02 }] }
    "#;
    let table = Table::default().row("a", "p", Metric::LastGain, LAST, 0.6086);
    let found = measured(&hypothesis(also, fixed), &table);
    assert_eq!((found.verdict, found.others.len()), (Verdict::Supported, 0));
    assert_eq!(published(&hypothesis(also, EXPANDS), &table).others.len(), 1);
}

#[test]
fn a_value_is_not_reproduced_by_the_row_it_was_copied_from() {
    let test = r#"
        test = { kind = "reproduce", targets = [{ printed = 0.61, of = { metric = "last-gain" } }] }
        rule = { supported = [{ statistic = "worst-relative-error", below = 0.02 }], contradicted = [{ statistic = "worst-relative-error", at-least = 0.02 }] }
    "#;
    let table = |value| Table::default().row("a", "p", Metric::LastGain, LAST, value);
    let h = hypothesis("", test);
    let found = published(&h, &table(0.6086));
    assert_eq!(found.verdict, Verdict::Untestable);
    assert!(found.primary.because.contains("copied right, not reproduced"), "{}", found.primary.because);
    assert!(statistic(&found.primary, "worst-relative-error").unwrap() < 0.003, "still to be read");
    assert_eq!(published(&h, &table(0.7)).verdict, Verdict::Contradicted, "a slip of the pen is one");
    assert_eq!(measured(&h, &table(0.6086)).verdict, Verdict::Supported);
}

#[test]
fn rows_of_a_rehearsal_move_no_verdict_on_what_was_measured() {
    let h = hypothesis("", EXPANDS);
    let none = EvidenceTable::default();
    let measured = Table::default().rows("real", Metric::LastGain, LAST, &UP);
    let miniature = Table::default().rows("miniature", Metric::LastGain, LAST, &DOWN);
    let alone = apart(&h, [&none, &measured.0, &none]);
    let beside = apart(&h, [&none, &measured.0, &miniature.0]);
    assert_eq!(alone.verdicts[1], (Evidence::Measured, Verdict::Supported));
    assert_eq!(beside.verdicts[2], (Evidence::Rehearsal, Verdict::Contradicted));
    let of = |outcome: &HypothesisOutcome| -> Vec<PredictionOutcome> {
        outcome.predictions.iter().filter(|one| one.evidence == Evidence::Measured).cloned().collect()
    };
    assert_eq!(of(&alone), of(&beside));
    assert_eq!(
        (&alone.verdicts[..2], alone.curves.iter().find(|c| c.evidence == Evidence::Measured)),
        (&beside.verdicts[..2], beside.curves.iter().find(|c| c.evidence == Evidence::Measured))
    );
}

#[test]
fn a_core_prediction_that_evidence_is_not_asked_about_bars_its_support() {
    let mut h = hypothesis("", EXPANDS);
    h.predictions[0].evidence = vec![Evidence::Published];
    let mut second = h.predictions[0].clone();
    (second.id, second.evidence) = ("H0b".into(), Evidence::ALL.to_vec());
    h.predictions.push(second);
    let table = Table::default().rows("a", Metric::LastGain, LAST, &UP);
    let found = apart(&h, [&table.0, &table.0, &table.0]);
    let expected = [
        (Evidence::Published, Verdict::Supported),
        (Evidence::Measured, Verdict::Inconclusive),
        (Evidence::Rehearsal, Verdict::Inconclusive),
    ];
    assert_eq!(found.verdicts, expected);
    // Of evidence that nobody asks for nothing is said.
    let mut unasked = h.clone();
    unasked.predictions.iter_mut().for_each(|one| one.evidence = vec![Evidence::Measured]);
    let alone = apart(&unasked, [&table.0, &table.0, &table.0]);
    assert_eq!(alone.verdicts, [(Evidence::Measured, Verdict::Supported)]);
    // Beside the claim it bars nothing.
    h.predictions[0].core = false;
    let found = apart(&h, [&table.0, &table.0, &table.0]);
    assert_eq!(found.verdicts[1], (Evidence::Measured, Verdict::Supported));
}

#[test]
fn a_text_under_two_names_is_one_unit() {
    let prompt = |id: &str, text: &str| PromptInfo {
        id: id.into(),
        category: String::new(),
        text: text.into(),
        sets: Vec::new(),
    };
    let mut table = Table::default()
        .rows("a", Metric::LastGain, LAST, &UP)
        .row("a", "again", Metric::LastGain, LAST, UP[0])
        .row("a", "other", Metric::LastGain, LAST, UP[0]);
    table.0.prompts =
        vec![prompt("p0", "Water boils"), prompt("again", "Water boils"), prompt("other", "Ice melts")];
    let found = published(&hypothesis("", EXPANDS), &table).primary;
    assert_eq!(found.estimates[0].n, 7, "six and the other");
    noted(&found, "prompts that two sets name differently count once: 1");
    assert!(!found.notes.iter().any(|n| n.contains("mean of several rows")), "{:#?}", found.notes);
}

#[test]
fn effects_within_the_smallest_of_interest_are_negligible() {
    let test = r#"
        test = { kind = "mean-by-model", of = { metric = "last-gain", scale = "log" }, against = 0.0 }
        [prediction.rule]
        supported = [{ statistic = "smallest-low", at-least = 0.02 }]
        contradicted = [{ statistic = "smallest-high", at-most = -0.02 }]
        negligible = [{ statistic = "equivalence-low", above = -0.02 }, { statistic = "equivalence-high", below = 0.02 }]
    "#;
    let h = hypothesis("", test);
    let tiny = [1.001, 1.002, 1.003, 1.001, 1.002, 1.0025];
    let table = Table::default().rows("a", Metric::LastGain, LAST, &tiny);
    let found = published(&h, &table);
    assert_eq!(found.verdict, Verdict::Negligible, "clear of zero, yet too small to matter: {found:#?}");
    assert_eq!(statistic(&found.primary, "models-above"), Some(1.0));
    let up = table.clone().rows("b", Metric::LastGain, LAST, &UP);
    assert_eq!(published(&h, &up).verdict, Verdict::Inconclusive, "one model expands, one does nothing");
    let down = up.rows("c", Metric::LastGain, LAST, &DOWN);
    assert_eq!(published(&h, &down).verdict, Verdict::Contradicted);
    // A model without an interval could be anything.
    let one = table.row("one", "p0", Metric::LastGain, LAST, 1.0);
    let found = published(&h, &one);
    assert_eq!((found.verdict, statistic(&found.primary, "equivalence-low")), (Verdict::Inconclusive, None));
}

#[test]
fn revisions_and_variants_are_taken_only_by_a_filter_that_asks_for_them() {
    let names = ["unknown", "original", "step", "random", "instruct"];
    let mut table =
        names.iter().fold(Table::default(), |table, model| table.rows(model, Metric::LastGain, LAST, &UP));
    for (i, kind) in [(1, "original"), (2, "revision"), (3, "variant"), (4, "original")] {
        table.0.models[i].facts.kind = Some(kind.into());
    }
    table.0.models[2].facts.step = Some(8.0);
    table.0.models[3].facts.change = Some("random init".into());
    table.0.models[4].facts.change = Some("instruct".into());
    let found = |filter: &str| {
        let mut h = hypothesis("", EXPANDS);
        h.models = toml::from_str(filter).unwrap();
        let taken: Vec<String> = published(&h, &table)
            .primary
            .estimates
            .iter()
            .map(|e| e.label.clone())
            .filter(|l| l != "pooled")
            .collect();
        // What is worth measuring is never less than what is taken.
        for model in &table.0.models {
            let wanted = study::judge::asks_for(&h, &model.id, Evidence::Published, &model.facts);
            assert!(wanted || !taken.contains(&model.id), "{filter}: {}", model.id);
        }
        (taken, published(&h, &table).primary)
    };
    let (taken, _) = found("");
    assert_eq!(taken, ["instruct", "original", "unknown"]);
    // Another fact asks for no kind.
    assert_eq!(
        found(r#"where = [{ fact = "norm", is = "rmsnorm" }]"#).0,
        ["instruct", "original", "unknown"]
    );
    for (filter, expected) in [
        (r#"ids = ["random", "original"]"#, &["original", "random"][..]),
        (r#"where = [{ fact = "kind", is = "variant" }]"#, &["random"]),
        (r#"where = [{ fact = "change", is = "random init" }]"#, &["random"]),
        (r#"where = [{ fact = "change", is = "instruct" }]"#, &["instruct"]),
        (r#"where = [{ fact = "step", at-least = 1 }]"#, &["step"]),
    ] {
        assert_eq!(found(filter).0, expected, "{filter}");
    }
}

#[test]
fn models_are_taken_by_their_facts_and_unknown_facts_are_said() {
    let mut h = hypothesis("", EXPANDS);
    h.models.facts = toml::from_str::<std::collections::BTreeMap<String, Vec<_>>>(
        r#"where = [{ fact = "norm", is = "rmsnorm" }, { fact = "blocks", at-least = 4 }]"#,
    )
    .unwrap()
    .remove("where")
    .unwrap();
    let mut table = ["a", "layernorm", "shallow", "unknown"]
        .iter()
        .fold(Table::default(), |table, model| table.rows(model, Metric::LastGain, LAST, &UP));
    table.0.models[1].facts.norm = Some("layernorm".into());
    table.0.models[2].facts.blocks = Some(2);
    table.0.models[3].facts.norm = None;
    let found = published(&h, &table).primary;
    assert_eq!(found.estimates.iter().map(|e| e.label.as_str()).collect::<Vec<_>>(), ["a"]);
    noted(&found, "unknown left out: its norm is not known");
}

#[test]
fn another_model_moves_no_interval_and_the_same_seed_gives_the_same_outcome() {
    let h = hypothesis("", EXPANDS);
    let one = Table::default().rows("a", Metric::LastGain, LAST, &BOTH);
    let two = one.clone().rows("b", Metric::LastGain, LAST, &UP);
    assert_eq!(published(&h, &one), published(&h, &one));
    assert_eq!(published(&h, &one).primary.estimates[0], published(&h, &two).primary.estimates[0]);
}

#[test]
fn a_claim_of_either_stands_with_one_though_the_other_falls() {
    let mut h = hypothesis("", EXPANDS);
    let mut second = h.predictions[0].clone();
    (second.id, second.models) = ("H0b".into(), Some(toml::from_str("ids = [\"b\"]").unwrap()));
    h.predictions[0].models = Some(toml::from_str("ids = [\"a\"]").unwrap());
    h.predictions.push(second);
    let table =
        Table::default().rows("a", Metric::LastGain, LAST, &UP).rows("b", Metric::LastGain, LAST, &DOWN);
    assert_eq!(outcome(&h, &table).verdicts[0], (Evidence::Published, Verdict::Contradicted));
    h.stands = study::judge::hypothesis::Stands::Any;
    assert_eq!(outcome(&h, &table).verdicts[0], (Evidence::Published, Verdict::Supported));
}
