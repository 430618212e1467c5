//! Why a job is stale, for people and programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::keys::DERIVED;
use base::hash::{Fields, Key};

/// The reason a job has to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Why {
    /// Nothing was ever recorded for its slot.
    New,
    /// A field of its key is not what it was. Values are shortened for reading.
    Changed {
        /// Name of the first field that changed.
        field: String,
        /// Its value when the slot was last recorded.
        before: String,
        /// Its value now.
        after: String,
        /// Names of further fields that changed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<String>,
    },
    /// Nothing of its own changed, but a job it reads from is stale.
    Needs {
        /// The first stale job it reads from.
        slot: String,
    },
    /// Its output was recorded, but is damaged or missing.
    Damaged,
}

/// Stands for the value of a field that one side does not have.
const ABSENT: &str = "(absent)";

impl Why {
    /// Compares the key's fields then and now; `stale_need` is the first stale job it reads from.
    pub(super) fn between(before: &Fields, after: &Fields, stale_need: Option<&str>) -> Why {
        let mut changed = changes(before, after);
        let own: Vec<_> = changed.iter().filter(|(name, ..)| !DERIVED.contains(name)).copied().collect();
        match (own.is_empty(), stale_need) {
            (true, Some(slot)) => return Why::Needs { slot: slot.to_string() },
            (false, _) => changed = own,
            (true, None) => {}
        }
        let mut changed = changed.into_iter();
        match changed.next() {
            Some((field, before, after)) => Why::Changed {
                field: field.to_string(),
                before: short(before),
                after: short(after),
                also: changed.map(|(name, ..)| name.to_string()).collect(),
            },
            // Only the order of the fields or the kind of job differs, or the same key is recorded without output.
            None if before == after => Why::Damaged,
            None => Why::Changed {
                field: "job".to_string(),
                before: before.job.clone(),
                after: after.job.clone(),
                also: Vec::new(),
            },
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::New => f.write_str("new"),
            Why::Changed { field, before, after, also } => {
                write!(f, "{field} changed: {before} -> {after}")?;
                if also.is_empty() { Ok(()) } else { write!(f, " (also {})", also.join(", ")) }
            }
            Why::Needs { slot } => write!(f, "needs {slot}"),
            Why::Damaged => f.write_str("its stored output is damaged or missing"),
        }
    }
}

/// Name, before, after of every field that differs; fields of `after` first, in key order.
fn changes<'a>(before: &'a Fields, after: &'a Fields) -> Vec<(&'a str, &'a str, &'a str)> {
    let now = after
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), before.get(name).unwrap_or(ABSENT), value.as_str()));
    let gone = before.fields.iter().filter(|(name, _)| after.get(name).is_none());
    let gone = gone.map(|(name, value)| (name.as_str(), value.as_str(), ABSENT));
    now.chain(gone).filter(|(_, before, after)| before != after).collect()
}

/// Keys by their first eight digits, texts by their first 40 characters.
fn short(value: &str) -> String {
    if let Ok(key) = value.parse::<Key>() {
        return key.short();
    }
    match value.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe() -> Fields {
        Fields::new("observe").with("weights", Key::of_bytes(b"1")).with("bos", "auto").with("prompt", "a")
    }

    fn json(why: &Why) -> String {
        serde_json::to_string(why).unwrap()
    }

    #[test]
    fn every_reason_has_its_json_and_reads_back() {
        let long = "The quick brown fox jumps over the lazy dog and runs";
        let changed = Fields::new("observe")
            .with("weights", Key::of_bytes(b"2"))
            .with("bos", "auto")
            .with("prompt", long);
        let cases = [
            (Why::New, r#"{"why":"new"}"#),
            (Why::Damaged, r#"{"why":"damaged"}"#),
            (Why::Needs { slot: "observe/m/p".into() }, r#"{"why":"needs","slot":"observe/m/p"}"#),
            (
                Why::between(&observe(), &observe().with("dtype", "float32"), None),
                r#"{"why":"changed","field":"dtype","before":"(absent)","after":"float32"}"#,
            ),
            (
                Why::between(&observe(), &changed, None),
                r#"{"why":"changed","field":"weights","before":"d63bd9a8","after":"813e9b72","also":["prompt"]}"#,
            ),
            (
                Why::between(
                    &observe(),
                    &Fields { fields: changed.fields[1..].to_vec(), ..changed.clone() },
                    None,
                ),
                r#"{"why":"changed","field":"prompt","before":"a","after":"The quick brown fox jumps over the lazy …","also":["weights"]}"#,
            ),
        ];
        for (why, expected) in cases {
            assert_eq!(json(&why), expected);
            assert_eq!(serde_json::from_str::<Why>(expected).unwrap(), why);
        }
    }

    #[test]
    fn a_judgement_blames_the_stale_job_and_not_the_digest_of_its_evidence() {
        let judge =
            |evidence: &str, seed: u64| Fields::new("judge").with("evidence", evidence).with("seed", seed);
        let needs = Why::Needs { slot: "observe/m/p".into() };
        assert_eq!(Why::between(&judge("a", 0), &judge("b", 0), Some("observe/m/p")), needs);
        // A prompt was taken away: nothing is stale, yet the evidence is another.
        let gone = Why::between(&judge("a", 0), &judge("b", 0), None);
        assert_eq!(gone.to_string(), "evidence changed: a -> b");
        // Its own change comes first.
        let own = Why::between(&judge("a", 0), &judge("b", 1), Some("observe/m/p"));
        assert_eq!(own.to_string(), "seed changed: 0 -> 1");
    }

    #[test]
    fn the_same_fields_without_an_output_are_damage() {
        assert_eq!(Why::between(&observe(), &observe(), None), Why::Damaged);
    }
}
