//! The one law: which parts of a protocol enter a number.
//!
//! [`Depends::parts`] decides it, and nothing else does: whoever files numbers, looks them up, compares two of them, lists
//! the ways to measure them or names their protocol in words asks here.

use std::fmt;

use super::Metric;
use crate::protocol::{Bos, Endpoint, Protocol, Reduction};

/// Which parts of a protocol decide a metric's value. Every metric that tokens enter depends on the BOS policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depends {
    /// A property of the weights: no protocol.
    Nothing,
    /// BOS only: the definition fixes the rest.
    Tokens,
    /// Token reduction and BOS.
    Reduction,
    /// Token reduction, endpoint and BOS.
    Everything,
}

/// The parts of a protocol that enter a number; a part that does not enter is `None`. Two protocols with equal decisive
/// parts give the same number of a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisiveParts {
    /// How tokens were reduced.
    pub reduction: Option<Reduction>,
    /// Which two norms were divided.
    pub endpoint: Option<Endpoint>,
    /// What preceded the prompt; `None` only where no token enters.
    pub bos: Option<Bos>,
}

impl Depends {
    /// The law itself.
    pub const fn parts(self, protocol: Protocol) -> DecisiveParts {
        let Protocol { reduction, endpoint, bos } = protocol;
        let (reduction, endpoint, bos) = match self {
            Depends::Nothing => (None, None, None),
            Depends::Tokens => (None, None, Some(bos)),
            Depends::Reduction => (Some(reduction), None, Some(bos)),
            Depends::Everything => (Some(reduction), Some(endpoint), Some(bos)),
        };
        DecisiveParts { reduction, endpoint, bos }
    }
}

impl DecisiveParts {
    /// Whether no part enters: a property of the weights.
    pub fn is_empty(self) -> bool {
        self == DecisiveParts::default()
    }

    /// How many parts enter.
    pub fn count(self) -> usize {
        let DecisiveParts { reduction, endpoint, bos } = self;
        [reduction.is_some(), endpoint.is_some(), bos.is_some()].into_iter().filter(|enters| *enters).count()
    }

    /// Whether two numbers may be set beside each other: every part that enters both is the same.
    pub fn agree(self, other: DecisiveParts) -> bool {
        fn same<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.zip(b).is_none_or(|(a, b)| a == b)
        }
        let DecisiveParts { reduction, endpoint, bos } = self;
        same(reduction, other.reduction) && same(endpoint, other.endpoint) && same(bos, other.bos)
    }

    /// The parts that enter either of two numbers, where both enter as in `self`.
    #[must_use]
    pub fn or(self, other: DecisiveParts) -> DecisiveParts {
        let DecisiveParts { reduction, endpoint, bos } = self;
        DecisiveParts {
            reduction: reduction.or(other.reduction),
            endpoint: endpoint.or(other.endpoint),
            bos: bos.or(other.bos),
        }
    }

    /// The same parts of another protocol.
    #[must_use]
    pub fn of(self, protocol: Protocol) -> DecisiveParts {
        let DecisiveParts { reduction, endpoint, bos } = self;
        DecisiveParts {
            reduction: reduction.map(|_| protocol.reduction),
            endpoint: endpoint.map(|_| protocol.endpoint),
            bos: bos.map(|_| protocol.bos),
        }
    }

    /// A whole protocol: parts that do not enter are as in `rest`.
    pub fn filled(self, rest: Protocol) -> Protocol {
        let DecisiveParts { reduction, endpoint, bos } = self;
        Protocol {
            reduction: reduction.unwrap_or(rest.reduction),
            endpoint: endpoint.unwrap_or(rest.endpoint),
            bos: bos.unwrap_or(rest.bos),
        }
    }
}

/// E.g. `last/last-block/auto`, `mean, BOS auto`, `BOS never`, or nothing.
impl fmt::Display for DecisiveParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DecisiveParts { reduction, endpoint, bos } = *self;
        if let (Some(reduction), Some(endpoint), Some(bos)) = (reduction, endpoint, bos) {
            return Protocol { reduction, endpoint, bos }.fmt(f);
        }
        let words = [
            reduction.map(|reduction| reduction.to_string()),
            endpoint.map(|endpoint| endpoint.to_string()),
            bos.map(|bos| format!("BOS {bos}")),
        ];
        f.pad(&words.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl Metric {
    /// The parts of `protocol` that enter this metric's number.
    pub const fn decisive(self, protocol: Protocol) -> DecisiveParts {
        self.describe().depends.parts(protocol)
    }

    /// The protocol under which this metric's rows are filed in tables: parts that do not enter the value are set to the
    /// ones its definition fixes. Two protocols with the same filing give the same number.
    pub fn filed_under(self, protocol: Protocol) -> Option<Protocol> {
        let parts = self.decisive(protocol);
        (!parts.is_empty()).then(|| parts.filled(Protocol { bos: protocol.bos, ..self.fixed(parts) }))
    }

    /// The decisive parts of a row's number, `None` where the row has no number of this metric: it lacks a protocol, or was
    /// taken at another endpoint than the definition's (a norm after the final norm is no residual norm).
    pub fn decisive_of_row(self, protocol: Option<Protocol>) -> Option<DecisiveParts> {
        let Some(protocol) = protocol else {
            return (!self.describe().needs_protocol()).then_some(DecisiveParts::default());
        };
        let parts = self.decisive(protocol);
        // What is read off the next token or counted says no endpoint of its own.
        let elsewhere = parts.reduction.is_some()
            && parts.endpoint.is_none()
            && protocol.endpoint != self.fixed(parts).endpoint;
        (!elsewhere).then_some(parts)
    }

    /// Whether it is read at the last position, whatever the reduction of other numbers.
    pub const fn is_of_last_position(self) -> bool {
        matches!(
            self,
            Metric::OutputEntropy | Metric::TopProbability | Metric::LogitShift | Metric::LensEntropy
        )
    }

    /// What the definition fixes where a part does not enter: numbers of a stream end at the last block, numbers of the
    /// next token are read after the final norm at the last position.
    fn fixed(self, parts: DecisiveParts) -> Protocol {
        let (reduction, endpoint) = match (self, parts.reduction) {
            (Metric::FirstTokenShare, _) => (Reduction::MeanWithoutFirst, Endpoint::LastBlock),
            (_, Some(reduction)) => (reduction, Endpoint::LastBlock),
            (_, None) => (Reduction::Last, Endpoint::HfLast),
        };
        Protocol::new(reduction, endpoint, Bos::Auto)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filing_keeps_exactly_what_enters_the_value() {
        let p = Protocol::new(Reduction::Mean, Endpoint::HfLast, Bos::Never);
        for &metric in Metric::ALL {
            let filed = metric.filed_under(p);
            assert_eq!(filed.is_some(), metric.describe().needs_protocol());
            let Some(filed) = filed else { continue };
            assert_eq!(filed.bos, Bos::Never);
            assert_eq!(metric.filed_under(filed), Some(filed), "{metric}: filing twice changes nothing");
            assert_eq!(metric.decisive(filed), metric.decisive(p), "{metric}");
            assert_eq!(metric.decisive_of_row(Some(filed)), Some(metric.decisive(p)), "{metric}");
        }
        assert_eq!(Metric::LastGain.filed_under(p), Some(p));
        assert_eq!(Metric::ResidualNorm.filed_under(p).unwrap().to_string(), "mean/last-block/never");
        assert_eq!(Metric::OutputEntropy.filed_under(p).unwrap().to_string(), "last/hf-last/never");
        assert_eq!(
            Metric::FirstTokenShare.filed_under(p).unwrap().to_string(),
            "mean-without-first/last-block/never"
        );
    }

    #[test]
    fn a_row_taken_after_the_final_norm_is_no_residual_norm() {
        let after = Protocol::new(Reduction::Last, Endpoint::HfLast, Bos::Auto);
        assert_eq!(Metric::ResidualNorm.decisive_of_row(Some(after)), None);
        assert!(Metric::LastGain.decisive_of_row(Some(after)).is_some());
        assert!(Metric::OutputEntropy.decisive_of_row(Some(after)).is_some());
        assert_eq!(Metric::LastGain.decisive_of_row(None), None);
        assert_eq!(Metric::EmbeddingRowNorm.decisive_of_row(None), Some(DecisiveParts::default()));
    }

    #[test]
    fn only_parts_that_enter_both_numbers_must_agree() {
        let of = |metric: Metric, protocol: &str| metric.decisive(protocol.parse().unwrap());
        let gain = of(Metric::LastGain, "mean/hf-last");
        assert!(gain.agree(of(Metric::OutputEntropy, "last/last-block")));
        assert!(gain.agree(of(Metric::ResidualNorm, "mean/last-block")));
        assert!(!gain.agree(of(Metric::ResidualNorm, "last/last-block")));
        assert!(!gain.agree(of(Metric::OutputEntropy, "mean/hf-last/never")));
        assert!(gain.agree(of(Metric::EmbeddingRowNorm, "last/last-block/never")));
    }

    #[test]
    fn parts_are_named_in_words() {
        let words = |metric: Metric| metric.decisive("mean/hf-last".parse().unwrap()).to_string();
        assert_eq!(words(Metric::LastGain), "mean/hf-last/auto");
        assert_eq!(words(Metric::ResidualNorm), "mean, BOS auto");
        assert_eq!(words(Metric::OutputEntropy), "BOS auto");
        assert_eq!(words(Metric::EmbeddingRowNorm), "");
    }
}
