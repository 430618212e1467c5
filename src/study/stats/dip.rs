//! Hartigan's dip: the distance of a sample from the nearest distribution with one mode.

use rand::RngExt;

use super::{Seed, permutation::MONTE_CARLO};

/// The largest distance between the empirical distribution and the nearest unimodal one (Hartigan and Hartigan 1985,
/// AS 217 with the later corrections of R's diptest), 1/2n at the least. `None` with fewer than two values, or with one that
/// is not finite.
pub fn dip(values: &[f64]) -> Option<f64> {
    if values.len() < 2 || values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(of_sorted(&sorted))
}

/// p of one mode: how often as many uniform values, the unimodal distribution with the largest dips, dip as far.
/// (b+1)/(m+1). `None` as in [`dip`].
pub fn dip_p(values: &[f64], seed: Seed) -> Option<f64> {
    dip_p_among(values, &uniform_dips(values.len(), seed))
}

/// [`dip_p`] with the dips of [`uniform_dips`], which samples of as many values may share.
pub fn dip_p_among(values: &[f64], uniform: &[f64]) -> Option<f64> {
    let threshold = dip(values)? - 1e-12;
    let extreme = uniform.iter().filter(|&&dip| dip >= threshold).count();
    Some((extreme as f64 + 1.0) / (uniform.len() as f64 + 1.0))
}

/// Dips of [`MONTE_CARLO`] samples of n uniform values; none with n below two.
pub fn uniform_dips(n: usize, seed: Seed) -> Vec<f64> {
    let mut rng = seed.rng();
    let mut sample = vec![0.0; n];
    let draws = if n < 2 { 0 } else { MONTE_CARLO };
    (0..draws)
        .map(|_| {
            sample.fill_with(|| rng.random::<f64>());
            sample.sort_by(f64::total_cmp);
            of_sorted(&sample)
        })
        .collect()
}

/// The modal interval is narrowed between the convex minorant (left of the mode) and the concave majorant (right of it)
/// until narrowing shows no larger distance. Counts of values, i.e. 2n times the dip, until the end.
fn of_sorted(x: &[f64]) -> f64 {
    let n = x.len();
    let (mut low, mut high) = (0, n - 1);
    let mut dip = 1.0_f64;
    if x[low] == x[high] {
        return dip / (2 * n) as f64;
    }
    let (before, after) = (minorant(x), majorant(x));
    loop {
        // Knots of the minorant from `high` down to `low`, of the majorant from `low` up to `high`.
        let convex = knots(&before, high, low);
        let concave = knots(&after, low, high);
        let (apart, at_convex, at_concave) = widest(x, &convex, &concave);
        if apart < dip {
            break;
        }
        let below = convex[at_convex..].windows(2).map(|k| hull_gap(x, k[1], k[0], true));
        let above = concave[at_concave..].windows(2).map(|k| hull_gap(x, k[0], k[1], false));
        dip = below.chain(above).fold(dip, f64::max);
        if (low, high) == (convex[at_convex], concave[at_concave]) {
            break;
        }
        (low, high) = (convex[at_convex], concave[at_concave]);
    }
    dip / (2 * n) as f64
}

/// For each value the knot before it on the greatest convex minorant of the values up to it.
fn minorant(x: &[f64]) -> Vec<usize> {
    let mut before = vec![0; x.len()];
    for j in 1..x.len() {
        before[j] = j - 1;
        loop {
            let knot = before[j];
            let earlier = before[knot];
            let steeper =
                (x[j] - x[knot]) * ((knot - earlier) as f64) < (x[knot] - x[earlier]) * ((j - knot) as f64);
            if knot == 0 || steeper {
                break;
            }
            before[j] = earlier;
        }
    }
    before
}

/// For each value the knot after it on the least concave majorant of the values from it on.
fn majorant(x: &[f64]) -> Vec<usize> {
    let last = x.len() - 1;
    let mut after = vec![last; x.len()];
    for j in (0..last).rev() {
        after[j] = j + 1;
        loop {
            let knot = after[j];
            let later = after[knot];
            let flatter =
                (x[knot] - x[j]) * ((later - knot) as f64) < (x[later] - x[knot]) * ((knot - j) as f64);
            if knot == last || flatter {
                break;
            }
            after[j] = later;
        }
    }
    after
}

fn knots(next: &[usize], from: usize, to: usize) -> Vec<usize> {
    let mut knots = vec![from];
    let mut at = from;
    while at != to {
        at = next[at];
        knots.push(at);
    }
    knots
}

/// The largest distance between minorant and majorant at a knot of either, and the positions in `convex` and `concave` of
/// the knots that enclose it: the new modal interval.
fn widest(x: &[f64], convex: &[usize], concave: &[usize]) -> (f64, usize, usize) {
    let (mut best, mut at_convex, mut at_concave) = (0.0, convex.len() - 1, concave.len() - 1);
    if convex.len() == 2 && concave.len() == 2 {
        return (1.0, at_convex, at_concave);
    }
    let (mut c, mut v) = (convex.len() - 2, 1);
    loop {
        let (knot, other) = (convex[c], concave[v]);
        if knot > other {
            // `other` lies between two knots of the minorant.
            let left = convex[c + 1];
            let slope = (knot - left) as f64 / (x[knot] - x[left]);
            let gap = (other as f64 - left as f64 + 1.0) - (x[other] - x[left]) * slope;
            v += 1;
            if gap >= best {
                (best, at_convex, at_concave) = (gap, c + 1, v - 1);
            }
        } else {
            let left = concave[v - 1];
            let slope = (other - left) as f64 / (x[other] - x[left]);
            let gap = (x[knot] - x[left]) * slope - (knot as f64 - left as f64 - 1.0);
            let here = c;
            c = c.saturating_sub(1);
            if gap >= best {
                (best, at_convex, at_concave) = (gap, here, v);
            }
        }
        v = v.min(concave.len() - 1);
        if convex[c] == concave[v] {
            return (best, at_convex, at_concave);
        }
    }
}

/// The largest distance of the empirical distribution from the chord between two neighbouring knots, above it on the convex
/// side and below it on the concave one.
fn hull_gap(x: &[f64], from: usize, to: usize, convex: bool) -> f64 {
    if to - from <= 1 || x[from] == x[to] {
        return 1.0;
    }
    let slope = (to - from) as f64 / (x[to] - x[from]);
    (from..=to)
        .map(|j| {
            let (chord, steps) = ((x[j] - x[from]) * slope, (j - from) as f64);
            if convex { steps + 1.0 - chord } else { chord - (steps - 1.0) }
        })
        .fold(1.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenly_spaced_values_dip_least_and_two_points_most() {
        let even: Vec<f64> = (0..20).map(f64::from).collect();
        assert!((dip(&even).unwrap() - 1.0 / 40.0).abs() < 1e-15);
        let two: Vec<f64> = (0..20).map(|i| f64::from(i % 2)).collect();
        assert!((dip(&two).unwrap() - 0.25).abs() < 1e-12, "{:?}", dip(&two));
        assert_eq!(dip(&[1.0; 5]), Some(0.1));
        assert_eq!(dip(&[1.0]), None);
        assert_eq!(dip(&[1.0, f64::NAN, 2.0]), None);
    }

    #[test]
    fn the_dip_has_neither_unit_nor_origin_nor_direction() {
        let values = [0.1, 0.4, 0.45, 0.5, 1.7, 1.8, 1.83, 2.4];
        let expected = dip(&values).unwrap();
        for map in [|v: f64| 3.0 * v + 7.0, |v: f64| -v] {
            assert!((dip(&values.map(map)).unwrap() - expected).abs() < 1e-12);
        }
    }
}
