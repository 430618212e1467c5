//! The numbers of one prompt, by the names of their taps.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use ndarray::{Array1, Array2};

use super::taps::{ATTENTION, MLP, NamedTap, Tap, named};
use base::named_enum;

/// What was seen at every tap for one prompt of T tokens through L blocks, all float32, norms L2 over the width D.
///
/// A tap of which nothing was seen is absent, and its table has no rows: extras that were not asked for, what a family's
/// blocks do not have, what a decoder of another tool does not show. Single norms that such a decoder does not give are
/// not-a-number.
///
/// Two are equal where all their numbers are; what neither was observed is no difference.
#[derive(Clone, Debug)]
pub struct PromptObservation {
    /// Token ids as run, BOS included, `[T]`.
    pub token_ids: Vec<u32>,
    /// The most probable next tokens at the last position, by falling probability (ties: lower id first).
    pub top: Vec<TopToken>,
    branches: Vec<String>,
    seen: BTreeMap<String, Array2<f32>>,
}

/// One candidate continuation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopToken {
    /// Token id.
    pub id: u32,
    /// Its probability.
    pub prob: f32,
}

named_enum! {
    /// What is observed only where a prompt set asks for it: it takes the head more often.
    Extra, "extra" {
        /// Loss of the prompt's own tokens.
        Loss = "loss",
        /// Entropy of the next-token distribution read off every layer.
        Lens = "lens",
    }
}

/// The extras that were asked for.
pub type Extras = BTreeSet<Extra>;

/// How many top tokens an observation keeps (fewer when the vocabulary is smaller).
pub const TOP_K: usize = 5;

/// What h_L is multiplied by for `logit_shift`.
pub const SCALES: [f32; 4] = [0.25, 0.5, 2.0, 4.0];

/// The tap of the branch that every transformer has.
const OFF_DIAGONAL: &str = "attn_off_diagonal";

static NOTHING: LazyLock<Array2<f32>> = LazyLock::new(|| Array2::zeros((0, 0)));

impl PartialEq for PromptObservation {
    fn eq(&self, other: &PromptObservation) -> bool {
        let same = |(a, b): (&f32, &f32)| a == b || (a.is_nan() && b.is_nan());
        let tables = |(a, b): (&Array2<f32>, &Array2<f32>)| a.dim() == b.dim() && a.iter().zip(b).all(same);
        (&self.token_ids, &self.top, &self.branches) == (&other.token_ids, &other.top, &other.branches)
            && self.seen.keys().eq(other.seen.keys())
            && self.seen.values().zip(other.seen.values()).all(tables)
    }
}

impl PromptObservation {
    /// An observation of which nothing is seen yet, by blocks with these branches in the order of their writes.
    pub fn new<B: Into<String>>(
        token_ids: Vec<u32>,
        branches: impl IntoIterator<Item = B>,
    ) -> PromptObservation {
        let branches = branches.into_iter().map(Into::into).collect();
        PromptObservation { token_ids, top: Vec::new(), branches, seen: BTreeMap::new() }
    }

    /// An observation of this many blocks, tokens and heads of attention, for tests: token t has the id t, nothing is
    /// likely to follow, and `value` gives every number by the name of its tap, its row and its column (see [`super::Axes::shape`]).
    pub fn made(
        [blocks, tokens, heads]: [usize; 3],
        mut value: impl FnMut(&str, [usize; 2]) -> f32,
    ) -> PromptObservation {
        let branches = [ATTENTION, MLP];
        let mut made = PromptObservation::new((0..tokens as u32).collect(), branches);
        for one in named(&branches).iter().filter(|one| !one.tap.optional || one.name == OFF_DIAGONAL) {
            let shape = one.tap.axes.shape(blocks, tokens, heads);
            made.put(
                &one.name,
                Array2::from_shape_fn(shape, |(row, column)| value(&one.name, [row, column])),
            );
        }
        made
    }

    /// Sets what was seen at a tap, in the shape of its axes.
    pub fn put(&mut self, name: &str, values: Array2<f32>) {
        debug_assert!(Tap::find(name).is_some(), "{name} is no tap");
        self.seen.insert(name.to_string(), values);
    }

    /// Sets one number of the prompt; `None` takes it away.
    pub fn put_number(&mut self, name: &str, value: Option<f32>) {
        match value {
            Some(value) => self.put(name, Array2::from_elem((1, 1), value)),
            None => self.take(name),
        }
    }

    /// Takes away what was seen at a tap.
    pub fn take(&mut self, name: &str) {
        self.seen.remove(name);
    }

    /// T.
    pub fn tokens(&self) -> usize {
        self.token_ids.len()
    }

    /// L.
    pub fn blocks(&self) -> usize {
        self.resid().nrows().saturating_sub(1)
    }

    /// The branches of the blocks, in the order of their writes.
    pub fn branches(&self) -> &[String] {
        &self.branches
    }

    /// The taps that these blocks can have.
    pub fn named(&self) -> Vec<NamedTap> {
        named(&self.branches)
    }

    /// What was seen at a tap; no rows where nothing was.
    pub fn tap(&self, name: &str) -> &Array2<f32> {
        self.seen.get(name).unwrap_or(&NOTHING)
    }

    /// [`PromptObservation::tap`], to change it; `None` where nothing was seen.
    pub fn tap_mut(&mut self, name: &str) -> Option<&mut Array2<f32>> {
        self.seen.get_mut(name)
    }

    /// Whether something was seen at a tap.
    pub fn has(&self, name: &str) -> bool {
        self.seen.contains_key(name)
    }

    /// One number of the prompt.
    pub fn number(&self, name: &str) -> Option<f32> {
        self.tap(name).first().copied()
    }

    /// ‖h_l,t‖ of the stream, `[L+1, T]`.
    pub fn resid(&self) -> &Array2<f32> {
        self.tap("resid")
    }

    /// Largest |component| of h_l,t, `[L+1, T]`.
    pub fn max_abs(&self) -> &Array2<f32> {
        self.tap("max_abs")
    }

    /// ‖w_l,t‖ of all that block l adds, its writes as one vector, `[L, T]`.
    pub fn write(&self) -> &Array2<f32> {
        self.tap("write")
    }

    /// Cosine of what block l keeps of h_l,t and w_l,t, `[L, T]`.
    pub fn write_cosine(&self) -> &Array2<f32> {
        self.tap("write_cosine")
    }

    /// Norm of what block l keeps of h_l,t, `[L, T]`: of h_l,t itself, where the block keeps all of it. Rows beyond L may
    /// follow.
    pub fn kept(&self) -> &Array2<f32> {
        self.seen.get("kept").unwrap_or_else(|| self.resid())
    }

    /// ‖what a branch adds to the stream‖, `[L, T]`.
    pub fn branch_out(&self, branch: &str) -> &Array2<f32> {
        self.tap(&format!("{branch}_out"))
    }

    /// ‖what the module of a branch receives‖, after the norm before it, where there is one, `[L, T]`.
    pub fn module_in(&self, branch: &str) -> &Array2<f32> {
        self.tap(&format!("{branch}_module_in"))
    }

    /// ‖what the module of a branch gives‖, before the norm that follows it, where there is one, `[L, T]`.
    pub fn module_out(&self, branch: &str) -> &Array2<f32> {
        self.tap(&format!("{branch}_module_out"))
    }

    /// Attention probability off the diagonal, summed over query tokens, by query head, `[L, H]`.
    pub fn off_diagonal(&self) -> &Array2<f32> {
        self.tap(OFF_DIAGONAL)
    }

    /// ‖final norm(h_L,t)‖, `[T]`.
    pub fn final_norm(&self) -> Array1<f32> {
        self.tap("final_norm").iter().copied().collect()
    }

    /// Entropy of head(final norm(h_l)) at the last position, nats, `[L+1]`, where [`Extra::Lens`] was asked for.
    pub fn lens_entropy_nats(&self) -> Option<Array1<f32>> {
        self.seen.get("lens_entropy_nats").map(|lens| lens.iter().copied().collect())
    }
}

/// The branches of all these observations, in the order in which they first come.
pub fn branches_of<'a>(observations: impl IntoIterator<Item = &'a PromptObservation>) -> Vec<&'a str> {
    let mut branches: Vec<&str> = Vec::new();
    for branch in observations.into_iter().flat_map(|o| &o.branches) {
        if !branches.contains(&branch.as_str()) {
            branches.push(branch);
        }
    }
    branches
}
