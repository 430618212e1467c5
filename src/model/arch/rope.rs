//! Rotary parameters of a config, keys old and new.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError,
    scaling::{Given, Scaling, narrow, waves},
};
use crate::nn::{
    attention::Attention,
    rope::{Beyond, Frequencies, Longer, Pairs, Rotary},
};
use number::facts::ModelFacts;

/// More components than a head of any model has: a mistyped config must not ask for the memory of its rotary table.
const MAX_HEAD_WIDTH: usize = 1 << 16;

/// The hub's legacy keys and the newer nested `rope_parameters`; `rope_scaling` wins over it, as in transformers 5. For
/// `#[serde(flatten)]`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct RopeKeys {
    pub rope_theta: Option<f64>,
    pub partial_rotary_factor: Option<f64>,
    pub rope_scaling: Option<Map<String, Json>>,
    pub rope_parameters: Option<Map<String, Json>>,
    pub original_max_position_embeddings: Option<f64>,
}

/// Rotary parameters of a model, resolved.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rope {
    /// The base.
    pub theta: f64,
    /// `default`, `linear`, `dynamic`, `llama3`, `yarn`, `longrope`.
    pub scaling: String,
    pub rotary: Rotary,
}

/// A family's rotary parameters where its config has none.
#[derive(Clone, Copy, Debug)]
pub(super) struct RopeDefaults {
    pub head_width: usize,
    /// `max_position_embeddings`.
    pub context: usize,
    pub theta: f64,
    pub share: Share,
    pub pairs: Pairs,
}

/// The share of each head that a family turns.
#[derive(Clone, Copy, Debug)]
pub(super) enum Share {
    /// All of it: the reference does so whatever the config says.
    Whole,
    /// This share, rounded down to a number of components, unless the config says another. The reference cuts heads at this
    /// number, and fails where it is odd: its tables are then wider by one.
    Even(f64),
    /// The same, but the reference cuts heads at the width of its tables: where the number is odd, one component more turns.
    Any(f64),
}

impl RopeDefaults {
    /// LLaMA's parameters.
    pub(super) fn like_llama(heads: Attention, context: usize) -> RopeDefaults {
        let (theta, share, pairs) = (10_000.0, Share::Whole, Pairs::Halves);
        RopeDefaults { head_width: heads.head_width, context, theta, share, pairs }
    }
}

/// The key of a config under which its rotary parameters stand; an empty object says nothing.
pub(super) fn nested_key(json: &Map<String, Json>) -> Option<&'static str> {
    let says = |found: &Json| found.as_object().is_none_or(|keys| !keys.is_empty());
    ["rope_scaling", "rope_parameters"].into_iter().find(|key| json.get(*key).is_some_and(says))
}

impl RopeKeys {
    /// The scaling, checked for keys that mean nothing.
    pub(super) fn nested(&self, family: &'static str) -> Result<Scaling, ArchError> {
        let nested = self.rope_scaling.clone().filter(|keys| !keys.is_empty());
        let nested = nested.or_else(|| self.rope_parameters.clone()).unwrap_or_default();
        serde_json::from_value(Json::Object(nested)).map_err(|e| ArchError::Config {
            family,
            reason: format!("rotary parameters: {e}; nothing in them is ignored"),
        })
    }

    /// Resolves the rotary parameters. Where `rope_parameters` nests some for each type of layer (gemma3), the family takes
    /// them apart before.
    pub(super) fn resolve(&self, family: &'static str, defaults: RopeDefaults) -> Result<Rope, ArchError> {
        let refuse = |reason: String| ArchError::Config { family, reason };
        let nested = self.nested(family)?;
        let RopeDefaults { head_width, context, pairs, .. } = defaults;
        if head_width > MAX_HEAD_WIDTH {
            return Err(refuse(format!(
                "heads of {head_width} components; expected at most {MAX_HEAD_WIDTH}"
            )));
        }
        let once = |name: &str, nested: Option<f64>, beside: Option<f64>| match (nested, beside) {
            (Some(one), Some(other)) if one != other => Err(refuse(format!(
                "two {name}s: {one} among the rotary parameters (`rope_parameters` or `rope_scaling`) and {other} beside \
                 them; expected one: transformers 5 takes the former, earlier versions the latter; remove the wrong one"
            ))),
            (nested, beside) => Ok(nested.or(beside)),
        };
        let theta = once("rotary base", nested.rope_theta, self.rope_theta)?.unwrap_or(defaults.theta);
        if !(theta.is_finite() && theta > 0.0) {
            return Err(refuse(format!(
                "rotary base (`rope_theta`, in gpt_neox `rotary_emb_base`) = {theta}; expected a positive number"
            )));
        }
        let share = once("rotary share", nested.partial_rotary_factor, self.partial_rotary_factor)?;
        if let Some(share) = share.filter(|share| !(0.0..=1.0).contains(share)) {
            return Err(refuse(format!(
                "rotary share of a head (`partial_rotary_factor`, in gpt_neox `rotary_pct`) = {share}; expected a number \
                 between 0 and 1"
            )));
        }
        let components = defaults.share.components(family, share, head_width)?;
        let scaling = nested.name();
        let plain = waves(theta, components);
        let original = self.original_max_position_embeddings.or(nested.original_max_position_embeddings);
        let given = Given { family, scaling: &scaling, nested: &nested, original, context, components };
        let frequencies = given.frequencies(&plain, theta)?;
        Ok(Rope { theta, scaling, rotary: Rotary { name: "rotary", frequencies, pairs } })
    }
}

impl Share {
    /// Components of a head from which frequencies are made, where the config gives this share of a head or none.
    fn components(
        self,
        family: &'static str,
        given: Option<f64>,
        head_width: usize,
    ) -> Result<usize, ArchError> {
        let of_head = |default: f64| (head_width as f64 * given.unwrap_or(default)) as usize; // rounds down
        match self {
            Share::Whole => {
                let components = of_head(1.0);
                if components == head_width {
                    return even(family, components, head_width);
                }
                let reason =
                    "rotary positions on a part of each head; expected the whole: this family turns whole heads"
                        .to_string();
                Err(ArchError::Config { family, reason })
            }
            // Of no component the reference makes empty tables: the heads pass unturned.
            Share::Even(default) if of_head(default) == 0 => Ok(0),
            Share::Even(default) => even(family, of_head(default), head_width),
            Share::Any(default) => {
                let components = of_head(default);
                if (0..=head_width).contains(&components.next_multiple_of(2)) {
                    return Ok(components);
                }
                let reason = format!(
                    "rotary positions on {components} of {head_width} components of a head; expected a number between 0 \
                     and {head_width} that is even or less than {head_width}"
                );
                Err(ArchError::Config { family, reason })
            }
        }
    }
}

impl Rope {
    /// The parameters of a family whose config has only the number of components that turn (gptj).
    pub(super) fn plain(
        family: &'static str,
        theta: f64,
        components: usize,
        head_width: usize,
        pairs: Pairs,
    ) -> Result<Rope, ArchError> {
        even(family, components, head_width)?;
        let frequencies = plain_frequencies(theta, components);
        let rotary = Rotary { name: "rotary", frequencies, pairs };
        Ok(Rope { theta, scaling: "default".to_string(), rotary })
    }

    /// The same parameters under a name of their own, for models whose blocks turn in different ways.
    pub(super) fn named(mut self, name: &'static str) -> Rope {
        self.rotary.name = name;
        self
    }

    /// The facts of a model whose sizes are told: what its positions are, and how far they reach.
    pub(super) fn facts(&self, sizes: ModelFacts) -> ModelFacts {
        let positions = match (self.rotary.turning(), sizes.head_width) {
            (0, _) => "none",
            (turning, Some(width)) if turning < width as usize => "partial-rotary",
            _ => "rotary",
        };
        ModelFacts {
            positions: Some(positions.to_string()),
            rope_theta: Some(self.theta),
            rope_scaling: Some(self.scaling.clone()),
            context: sizes.context.map(|given| self.context(given as usize)),
            ..sizes
        }
    }

    /// Longest prompt, tokens, given `max_position_embeddings`: a scaling that follows the prompt goes beyond it.
    fn context(&self, given: usize) -> u32 {
        let stretch = match &self.rotary.frequencies.beyond {
            Some(Beyond { rule: Longer::Stretch { factor, .. }, .. }) => factor.max(1.0),
            _ => 1.0,
        };
        (given as f64 * f64::from(stretch)) as u32 // saturates
    }
}

/// Frequencies of so many components of a head, without a scaling.
pub(super) fn plain_frequencies(theta: f64, components: usize) -> Frequencies {
    Frequencies { inverse: narrow(waves(theta, components)), factor: 1.0, beyond: None }
}

/// `components` of a head, if they turn in pairs.
fn even(family: &'static str, components: usize, head_width: usize) -> Result<usize, ArchError> {
    if components != 0 && components.is_multiple_of(2) && components <= head_width {
        return Ok(components);
    }
    let reason = format!(
        "rotary positions on {components} of {head_width} components of a head; expected an even number between 2 and {head_width}"
    );
    Err(ArchError::Config { family, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults(head_width: usize, share: Share) -> RopeDefaults {
        RopeDefaults { head_width, context: 128, theta: 10_000.0, share, pairs: Pairs::Halves }
    }

    fn resolve(json: &str) -> Result<Rope, ArchError> {
        serde_json::from_str::<RopeKeys>(json).unwrap().resolve("phi", defaults(8, Share::Even(1.0)))
    }

    #[test]
    fn nested_and_legacy_keys_mean_the_same() {
        let nested = resolve(
            r#"{"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 500.0, "partial_rotary_factor": 0.5}}"#,
        );
        let legacy = r#"{"rope_theta": 500, "rope_scaling": {"type": "linear", "factor": 2.0}, "partial_rotary_factor": 0.5}"#;
        assert_eq!(resolve(legacy).unwrap(), *nested.as_ref().unwrap());
        assert_eq!(nested.unwrap().rotary.frequencies.inverse, [0.5, 0.5 / 500f32.sqrt()]);
    }

    #[test]
    fn an_unknown_scaling_is_refused() {
        let message =
            resolve(r#"{"rope_scaling": {"type": "spiral", "factor": 4.0}}"#).unwrap_err().to_string();
        assert!(message.contains("`rope_type` is \"spiral\"") && message.contains("llama3"), "{message}");
    }

    #[test]
    fn a_base_that_is_not_positive_is_refused() {
        for theta in ["0", "-10000.0", "-0.5"] {
            let message = resolve(&format!(r#"{{"rope_theta": {theta}}}"#)).unwrap_err().to_string();
            assert!(message.contains("rope_theta") && message.contains("positive"), "{message}");
        }
    }

    #[test]
    fn a_base_or_a_share_that_is_said_twice_must_be_one() {
        let twice = |theta: f64, share: f64| {
            resolve(&format!(
                r#"{{"rope_theta": 500, "partial_rotary_factor": 0.5,
                    "rope_parameters": {{"rope_theta": {theta}, "partial_rotary_factor": {share}}}}}"#
            ))
        };
        assert_eq!(twice(500.0, 0.5).unwrap().theta, 500.0);
        let message = twice(1e4, 0.5).unwrap_err().to_string();
        assert!(
            message.contains("two rotary bases: 10000 among") && message.contains("500 beside"),
            "{message}"
        );
        let message = twice(500.0, 1.0).unwrap_err().to_string();
        assert!(
            message.contains("two rotary shares: 1 among") && message.contains("0.5 beside"),
            "{message}"
        );
    }

    #[test]
    fn a_scaling_without_its_numbers_is_refused() {
        let message = resolve(r#"{"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}"#).unwrap_err();
        assert!(message.to_string().contains("low_freq_factor"), "{message}");
    }

    #[test]
    fn a_key_that_no_scaling_knows_is_refused() {
        let message = resolve(r#"{"rope_scaling": {"rope_type": "linear", "factor": 2.0, "twist": 1}}"#);
        assert!(message.unwrap_err().to_string().contains("twist"));
    }

    #[test]
    fn longrope_wants_a_factor_for_every_wave() {
        let message = resolve(
            r#"{"rope_scaling": {"type": "su", "short_factor": [1, 1, 1, 1], "long_factor": [2, 2, 2]},
                "original_max_position_embeddings": 32}"#,
        );
        let message = message.unwrap_err().to_string();
        assert!(message.contains("`long_factor`, 4 positive numbers; found 3"), "{message}");
    }

    #[test]
    fn an_odd_number_of_components_turns_one_more_where_the_reference_cuts_at_its_tables() {
        let resolve = |share, head_width, factor: f64| {
            let keys = RopeKeys { partial_rotary_factor: Some(factor), ..RopeKeys::default() };
            keys.resolve("gpt_neox", defaults(head_width, share))
        };
        let rotary = resolve(Share::Any(1.0), 12, 0.25).unwrap().rotary;
        assert_eq!(rotary.turning(), 4);
        assert_eq!(rotary.frequencies.inverse, [1.0, 10_000f64.powf(-2.0 / 3.0) as f32]);
        assert_eq!(resolve(Share::Any(1.0), 4, 0.75).unwrap().rotary.turning(), 4);
        assert_eq!(resolve(Share::Any(1.0), 12, 0.1).unwrap().rotary.turning(), 2);
        let yarn = r#"{"partial_rotary_factor": 0.25, "rope_scaling": {"rope_type": "yarn", "factor": 2.0}}"#;
        let yarn: RopeKeys = serde_json::from_str(yarn).unwrap();
        let message = yarn.resolve("gpt_neox", defaults(12, Share::Any(1.0))).unwrap_err().to_string();
        assert!(message.contains("\"yarn\" on 3 components"), "{message}");
        for share in [Share::Any(1.0), Share::Even(1.0)] {
            let rope = resolve(share, 12, 0.05).unwrap();
            assert_eq!(rope.rotary.turning(), 0);
            let sizes = ModelFacts { head_width: Some(12), ..ModelFacts::default() };
            assert_eq!(rope.facts(sizes).positions.as_deref(), Some("none"));
        }
        for share in [Share::Any(1.0), Share::Even(1.0), Share::Whole] {
            for factor in [u64::MAX as f64, 1.5, -0.5] {
                let message = resolve(share, 12, factor).unwrap_err().to_string();
                assert!(message.contains("between 0 and 1"), "{message}");
            }
        }
        for (share, head_width, factor) in [
            (Share::Any(1.0), 3, 1.0), // four of three
            (Share::Even(1.0), 12, 0.25),
            (Share::Whole, 4, 0.75),
        ] {
            let message = resolve(share, head_width, factor).unwrap_err().to_string();
            assert!(message.contains("rotary positions on"), "{message}");
        }
    }
}
