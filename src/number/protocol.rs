//! Protocols: how observations become a gain. A number never travels without one.
//!
//! A protocol is written `reduction/endpoint` or `reduction/endpoint/bos`, e.g. `last/last-block/auto`.

use std::{borrow::Cow, fmt, str::FromStr};

use base::named_enum;
use base::named_enum::UnknownWord;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

named_enum! {
    /// How the tokens of one prompt are reduced to one norm per tap.
    Reduction, "token reduction" {
        /// ‖x_T‖ of the last token.
        Last = "last",
        /// Mean over tokens of ‖x_t‖.
        Mean = "mean",
        /// √Σ_t ‖x_t‖², the Frobenius norm of the prompt's `[T, D]` matrix.
        Frobenius = "frobenius",
        /// Mean over tokens t ≥ 2 (the first token, which carries the massive activation, left out).
        MeanWithoutFirst = "mean-without-first",
        /// Frobenius norm over tokens t ≥ 2.
        FrobeniusWithoutFirst = "frobenius-without-first",
    }
}

named_enum! {
    /// Which two norms the last gain divides.
    Endpoint, "endpoint" {
        /// ‖h_L‖ / ‖h_{L-1}‖: the last block's output over its input, both before the final norm.
        LastBlock = "last-block",
        /// ‖norm(h_L)‖ / ‖h_{L-1}‖: the last two entries of a framework's `hidden_states`.
        HfLast = "hf-last",
        /// ‖h_{L-1}‖ / ‖h_{L-2}‖: `hidden_states[-2] / hidden_states[-3]`, the last-but-one block.
        HfPenultimate = "hf-penultimate",
    }
}

named_enum! {
    /// Whether a beginning-of-sequence token precedes the prompt.
    Bos, "BOS policy" {
        /// What the checkpoint's tokenizer does by default.
        Auto = "auto",
        /// Exactly one BOS in front, added if the tokenizer does not add it.
        Always = "always",
        /// None, even if the tokenizer would add one.
        Never = "never",
    }
}

/// token reduction × endpoint × BOS policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol {
    /// How tokens are reduced.
    pub reduction: Reduction,
    /// Which two norms are divided.
    pub endpoint: Endpoint,
    /// What precedes the prompt.
    pub bos: Bos,
}

impl Protocol {
    /// The protocol of these three choices.
    pub const fn new(reduction: Reduction, endpoint: Endpoint, bos: Bos) -> Protocol {
        Protocol { reduction, endpoint, bos }
    }

    /// Every reduction × endpoint under one BOS policy, reductions outermost.
    pub fn all(bos: Bos) -> impl Iterator<Item = Protocol> {
        Reduction::ALL.iter().flat_map(move |&r| Endpoint::ALL.iter().map(move |&e| Protocol::new(r, e, bos)))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}/{}", self.reduction, self.endpoint, self.bos))
    }
}

/// Why a text is no protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProtocol {
    /// The text has not two or three parts between slashes.
    #[error("expected reduction/endpoint or reduction/endpoint/bos, e.g. last/last-block, found {0:?}")]
    Shape(String),
    /// A part is no word of its kind.
    #[error(transparent)]
    Word(#[from] UnknownWord),
}

impl FromStr for Protocol {
    type Err = BadProtocol;
    fn from_str(text: &str) -> Result<Protocol, BadProtocol> {
        let parts: Vec<&str> = text.split('/').collect();
        let (reduction, endpoint, bos) = match parts[..] {
            [r, e] => (r, e, "auto"),
            [r, e, b] => (r, e, b),
            _ => return Err(BadProtocol::Shape(text.to_string())),
        };
        Ok(Protocol::new(reduction.parse()?, endpoint.parse()?, bos.parse()?))
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Protocol, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Protocol {
    fn schema_name() -> Cow<'static, str> {
        "Protocol".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words = |all: Vec<&str>| all.join("|");
        let pattern = format!(
            "^({})/({})(/({}))?$",
            words(Reduction::ALL.iter().map(|v| v.as_str()).collect()),
            words(Endpoint::ALL.iter().map(|v| v.as_str()).collect()),
            words(Bos::ALL.iter().map(|v| v.as_str()).collect()),
        );
        schemars::json_schema!({
            "type": "string",
            "description": "reduction/endpoint or reduction/endpoint/bos, e.g. last/last-block/auto",
            "pattern": pattern,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_reads_back_from_its_text() {
        for bos in Bos::ALL {
            for protocol in Protocol::all(*bos) {
                assert_eq!(protocol.to_string().parse::<Protocol>().unwrap(), protocol);
            }
        }
        assert_eq!("last/last-block".parse::<Protocol>().unwrap().bos, Bos::Auto);
    }

    #[test]
    fn an_unknown_word_is_named_with_the_known_ones() {
        let error = "last/penultimate".parse::<Protocol>().unwrap_err().to_string();
        assert!(error.contains("penultimate") && error.contains("hf-penultimate"), "{error}");
        assert!(matches!("last".parse::<Protocol>(), Err(BadProtocol::Shape(_))));
    }
}
