//! Dtypes and shapes: dimensions are numbers or names that the run decides (`T` tokens, `P` prompts, ...).

use std::fmt;

/// Element type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// float32.
    F32,
    /// 64-bit integers.
    I64,
    /// Truth values.
    Bool,
}

/// One dimension. Two named dimensions are equal exactly when their names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dim {
    /// A number.
    Fixed(usize),
    /// A size that the run decides.
    Named(&'static str),
}

impl From<usize> for Dim {
    fn from(size: usize) -> Dim {
        Dim::Fixed(size)
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Fixed(size) => write!(f, "{size}"),
            Dim::Named(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dtype::F32 => "f32",
            Dtype::I64 => "i64",
            Dtype::Bool => "bool",
        })
    }
}

/// `f32[T, 64]`.
pub fn show(dtype: Dtype, shape: &[Dim]) -> String {
    let dims: Vec<String> = shape.iter().map(Dim::to_string).collect();
    format!("{dtype}[{}]", dims.join(", "))
}

/// Numpy broadcasting; `None` when a pair of dimensions is neither equal nor 1.
pub(super) fn broadcast(a: &[Dim], b: &[Dim]) -> Option<Vec<Dim>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[Dim], i: usize| match (i + shape.len()).checked_sub(rank) {
        Some(axis) => shape[axis],
        None => Dim::Fixed(1),
    };
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y => Some(x),
            (Dim::Fixed(1), y) => Some(y),
            (x, Dim::Fixed(1)) => Some(x),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_aligns_at_the_last_axis_and_refuses_unequal_names() {
        let (t, m, one) = (Dim::Named("T"), Dim::Named("M"), Dim::Fixed(1));
        assert_eq!(broadcast(&[t, Dim::Fixed(4)], &[Dim::Fixed(4)]), Some(vec![t, Dim::Fixed(4)]));
        assert_eq!(broadcast(&[t, one], &[one, m]), Some(vec![t, m]));
        assert_eq!(broadcast(&[t], &[m]), None);
        assert_eq!(broadcast(&[t], &[]), Some(vec![t]));
    }
}
