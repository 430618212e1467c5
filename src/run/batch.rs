//! Prompts: refused before any compute, then grouped and laid out for the graphs.

use super::RunError;
use crate::arch::Recipe;

/// Floats of one group's attention scores, and tokens of one group: bounds the memory of activations.
const MAX_SCORES: usize = 1 << 24;
const MAX_TOKENS: usize = 2048;
/// Floats of the attention scores of one prompt, 2 GiB, of which the runtime holds up to five copies.
const MAX_PROMPT_SCORES: usize = 1 << 29;
/// Slots come in whole vectors of the runtime's softmax: a sum over slots then adds the same numbers in the same
/// order, and zeros, whatever the longest prompt is.
const SLOTS: usize = 16;
/// The runtime multiplies a single row by another kernel, which sums in another order.
const MIN_ROWS: usize = 2;

/// Some prompts that run together, and the index tensors that tell the graphs where their tokens lie.
#[derive(Debug, PartialEq)]
pub struct Group {
    /// Indices into the caller's prompts.
    pub prompts: Vec<usize>,
    /// Tokens of each, in the same order.
    pub lengths: Vec<usize>,
    /// All token ids, packed, `[T]`; a lone token is followed by a copy that belongs to no prompt.
    pub ids: Vec<u32>,
    /// Position of each packed token in its prompt, `[T]`.
    pub positions: Vec<i64>,
    /// Tokens of the prompt that each packed token belongs to, `[T]`.
    pub lengths_of_tokens: Vec<i64>,
    /// 0, 1, .. M-1; M is the longest prompt rounded up.
    pub slots: Vec<i64>,
    /// Packed row of each prompt and slot, `[P, M]`; padding points at row 0.
    pub to_prompts: Vec<i64>,
    /// Prompt and slot of each packed token, `[T, 2]`.
    pub to_tokens: Vec<i64>,
    /// Packed row of each prompt's last token, `[P]`; a lone prompt's is there twice.
    pub last: Vec<i64>,
}

/// Tokens of the longest prompt that can run: the context, or what the attention scores of all heads leave room for.
pub fn longest(recipe: &Recipe) -> usize {
    let room = (MAX_PROMPT_SCORES / recipe.heads().max(1)).isqrt() / SLOTS * SLOTS;
    recipe.context().min(room)
}

/// Every prompt has a token, fits the context, and stays within the vocabulary.
pub fn check(recipe: &Recipe, prompts: &[Vec<u32>]) -> Result<(), RunError> {
    let (context, vocabulary) = (recipe.context(), recipe.vocabulary());
    for (prompt, ids) in prompts.iter().enumerate() {
        if ids.is_empty() {
            return Err(RunError::EmptyPrompt { prompt });
        }
        if ids.len() > context {
            return Err(RunError::PromptTooLong { prompt, tokens: ids.len(), context });
        }
        let most = longest(recipe);
        if ids.len() > most {
            return Err(RunError::PromptTooLarge { prompt, tokens: ids.len(), heads: recipe.heads(), most });
        }
        if let Some(position) = ids.iter().position(|id| *id as usize >= vocabulary) {
            let id = ids[position];
            return Err(RunError::TokenBeyondVocabulary { prompt, position, id, vocabulary });
        }
    }
    Ok(())
}

/// Prompts of similar length together, so that little is padded; ties keep the caller's order.
pub fn groups(prompts: &[Vec<u32>], heads: usize) -> Vec<Group> {
    let mut order: Vec<usize> = (0..prompts.len()).collect();
    order.sort_by_key(|&i| (prompts[i].len(), i));
    let mut groups = Vec::new();
    let mut members: Vec<usize> = Vec::new();
    let mut tokens = 0;
    for i in order {
        let slots = slots(prompts[i].len()); // sorted: the newest member is the longest
        let scores = (members.len() + 1) * heads * slots * slots;
        if !members.is_empty() && (scores > MAX_SCORES || tokens + prompts[i].len() > MAX_TOKENS) {
            groups.push(Group::new(prompts, std::mem::take(&mut members)));
            tokens = 0;
        }
        members.push(i);
        tokens += prompts[i].len();
    }
    if !members.is_empty() {
        groups.push(Group::new(prompts, members));
    }
    groups
}

impl Group {
    fn new(prompts: &[Vec<u32>], members: Vec<usize>) -> Group {
        let lengths: Vec<usize> = members.iter().map(|&i| prompts[i].len()).collect();
        let longest = slots(lengths.iter().copied().max().unwrap_or(0));
        let mut group = Group {
            prompts: members,
            lengths,
            ids: Vec::new(),
            positions: Vec::new(),
            lengths_of_tokens: Vec::new(),
            slots: (0..longest as i64).collect(),
            to_prompts: Vec::new(),
            to_tokens: Vec::new(),
            last: Vec::new(),
        };
        for (p, &i) in group.prompts.iter().enumerate() {
            let start = group.ids.len() as i64;
            let length = prompts[i].len() as i64;
            group.ids.extend(&prompts[i]);
            group.positions.extend(0..length);
            group.lengths_of_tokens.extend((0..length).map(|_| length));
            group.to_prompts.extend((0..longest as i64).map(|s| if s < length { start + s } else { 0 }));
            group.to_tokens.extend((0..length).flat_map(|s| [p as i64, s]));
            group.last.push(start + length - 1);
        }
        while group.ids.len() < MIN_ROWS {
            group.ids.push(group.ids[0]);
            group.positions.push(0);
            group.lengths_of_tokens.push(1);
            group.to_tokens.extend([0, 0]);
        }
        while group.last.len() < MIN_ROWS {
            group.last.push(group.last[0]);
        }
        group
    }

    /// T, with the copy of a lone token.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }
}

fn slots(longest: usize) -> usize {
    longest.next_multiple_of(SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_and_unpacking_are_inverse() {
        let prompts = [vec![5, 6, 7], vec![9], vec![1, 2]];
        let [group] = &groups(&prompts, 4)[..] else { panic!("one group") };
        assert_eq!(group.prompts, [1, 2, 0]);
        assert_eq!(group.ids, [9, 1, 2, 5, 6, 7]);
        assert_eq!(group.positions, [0, 0, 1, 0, 1, 2]);
        assert_eq!(group.last, [0, 2, 5]);
        assert_eq!(group.slots.len(), SLOTS);
        let rows = |p: usize| &group.to_prompts[p * SLOTS..p * SLOTS + 4];
        assert_eq!([rows(0), rows(1), rows(2)], [[0, 0, 0, 0], [1, 2, 0, 0], [3, 4, 5, 0]]);
        for (row, cell) in group.to_tokens.chunks(2).enumerate() {
            assert_eq!(group.to_prompts[cell[0] as usize * SLOTS + cell[1] as usize], row as i64);
        }
    }

    #[test]
    fn a_prompt_whose_attention_would_fill_the_machine_is_refused_before_any_compute() {
        let config = r#"{"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 32,
            "intermediate_size": 64, "vocab_size": 8, "max_position_embeddings": 1000000}"#;
        let recipe = Recipe::read(&serde_json::from_str(config).unwrap()).unwrap();
        assert_eq!(longest(&recipe), 4096); // the context of llama-2 still runs
        assert!(check(&recipe, &[vec![1; 4096]]).is_ok());
        let message = check(&recipe, &[vec![1], vec![1; 4097]]).unwrap_err().to_string();
        assert!(message.contains("prompt 1 has 4097 tokens") && message.contains("4096"), "{message}");
    }

    #[test]
    fn a_lone_token_runs_as_two_rows() {
        let [group] = &groups(&[vec![7]], 4)[..] else { panic!("one group") };
        assert_eq!(
            (&group.ids[..], &group.last[..], &group.to_tokens[..]),
            (&[7, 7][..], &[0, 0][..], &[0; 4][..])
        );
        assert_eq!((group.lengths.len(), group.positions.len(), group.to_prompts.len()), (1, 2, SLOTS));
    }

    #[test]
    fn a_group_stays_within_its_memory_and_every_prompt_runs_once() {
        let prompts: Vec<Vec<u32>> = (0..300).map(|i| vec![0; 1 + (i * 7) % 200]).collect();
        let groups = groups(&prompts, 16);
        assert!(groups.len() > 1);
        for group in &groups {
            let longest = group.slots.len();
            assert!(group.tokens() <= MAX_TOKENS);
            assert!(group.prompts.len() * 16 * longest * longest <= MAX_SCORES);
        }
        let mut all: Vec<usize> = groups.iter().flat_map(|g| g.prompts.clone()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..300).collect::<Vec<_>>());
    }
}
