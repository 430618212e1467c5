//! How a file keeps the numbers of a tensor that a checkpoint keeps otherwise.

/// Where the number of a checkpoint's tensor lies in the file's, and what it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As a checkpoint has them.
    AsStored,
    /// Of each head, the rows of its first half and of its second in turn: the components that positions turn together lie
    /// together (`LlamaModel.permute` of llama.cpp's `convert_hf_to_gguf.py`).
    Interleaved {
        /// How many there are.
        heads: usize,
    },
    /// The rows of all queries, all keys, all values, where a checkpoint has them group by group: the queries of a group, its
    /// key, its value (`modify_tensors` of `FalconModel`, `BloomModel` and `GPTNeoXModel` there).
    Ungrouped {
        /// How many query heads there are.
        heads: usize,
        /// How many key/value heads, and so groups.
        kv_heads: usize,
    },
    /// Rows as columns (`GPT2Model.modify_tensors` there).
    Transposed,
    /// The factor of a norm, where a checkpoint has its distance from 1 (`Gemma2Model.modify_tensors` there).
    PlusOne,
}

impl Layout {
    /// Where row `row` of `count` lies in the file, for layouts that move whole rows.
    pub fn stored(self, row: usize, count: usize) -> usize {
        match self {
            Layout::Interleaved { heads } => {
                let width = count / heads;
                let (head, within) = (row / width, row % width);
                head * width + within % (width / 2) * 2 + within / (width / 2)
            }
            Layout::Ungrouped { heads, kv_heads } => {
                let width = count / (heads + 2 * kv_heads);
                let queries = heads / kv_heads;
                let (place, within) = (row / width, row % width);
                let (group, member) = (place / (queries + 2), place % (queries + 2));
                let head = match member.checked_sub(queries) {
                    None => group * queries + member,
                    Some(0) => heads + group,
                    Some(_) => heads + kv_heads + group,
                };
                head * width + within
            }
            Layout::AsStored | Layout::Transposed | Layout::PlusOne => row,
        }
    }
}

/// What is said of a tensor beside its type; empty where nothing is.
impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Layout::AsStored => Ok(()),
            Layout::Interleaved { heads } => write!(f, ", rows of {heads} heads interleaved"),
            Layout::Ungrouped { heads, kv_heads } => {
                write!(f, ", rows of {heads} queries before those of {kv_heads} keys and values")
            }
            Layout::Transposed => f.write_str(", transposed"),
            Layout::PlusOne => f.write_str(", plus one"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_where_the_converter_put_them() {
        let rows =
            |layout: Layout, count| (0..count).map(|row| layout.stored(row, count)).collect::<Vec<_>>();
        assert_eq!(rows(Layout::Interleaved { heads: 2 }, 8), [0, 2, 1, 3, 4, 6, 5, 7]);
        // Two groups of two queries, a key and a value; heads of one row: q0 q1 q2 q3 k0 k1 v0 v1.
        assert_eq!(rows(Layout::Ungrouped { heads: 4, kv_heads: 2 }, 8), [0, 1, 4, 6, 2, 3, 5, 7]);
        // One for each head, of two rows each.
        assert_eq!(
            rows(Layout::Ungrouped { heads: 2, kv_heads: 2 }, 12),
            [0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11]
        );
    }
}
