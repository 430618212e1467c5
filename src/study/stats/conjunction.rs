//! Several hypotheses at once: partial conjunction ("at least k of n hold") and the false discovery rate of a list.

/// p of "the effect is there in at least k of the n" (Benjamini and Heller 2008): (n-k+1) times the k-th smallest p, by
/// Bonferroni over the n-k+1 largest, valid however the n depend on each other; never smaller than for fewer than k. `None`
/// unless 1 ≤ k ≤ n and all p are probabilities.
pub fn partial_conjunction(p: &[f64], k: usize) -> Option<f64> {
    let n = p.len();
    if k == 0 || k > n || p.iter().any(|p| !(0.0..=1.0).contains(p)) {
        return None;
    }
    let mut sorted = p.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(
        sorted[..k]
            .iter()
            .enumerate()
            .fold(0.0, |most, (i, p)| f64::max(most, ((n - i) as f64 * p).min(1.0))),
    )
}

/// Adjusted p values, in the order given: those below q are a list with a share of false ones of at most q (Benjamini and
/// Hochberg 1995), if the p are independent or positively dependent.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut smallest = 1.0_f64;
    for (rank, &i) in order.iter().enumerate().rev() {
        smallest = smallest.min(p.len() as f64 / (rank + 1) as f64 * p[i]);
        adjusted[i] = smallest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_n_is_bonferroni_and_all_of_n_is_the_largest() {
        let p = [0.01, 0.2, 0.03, 0.04];
        assert_eq!(partial_conjunction(&p, 1), Some(0.04));
        assert_eq!(partial_conjunction(&p, 4), Some(0.2));
        assert_eq!(partial_conjunction(&p, 0), None);
        assert_eq!(partial_conjunction(&p, 5), None);
        assert_eq!(partial_conjunction(&[f64::NAN], 1), None);
    }

    #[test]
    fn claiming_more_is_never_easier() {
        let p = [0.02, 0.02, 0.02, 0.02, 0.9];
        let claims: Vec<f64> = (1..=5).map(|k| partial_conjunction(&p, k).unwrap()).collect();
        assert!(claims.is_sorted(), "{claims:?}");
        assert_eq!(claims[3], 0.1, "the fourth alone would be 0.04");
    }
}
