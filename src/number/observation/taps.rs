//! The taps: everything that is observed of a prompt, declared once.
//!
//! Recipes, the engine, stored segments, tables, their manual, `measure` and comparisons of runs follow [`TAPS`]. The
//! reference scripts read the same list from `scripts/reference/taps.json`, which a test of this file keeps equal to it.

use std::fmt;

use serde::Serialize;

/// The name of the branch that mixes tokens by attention.
pub const ATTENTION: &str = "attn";

/// The name of the branch that works on each token by itself.
pub const MLP: &str = "mlp";

/// Stands for the name of a branch in the names of taps that every branch has.
const BRANCH: &str = "{branch}";

/// Something that is observed of a prompt. All values are float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tap {
    /// The name in tables, files and JSON. Where it has `{branch}`, every branch of a block has this tap under its own name.
    pub name: &'static str,
    /// What the values are counted by.
    pub axes: Axes,
    /// Unit of the values; those of [`Tap::is_absolute`] are as exact as what they relate to.
    pub unit: &'static str,
    /// Meaning in one phrase; `{branch}` stands for the branch in words.
    pub meaning: &'static str,
    /// Whether the natural value may be zero, so that a difference in the tap's own unit says more than a relative one.
    pub near_zero: bool,
    /// Whether some blocks or branches do not have it; the others are null where they were not observed.
    pub optional: bool,
}

/// What the values of a tap are counted by, for L blocks, T tokens and H heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axes {
    /// `[L+1, T]`: layer l is the stream entering block l, L the last block's output before the final norm.
    Stream,
    /// `[L, T]`: a number for every block and token; not-a-number where a block lacks the branch.
    Blocks,
    /// `[L, H]`: a number for every block and head. Where blocks differ in H, the shorter rows end with not-a-number.
    Heads,
    /// `[L, E]`: a number for every block and expert; not-a-number where a block has none.
    Experts,
    /// `[L, T, K]`: a number for every block, token and chosen expert; not-a-number where a block has none.
    Choices,
    /// `[L+1]`: a number for every layer of the stream, at the last token.
    Layers,
    /// `[T]`: a number for every token after the last block.
    Tokens,
    /// One number for the prompt.
    Prompt,
}

/// Every tap, in the order of columns. A new one is a line here, its formula in `model::arch` (graph) and its formula in
/// `scripts/reference/measure.py`.
pub const TAPS: &[Tap] = &[
    tap("resid", Axes::Stream, "norm", "norm of the residual stream over the width"),
    tap("max_abs", Axes::Stream, "component", "largest |component| of the residual stream"),
    tap(
        "{branch}_module_in",
        Axes::Blocks,
        "norm",
        "norm of what {branch} receives, after any norm before it",
    ),
    tap("{branch}_module_out", Axes::Blocks, "norm", "norm of what {branch} gives, before any norm after it"),
    tap("{branch}_out", Axes::Blocks, "norm", "norm of what {branch} adds to the stream"),
    optional(near_zero(
        "{branch}_off_diagonal",
        Axes::Heads,
        "probability",
        "attention probability off the diagonal, summed over query tokens, of {branch}",
    )),
    tap("write", Axes::Blocks, "norm", "norm of all that the block adds to the stream, as one vector"),
    near_zero(
        "write_cosine",
        Axes::Blocks,
        "cosine",
        "cosine of what the block keeps of the stream entering it and what it adds; 0 where one of them is 0",
    ),
    optional(tap(
        "kept",
        Axes::Blocks,
        "norm",
        "norm of what the block keeps of the stream entering it, where it does not keep all of it",
    )),
    optional(near_zero(
        "router_entropy_nats",
        Axes::Blocks,
        "nats",
        "entropy of the router's scores, as a distribution over the block's experts",
    )),
    optional(near_zero(
        "router_margin",
        Axes::Blocks,
        "score",
        "by how much the last expert that was chosen leads the best one that was not: in logits, or where the router corrects its \
         scores in corrected scores",
    )),
    optional(near_zero(
        "expert_weight",
        Axes::Choices,
        "share",
        "weight of what each chosen expert gives, the best choice first",
    )),
    optional(near_zero(
        "expert_tokens",
        Axes::Experts,
        "share",
        "share of the prompt's tokens that choose the expert",
    )),
    optional(near_zero(
        "router_near_ties",
        Axes::Prompt,
        "tokens",
        "tokens whose margin is below 1e-4 in some block, so that float32 may choose another expert than exact numbers would",
    )),
    near_zero(
        "lens_entropy_nats",
        Axes::Layers,
        "nats",
        "entropy of head(final norm(stream)) at the last position",
    ),
    tap("final_norm", Axes::Tokens, "norm", "norm after the final norm"),
    near_zero(
        "entropy_nats",
        Axes::Prompt,
        "nats",
        "entropy of the next-token distribution at the last position",
    ),
    near_zero(
        "logit_shift",
        Axes::Prompt,
        "share",
        "largest |change| of a logit of the last position when the last stream is multiplied by 1/4, 1/2, 2 or 4, over the \
         largest less the smallest logit",
    ),
    near_zero(
        "loss_nats",
        Axes::Prompt,
        "nats",
        "mean over the prompt's own next tokens of -log p of the token",
    ),
];

const fn tap(name: &'static str, axes: Axes, unit: &'static str, meaning: &'static str) -> Tap {
    Tap { name, axes, unit, meaning, near_zero: false, optional: false }
}

const fn optional(tap: Tap) -> Tap {
    Tap { optional: true, ..tap }
}

const fn near_zero(name: &'static str, axes: Axes, unit: &'static str, meaning: &'static str) -> Tap {
    Tap { near_zero: true, ..tap(name, axes, unit, meaning) }
}

/// A margin below which float32 may choose another expert than exact numbers would: scores of size 10 are off by up to 1e-5
/// after some dozens of blocks.
pub const NEAR_TIE: f32 = 1e-4;

impl Tap {
    /// Whether errors of the tap are absolute: a cosine, a share and a score are as exact as what they relate to.
    pub fn is_absolute(&self) -> bool {
        ["cosine", "share", "score"].contains(&self.unit)
    }

    /// Whether every branch has this tap under its own name.
    pub fn is_of_branch(&self) -> bool {
        self.name.contains(BRANCH)
    }

    /// The tap that a name stands for, whatever the branch.
    pub fn find(name: &str) -> Option<&'static Tap> {
        let stands_for = |tap: &&Tap| match tap.name.strip_prefix(BRANCH) {
            Some(rest) => name.strip_suffix(rest).is_some_and(|branch| !branch.is_empty()),
            None => tap.name == name,
        };
        // `attn_module_out` ends as `{branch}_out` too: the longest wins.
        TAPS.iter().filter(stands_for).max_by_key(|tap| tap.name.len())
    }
}

/// A tap under the name of one branch, or one that no branch enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTap {
    /// What it is called in tables, files and JSON, e.g. `attn_out`.
    pub name: String,
    /// The declaration.
    pub tap: &'static Tap,
    /// The branch it is of.
    pub branch: Option<String>,
}

impl NamedTap {
    /// The tap that a name stands for, and the branch in it.
    pub fn of(name: &str) -> Option<NamedTap> {
        let tap = Tap::find(name)?;
        let rest = tap.name.strip_prefix(BRANCH);
        let branch = rest.and_then(|rest| name.strip_suffix(rest)).map(str::to_string);
        Some(NamedTap { name: name.to_string(), tap, branch })
    }

    /// The tap's meaning with the branch in words.
    pub fn meaning(&self) -> String {
        let branch = match self.branch.as_deref() {
            Some(ATTENTION) => "attention".to_string(),
            Some(MLP) => "the MLP".to_string(),
            other => format!("the branch {}", other.unwrap_or_default()),
        };
        self.tap.meaning.replace(BRANCH, &branch)
    }
}

/// Every tap of blocks with these branches, in the order of [`TAPS`]: those of a branch together.
pub fn named<B: AsRef<str>>(branches: &[B]) -> Vec<NamedTap> {
    let mut all = Vec::new();
    for run in TAPS.chunk_by(|a, b| a.is_of_branch() == b.is_of_branch()) {
        if !run[0].is_of_branch() {
            all.extend(run.iter().map(|tap| NamedTap { name: tap.name.to_string(), tap, branch: None }));
            continue;
        }
        for branch in branches.iter().map(AsRef::as_ref) {
            all.extend(run.iter().map(|tap| NamedTap {
                name: tap.name.replace(BRANCH, branch),
                tap,
                branch: Some(branch.to_string()),
            }));
        }
    }
    all
}

impl Axes {
    /// Rows and columns of the table that holds the values, for L blocks, T tokens and so many heads, experts or choices.
    pub fn shape(self, blocks: usize, tokens: usize, others: usize) -> [usize; 2] {
        match self {
            Axes::Stream => [blocks + 1, tokens],
            Axes::Blocks => [blocks, tokens],
            Axes::Heads | Axes::Experts => [blocks, others],
            Axes::Choices => [blocks, tokens * others],
            Axes::Layers => [blocks + 1, 1],
            Axes::Tokens => [1, tokens],
            Axes::Prompt => [1, 1],
        }
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Axes::Stream => "[L+1][T]",
            Axes::Blocks => "[L][T]",
            Axes::Heads => "[L][H]",
            Axes::Experts => "[L][E]",
            Axes::Choices => "[L][T][K]",
            Axes::Layers => "[L+1]",
            Axes::Tokens => "[T]",
            Axes::Prompt => "",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn a_name_stands_for_one_tap_whatever_the_branch() {
        let names: Vec<NamedTap> = named(&[ATTENTION, MLP, "mixer"]);
        for one in &names {
            assert_eq!(NamedTap::of(&one.name).as_ref(), Some(one), "{}", one.name);
        }
        let unique: std::collections::BTreeSet<&str> = names.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(unique.len(), names.len());
        assert_eq!(Tap::find("attn_module_out").unwrap().name, "{branch}_module_out");
        assert_eq!((Tap::find("_out"), Tap::find("token_id")), (None, None));
    }

    #[test]
    fn the_taps_of_a_branch_stand_together() {
        let names: Vec<String> = named(&[ATTENTION, MLP]).into_iter().map(|one| one.name).collect();
        let of_branches = names.iter().filter(|name| name.starts_with("attn") || name.starts_with("mlp"));
        let expected = ["attn", "mlp"].map(|branch| {
            ["module_in", "module_out", "out", "off_diagonal"].map(|tap| format!("{branch}_{tap}"))
        });
        assert!(of_branches.eq(expected.as_flattened()), "{names:?}");
    }

    /// `UPDATE_TAPS=1 cargo test -p streamgauge-number` writes the file.
    #[test]
    fn the_reference_scripts_read_the_same_list() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/reference/taps.json");
        let list = serde_json::to_string_pretty(TAPS).unwrap() + "\n";
        if std::env::var_os("UPDATE_TAPS").is_some() {
            fs::write(&path, &list).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), list, "write it with UPDATE_TAPS=1");
    }
}
