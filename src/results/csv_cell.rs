//! Cells of CSV files, which spreadsheets open too: a text that such a program would compute is written as a text.

use std::borrow::Cow;

/// The cell; with `'` before it where it begins as a formula does (`=`, `@`, `+`, `-`, a tab or a line break) and is no number.
pub(crate) fn cell(text: &str) -> Cow<'_, str> {
    let formula = text.len() > 1 && text.starts_with(['=', '@', '+', '-', '\t', '\r', '\n']);
    match formula && text.parse::<f64>().is_err() {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_numbers_stay_numbers() {
        for kept in ["-0.5", "+3", "-inf", "-1e-300", "", "-", "a=b", "'x", "1 + 2"] {
            assert_eq!(cell(kept), kept);
        }
        for formula in ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "\r=1"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
    }
}
