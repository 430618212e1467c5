//! Numbers that carry their protocol, and the only two ways to set them beside each other.
//!
//! A [`Series`] hides its values; every function of `stats` that compares two series takes a [`Paired`], and a pair is made
//! either by [`Paired::same_protocol`], which refuses numbers of different protocols, or by
//! [`Paired::across_protocols`], which says aloud that they differ.
//!
//! Two series are no argument of a comparison, and their numbers cannot be taken out to compare them raw:
//!
//! ```compile_fail,E0061
//! use std::collections::BTreeMap;
//! use streamgauge::{metric::{Metric, Series}, stats};
//! let a = Series::new(Metric::LastGain, "last/last-block".parse().ok(), BTreeMap::from([(1, 0.48), (2, 0.61)]));
//! let b = Series::new(Metric::LastGain, "mean/hf-last".parse().ok(), BTreeMap::from([(1, 1.53), (2, 1.48)]));
//! stats::pearson(&a, &b);
//! ```
//!
//! ```compile_fail,E0624
//! use std::collections::BTreeMap;
//! use streamgauge::metric::{Metric, Series};
//! let a = Series::new(Metric::LastGain, "last/last-block".parse().ok(), BTreeMap::from([(1, 0.48)]));
//! let b = Series::new(Metric::LastGain, "mean/hf-last".parse().ok(), BTreeMap::from([(1, 1.53)]));
//! let ratio = b.values().next().unwrap() / a.values().next().unwrap();
//! ```
//!
//! A pair says which protocols it holds:
//!
//! ```
//! use std::collections::BTreeMap;
//! use streamgauge::{metric::{Metric, Paired, Series}, stats};
//! let a = Series::new(Metric::LastGain, "last/last-block".parse().ok(), BTreeMap::from([(1, 0.48), (2, 0.61)]));
//! let b = Series::new(Metric::LastGain, "mean/hf-last".parse().ok(), BTreeMap::from([(1, 1.53), (2, 1.48)]));
//! assert!(Paired::same_protocol(&a, &b).is_err());
//! let pair = Paired::across_protocols(&a, &b);
//! assert!((stats::pearson(&pair).unwrap() + 1.0).abs() < 1e-12);
//! ```

use std::collections::BTreeMap;

use super::Metric;
use crate::protocol::Protocol;

/// One number per unit K, all of one metric under one protocol, or a fact of models.
#[derive(Clone, Debug, PartialEq)]
pub struct Series<K> {
    metric: Option<Metric>,
    protocol: Option<Protocol>,
    values: BTreeMap<K, f64>,
}

impl<K: Ord + Clone> Series<K> {
    /// `protocol` is `None` for properties of the weights only.
    pub fn new(metric: Metric, protocol: Option<Protocol>, values: BTreeMap<K, f64>) -> Series<K> {
        Series { metric: Some(metric), protocol, values }
    }

    /// Of a metric or, without one, of a fact that nothing was run for.
    pub fn tagged(metric: Option<Metric>, protocol: Option<Protocol>, values: BTreeMap<K, f64>) -> Series<K> {
        Series { metric, protocol, values }
    }

    /// Other numbers of the same metric and protocol.
    pub fn with_values(&self, values: BTreeMap<K, f64>) -> Series<K> {
        Series { values, ..*self }
    }

    /// The protocol of all numbers, as it was asked for.
    pub fn protocol(&self) -> Option<Protocol> {
        self.protocol
    }

    /// Number of units that have a value.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no unit has a value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The numbers, for statistics of this series alone: two series are compared through [`Paired`].
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.values.values().copied()
    }

    /// The numbers with their units, likewise.
    pub fn iter(&self) -> impl Iterator<Item = (&K, f64)> {
        self.values.iter().map(|(unit, value)| (unit, *value))
    }

    /// The part of the protocol that decides the numbers.
    fn filed(&self) -> Option<Protocol> {
        self.protocol.and_then(|p| self.metric?.filed_under(p))
    }
}

/// Two series of different protocols were to be compared without saying so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{left_metric} under {left} cannot be compared with {right_metric} under {right}: set across-protocols = true if the \
     difference of protocols is what the test is about"
)]
pub struct ProtocolMismatch {
    /// What the one series measures.
    pub left_metric: Metric,
    /// The protocol under which its numbers are filed.
    pub left: Protocol,
    /// What the other series measures.
    pub right_metric: Metric,
    /// The protocol under which its numbers are filed.
    pub right: Protocol,
}

/// Two series joined by unit (units that only one has are left out), optionally with others held fixed.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired<K> {
    keys: Vec<K>,
    x: Vec<f64>,
    y: Vec<f64>,
    given: Vec<Vec<f64>>,
    protocols: Vec<Protocol>,
}

impl<K: Ord + Clone> Paired<K> {
    /// Joins two series whose protocols agree in everything that decides their numbers.
    ///
    /// # Errors
    /// When both depend on a part of the protocol and differ there.
    pub fn same_protocol(a: &Series<K>, b: &Series<K>) -> Result<Paired<K>, ProtocolMismatch> {
        agree(a, b)?;
        Ok(Paired::across_protocols(a, b))
    }

    /// Joins two series whatever their protocols: for tests that are about the difference of protocols.
    pub fn across_protocols(a: &Series<K>, b: &Series<K>) -> Paired<K> {
        let (mut keys, mut x, mut y) = (Vec::new(), Vec::new(), Vec::new());
        // Both are in the order of their units.
        let mut others = b.values.iter().peekable();
        for (unit, value) in &a.values {
            while others.next_if(|(other, _)| *other < unit).is_some() {}
            if let Some((_, other)) = others.next_if(|(other, _)| *other == unit) {
                keys.push(unit.clone());
                x.push(*value);
                y.push(*other);
            }
        }
        let mut protocols: Vec<Protocol> = [a.protocol, b.protocol].into_iter().flatten().collect();
        protocols.dedup();
        Paired { keys, x, y, given: Vec::new(), protocols }
    }

    /// The units that `keep` takes.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&K) -> bool) -> Paired<K> {
        let kept: Vec<usize> = (0..self.keys.len()).filter(|&i| keep(&self.keys[i])).collect();
        let pick = |v: &[f64]| kept.iter().map(|&i| v[i]).collect::<Vec<f64>>();
        Paired {
            keys: kept.iter().map(|&i| self.keys[i].clone()).collect(),
            x: pick(&self.x),
            y: pick(&self.y),
            given: self.given.iter().map(|g| pick(g)).collect(),
            protocols: self.protocols.clone(),
        }
    }

    /// Adds a series to be held fixed (partial correlation); units it lacks are dropped. Its protocol may differ, as it
    /// is not compared, only controlled for: it is listed among the protocols.
    #[must_use]
    pub fn given(self, control: &Series<K>) -> Paired<K> {
        let keep: Vec<usize> =
            (0..self.keys.len()).filter(|&i| control.values.contains_key(&self.keys[i])).collect();
        let pick = |v: &[f64]| keep.iter().map(|&i| v[i]).collect::<Vec<f64>>();
        let mut given: Vec<Vec<f64>> = self.given.iter().map(|g| pick(g)).collect();
        given.push(keep.iter().map(|&i| control.values[&self.keys[i]]).collect());
        let mut protocols = self.protocols.clone();
        protocols.extend(control.protocol.filter(|p| !protocols.contains(p)));
        Paired {
            x: pick(&self.x),
            y: pick(&self.y),
            keys: keep.iter().map(|&i| self.keys[i].clone()).collect(),
            given,
            protocols,
        }
    }

    /// The joined units, sorted.
    pub fn keys(&self) -> &[K] {
        &self.keys
    }

    /// Numbers of the first series, by unit.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Numbers of the second series, by unit.
    pub fn y(&self) -> &[f64] {
        &self.y
    }

    /// The controls, each aligned with the units.
    pub fn controls(&self) -> &[Vec<f64>] {
        &self.given
    }

    /// Every protocol that entered.
    pub fn protocols(&self) -> &[Protocol] {
        &self.protocols
    }

    /// Number of joined units.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no unit is in every series.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

fn agree<K: Ord + Clone>(a: &Series<K>, b: &Series<K>) -> Result<(), ProtocolMismatch> {
    let (Some(left_metric), Some(right_metric)) = (a.metric, b.metric) else { return Ok(()) };
    let (Some(left), Some(right)) = (a.filed(), b.filed()) else { return Ok(()) };
    if left_metric.decisive(left).agree(right_metric.decisive(right)) {
        return Ok(());
    }
    Err(ProtocolMismatch { left_metric, left, right_metric, right })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(metric: Metric, protocol: &str, values: &[(u32, f64)]) -> Series<u32> {
        Series::new(metric, protocol.parse().ok(), values.iter().copied().collect())
    }

    #[test]
    fn gains_of_different_protocols_do_not_pair_silently() {
        let a = series(Metric::LastGain, "last/last-block", &[(1, 1.0)]);
        for other in ["mean/last-block", "last/hf-last", "last/last-block/never"] {
            let b = series(Metric::LastGain, other, &[(1, 2.0)]);
            let error = Paired::same_protocol(&a, &b).unwrap_err().to_string();
            assert!(error.contains(other) && error.contains("across-protocols"), "{error}");
            assert_eq!(Paired::across_protocols(&a, &b).protocols().len(), 2);
        }
    }

    #[test]
    fn parts_of_a_protocol_that_do_not_enter_a_number_do_not_matter() {
        let gain = series(Metric::LastGain, "frobenius/last-block", &[(1, 1.0)]);
        let entropy = series(Metric::OutputEntropy, "last/hf-last", &[(1, 1.0)]);
        let norm = series(Metric::ResidualNorm, "frobenius/hf-last", &[(1, 1.0)]);
        assert!(Paired::same_protocol(&gain, &entropy).is_ok());
        assert!(Paired::same_protocol(&gain, &norm).is_ok());
        let other_bos = series(Metric::OutputEntropy, "last/hf-last/never", &[(1, 1.0)]);
        assert!(Paired::same_protocol(&gain, &other_bos).is_err());
    }

    #[test]
    fn pairs_hold_the_units_that_every_series_has() {
        let a = series(Metric::LastGain, "last/last-block", &[(1, 1.0), (2, 2.0), (4, 4.0)]);
        let b = series(Metric::OutputEntropy, "last/last-block", &[(2, 20.0), (3, 30.0), (4, 40.0)]);
        let c = series(Metric::TokenCount, "last/last-block", &[(4, 7.0)]);
        let pair = Paired::same_protocol(&a, &b).unwrap();
        assert_eq!((pair.keys(), pair.x(), pair.y()), (&[2, 4][..], &[2.0, 4.0][..], &[20.0, 40.0][..]));
        let pair = pair.given(&c);
        assert_eq!((pair.keys(), pair.y(), &pair.controls()[0]), (&[4][..], &[40.0][..], &vec![7.0]));
    }
}
