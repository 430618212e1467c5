//! Which rows prompts that begin alike have in common.

use model::arch::Recipe;

/// What the tokens of a prompt have in common with those of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sharing {
    /// Whatever both begin with.
    Prefixes,
    /// Nothing unless they are equally long, for the positions of a prompt depend on its length.
    SameLength,
}

impl Sharing {
    pub(super) fn of(recipe: &Recipe) -> Sharing {
        let prelude = &recipe.modules().prelude;
        let by_length = prelude.inputs().iter().any(|input| prelude.name_of(*input) == "lengths");
        if by_length { Sharing::SameLength } else { Sharing::Prefixes }
    }

    /// Tokens at the beginning of both prompts whose rows can be the same.
    pub(super) fn shared(self, a: &[u32], b: &[u32]) -> usize {
        let alike = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        if self == Sharing::Prefixes || a.len() == b.len() { alike } else { 0 }
    }
}
