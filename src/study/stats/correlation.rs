//! Pearson, Spearman and partial correlation, and their intervals on Fisher's z scale.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::describe::{Interval, average_ranks, centred, dot};
use number::metric::Paired;

/// Linear, or linear on average ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The correlation of the values.
    Pearson,
    /// The correlation of their ranks.
    Spearman,
}

/// Pearson's r; `None` with fewer than two units or a constant side.
pub fn pearson<K: Ord + Clone>(pair: &Paired<K>) -> Option<f64> {
    raw(pair.x(), pair.y())
}

/// Spearman's rho on average ranks; `None` with fewer than two units or a constant side.
pub fn spearman<K: Ord + Clone>(pair: &Paired<K>) -> Option<f64> {
    raw(&average_ranks(pair.x()), &average_ranks(pair.y()))
}

/// Correlation of what the controls (`Paired::given`) leave over of both sides. With `Method::Spearman` all of them
/// are ranked first. Without controls: the plain correlation.
pub fn partial<K: Ord + Clone>(pair: &Paired<K>, method: Method) -> Option<f64> {
    let (x, y) = residuals(pair, method);
    raw(&x, &y)
}

/// How far each unit moves the correlation of [`partial`] on Fisher's scale, up to a factor that all have in common: its influence
/// (Devlin, Gnanadesikan and Kettenring 1975), of ranks with the ranks as they are. Empty where there is no correlation.
pub(crate) fn moves<K: Ord + Clone>(pair: &Paired<K>, method: Method) -> Vec<(K, f64)> {
    let (x, y) = residuals(pair, method);
    let (sx, sy) = (dot(&x, &x).sqrt(), dot(&y, &y).sqrt());
    let Some(r) = raw(&x, &y) else { return Vec::new() };
    let moved = x.iter().zip(&y).map(|(x, y)| {
        let (x, y) = (x / sx, y / sy);
        x * y - r * (x * x + y * y) / 2.0
    });
    pair.keys().iter().cloned().zip(moved).collect()
}

/// Interval of a correlation from n units with k controls: tanh(z ± q·se), se² = c/(n-3-k) with c = 1 for Pearson and
/// 1 + rho²/2 for Spearman (Bonett and Wright 2000). `None` with too few units, or |r| = 1.
pub fn correlation_interval(
    r: f64,
    units: usize,
    controls: usize,
    method: Method,
    alpha: f64,
) -> Option<Interval> {
    let se = z_variance(r, units, controls, method)?.sqrt();
    let q = Normal::standard().inverse_cdf(1.0 - alpha / 2.0);
    let z = r.atanh();
    Some(Interval { low: (z - q * se).tanh(), high: (z + q * se).tanh() })
}

/// Variance of atanh(r).
pub(crate) fn z_variance(r: f64, units: usize, controls: usize, method: Method) -> Option<f64> {
    let freedom = units.checked_sub(3 + controls).filter(|&f| f > 0)? as f64;
    if r.abs() >= 1.0 - 1e-12 {
        return None;
    }
    Some(match method {
        Method::Pearson => 1.0 / freedom,
        Method::Spearman => (1.0 + r * r / 2.0) / freedom,
    })
}

/// Two-sided p of a correlation (Pearson, or Spearman by approximation) from n units: t = r √((n-2)/(1-r²)) with n-2
/// degrees of freedom. `None` with fewer than three units.
pub fn correlation_t_p(r: f64, units: usize) -> Option<f64> {
    let freedom = units.checked_sub(2).filter(|&f| f > 0)? as f64;
    let t = r.abs() * (freedom / (1.0 - r * r).max(f64::MIN_POSITIVE)).sqrt();
    Some(2.0 * StudentsT::new(0.0, 1.0, freedom).ok()?.sf(t))
}

/// The two sides after ranking (Spearman) and after regressing out the controls.
pub(super) fn residuals<K: Ord + Clone>(pair: &Paired<K>, method: Method) -> (Vec<f64>, Vec<f64>) {
    let scale = |v: &[f64]| match method {
        Method::Pearson => centred(v),
        Method::Spearman => centred(&average_ranks(v)),
    };
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for control in pair.controls() {
        let scaled = scale(control);
        let direction = without(scaled.clone(), &basis);
        // A control that others already span (or a constant one) adds nothing but rounding noise.
        if dot(&direction, &direction) > 1e-18 * dot(&scaled, &scaled) {
            basis.push(direction);
        }
    }
    (without(scale(pair.x()), &basis), without(scale(pair.y()), &basis))
}

/// The correlation of two slices of the same pair, e.g. resampled.
pub(crate) fn correlation_of(x: &[f64], y: &[f64], method: Method) -> Option<f64> {
    match method {
        Method::Pearson => raw(x, y),
        Method::Spearman => raw(&average_ranks(x), &average_ranks(y)),
    }
}

/// Spearman's rho of resamples of one pair. Ranks follow from how often each unit was drawn: nothing is sorted anew.
pub(crate) struct ResampledSpearman {
    x: Vec<Vec<usize>>,
    y: Vec<Vec<usize>>,
    units: usize,
}

impl ResampledSpearman {
    pub(crate) fn new(x: &[f64], y: &[f64]) -> ResampledSpearman {
        ResampledSpearman { x: ascending(x), y: ascending(y), units: x.len() }
    }

    /// [`correlation_of`] of the units drawn, each as often as it is listed.
    pub(crate) fn of(&self, drawn: impl Iterator<Item = usize>) -> Option<f64> {
        let mut times = vec![0.0; self.units];
        drawn.for_each(|unit| times[unit] += 1.0);
        let n = times.iter().sum::<f64>();
        let (x, y) = (drawn_ranks(&self.x, &times), drawn_ranks(&self.y, &times));
        let [mut sxx, mut sxy, mut syy] = [0.0; 3];
        for ((times, x), y) in times.iter().zip(&x).zip(&y) {
            sxx += times * x * x;
            sxy += times * x * y;
            syy += times * y * y;
        }
        // Ranks differ by a half at least.
        (n >= 2.0 && sxx > 0.1 && syy > 0.1).then(|| (sxy / (sxx.sqrt() * syy.sqrt())).clamp(-1.0, 1.0))
    }
}

/// Units in ascending order of their values, equal ones together.
fn ascending(values: &[f64]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order.chunk_by(|&a, &b| values[a] == values[b]).map(<[usize]>::to_vec).collect()
}

/// Average ranks around their mean where each unit is there so many times.
fn drawn_ranks(ascending: &[Vec<usize>], times: &[f64]) -> Vec<f64> {
    let centre = (times.iter().sum::<f64>() + 1.0) / 2.0;
    let mut ranks = vec![0.0; times.len()];
    let mut below = 0.0;
    for tied in ascending {
        let here: f64 = tied.iter().map(|&unit| times[unit]).sum();
        tied.iter().for_each(|&unit| ranks[unit] = below + (here + 1.0) / 2.0 - centre);
        below += here;
    }
    ranks
}

/// Pearson of two slices of the same pair.
pub(super) fn raw(x: &[f64], y: &[f64]) -> Option<f64> {
    let (dx, dy) = (centred(x), centred(y));
    let (sx, sy) = (dot(&dx, &dx), dot(&dy, &dy));
    // Residuals of a side that the controls explain completely are rounding noise around zero.
    let tiny = |s: f64, v: &[f64]| s <= 1e-24 * (1.0 + dot(v, v));
    if x.len() < 2 || tiny(sx, x) || tiny(sy, y) {
        return None;
    }
    Some((dot(&dx, &dy) / (sx.sqrt() * sy.sqrt())).clamp(-1.0, 1.0))
}

/// `v` minus its projections on mutually orthogonal directions.
fn without(mut v: Vec<f64>, basis: &[Vec<f64>]) -> Vec<f64> {
    for direction in basis {
        let share = dot(&v, direction) / dot(direction, direction);
        for (value, d) in v.iter_mut().zip(direction) {
            *value -= share * d;
        }
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_side_has_no_correlation() {
        assert_eq!(raw(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(raw(&[1.0], &[1.0]), None);
    }

    #[test]
    fn a_resample_has_the_rho_of_its_values() {
        let (x, y) = ([3.0, 1.0, 3.0, 2.0, 5.0], [1.0, 4.0, 2.0, 2.0, 9.0]);
        let resampled = ResampledSpearman::new(&x, &y);
        for drawn in [[0, 1, 2, 3, 4], [0, 0, 3, 3, 4], [4, 1, 1, 2, 0]] {
            let pick = |v: &[f64]| drawn.map(|i: usize| v[i]);
            let found = resampled.of(drawn.into_iter()).unwrap();
            assert!((found - correlation_of(&pick(&x), &pick(&y), Method::Spearman).unwrap()).abs() < 1e-12);
        }
        assert_eq!(resampled.of([0, 2, 0, 2, 0].into_iter()), None, "one side is constant");
    }

    #[test]
    fn the_t_p_is_scipys() {
        // scipy.stats.spearmanr of five units with rho 0.6, scipy.stats.pearsonr of 25 with r 0.6921695577118191.
        assert!((correlation_t_p(0.6, 5).unwrap() - 0.28475697986529386).abs() < 1e-10);
        assert!((correlation_t_p(0.6921695577118191, 25).unwrap() - 0.00012633990511104915).abs() < 1e-12);
        assert_eq!(correlation_t_p(1.0, 10), Some(0.0));
        assert_eq!(correlation_t_p(0.5, 2), None);
    }

    #[test]
    fn a_perfect_correlation_has_no_normal_interval() {
        assert_eq!(correlation_interval(1.0, 10, 0, Method::Pearson, 0.05), None);
        assert_eq!(correlation_interval(0.5, 3, 0, Method::Pearson, 0.05), None);
        assert_eq!(correlation_interval(0.5, 5, 2, Method::Spearman, 0.05), None);
    }
}
