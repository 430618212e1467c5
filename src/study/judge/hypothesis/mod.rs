//! Hypotheses as files state them: claims with predictions, the quantities they read, and the rules that decide.
//!
//! `claim` is the file as a whole; `quantity`, `models`, `needs`, `rule` and `multiverse` are its parts. The tests of
//! predictions are in [`kinds`](super::kinds).

mod claim;
mod models;
mod multiverse;
mod needs;
mod path;
mod quantity;
mod rule;

pub use super::kinds::Test;
pub use claim::{Hypothesis, OtherProtocol, Prediction, Status};
pub use models::{FactCondition, FactValue, ModelFilter};
pub use multiverse::{Dimension, Multiverse, Override, Relation};
pub use needs::Needs;
pub use path::Step;
pub use quantity::{Quantity, Scale, Select};
pub use rule::{Condition, Holds, Rule, Stands, Way};
