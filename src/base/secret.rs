//! Secrets of the user: known to the program, shown to nobody.
//!
//! A server may quote what it was sent, in a header, an address or the text of an error, and all of these end in messages. So
//! whoever learns a secret says so by making a [`Secret`], and text that leaves the program goes through [`hide`].

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt::{self, Write},
    sync::{PoisonError, RwLock},
};

/// What is shown in place of a secret.
const HIDDEN: &str = "[hidden]";
/// Bytes of the shortest secret that is looked for in texts: shorter ones are parts of ordinary words.
const SHORTEST: usize = 4;

/// Every form in which some secret may be quoted.
static KNOWN: RwLock<BTreeSet<String>> = RwLock::new(BTreeSet::new());

/// A text that is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Makes a text a secret from now on.
    pub fn new(text: &str) -> Secret {
        if text.len() >= SHORTEST {
            let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
            known.extend([text.to_string(), text.escape_debug().to_string(), percent(text)]);
        }
        Secret(text.to_string())
    }

    /// The text itself, to be sent to whom it is for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({HIDDEN})")
    }
}

/// A text without the secrets that it quotes.
pub fn hide(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut shown = Cow::Borrowed(text);
    // From the last on: a secret that another begins with comes after it.
    for secret in known.iter().rev().filter(|secret| text.contains(secret.as_str())) {
        shown = Cow::Owned(shown.replace(secret, HIDDEN));
    }
    shown
}

/// A text as part of an address.
fn percent(text: &str) -> String {
    let mut quoted = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => quoted.push(byte.into()),
            // Writing to memory does not fail.
            _ => drop(write!(quoted, "%{byte:02X}")),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_text_and_spelling() {
        let text = "before pass\"word of tests after";
        assert_eq!(hide(text), text);
        let secret = Secret::new("pass\"word of tests");
        assert_eq!(secret.expose(), "pass\"word of tests");
        assert_eq!(hide(text), "before [hidden] after");
        assert_eq!(hide(&format!("{text:?}")), "\"before [hidden] after\"");
        assert_eq!(hide("?x=pass%22word%20of%20tests&y"), "?x=[hidden]&y");
        assert_eq!(format!("{secret:?}"), "Secret([hidden])");
        Secret::new("pass\"word of tests, longer");
        assert_eq!(hide("pass\"word of tests, longer, pass\"word of tests"), "[hidden], [hidden]");
    }

    #[test]
    fn a_word_is_not_taken_for_a_short_secret() {
        Secret::new("abc");
        Secret::new("");
        assert_eq!(hide("abcdef"), "abcdef");
    }
}
