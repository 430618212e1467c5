//! The word that was meant by one that is not known.

/// Longer texts are no slip in a word, and would take long to compare.
const LONGEST: usize = 256;

/// The known word nearest to what was found, if it is near enough to be meant.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if found.len() > LONGEST {
        return None;
    }
    let wanted = found.to_lowercase();
    // 0.75 rejects unrelated words; one slip in a short word or a shared part is meant, too.
    let score = |word: &str| {
        let word = word.to_lowercase();
        let edits = strsim::damerau_levenshtein(&wanted, &word);
        let part = wanted.len() >= 3 && word.len() >= 3 && (word.contains(&wanted) || wanted.contains(&word));
        let alike = strsim::normalized_damerau_levenshtein(&wanted, &word)
            .max(strsim::jaro_winkler(&wanted, &word) - 0.1);
        if part || (edits == 1 && word.len() >= 3) { alike.max(0.75) } else { alike }
    };
    let mut best: Option<(f64, &str)> = None;
    for word in known {
        let score = score(word);
        if score >= 0.75 && best.is_none_or(|(top, _)| score > top) {
            best = Some((score, word));
        }
    }
    best.map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_suggested_only_when_it_is_near() {
        let known = ["last-gain", "layer-gain", "cumulative-gain", "share-above"];
        assert_eq!(nearest("last-gian", known), Some("last-gain"));
        assert_eq!(nearest("cumulative", known), Some("cumulative-gain"));
        assert_eq!(nearest("entropy", known), None);
        assert_eq!(nearest(&"last-gain".repeat(100), known), None, "too long to be meant as one");
    }
}
