//! What a cheat would try: each is seen.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::config;

fn hypothesis(id: &str) -> Hypothesis {
    let text = config::template::hypothesis(id);
    toml::from_str(&text).expect("the template is valid")
}

fn entered() -> Entered {
    let texts = |text: &[u8]| Texts { prompts: 20, texts: Key::of_bytes(text) };
    Entered {
        seed: 1,
        judge: REHEARSAL_SINCE,
        models: ["a", "b", "c"].map(String::from).to_vec(),
        model_list: None,
        models_as_listed: Some(Key::of_bytes(b"list")),
        published: Some(Key::of_bytes(b"tables")),
        prompts: [("one".to_string(), texts(b"1")), ("two".to_string(), texts(b"2"))].into(),
    }
}

fn add(folder: &Path, hypothesis: &Hypothesis, why: &str) -> bool {
    let new = New { hypothesis, why, commit: None, entered: entered() };
    !register(folder, vec![new]).unwrap().is_empty()
}

fn compared(folder: &Path, hypothesis: &Hypothesis) -> Registration {
    compare(&Log::read(folder).unwrap(), hypothesis, &entered())
}

#[test]
fn a_changed_meaning_is_exploratory_with_its_diff_and_stays_so_when_registered_again() {
    let dir = tempfile::tempdir().unwrap();
    let first = hypothesis("H19");
    let new = compared(dir.path(), &first);
    assert_eq!((new.registered, new.exploratory), (Some(hypothesis_key(&first)), false));
    assert!(add(dir.path(), &first, "first verdict"));
    assert!(!add(dir.path(), &first, "again"), "nothing to add");
    assert_eq!(compared(dir.path(), &first), new, "a first verdict and a second one look the same");

    let changed = Hypothesis { alpha: 0.1, ..first.clone() };
    let found = compared(dir.path(), &changed);
    assert!(found.exploratory && found.registered == Some(hypothesis_key(&first)));
    assert!(found.diff.contains(&"-  \"alpha\": 0.05,".to_string()), "{:#?}", found.diff);
    assert!(found.diff.contains(&"+  \"alpha\": 0.1,".to_string()), "{:#?}", found.diff);
    let then = first_meaning(&Log::read(dir.path()).unwrap(), &changed).unwrap().unwrap();
    assert_eq!(then.alpha, 0.05, "what is judged beside it");

    assert!(add(dir.path(), &changed, "level of\nthe field"));
    let again = compared(dir.path(), &changed);
    assert!(again.exploratory && again.diff == found.diff, "no laundering");
    assert!(again.later[0].starts_with("2: level of the field ("), "{:?}", again.later);
    assert!(!compared(dir.path(), &first).exploratory, "back to the first");
}

#[test]
fn what_was_called_measured_before_rehearsal_had_a_name_means_both() {
    let dir = tempfile::tempdir().unwrap();
    let of = |evidence: &[Evidence]| {
        let mut one = hypothesis("H19");
        one.predictions.iter_mut().for_each(|prediction| prediction.evidence = evidence.to_vec());
        one
    };
    let old = of(&[Evidence::Measured]);
    let new = New {
        hypothesis: &old,
        why: "first verdict",
        commit: None,
        entered: Entered { judge: REHEARSAL_SINCE - 1, ..entered() },
    };
    register(dir.path(), vec![new]).unwrap();
    assert!(!compared(dir.path(), &of(&Evidence::OBSERVED)).exploratory, "the same rows are judged");
    let found = compared(dir.path(), &old);
    assert!(found.exploratory, "without those of miniatures it is another claim");
    let removed: Vec<&String> = found.diff.iter().filter(|line| line.starts_with("-  ")).collect();
    assert!(removed.iter().any(|line| line.contains("rehearsal")), "{:#?}", found.diff);
    let then = first_meaning(&Log::read(dir.path()).unwrap(), &old).unwrap().unwrap();
    assert_eq!(then.predictions[0].evidence, Evidence::OBSERVED, "what is judged beside it");
}

#[test]
fn another_title_or_origin_is_the_same_claim() {
    let dir = tempfile::tempdir().unwrap();
    let first = hypothesis("H19");
    add(dir.path(), &first, "first verdict");
    let renamed = Hypothesis { title: "Other".into(), origin: "Elsewhere".into(), ..first };
    assert!(!compared(dir.path(), &renamed).exploratory);
    assert!(!add(dir.path(), &renamed, "renamed"));
}

#[test]
fn an_entry_that_was_changed_removed_or_exchanged_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for id in ["H19", "H20", "H21"] {
        assert!(add(dir.path(), &hypothesis(id), "first verdict"));
    }
    let path = path(dir.path());
    let text = fs::read_to_string(&path).unwrap();
    assert!(!add(dir.path(), &hypothesis("H19"), "again") && fs::read_to_string(&path).unwrap() == text);
    let parts: Vec<&str> = text.split("[[registration]]\n").collect();
    let [head, first, second, third] = parts[..] else { panic!("{text}") };
    let joined = |parts: &[&str]| parts.join("[[registration]]\n");
    let unhashed = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1)
    };
    let edited = [
        (unhashed(&text, "\"alpha\": 0.05", "\"alpha\": 0.1"), "changed after it was made"),
        (unhashed(&text, "first verdict", "no verdict"), "changed after it was made"),
        (unhashed(&text, "\"draft\"", "\"prospective\""), "changed after it was made"),
        (unhashed(&text, "seed = 1", "seed = 2"), "changed after it was made"),
        (joined(&[head, first, third]), "does not follow"),
        (joined(&[head, second, third]), "does not follow"),
        (joined(&[head, first, third, second]), "does not follow"),
        (joined(&[head, first, second, second, third]), "does not follow"),
    ];
    for (edited, expected) in edited {
        fs::write(&path, edited).unwrap();
        let error = Log::read(dir.path()).unwrap_err().to_string();
        assert!(error.contains("log.toml") && error.contains(expected), "{error}");
        let refused = New { hypothesis: &hypothesis("H22"), why: "x", commit: None, entered: entered() };
        assert!(register(dir.path(), vec![refused]).is_err(), "nothing is added to it");
    }
}

#[test]
fn what_enters_otherwise_than_when_registered_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let mine = hypothesis("H19");
    add(dir.path(), &mine, "first verdict");
    let said = |change: &dyn Fn(&mut Entered)| {
        let mut now = entered();
        change(&mut now);
        compare(&Log::read(dir.path()).unwrap(), &mine, &now).entered.join("; ")
    };
    assert_eq!(said(&|_| {}), "");
    assert_eq!(said(&|now| drop(now.models.remove(1))), "models were left out: b");
    assert_eq!(said(&|now| now.models.push("d".into())), "models were added: d");
    let other = said(&|now| now.models_as_listed = Some(Key::of_bytes(b"other")));
    assert_eq!(other, "the model list says something else of the same models");
    assert!(said(&|now| now.prompts.retain(|id, _| id != "two")).contains("prompt set two was left out"));
    let cut = said(&|now| now.prompts.get_mut("one").unwrap().prompts = 3);
    assert_eq!(cut, "prompt set one has 3 prompts, 20 when registered");
    assert!(
        said(&|now| now.prompts.get_mut("one").unwrap().texts = Key::of_bytes(b"x")).contains("other texts")
    );
    assert!(said(&|now| now.published = Some(Key::of_bytes(b"x"))).contains("tables are others"));
    assert!(said(&|now| now.published = None).contains("tables were left out"));
    assert_eq!(said(&|now| now.seed = 2), "the seed is 2, 1 when registered");
    let expected = format!("the judge is version 99, {REHEARSAL_SINCE} when registered");
    assert_eq!(said(&|now| now.judge = 99), expected);
    // Registered again with the change: the first one still is what it is compared with.
    let now = Entered { seed: 2, ..entered() };
    let new = New { hypothesis: &mine, why: "another seed", commit: None, entered: now.clone() };
    assert_eq!(register(dir.path(), vec![new]).unwrap(), ["H19"]);
    let text = fs::read_to_string(path(dir.path())).unwrap();
    assert_eq!(
        text.matches("meaning = ").count(),
        1,
        "a meaning that is repeated is not written again: {text}"
    );
    let found = compare(&Log::read(dir.path()).unwrap(), &mine, &now);
    assert_eq!((found.entered.len(), found.exploratory), (1, false));
}

fn shipped() -> Vec<Hypothesis> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../experiments/hypotheses");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &PathBuf| toml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    files.iter().map(read).collect()
}

#[test]
fn a_copy_under_another_id_is_derived_and_claims_of_their_own_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let all = shipped();
    for one in &all {
        add(dir.path(), one, "first verdict");
    }
    for one in &all {
        let found = compared(dir.path(), one).derived;
        assert!(found.is_none(), "{} from {}", one.id, found.unwrap().from);
    }
    for original in &all {
        // Another id, other words, another smallest effect of interest, another level.
        let text = serde_json::to_string(original).unwrap().replace("0.02", "0.01").replace("0.1,", "0.2,");
        let mut copy: Hypothesis = serde_json::from_str(&text).unwrap();
        copy.id = format!("{}13", original.id);
        copy.alpha = 0.01;
        copy.statement = "A claim of its own.".into();
        for prediction in &mut copy.predictions {
            prediction.id = prediction.id.replace(&original.id, &copy.id);
            prediction.claim = "Something else.".into();
        }
        let derived = compared(dir.path(), &copy).derived.unwrap_or_else(|| panic!("{}", copy.id));
        assert_eq!(derived.from, original.id);
        assert!(derived.diff.iter().any(|line| line.contains("\"alpha\": 0.01")), "{:#?}", derived.diff);
        // One prediction of it alone, too.
        copy.predictions.truncate(1);
        copy.predictions[0].core = true;
        assert!(compared(dir.path(), &copy).derived.is_some(), "{}", copy.id);
    }
}
