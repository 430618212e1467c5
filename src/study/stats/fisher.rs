//! Fisher's exact test of a two-by-two table.

use statrs::distribution::{Discrete, Hypergeometric};

/// Two-sided p of the table `[[a, b], [c, d]]` of counts: the probability, with both margins fixed, of every table that is no
/// more likely than this one (as SciPy and R have it). `None` of an empty table.
pub fn fisher_exact_p([[a, b], [c, d]]: [[u64; 2]; 2]) -> Option<f64> {
    let total = a.checked_add(b)?.checked_add(c)?.checked_add(d).filter(|total| *total > 0)?;
    let (row, column) = (a + b, a + c);
    let tables = Hypergeometric::new(total, column, row).ok()?;
    let seen = tables.pmf(a);
    // Tables as likely as the one seen come out of the gamma function with rounding errors of their own.
    let as_likely = |p: &f64| *p <= seen * (1.0 + 1e-7);
    let (least, most) = ((row + column).saturating_sub(total), row.min(column));
    Some((least..=most).map(|k| tables.pmf(k)).filter(as_likely).sum::<f64>().min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_tables_have_the_p_of_scipy() {
        // scipy.stats.fisher_exact of SciPy 1.17.
        let cases = [
            ([[8, 2], [0, 6]], 0.006993006993006993),
            ([[4, 1], [2, 9]], 0.03571428571428572),
            ([[3, 1], [1, 3]], 0.4857142857142857),
            ([[5, 0], [0, 0]], 1.0),
        ];
        for (table, expected) in cases {
            let p = fisher_exact_p(table).unwrap();
            assert!((p - expected).abs() < 1e-10, "{table:?}: {p}");
        }
        assert_eq!(fisher_exact_p([[0, 0], [0, 0]]), None);
    }
}
