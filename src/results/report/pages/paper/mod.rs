//! What the report says of the one paper that the shipped experiment re-tests: the case of LLaMA-3.1, its figures remade, its
//! claims recomputed. An experiment without that paper's tables has none of these pages.

pub(super) mod case;
pub(super) mod claims;
pub(super) mod figures;
mod remade;
pub(super) mod statistics;

pub use remade::published_figures;

use crate::report::document::{Line, prose};
use crate::report::view::View;

/// Where the published tables come from, if any of them is shown.
pub(super) fn source(view: &View) -> Option<Line> {
    let shown = view.llama.is_some() || !view.claims.is_empty();
    shown.then(|| {
        prose(
            "published tables: `buk81/uniformity-asymmetry`, folder `paper3/`, commit `e3c7f94`, MIT licence; caveats in \
             `data/published/README.md`",
        )
    })
}
