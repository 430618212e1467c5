//! The merges that the scores of a SentencePiece vocabulary imply.
//!
//! Source: `generate_merges` of `transformers/convert_slow_tokenizer.py`, by which the `tokenizer.json` of LLaMA 2, Mistral,
//! Phi 3 and Gemma were made: every way to cut a token into two tokens is a merge, those of the best tokens first.

use std::collections::BTreeMap;

/// Sum over all tokens of the square of their bytes: the work that cutting them takes. The largest vocabularies in use come to
/// some 2^25.
const MOST_WORK: usize = 1 << 29;
/// Merges of the largest vocabulary; those in use have some 600 thousand.
const MOST_MERGES: usize = 1 << 21;

/// Pairs of tokens in the order in which they are merged; `rank` gives every token that can be made by merging, the best
/// highest. None where the tokens are too long for it, or can be cut in too many ways.
pub(crate) fn merges<'a>(
    tokens: &[&'a str],
    ids: &BTreeMap<&'a str, usize>,
    rank: impl Fn(usize) -> Option<f32>,
) -> Option<Vec<(&'a str, &'a str)>> {
    let work =
        tokens.iter().try_fold(0usize, |sum, token| sum.checked_add(token.len().checked_mul(token.len())?));
    work.filter(|work| *work <= MOST_WORK)?;
    let mut found = Vec::new();
    for (id, token) in tokens.iter().enumerate() {
        let Some(rank) = rank(id) else { continue };
        let from = found.len();
        for (at, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(at);
            if let (Some(l), Some(r)) = (ids.get(left), ids.get(right)) {
                let characters = [left.chars().count(), right.chars().count()];
                found.push(Merge { rank, characters, ids: [*l, *r], left, right });
            }
        }
        if found.len() > MOST_MERGES {
            return None;
        }
        found[from..].sort_by_key(|merge| merge.ids);
    }
    // Stable, as is the reference's.
    found.sort_by(|a, b| b.rank.total_cmp(&a.rank).then(b.characters.cmp(&a.characters)));
    Some(found.into_iter().map(|merge| (merge.left, merge.right)).collect())
}

struct Merge<'a> {
    rank: f32,
    characters: [usize; 2],
    ids: [usize; 2],
    left: &'a str,
    right: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_tokens_are_merged_first_and_of_one_token_the_longest_beginning() {
        let tokens = ["a", "b", "c", "ab", "bc", "abc", "é", "aé"];
        let ids: BTreeMap<&str, usize> = tokens.iter().enumerate().map(|(id, token)| (*token, id)).collect();
        let scores = [0.0, 0.0, 0.0, -3.0, -1.0, -2.0, 0.0, -9.0];
        let found = merges(&tokens, &ids, |id| Some(scores[id])).unwrap();
        assert_eq!(found, [("b", "c"), ("ab", "c"), ("a", "bc"), ("a", "b"), ("a", "é")]);
        let without = merges(&tokens, &ids, |id| (id != 5).then_some(scores[id])).unwrap();
        assert_eq!(without, [("b", "c"), ("a", "b"), ("a", "é")]);
        let long = "a".repeat(1 << 15);
        assert!(merges(&[&long], &BTreeMap::new(), |_| Some(0.0)).is_none());
    }
}
