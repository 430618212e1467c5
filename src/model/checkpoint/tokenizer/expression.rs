//! Regular expressions of a `tokenizer.json`, matched so that one that gives up is an error.
//!
//! Expressions that look around or back are matched by trying, and `fancy-regex` gives up a match after so many steps back. The
//! `tokenizers` crate then takes the rest of the text for unmatched and says nothing: the ids are wrong.

use std::sync::OnceLock;

use fancy_regex::{Regex, RegexBuilder};
use tokenizers::{Offsets, pattern::Pattern};

use super::{shown::short, watch};

/// Bytes of a text that is short: a step back may look at all of it, so that steps must be few where it is long.
const SHORT: usize = 10_000;
/// Steps back of a match in a short text: some twenty for each byte, where those in use take two.
const STEPS_IF_SHORT: usize = 200_000;
/// Those in a longer one, as `fancy-regex` has them.
const STEPS: usize = 1_000_000;
/// Those in a token, of which whole vocabularies may be shown.
const STEPS_IN_TOKEN: usize = 10_000;

/// A regular expression.
pub(super) struct Expression {
    text: String,
    few: Regex,
    steps: usize,
    /// The same with more steps, made when a long text asks for it.
    many: OnceLock<Result<Regex, String>>,
}

impl Expression {
    /// One that cuts or changes texts.
    ///
    /// # Errors
    /// That it is none.
    pub(super) fn of_texts(text: &str) -> Result<Expression, String> {
        Expression::of(text, STEPS_IF_SHORT)
    }

    /// One that changes tokens for people.
    ///
    /// # Errors
    /// That it is none.
    pub(super) fn of_tokens(text: &str) -> Result<Expression, String> {
        Expression::of(text, STEPS_IN_TOKEN)
    }

    fn of(text: &str, steps: usize) -> Result<Expression, String> {
        Ok(Expression { text: text.to_string(), few: regex(text, steps)?, steps, many: OnceLock::new() })
    }

    /// Calls with each match, from the left.
    ///
    /// # Errors
    /// Why matching ended before the text did; it is noted for the watch too.
    pub(super) fn each_match(&self, inside: &str, mut of: impl FnMut(Offsets)) -> Result<(), String> {
        let long = inside.len() > SHORT && self.steps == STEPS_IF_SHORT;
        let (regex, steps) = match long {
            true => {
                (self.many.get_or_init(|| regex(&self.text, STEPS)).as_ref().map_err(String::clone)?, STEPS)
            }
            false => (&self.few, self.steps),
        };
        let mut matches = regex.find_iter(inside);
        loop {
            if let Some(why) = watch::why_stop() {
                return Err(why);
            }
            match matches.next() {
                Some(Ok(found)) => of((found.start(), found.end())),
                Some(Err(error)) => {
                    let (pattern, bytes) = (short(&self.text), inside.len());
                    return Err(watch::give_up(format!(
                        "its pattern {pattern:?} gives up in a text of {bytes} bytes, where {steps} steps back are the most for a match \
                         ({error})"
                    )));
                }
                None => return Ok(()),
            }
        }
    }
}

fn regex(text: &str, steps: usize) -> Result<Regex, String> {
    RegexBuilder::new(text).backtrack_limit(steps).build().map_err(|error| error.to_string())
}

/// As the crate's own patterns: the text in pieces, and whether each is a match.
impl Pattern for &Expression {
    fn find_matches(&self, inside: &str) -> tokenizers::Result<Vec<(Offsets, bool)>> {
        if inside.is_empty() {
            return Ok(vec![((0, 0), false)]);
        }
        let mut pieces = Vec::with_capacity(inside.len());
        let mut before = 0;
        self.each_match(inside, |(start, end)| {
            if before != start {
                pieces.push(((before, start), false));
            }
            pieces.push(((start, end), true));
            before = end;
        })?;
        if before != inside.len() {
            pieces.push(((before, inside.len()), false));
        }
        Ok(pieces)
    }
}

#[cfg(test)]
mod tests {
    use tokenizers::utils::SysRegex;

    use super::*;

    #[test]
    fn pieces_are_those_of_the_crate() {
        for text in [r"\p{N}{1,3}|\s+(?!\S)|\s+", "", "b*", r"(?<=a)b|\w", "(a)(?=b)", r"(\w)\1"] {
            let (own, crates) = (Expression::of_texts(text).unwrap(), SysRegex::new(text).unwrap());
            for inside in ["", "a", "aab bb  12345  \n c", "ßé  x", &"ab ".repeat(SHORT)] {
                let found =
                    |pattern: &dyn Fn() -> tokenizers::Result<Vec<(Offsets, bool)>>| pattern().unwrap();
                assert_eq!(
                    found(&|| (&own).find_matches(inside)),
                    found(&|| (&crates).find_matches(inside)),
                    "{text:?}"
                );
            }
        }
        assert!(Expression::of_texts("(").is_err());
    }

    #[test]
    fn an_expression_that_gives_up_says_so() {
        let hostile = Expression::of_texts(r"(a|a|aa)+(?=b)$").unwrap();
        let text = "a".repeat(40);
        let error = (&hostile).find_matches(&text).unwrap_err().to_string();
        assert!(error.contains("(a|a|aa)+") && error.contains("200000 steps"), "{error}");
        // What the crate makes of it: one piece, as if it had looked at all of it.
        let silent = SysRegex::new(r"(a|a|aa)+(?=b)$").unwrap();
        assert_eq!((&silent).find_matches(&text).unwrap(), [((0, 40), false)]);
    }
}
