//! Numbers as rules and notes print them.

/// Three significant digits, as rules and notes print numbers.
pub(crate) fn digits(value: f64) -> String {
    let magnitude = value.abs();
    if value == value.trunc() && magnitude < 1e6 {
        return format!("{value}");
    }
    if !(1e-3..1e6).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let decimals = (2 - magnitude.log10().floor() as i32).clamp(0, 6) as usize;
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!(digits(0.79234), "0.792");
        assert_eq!(digits(17211.6), "17212");
        assert_eq!(digits(3.0), "3");
        assert_eq!(digits(1e-5), "1.00e-5");
    }
}
