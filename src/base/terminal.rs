//! Text on its way to a terminal. Names, titles and messages come from files that others wrote; whatever they hold, they move
//! no cursor, change no colour, reorder no words, and ask the terminal for nothing. A secret of the user that they quote is
//! hidden.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use crate::secret::hide;

/// The text with every character that a terminal or a reader would obey and not show as its escape, e.g. `\u{1b}`. Line
/// breaks and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_hidden(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// The same for text that this program has coloured itself: changes of colour stay. What others wrote in it must have
/// been made visible before.
pub fn visible_in_colour(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_hidden) {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let (kept, length) = match colour(rest) {
            Some(length) => (true, length),
            None => (false, rest.chars().next().map_or(rest.len(), char::len_utf8)),
        };
        let (part, after) = rest.split_at(length);
        shown.push_str(&if kept { Cow::Borrowed(part) } else { visible(part) });
        rest = after;
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// JSON text that says the same, with such characters as the escapes of JSON strings. Outside strings JSON has none of them.
pub fn visible_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_hidden) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        // All of them are in the basic plane: one escape each.
        let _ = match is_hidden(c) {
            true => write!(shown, "\\u{:04x}", u32::from(c)),
            false => shown.write_char(c),
        };
    }
    Cow::Owned(shown)
}

/// Writes one line to standard error. Nobody is left to be told when that fails, and the work goes on.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", visible(&hide(line)));
}

/// The same for a line that this program has coloured itself.
pub fn say_in_colour(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", visible_in_colour(&hide(line)));
}

/// Writes text for people to standard output.
///
/// # Errors
/// What the system says.
pub fn print(text: &str) -> io::Result<()> {
    put(&visible(text))
}

/// Writes JSON to standard output.
///
/// # Errors
/// What the system says.
pub fn print_json(json: &str) -> io::Result<()> {
    put(&visible_json(json))
}

/// Writes data to standard output: byte for byte to a file or another program, and visibly to a terminal.
///
/// # Errors
/// What the system says.
pub fn print_data(text: &str) -> io::Result<()> {
    match io::stdout().is_terminal() {
        true => print(text),
        false => put(text),
    }
}

fn put(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(hide(text).as_bytes()).and_then(|()| out.flush())
}

/// Control characters but line breaks and tabs, marks that turn the direction of writing, and the two characters that no
/// XML text may hold.
fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    turns || matches!(c, '\u{fffe}' | '\u{ffff}') || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// The length of a change of colour (`ESC [ 1;31 m`) at the beginning of the text.
fn colour(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("\u{1b}[")?;
    let end = inside.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    inside[end..].starts_with('m').then_some(text.len() - inside.len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        let hostile = "a\u{1b}]0;title\u{7}b\r\u{9b}2Jc\u{202e}d\u{7f}\0";
        let shown = visible(hostile);
        assert_eq!(shown, r"a\u{1b}]0;title\u{7}b\r\u{9b}2Jc\u{202e}d\u{7f}\u{0}");
        assert!(!shown.contains(is_hidden));
        assert!(matches!(visible("plain, ü, 模型,\n\ttabs"), Cow::Borrowed(_)));
    }

    #[test]
    fn only_colours_stay_in_coloured_text() {
        let text = "\u{1b}[1;31mred\u{1b}[0m \u{1b}[2J\u{1b}[31 \u{1b}";
        assert_eq!(visible_in_colour(text), "\u{1b}[1;31mred\u{1b}[0m \\u{1b}[2J\\u{1b}[31 \\u{1b}");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text = "{ \"a\": \"x\\u001b\u{9b}y\u{202e}\u{7f}\" }\n";
        assert_eq!(visible_json(text), "{ \"a\": \"x\\u001b\\u009by\\u202e\\u007f\" }\n");
    }
}
