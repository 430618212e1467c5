//! The one wording of "this test could not have become significant".

/// Says that even the most extreme outcome of a test is not significant, e.g. `cannot reach alpha = 0.05 with 4 units
/// (smallest p 0.125)`. `circumstances` follows directly, so it is empty or begins with a space.
pub fn out_of_reach(alpha: f64, circumstances: &str) -> String {
    format!("cannot reach alpha = {alpha}{circumstances}")
}
