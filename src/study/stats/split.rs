//! The split of a log ratio between two causes that changed together.
//!
//! a = (prompt A, method A), b = (prompt B, method B). The log ratio ln(b/a) is walked over a corner; with both corners
//! known the parts are Shapley values, the mean over the two orders.

/// The shares of ln(b/a) that the two causes carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// ln(b/a).
    pub log_ratio: f64,
    /// Share of the log ratio that the prompt carries.
    pub prompt_share: f64,
    /// Share of the log ratio that the method carries.
    pub method_share: f64,
    /// The smallest method share over the orders that can be walked.
    pub method_share_low: f64,
    /// Orders walked: 1 or 2.
    pub orders: u32,
}

/// `b_prompt_a_method` and, where known, `a_prompt_b_method` are the corners. `None` unless all are above zero and a ≠ b.
pub fn log_ratio_split(
    a: f64,
    b: f64,
    b_prompt_a_method: f64,
    a_prompt_b_method: Option<f64>,
) -> Option<Split> {
    let positive = |v: f64| v.is_finite() && v > 0.0;
    if !positive(a) || !positive(b) || !positive(b_prompt_a_method) || !a_prompt_b_method.is_none_or(positive)
    {
        return None;
    }
    let log_ratio = (b / a).ln();
    if log_ratio == 0.0 {
        return None;
    }
    let mut shares = vec![(b / b_prompt_a_method).ln() / log_ratio];
    shares.extend(a_prompt_b_method.map(|corner| (corner / a).ln() / log_ratio));
    let method_share = shares.iter().sum::<f64>() / shares.len() as f64;
    Some(Split {
        log_ratio,
        prompt_share: 1.0 - method_share,
        method_share,
        method_share_low: shares.iter().copied().fold(f64::INFINITY, f64::min),
        orders: shares.len() as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_llama_case_is_mostly_method() {
        let split = log_ratio_split(0.4777, 1.5332, 0.6086, None).unwrap();
        assert!((split.method_share - 0.792).abs() < 1e-3, "{split:?}");
        assert!((split.prompt_share + split.method_share - 1.0).abs() < 1e-15);
    }

    #[test]
    fn with_both_corners_the_share_is_the_mean_of_both_orders() {
        let split = log_ratio_split(1.0, 16.0, 2.0, Some(4.0)).unwrap();
        assert!((split.method_share - 0.625).abs() < 1e-15);
        assert!((split.method_share_low - 0.5).abs() < 1e-15);
        assert_eq!(log_ratio_split(1.0, 1.0, 2.0, None), None);
        assert_eq!(log_ratio_split(1.0, -2.0, 2.0, None), None);
    }
}
