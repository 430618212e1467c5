//! Token reductions: the norms of a prompt's T tokens at one tap become one norm.

use ndarray::ArrayView1;

use crate::protocol::Reduction;

/// Reduces token norms `[T]`, accumulating in float64. `None` where the reduction keeps no token: an empty prompt,
/// or the first token left out of a prompt of one.
pub fn reduce(norms: ArrayView1<'_, f32>, reduction: Reduction) -> Option<f64> {
    let skip = match reduction {
        Reduction::MeanWithoutFirst | Reduction::FrobeniusWithoutFirst => 1,
        Reduction::Last | Reduction::Mean | Reduction::Frobenius => 0,
    };
    let kept = norms.len().checked_sub(skip).filter(|&n| n > 0)?;
    let tokens = norms.iter().skip(skip).map(|&x| f64::from(x));
    match reduction {
        Reduction::Last => norms.last().map(|&x| f64::from(x)),
        Reduction::Mean | Reduction::MeanWithoutFirst => Some(tokens.sum::<f64>() / kept as f64),
        Reduction::Frobenius | Reduction::FrobeniusWithoutFirst => {
            Some(tokens.map(|x| x * x).sum::<f64>().sqrt())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn every_reduction_follows_its_definition() {
        let norms = array![12.0_f32, 3.0, 4.0];
        let of = |r| reduce(norms.view(), r).unwrap();
        assert_eq!(of(Reduction::Last), 4.0);
        assert!((of(Reduction::Mean) - 19.0 / 3.0).abs() < 1e-15);
        assert_eq!(of(Reduction::Frobenius), 13.0);
        assert_eq!(of(Reduction::MeanWithoutFirst), 3.5);
        assert_eq!(of(Reduction::FrobeniusWithoutFirst), 5.0);
    }

    #[test]
    fn a_prompt_of_one_token_has_nothing_without_its_first() {
        let norms = array![12.0_f32];
        assert_eq!(reduce(norms.view(), Reduction::Frobenius), Some(12.0));
        assert_eq!(reduce(norms.view(), Reduction::MeanWithoutFirst), None);
        assert_eq!(reduce(norms.view(), Reduction::FrobeniusWithoutFirst), None);
        assert_eq!(reduce(array![].view(), Reduction::Last), None);
    }
}
