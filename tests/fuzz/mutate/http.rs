//! Mutations of answers in HTTP: status, headers, and a body that is JSON.

use rand::{RngExt, rngs::ChaCha8Rng};
use serde_json::Value;

use super::{bytes, json, text};

/// An answer with changes in head or body; the length mostly fits.
pub(super) fn mutate(answer: &[u8], other: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (Some(end), true) = (end, rng.random_range(0..12) > 0) else {
        return bytes::mutate(answer, other, rng);
    };
    let (which, head, mut body) = (answer[0], &answer[1..end], answer[end + 4..].to_vec());
    if rng.random_range(0..3) > 0
        && let Ok(document) = serde_json::from_slice::<Value>(&body)
    {
        let mut values = Vec::new();
        json::parts(&document, &mut values);
        body = json::mutate(&document, &values, rng).to_string().into_bytes();
    }
    let head = String::from_utf8_lossy(head).replace("\r\n", "\n");
    let mut head = if rng.random() {
        head
    } else {
        String::from_utf8_lossy(&text::mutate(head.as_bytes(), other, rng)).into_owned()
    };
    if rng.random_range(0..4) > 0 {
        let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("content-length"));
        head = lines.collect::<Vec<_>>().join("\n") + &format!("\ncontent-length: {}", body.len());
    }
    [&[which], head.replace('\n', "\r\n").as_bytes(), b"\r\n\r\n", &body].concat()
}
