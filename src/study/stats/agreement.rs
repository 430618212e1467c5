//! Agreement of two raters beyond chance.

use std::collections::{BTreeMap, BTreeSet};

use super::{Effect, dominance::wilson, normal};

/// Cohen's kappa of two labellings of the same units, with the large-sample interval (Fleiss, Cohen and Everitt
/// 1969), cut at ±1; where they agree on every unit, which has no spread, Wilson's of the share agreed. `None` where
/// lengths differ, of no units, or where both know one and the same label only.
pub fn kappa(a: &[usize], b: &[usize], alpha: f64) -> Option<Effect> {
    let n = a.len() as f64;
    if a.is_empty() || a.len() != b.len() {
        return None;
    }
    let z = normal::reach(alpha)?;
    let share = |labels: &[usize]| {
        let mut shares = BTreeMap::<usize, f64>::new();
        labels.iter().for_each(|&l| *shares.entry(l).or_default() += 1.0 / n);
        shares
    };
    let (of_a, of_b) = (share(a), share(b));
    let labels: BTreeSet<usize> = a.iter().chain(b).copied().collect();
    let at = |shares: &BTreeMap<usize, f64>, label: usize| shares.get(&label).copied().unwrap_or(0.0);
    let expected: f64 = labels.iter().map(|&l| at(&of_a, l) * at(&of_b, l)).sum();
    let agreed = a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / n;
    if expected >= 1.0 - 1e-12 {
        return None;
    }
    let beyond = |agreed: f64| (agreed - expected) / (1.0 - expected);
    let value = beyond(agreed);
    if a == b {
        return Some(Effect { value: 1.0, low: beyond(wilson(a.len(), z)).max(-1.0), high: 1.0 });
    }
    let spread: f64 = a
        .iter()
        .zip(b)
        .map(|(&x, &y)| {
            // Row and column cross over for units on which the raters differ.
            let chance = (at(&of_b, x) + at(&of_a, y)) * (1.0 - value);
            (f64::from(u8::from(x == y)) - chance).powi(2) / n
        })
        .sum();
    let variance = (spread - (value - expected * (1.0 - value)).powi(2)) / (n * (1.0 - expected).powi(2));
    let reach = z * variance.max(0.0).sqrt();
    Some(Effect { value, low: (value - reach).max(-1.0), high: (value + reach).min(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_agreement_is_one_and_chance_is_zero() {
        let full = |n: usize| {
            let labels: Vec<usize> = (0..n).map(|i| i % 3).collect();
            kappa(&labels, &labels, 0.05).unwrap()
        };
        assert_eq!((full(4).value, full(4).high), (1.0, 1.0));
        assert!(full(4).low < 0.4 && full(200).low > 0.95, "{:?} {:?}", full(4), full(200));
        assert!(kappa(&[0, 0, 1, 1], &[0, 1, 0, 1], 0.05).unwrap().value.abs() < 1e-12);
        assert_eq!(kappa(&[3, 3], &[3, 3], 0.05), None);
        assert_eq!(kappa(&[], &[], 0.05), None);
        assert_eq!(kappa(&[1], &[1, 2], 0.05), None);
    }
}
