//! Prompts: refused before any compute, then grouped and laid out for the graphs.

use std::collections::BTreeMap;

use super::{RunError, sharing::Sharing};
use model::arch::{PromptLimit, Recipe, WeightUse};

/// What bounds a group, and so the memory of activations: floats of its attention scores, and tokens. A path alone is a group
/// whatever its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub scores: usize,
    pub tokens: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { scores: 1 << 24, tokens: 2048 }
    }
}

impl Limits {
    /// Half of both, until no two paths fit together.
    pub(super) fn halved(self) -> Option<Limits> {
        (self.tokens > 1).then_some(Limits { scores: self.scores / 2, tokens: self.tokens / 2 })
    }
}

/// Copies of attention scores, `[heads, M, M]` for a path of M slots, that the runtime holds at a time, at most.
pub(super) const SCORES: usize = 3;
/// Floats of the attention scores of one prompt, 2 GiB; the runtime holds [`SCORES`] times that.
const MAX_PROMPT_SCORES: usize = 1 << 29;
/// Slots come in whole vectors of the runtime's softmax: a sum over slots then adds the same numbers in the same
/// order, and zeros, whatever the longest prompt is.
const SLOTS: usize = 16;
/// Elements that the runtime's widest loops take at a time; what is left at the end of an array goes through other ones,
/// which round otherwise.
const LOOP: usize = 64;
/// The runtime multiplies a single row by another kernel, which sums in another order.
const LEAST_ROWS: usize = 2;

/// Rows are a multiple of this, so that every array of theirs, whatever matrix made it, is whole loops of the runtime: a
/// prompt's numbers then do not depend on its company, as long as widths are a multiple of 16 too. Two for most models.
pub(super) fn multiple<'w>(weights: impl IntoIterator<Item = &'w WeightUse>) -> usize {
    let sizes = weights.into_iter().filter(|weight| weight.input.is_some()).flat_map(WeightUse::taken);
    let common = sizes.fold(LOOP, |common, size| gcd(common, *size));
    (LOOP / common).max(LEAST_ROWS)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Some prompts that run together, and the index tensors that tell the graphs where their tokens lie.
///
/// A token computes from those before it alone, so prompts that begin alike share the rows of what they have in common.
/// A prompt that begins another one has no rows of its own. Attention is laid out by *paths*: the prompts that begin no
/// other one.
#[derive(Debug, PartialEq)]
pub(super) struct Group {
    /// Indices into the caller's prompts.
    pub prompts: Vec<usize>,
    /// The packed row of each token of each prompt, in the same order.
    pub rows: Vec<Vec<usize>>,
    /// Prompts that begin no other one.
    pub paths: usize,
    /// All token ids, packed, `[T]`; copies of the first, which belong to no prompt, fill up their [`multiple`].
    pub ids: Vec<u32>,
    /// Position of each packed token in its prompts, `[T]`.
    pub positions: Vec<i64>,
    /// Tokens of the path that each packed token belongs to, `[T]`.
    pub lengths_of_tokens: Vec<i64>,
    /// 0, 1, .. M-1; M is the longest prompt rounded up.
    pub slots: Vec<i64>,
    /// Packed row of each path and slot, `[P, M]`; padding points at row 0.
    pub to_prompts: Vec<i64>,
    /// A path and slot of each packed token, `[T, 2]`.
    pub to_tokens: Vec<i64>,
    /// Packed row of each prompt's last token; copies of the first fill up their [`multiple`].
    pub last: Vec<i64>,
}

/// Tokens of the longest prompt that can run: the context, a limit below it, or what the scores of all heads leave room for.
pub fn longest(recipe: &Recipe) -> usize {
    let room = (MAX_PROMPT_SCORES / recipe.heads().max(1)).isqrt() / SLOTS * SLOTS;
    recipe.context().min(recipe.limit().map_or(room, |limit| limit.tokens)).min(room)
}

/// Every prompt has a token, fits the context, and stays within the vocabulary.
pub(super) fn check(recipe: &Recipe, prompts: &[Vec<u32>]) -> Result<(), RunError> {
    let (context, vocabulary) = (recipe.context(), recipe.vocabulary());
    for (prompt, ids) in prompts.iter().enumerate() {
        if ids.is_empty() {
            return Err(RunError::EmptyPrompt { prompt });
        }
        if ids.len() > context {
            return Err(RunError::PromptTooLong { prompt, tokens: ids.len(), context });
        }
        let limit = recipe.limit().filter(|limit| ids.len() > limit.tokens);
        if let Some(PromptLimit { tokens: most, key, beyond }) = limit {
            return Err(RunError::PromptBeyond { prompt, tokens: ids.len(), most, key, beyond });
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

/// Paths of similar length together, so that little is padded, and among them those that begin alike.
pub(super) fn groups(
    prompts: &[Vec<u32>],
    heads: usize,
    sharing: Sharing,
    multiple: usize,
    limits: Limits,
) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut next = Builder::new(sharing);
    let mut paths = paths(prompts, sharing);
    paths.sort_by_key(|path| slots(prompts[path[0]].len())); // stable: prompts that begin alike stay neighbours
    for path in paths {
        let ids = &prompts[path[0]];
        let slots = slots(ids.len()); // sorted: the newest path is the longest
        let scores = (next.paths.len() + 1) * heads * slots * slots;
        if !next.paths.is_empty()
            && (scores > limits.scores || next.tokens + next.new_rows(ids) > limits.tokens)
        {
            groups.push(std::mem::replace(&mut next, Builder::new(sharing)).finish(prompts, multiple));
        }
        next.add(prompts, path);
    }
    if !next.paths.is_empty() {
        groups.push(next.finish(prompts, multiple));
    }
    groups
}

/// The prompts that begin no other one, each with those that begin it after it, in the order of their tokens.
fn paths(prompts: &[Vec<u32>], sharing: Sharing) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..prompts.len()).collect();
    order.sort_by(|&a, &b| prompts[a].cmp(&prompts[b]).then(b.cmp(&a)));
    let mut paths: Vec<Vec<usize>> = Vec::new();
    // Backwards: what begins a prompt stands right before it or before others that it begins too.
    for &i in order.iter().rev() {
        let begins = |path: &Vec<usize>| match sharing {
            Sharing::Prefixes => prompts[path[0]].starts_with(&prompts[i]),
            Sharing::SameLength => prompts[path[0]] == prompts[i],
        };
        match paths.last_mut() {
            Some(path) if begins(path) => path.push(i),
            _ => paths.push(vec![i]),
        }
    }
    paths.reverse();
    paths
}

/// A group that grows path by path.
struct Builder {
    sharing: Sharing,
    paths: Vec<Vec<usize>>,
    /// The row of a token after the row before it; a first token has the length of its path instead if that matters.
    rows: BTreeMap<(Before, u32), usize>,
    tokens: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Before {
    Nothing { length: usize },
    Row(usize),
}

impl Builder {
    fn new(sharing: Sharing) -> Builder {
        Builder { sharing, paths: Vec::new(), rows: BTreeMap::new(), tokens: 0 }
    }

    fn before_all(&self, ids: &[u32]) -> Before {
        let length = match self.sharing {
            Sharing::Prefixes => 0,
            Sharing::SameLength => ids.len(),
        };
        Before::Nothing { length }
    }

    /// Rows that are there already, from the first token on.
    fn known<'a>(&'a self, ids: &'a [u32]) -> impl Iterator<Item = usize> + 'a {
        let mut before = self.before_all(ids);
        ids.iter().map_while(move |id| {
            let row = *self.rows.get(&(before, *id))?;
            before = Before::Row(row);
            Some(row)
        })
    }

    fn new_rows(&self, ids: &[u32]) -> usize {
        ids.len() - self.known(ids).count()
    }

    fn add(&mut self, prompts: &[Vec<u32>], path: Vec<usize>) {
        let ids = &prompts[path[0]];
        let known: Vec<usize> = self.known(ids).collect();
        let mut before = known.last().map_or(self.before_all(ids), |row| Before::Row(*row));
        for id in &ids[known.len()..] {
            self.rows.insert((before, *id), self.tokens);
            before = Before::Row(self.tokens);
            self.tokens += 1;
        }
        self.paths.push(path);
    }

    fn finish(self, prompts: &[Vec<u32>], multiple: usize) -> Group {
        let longest = slots(self.paths.iter().map(|path| prompts[path[0]].len()).max().unwrap_or(0));
        let mut group = Group {
            prompts: Vec::new(),
            rows: Vec::new(),
            paths: self.paths.len(),
            ids: Vec::new(),
            positions: Vec::new(),
            lengths_of_tokens: Vec::new(),
            slots: (0..longest as i64).collect(),
            to_prompts: Vec::new(),
            to_tokens: Vec::new(),
            last: Vec::new(),
        };
        for (p, path) in self.paths.iter().enumerate() {
            let ids = &prompts[path[0]];
            let rows: Vec<usize> = self.known(ids).collect();
            for (slot, (&row, &id)) in rows.iter().zip(ids).enumerate() {
                if row == group.ids.len() {
                    group.ids.push(id);
                    group.positions.push(slot as i64);
                    group.lengths_of_tokens.push(ids.len() as i64);
                    group.to_tokens.extend([p as i64, slot as i64]);
                }
            }
            group.to_prompts.extend((0..longest).map(|slot| rows.get(slot).map_or(0, |row| *row as i64)));
            for &prompt in path {
                let own = &rows[..prompts[prompt].len()];
                group.last.extend(own.last().map(|row| *row as i64)); // check() refused empty prompts
                group.rows.push(own.to_vec());
                group.prompts.push(prompt);
            }
        }
        while !group.ids.len().is_multiple_of(multiple) {
            group.ids.push(group.ids[0]);
            group.positions.push(0);
            group.lengths_of_tokens.push(group.lengths_of_tokens[0]);
            group.to_tokens.extend([0, 0]);
        }
        while !group.last.len().is_multiple_of(multiple) {
            group.last.push(group.last[0]);
        }
        group
    }
}

impl Group {
    /// T, with the copies that fill it up.
    pub(super) fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Rows before the copies.
    pub(super) fn real_rows(&self) -> usize {
        self.rows.iter().flatten().max().map_or(0, |row| row + 1)
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
        let [group] = &groups(&prompts, 4, Sharing::Prefixes, 2, Limits::default())[..] else {
            panic!("one group")
        };
        assert_eq!(group.prompts, [2, 0, 1]);
        assert_eq!(group.ids, [1, 2, 5, 6, 7, 9]);
        assert_eq!(group.positions, [0, 1, 0, 1, 2, 0]);
        assert_eq!(group.last, [1, 4, 5, 1]);
        assert_eq!(group.slots.len(), SLOTS);
        let rows = |p: usize| &group.to_prompts[p * SLOTS..p * SLOTS + 4];
        assert_eq!([rows(0), rows(1), rows(2)], [[0, 1, 0, 0], [2, 3, 4, 0], [5, 0, 0, 0]]);
        inverse(group);
    }

    fn inverse(group: &Group) {
        let slots = group.slots.len();
        let real = group.rows.iter().flatten().max().map_or(0, |row| row + 1);
        for (row, cell) in group.to_tokens.chunks(2).enumerate().take(real) {
            assert_eq!(group.to_prompts[cell[0] as usize * slots + cell[1] as usize], row as i64);
        }
    }

    #[test]
    fn what_prompts_begin_with_is_there_once() {
        // 0 and 2 share two tokens, 1 begins 0, 3 is 1 again, 4 is alone.
        let prompts = [vec![1, 2, 3, 4], vec![1, 2, 3], vec![1, 2, 5], vec![1, 2, 3], vec![2, 3]];
        let [group] = &groups(&prompts, 4, Sharing::Prefixes, 2, Limits::default())[..] else {
            panic!("one group")
        };
        assert_eq!((group.paths, group.tokens()), (3, 8)); // 4 + 1 + 2 rows and a copy
        inverse(group);
        for (prompt, rows) in group.prompts.iter().zip(&group.rows) {
            let ids: Vec<u32> = rows.iter().map(|row| group.ids[*row]).collect();
            assert_eq!(ids, prompts[*prompt]);
            assert!(rows.iter().enumerate().all(|(at, row)| group.positions[*row] == at as i64));
        }
        let mut all = group.prompts.clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn prompts_of_other_length_share_nothing_where_length_matters() {
        let prompts = [vec![1, 2, 3, 4], vec![1, 2, 3], vec![1, 2, 5], vec![1, 2, 3]];
        let [group] = &groups(&prompts, 4, Sharing::SameLength, 2, Limits::default())[..] else {
            panic!("one group")
        };
        assert_eq!((group.paths, group.tokens()), (3, 8)); // 4 + 3 + 1 rows
        for (prompt, rows) in group.prompts.iter().zip(&group.rows) {
            let length = prompts[*prompt].len() as i64;
            assert!(rows.iter().all(|row| group.lengths_of_tokens[*row] == length));
        }
    }

    #[test]
    fn a_ladder_of_lengths_costs_its_longest_step() {
        let text: Vec<u32> = (0..512).collect();
        let ladder: Vec<Vec<u32>> = (1..=64).map(|step| text[..8 * step].to_vec()).collect();
        let [group] = &groups(&ladder, 32, Sharing::Prefixes, 2, Limits::default())[..] else {
            panic!("one group")
        };
        assert_eq!((group.paths, group.tokens(), group.prompts.len()), (1, 512, 64));
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
    fn a_prompt_in_which_an_indexer_would_choose_is_refused_by_its_key() {
        let config = r#"{"model_type": "deepseek_v32", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
            "num_key_value_heads": 2, "intermediate_size": 8, "vocab_size": 8, "index_topk": 5}"#;
        let recipe = Recipe::read(&serde_json::from_str(config).unwrap()).unwrap();
        assert_eq!(longest(&recipe), 5);
        assert!(check(&recipe, &[vec![1; 5]]).is_ok());
        let message = check(&recipe, &[vec![1], vec![1; 6]]).unwrap_err().to_string();
        assert!(message.starts_with("prompt 1 has 6 tokens; `index_topk` of"), "{message}");
    }

    #[test]
    fn a_lone_token_runs_as_two_rows() {
        let [group] = &groups(&[vec![7]], 4, Sharing::Prefixes, 2, Limits::default())[..] else {
            panic!("one group")
        };
        assert_eq!(
            (&group.ids[..], &group.last[..], &group.to_tokens[..]),
            (&[7, 7][..], &[0, 0][..], &[0; 4][..])
        );
        assert_eq!((group.rows.len(), group.positions.len(), group.to_prompts.len()), (1, 2, SLOTS));
    }

    #[test]
    fn a_group_stays_within_its_memory_and_every_prompt_runs_once() {
        let prompt = |i: u32| std::iter::once(i / 3).chain(0..(i * 7) % 200).collect();
        let prompts: Vec<Vec<u32>> = (0..300).map(prompt).collect();
        let limits = Limits::default();
        let groups = groups(&prompts, 16, Sharing::Prefixes, 2, limits);
        assert!(groups.len() > 1);
        for group in &groups {
            let longest = group.slots.len();
            assert!(group.tokens() <= limits.tokens);
            assert!(group.paths * 16 * longest * longest <= limits.scores);
        }
        let mut all: Vec<usize> = groups.iter().flat_map(|g| g.prompts.clone()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..300).collect::<Vec<_>>());
    }
}
