//! `sign-pattern`: do named models share a sign?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Signs of the intervals of named models. `same-sign` is 1 where the intervals of all `models` lie on one side of 0, else 0;
/// `opposite` is 1 where those of all `apart` lie on the other side, else 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignPattern {
    pub of: Quantity,
    pub models: Vec<String>,
    #[serde(default)]
    pub apart: Vec<String>,
}

impl SignPattern {
    pub const STATISTICS: &'static [&'static str] =
        &["same-sign", "opposite", "positive", "negative", "unclear", "models"];
}

impl Kind for SignPattern {
    fn parts(&self) -> Parts<'_> {
        let lists = [("models", &self.models), ("apart", &self.apart)].into_iter();
        let models = lists.flat_map(|(field, list)| {
            list.iter().enumerate().map(move |(i, id)| (vec![field.into(), i.into()], &id[..]))
        });
        Parts { models: models.collect(), ..Parts::of([("of", &self.of)]) }
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
