//! The one rule on ids. They become names of files and addresses in the report, on file systems that tell `S2` from `s2` and
//! on others.

/// Characters of the longest id: what is put before and behind it must fit into the name of a file with it.
const LONGEST: usize = 80;

/// What an id is made of, in words.
pub(super) const RULE: &str = "ids are made of letters, digits, `-`, `_` and `.`, begin and end with a letter or a digit, and have at most 80 characters";

/// What keeps a text from being an id, and the nearest id to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) why: String,
    pub(super) instead: Option<String>,
}

/// What is wrong with an id; `None` where nothing is.
pub(super) fn fault(id: &str) -> Option<Fault> {
    let why = if let Some(bad) = id.chars().find(|c| !is_allowed(*c)) {
        format!("contains {bad:?}")
    } else if id.is_empty() {
        "is empty".to_string()
    } else if let Some(bad) = id.chars().next().filter(|c| !c.is_ascii_alphanumeric()) {
        format!("begins with `{bad}`")
    } else if let Some(bad) = id.chars().last().filter(|c| !c.is_ascii_alphanumeric()) {
        format!("ends with `{bad}`")
    } else if id.len() > LONGEST {
        format!("has {} characters", id.len())
    } else {
        return None;
    };
    let kept: String = id.chars().map(|c| if is_allowed(c) { c } else { '-' }).collect();
    let within = |text: &str| text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_string();
    let kept = within(&kept);
    let kept = within(&kept[..kept.len().min(LONGEST)]);
    Some(Fault { why, instead: (!kept.is_empty()).then_some(kept) })
}

/// What ids have in common that would share a file or an address.
pub(super) fn name_of(id: &str) -> String {
    id.to_ascii_lowercase().replace(['_', '.'], "-")
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_the_name_of_a_file_is_no_id() {
        for id in ["H1", "llama-3.1-8b", "a", "x_y.z"] {
            assert_eq!(fault(id), None, "{id}");
        }
        let long = "a".repeat(300);
        for (id, why, instead) in [
            ("..", "begins with `.`", None),
            (".", "begins with `.`", None),
            ("", "is empty", None),
            ("-x", "begins with `-`", Some("x")),
            ("x.", "ends with `.`", Some("x")),
            ("../x y", "contains '/'", Some("x-y")),
            ("ü", "contains 'ü'", None),
            ("a\u{1b}b", "contains '\\u{1b}'", Some("a-b")),
            (&long, "has 300 characters", Some(&long[..80])),
        ] {
            let expected = Fault { why: why.into(), instead: instead.map(String::from) };
            assert_eq!(fault(id), Some(expected), "{id}");
        }
        assert_eq!(name_of("S_2.B"), name_of("s-2-b"));
    }
}
