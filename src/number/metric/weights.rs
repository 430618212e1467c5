//! Numbers of a weighing as evidence rows, and what its value weights make of attention.

use ndarray::{ArrayView1, ArrayView2};

use super::Metric;
use super::measurements::SOURCE;
use crate::evidence::{Evidence, Measurement};
use crate::weights::Weighed;

/// Rows of one model; no prompt and no protocol enters them. The value weights of block l have layer l.
pub fn weights(model: &str, weighed: &Weighed) -> Vec<Measurement> {
    let Weighed { embedding, unembedding, centred, folded, value_squares } = weighed;
    let mut rows = Vec::new();
    let mut put = |metric, layer: Option<usize>, value: f64| {
        rows.push(Measurement {
            evidence: Evidence::Measured,
            source: SOURCE.into(),
            model: model.into(),
            prompt: None,
            category: None,
            metric,
            branch: None,
            layer: layer.map(|layer| layer as u32),
            protocol: None,
            dtype: "float64".into(),
            value,
            definition: "".into(),
        });
    };
    put(Metric::EmbeddingSpectralNorm, None, embedding.sigma_max);
    put(Metric::EmbeddingFrobeniusNorm, None, embedding.frobenius);
    put(Metric::EmbeddingRowNorm, None, embedding.row_norms.mean);
    put(Metric::UnembeddingSpectralNorm, None, unembedding.sigma_max);
    put(Metric::UnembeddingFrobeniusNorm, None, unembedding.frobenius);
    put(Metric::UnembeddingRowNorm, None, unembedding.row_norms.mean);
    put(Metric::UnembeddingRowNormSpread, None, unembedding.row_norms.std);
    put(Metric::UnembeddingCentredSpectralNorm, None, centred.sigma_max);
    if let Some(folded) = folded {
        put(Metric::UnembeddingFoldedSpectralNorm, None, folded.sigma_max);
    }
    let mut blocks = Vec::new();
    for (layer, heads) in value_squares.iter().enumerate() {
        if let Some(square) = crate::mean::mean(heads) {
            put(Metric::ValueWeightSquare, Some(layer), square);
            blocks.push(square);
        }
    }
    if let Some(mean) = crate::mean::mean(&blocks) {
        put(Metric::MeanValueWeightSquare, None, mean);
    }
    rows
}

/// The attention trace of every block, `[L]`: `off_diagonal [L, H]` (attention off the diagonal, summed over query
/// tokens) times `squares [L][H]` (‖W_V‖_F² of the head), mean over heads. `None` for a block without heads; empty where the
/// numbers of blocks or of heads differ. Rows of blocks with fewer heads than others end with not-a-number.
pub fn attention_trace(off_diagonal: ArrayView2<'_, f32>, squares: &[Vec<f64>]) -> Vec<Option<f64>> {
    let known = |row: ArrayView1<'_, f32>| row.iter().filter(|off| !off.is_nan()).count();
    let same = |(row, squares): (ArrayView1<'_, f32>, &Vec<f64>)| known(row) == squares.len();
    let rows = || off_diagonal.rows().into_iter().zip(squares);
    if off_diagonal.nrows() != squares.len() || !rows().all(same) {
        return Vec::new();
    }
    rows()
        .map(|(off, squares)| {
            let sum = off.iter().zip(squares).map(|(&off, square)| f64::from(off) * square).sum::<f64>();
            (!squares.is_empty()).then(|| sum / squares.len() as f64)
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use ndarray::array;

    use super::*;
    use crate::weights::{Largest, RowNorms, Spectrum};

    /// Two blocks of two heads.
    pub(crate) fn weighed() -> Weighed {
        let row_norms = RowNorms { mean: 3.0, std: 4.0, min: 1.0, max: 9.0 };
        let spectrum = |sigma_max| Spectrum {
            sigma_max,
            relative_error: 1e-9,
            iterations: 3,
            converged: true,
            frobenius: 2.0,
            row_norms,
        };
        let largest = |sigma_max| Largest { sigma_max, relative_error: 1e-9, iterations: 3, converged: true };
        Weighed {
            embedding: spectrum(10.0),
            unembedding: spectrum(20.0),
            centred: largest(15.0),
            folded: Some(largest(12.0)),
            value_squares: vec![vec![1.0, 3.0], vec![4.0, 8.0]],
        }
    }

    #[test]
    fn a_weighing_has_a_row_of_every_metric_that_no_token_enters() {
        let rows = weights("m", &weighed());
        let value = |metric, layer| {
            let mut found = rows.iter().filter(|row| row.metric == metric && row.layer == layer);
            let row = found.next().unwrap_or_else(|| panic!("{metric}"));
            assert!(found.next().is_none() && row.protocol.is_none() && row.prompt.is_none());
            row.value
        };
        for &metric in Metric::ALL {
            let described = metric.describe();
            let layer = described.per_layer.then_some(1);
            assert_eq!(
                rows.iter().any(|row| row.metric == metric && row.layer == layer),
                !described.needs_protocol(),
                "{metric}"
            );
        }
        assert_eq!(value(Metric::UnembeddingSpectralNorm, None), 20.0);
        assert_eq!(value(Metric::UnembeddingCentredSpectralNorm, None), 15.0);
        assert_eq!(value(Metric::UnembeddingFoldedSpectralNorm, None), 12.0);
        assert_eq!(value(Metric::UnembeddingRowNormSpread, None), 4.0);
        assert_eq!(value(Metric::ValueWeightSquare, Some(0)), 2.0);
        assert_eq!(value(Metric::ValueWeightSquare, Some(1)), 6.0);
        assert_eq!(value(Metric::MeanValueWeightSquare, None), 4.0);
    }

    #[test]
    fn the_trace_weighs_each_heads_attention_by_its_own_values() {
        let off = array![[0.5f32, 2.0], [1.0, 0.0]];
        let squares = weighed().value_squares;
        assert_eq!(attention_trace(off.view(), &squares), [Some((0.5 + 6.0) / 2.0), Some(2.0)]);
        assert_eq!(attention_trace(array![[0.5f32, 2.0]].view(), &squares), []);
    }

    #[test]
    fn blocks_may_differ_in_their_heads_and_have_none() {
        let off = array![[0.5f32, 2.0], [1.0, f32::NAN], [f32::NAN, f32::NAN]];
        let squares = [vec![1.0, 3.0], vec![4.0], vec![]];
        assert_eq!(attention_trace(off.view(), &squares), [Some((0.5 + 6.0) / 2.0), Some(4.0), None]);
        assert_eq!(attention_trace(off.view(), &[vec![1.0, 3.0], vec![4.0, 8.0], vec![]]), []);
    }
}
