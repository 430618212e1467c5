//! The value weights of a block's heads: their place in a checkpoint, and their squares.

use serde::Serialize;

use crate::checkpoint::{Tensor, widen::widen_from};

/// The arrangement of value weights in their tensor. w is the width of a head, D that of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueLayout {
    /// A matrix of their own, `[kv_heads·w, D]`.
    Apart,
    /// The last rows of one matrix, after all queries and all keys: `[(heads + 2·kv_heads)·w, D]`.
    AfterKeys,
    /// The last columns of one matrix, after all queries and all keys: `[D, (heads + 2·kv_heads)·w]`.
    ColumnsAfterKeys,
    /// Rows of one matrix that lies key/value head by key/value head, each with the queries of its group, its key, its
    /// value: `[kv_heads·(heads / kv_heads + 2)·w, D]`.
    ByGroup,
    /// Rows of one matrix of so many equal shards: in each the queries of some heads, their values, their keys: `[3·heads·w, D]`.
    InShards(usize),
    /// Rows of one matrix `[heads·(key + value), R]` that lies head by head, each with so many rows of its key, then of its
    /// value. Its input is not the stream but the normed latent of R components, so that the squares of these weights are those
    /// of the map from that latent to the values: what leads from the stream to it, a norm among it, is shared by all heads.
    InLatent {
        /// Rows of a head's key.
        key: usize,
        /// Rows of a head's value.
        value: usize,
    },
}

/// The value weights of one block. Biases are not among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValueWeights {
    /// Name in the checkpoint.
    pub tensor: String,
    /// The arrangement of the weights in the tensor.
    pub layout: ValueLayout,
    /// Query heads.
    pub heads: usize,
    /// Divides `heads`; query head h reads the values of key/value head h / (heads / kv_heads).
    pub kv_heads: usize,
    /// w.
    pub head_width: usize,
}

impl ValueWeights {
    /// ‖W_V‖_F² of every query head, in float64, from the tensor of this name: `[heads]`. Heads of one group share their
    /// value weights, hence the number.
    ///
    /// # Panics
    /// Where the tensor does not have the shape that the recipe asks for.
    pub fn squares(&self, tensor: &Tensor<'_>) -> Vec<f64> {
        let [rows, columns] = *tensor.shape else { panic!("{tensor:?} is no matrix") };
        let fused = self.layout != ValueLayout::Apart;
        let outputs = match self.layout {
            ValueLayout::InLatent { key, value } => self.heads * (key + value),
            _ if fused => (self.heads + 2 * self.kv_heads) * self.head_width,
            _ => self.kv_heads * self.head_width,
        };
        let width = self.width();
        let by_columns = self.layout == ValueLayout::ColumnsAfterKeys;
        assert_eq!(if by_columns { columns } else { rows }, outputs, "{tensor:?}");
        let mut row = vec![0.0f32; columns];
        let mut squares = vec![0.0f64; self.kv_heads];
        let mut widened = |index: usize| {
            widen_from(tensor, index * columns, &mut row);
            row.iter().map(|&x| f64::from(x) * f64::from(x)).collect::<Vec<f64>>()
        };
        if by_columns {
            for index in 0..rows {
                let row = widened(index);
                for (head, square) in squares.iter_mut().enumerate() {
                    let start = self.start(head);
                    *square += row[start..start + width].iter().sum::<f64>();
                }
            }
        } else {
            for (head, square) in squares.iter_mut().enumerate() {
                let start = self.start(head);
                *square = (start..start + width).map(|index| widened(index).iter().sum::<f64>()).sum();
            }
        }
        let group = self.heads / self.kv_heads;
        squares.iter().flat_map(|&square| std::iter::repeat_n(square, group)).collect()
    }

    /// Components of a head's values.
    fn width(&self) -> usize {
        match self.layout {
            ValueLayout::InLatent { value, .. } => value,
            _ => self.head_width,
        }
    }

    /// The first output of a key/value head's values.
    fn start(&self, head: usize) -> usize {
        let heads_before = match self.layout {
            ValueLayout::InLatent { key, value } => return head * (key + value) + key,
            ValueLayout::Apart => head,
            ValueLayout::AfterKeys | ValueLayout::ColumnsAfterKeys => self.heads + self.kv_heads + head,
            ValueLayout::ByGroup => {
                let group = self.heads / self.kv_heads;
                head * (group + 2) + group + 1
            }
            ValueLayout::InShards(shards) => {
                let heads = self.heads / shards;
                head / heads * 3 * heads + heads + head % heads
            }
        };
        heads_before * self.head_width
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{Content, Dtype};

    /// Every output a row (or column) of its own value: which outputs entered shows in the sum.
    fn squares(layout: ValueLayout, heads: usize, kv_heads: usize, outputs: usize) -> Vec<f64> {
        let by_columns = layout == ValueLayout::ColumnsAfterKeys;
        let shape = if by_columns { [2, outputs] } else { [outputs, 2] };
        let output = |i: usize| if by_columns { i % outputs } else { i / 2 };
        let bytes: Vec<u8> = (0..2 * outputs).flat_map(|i| (output(i) as f32).to_le_bytes()).collect();
        let values = ValueWeights { tensor: "w".into(), layout, heads, kv_heads, head_width: 2 };
        values.squares(&Tensor {
            name: "w",
            dtype: Dtype::F32,
            shape: &shape,
            content: Content::Stored(&bytes),
            first: 0,
        })
    }

    #[test]
    fn each_layout_takes_the_values_and_nothing_else() {
        let of = |outputs: [u32; 2]| 2.0 * outputs.map(|o| f64::from(o * o)).iter().sum::<f64>();
        assert_eq!(squares(ValueLayout::Apart, 2, 2, 4), [of([0, 1]), of([2, 3])]);
        assert_eq!(squares(ValueLayout::Apart, 4, 2, 4), [of([0, 1]), of([0, 1]), of([2, 3]), of([2, 3])]);
        // q0 q1 q2 q3 k0 k1 v0 v1
        let grouped = [of([12, 13]), of([12, 13]), of([14, 15]), of([14, 15])];
        assert_eq!(squares(ValueLayout::AfterKeys, 4, 2, 16), grouped);
        assert_eq!(squares(ValueLayout::ColumnsAfterKeys, 4, 2, 16), grouped);
        // q0 q1 k0 v0 q2 q3 k1 v1
        assert_eq!(
            squares(ValueLayout::ByGroup, 4, 2, 16),
            [of([6, 7]), of([6, 7]), of([14, 15]), of([14, 15])]
        );
        // q0 v0 k0 q1 v1 k1
        assert_eq!(squares(ValueLayout::InShards(2), 2, 2, 12), [of([2, 3]), of([8, 9])]);
        // k0 v0 k1 v1, of three and one
        let latent = ValueLayout::InLatent { key: 3, value: 1 };
        assert_eq!(squares(latent, 2, 2, 8), [2.0 * 9.0, 2.0 * 49.0]);
        // q0 k0 v0 q1 k1 v1
        assert_eq!(squares(ValueLayout::ByGroup, 2, 2, 12), [of([4, 5]), of([10, 11])]);
    }
}
