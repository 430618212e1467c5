//! Mutations of text: lines and words, with a few bytes besides.

use rand::{RngExt, rngs::ChaCha8Rng};

use super::{bytes, number};

const WORDS: [&str; 26] = [
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "{",
    "}",
    "[[a]]",
    "=",
    ",",
    "#",
    "\n",
    "\r",
    "\t",
    "\u{0}",
    "\u{feff}",
    "nan",
    "-inf",
    "1e400",
    "-1",
    "true",
    "0x",
    "1979-05-27",
    "\\u{0}",
    "*",
    "NA",
];

/// A text with a few changes.
pub(super) fn mutate(text: &[u8], other: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let Ok(plain) = str::from_utf8(text) else { return bytes::mutate(text, other, rng) };
    let mut lines: Vec<String> = plain.split('\n').map(str::to_string).collect();
    for _ in 0..1 << rng.random_range(0..4) {
        change(&mut lines, other, rng);
    }
    lines.join("\n").into_bytes()
}

fn change(lines: &mut Vec<String>, other: &[u8], rng: &mut ChaCha8Rng) {
    let at = rng.random_range(0..lines.len());
    match rng.random_range(0..10) {
        0 if lines.len() > 1 => drop(lines.remove(at)),
        1 => {
            let copy = lines[at].clone();
            let times = if rng.random_range(0..30) == 0 { 500 } else { 1 };
            lines.splice(at..at, std::iter::repeat_n(copy, times));
        }
        2 => {
            let to = rng.random_range(0..lines.len());
            lines.swap(at, to);
        }
        3 => {
            let all = String::from_utf8_lossy(other);
            let of = all.split('\n').collect::<Vec<_>>();
            lines.insert(at, of[rng.random_range(0..of.len())].to_string());
        }
        4 => {
            lines[at] = String::from_utf8_lossy(&bytes::mutate(lines[at].as_bytes(), other, rng)).into_owned()
        }
        _ => {
            let mut words = words(&lines[at]);
            let word = rng.random_range(0..words.len());
            words[word] = match rng.random_range(0..6) {
                0 => number(rng).to_string(),
                1 => format!("-{}.{}e{}", number(rng), number(rng), rng.random_range(-400..400)),
                2 => String::new(),
                3 => words[rng.random_range(0..words.len())].clone(),
                4 => words[word].repeat(rng.random_range(2..300)),
                _ => WORDS[rng.random_range(0..WORDS.len())].to_string(),
            };
            lines[at] = words.concat();
        }
    }
}

/// A line as words and what stands between them.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut inside = false;
    for c in line.chars() {
        let word = c.is_alphanumeric() || "-_.".contains(c);
        if word != inside || !word {
            words.push(String::new());
        }
        inside = word;
        words.last_mut().unwrap().push(c);
    }
    words
}
