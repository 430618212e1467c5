//! The values that conditions allow: whether a list of conditions can hold at all, and whether two lists can hold at once.

use std::collections::BTreeMap;

use crate::judge::hypothesis::Condition;

/// An interval of one statistic; ends may be closed or open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    low: f64,
    low_open: bool,
    high: f64,
    high_open: bool,
}

const EVERYTHING: Interval =
    Interval { low: f64::NEG_INFINITY, low_open: true, high: f64::INFINITY, high_open: true };

impl Interval {
    pub(super) fn of(condition: &Condition) -> Interval {
        let mut interval = EVERYTHING;
        let lows = [(condition.above, true), (condition.at_least, false)];
        let highs = [(condition.below, true), (condition.at_most, false)];
        for (low, low_open) in lows.into_iter().filter_map(|(bound, open)| Some((bound?, open))) {
            interval = interval.and(Interval { low, low_open, ..EVERYTHING });
        }
        for (high, high_open) in highs.into_iter().filter_map(|(bound, open)| Some((bound?, open))) {
            interval = interval.and(Interval { high, high_open, ..EVERYTHING });
        }
        interval
    }

    pub(super) fn and(self, other: Interval) -> Interval {
        let (low, low_open) = match self.low.total_cmp(&other.low) {
            std::cmp::Ordering::Less => (other.low, other.low_open),
            std::cmp::Ordering::Equal => (self.low, self.low_open || other.low_open),
            std::cmp::Ordering::Greater => (self.low, self.low_open),
        };
        let (high, high_open) = match self.high.total_cmp(&other.high) {
            std::cmp::Ordering::Less => (self.high, self.high_open),
            std::cmp::Ordering::Equal => (self.high, self.high_open || other.high_open),
            std::cmp::Ordering::Greater => (other.high, other.high_open),
        };
        Interval { low, low_open, high, high_open }
    }

    pub(super) fn is_empty(self) -> bool {
        self.low > self.high || (self.low == self.high && (self.low_open || self.high_open))
    }
}

/// The interval that a list of conditions leaves to each statistic.
pub(super) fn region(conditions: &[Condition]) -> BTreeMap<&str, Interval> {
    let mut region = BTreeMap::new();
    for condition in conditions {
        let this = Interval::of(condition);
        region
            .entry(condition.statistic.as_str())
            .and_modify(|all: &mut Interval| *all = all.and(this))
            .or_insert(this);
    }
    region
}

/// Whether two non-empty lists over the same statistics can hold at once. Lists over different statistics are not
/// compared: statistics depend on each other in ways a rule does not state.
pub(super) fn overlap(left: &[Condition], right: &[Condition]) -> bool {
    let (left, right) = (region(left), region(right));
    !left.is_empty()
        && left.keys().eq(right.keys())
        && left.iter().all(|(name, interval)| !interval.and(right[name]).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(statistic: &str) -> Condition {
        Condition { statistic: statistic.into(), above: None, at_least: None, below: None, at_most: None }
    }

    #[test]
    fn touching_bounds_hold_only_when_both_are_closed() {
        let closed = Condition { at_least: Some(1.0), at_most: Some(1.0), ..condition("s") };
        let open = Condition { above: Some(1.0), at_most: Some(1.0), ..condition("s") };
        assert!(!Interval::of(&closed).is_empty());
        assert!(Interval::of(&open).is_empty());
    }

    #[test]
    fn lists_overlap_when_every_shared_statistic_does() {
        let (rho, p) = (condition("rho"), condition("p"));
        let supported =
            [Condition { at_least: Some(0.5), ..rho.clone() }, Condition { below: Some(0.05), ..p.clone() }];
        let apart = [Condition { below: Some(0.5), ..rho.clone() }, Condition { below: Some(0.05), ..p }];
        let touching = [Condition { at_most: Some(0.5), ..rho.clone() }];
        assert!(!overlap(&supported, &apart));
        assert!(overlap(&supported[..1], &touching));
        assert!(!overlap(&supported, &touching), "different statistics are not compared");
    }
}
