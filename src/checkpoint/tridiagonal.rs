//! The largest eigenvalue of a symmetric tridiagonal matrix, with the last component of its unit eigenvector.

/// Eigenvalue and |last eigenvector component| for `diagonal` (n >= 1) and `off` (n - 1 entries beside it).
///
/// QL with implicit shifts (EISPACK `imtql2`; Press et al., Numerical Recipes, `tqli`), applied to the last row of
/// the eigenvector matrix alone: O(n²).
pub(super) fn largest(diagonal: &[f64], off: &[f64]) -> (f64, f64) {
    let n = diagonal.len();
    let mut d = diagonal.to_vec();
    let mut e = off.to_vec();
    e.push(0.0);
    let mut last = vec![0.0; n];
    last[n - 1] = 1.0;
    for l in 0..n {
        // Each eigenvalue takes two or three rounds; the limit only guards against numbers that are not finite.
        for _ in 0..100 {
            let small = |m: usize| e[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs());
            let Some(m) = (l..n - 1).find(|&m| small(m)).or(Some(n - 1)).filter(|&m| m != l) else { break };
            sweep(&mut d, &mut e, &mut last, l, m);
        }
    }
    // n >= 1, so there is a largest.
    let at = (0..n).max_by(|&a, &b| d[a].total_cmp(&d[b])).unwrap_or(0);
    (d[at], last[at])
}

/// One QL sweep on the unreduced block from `l` to `m`.
fn sweep(d: &mut [f64], e: &mut [f64], last: &mut [f64], l: usize, m: usize) {
    let g = (d[l + 1] - d[l]) / (2.0 * e[l]);
    let mut g = d[m] - d[l] + e[l] / (g + g.hypot(1.0).copysign(g));
    let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
    for i in (l..m).rev() {
        let (f, b) = (s * e[i], c * e[i]);
        let r = f.hypot(g);
        e[i + 1] = r;
        if r == 0.0 {
            d[i + 1] -= p;
            e[m] = 0.0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        let r = (d[i] - g) * s + 2.0 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        (last[i], last[i + 1]) = (c * last[i] - s * last[i + 1], s * last[i] + c * last[i + 1]);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eigenvalues 2 - 2cos(kπ/(n+1)), eigenvectors √(2/(n+1)) sin(jkπ/(n+1)): the second difference.
    #[test]
    fn the_second_difference_has_its_known_top() {
        for n in [1, 2, 3, 10, 101] {
            let (value, last) = largest(&vec![2.0; n], &vec![-1.0; n - 1]);
            let angle = n as f64 * std::f64::consts::PI / (n + 1) as f64;
            let expected = 2.0 - 2.0 * angle.cos();
            let component = (2.0 / (n + 1) as f64).sqrt() * (n as f64 * angle).sin();
            assert!((value - expected).abs() < 1e-13, "{n}: {value} {expected}");
            assert!((last.abs() - component.abs()).abs() < 1e-12, "{n}: {last} {component}");
        }
    }

    #[test]
    fn a_diagonal_keeps_its_numbers() {
        assert_eq!(largest(&[1.0, 5.0, 3.0], &[0.0, 0.0]), (5.0, 0.0));
        assert_eq!(largest(&[1.0, 5.0, 7.0], &[0.0, 0.0]), (7.0, 1.0));
    }
}
