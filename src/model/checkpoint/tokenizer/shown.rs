//! Texts and patterns in messages.

/// Characters of a text that a message shows.
const MOST_SHOWN: usize = 80;

/// The beginning of a text, for a message.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => text[..end].to_string() + "…",
        None => text.to_string(),
    }
}
