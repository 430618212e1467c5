//! Model families: config to recipe, one small file each.
//!
//! A family reads its own typed config and builds three kinds of graph from `nn`: what happens to the embedding rows
//! (`prelude`), one block, and the logits. Weight names and shapes are declared where they are used; the list to
//! check a checkpoint against falls out of the graphs. Families that are "LLaMA with .." say how they differ by a
//! [`choices::Decoder`]; the others write their own block. A new family is one file and one line in `families`.

mod architecture;
mod block;
mod choices;
mod class;
mod config;
mod decoder;
mod deepseek;
mod error;
mod experts;
mod families;
mod gauges;
mod indexed;
mod intervene;
mod kinds;
mod known;
mod latent;
mod latent_keys;
mod layer;
mod layer_ropes;
mod limit;
mod mixing;
mod mixture;
mod mlp_layers;
mod modules;
mod names;
mod recipe;
mod rope;
mod scaling;
mod sizes;
mod temperature_keys;
mod uses;
mod values;
mod whole;
mod wrapped;

pub use architecture::{Architecture, Initial};
pub use block::{Block, Branch, NamedBranch};
pub use error::{ArchError, of_model};
pub use experts::{Experts, Routed};
pub use families::families;
pub use gauges::{LOST_COSINE, block_gauge, is_lost, stream_gauge};
pub use intervene::{rope_theta_times, without_rope_scaling};
pub use known::{KnownFamily, NormPlaces, known_families};
pub use layer::LayerFacts;
pub use limit::PromptLimit;
pub use modules::{Modules, UNEMBEDDING, scaled_name};
pub use names::Names;
pub use recipe::Recipe;
pub use uses::{FinalNormWeight, Part, Place, WeightUse};
pub use values::{ValueLayout, ValueWeights};
pub use whole::INPUTS;
