//! What the operators that exporters emit mean for a residual stream. Names are those of the ONNX standard and of
//! ONNX Runtime's `com.microsoft` domain (`docs/ContribOperators.md` of ONNX Runtime).

/// One operator reads queries, keys and values.
pub(super) const ATTENTION: &[&str] = &[
    "Attention",
    "DecoderAttention",
    "DecoderMaskedMultiHeadAttention",
    "DecoderMaskedSelfAttention",
    "GroupQueryAttention",
    "LinearAttention",
    "LongformerAttention",
    "MultiHeadAttention",
    "PackedAttention",
    "PackedMultiHeadAttention",
    "PagedAttention",
    "QAttention",
    "QOrderedAttention",
    "SparseAttention",
];

/// Products with weights; a branch of the stream has at least one.
pub(super) const PRODUCT: &[&str] = &[
    "Conv",
    "ConvInteger",
    "DynamicQuantizeMatMul",
    "Einsum",
    "FusedGemm",
    "FusedMatMul",
    "Gemm",
    "GemmFastGelu",
    "MatMul",
    "MatMulBnb4",
    "MatMulFpQ4",
    "MatMulInteger",
    "MatMulInteger16",
    "MatMulIntegerToFloat",
    "MatMulNBits",
    "MoE",
    "QGemm",
    "QLinearMatMul",
    "QMoE",
    "QOrderedMatMul",
];

/// A normalisation as one operator: input 0 in, output 0 out.
pub(super) const NORM: &[&str] = &["LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"];

/// A sum and its normalisation as one operator: inputs 0 and 1 are added, output 0 is the norm, output 3 the sum.
pub(super) const SKIP_NORM: &[&str] = &["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"];

/// Changes the type of a value, not what it is.
pub(super) const RETYPE: &[&str] = &[
    "Cast",
    "CastLike",
    "DequantizeLinear",
    "Dropout",
    "DynamicQuantizeLinear",
    "Identity",
    "QuantizeLinear",
];

/// Lays out the same elements along other axes.
pub(super) const LAYOUT: &[&str] = &["Flatten", "Reshape", "Squeeze", "Unsqueeze"];

/// Selects positions: allowed between the stream's end and the unembedding.
pub(super) const SELECT: &[&str] =
    &["Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND", "Slice", "Transpose"];

/// Works element by element; with a constant it scales or shifts.
pub(super) const ELEMENTWISE: &[&str] = &["Add", "Div", "Mul", "Sub"];

/// Reduces the width to a statistic of a norm.
pub(super) const REDUCE: &[&str] = &["ReduceL2", "ReduceMean", "ReduceSum", "ReduceSumSquare"];

/// Reads the shape of a value and not its elements.
pub(super) const SHAPE: &[&str] = &["Shape", "Size"];

/// Looks a row up by token id.
pub(super) const LOOKUP: &[&str] = &["EmbedLayerNormalization", "Gather", "GatherBlockQuantized"];

/// Holds graphs of its own, which are not searched.
pub(super) const SUBGRAPH: &[&str] = &["If", "Loop", "Scan"];

/// Where the bias of the sum lies among the inputs of a fused skip norm.
pub(super) fn skip_bias(op: &str) -> usize {
    if op == "SkipLayerNormalization" { 4 } else { 3 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_without_repeats() {
        for table in [
            ATTENTION,
            PRODUCT,
            NORM,
            SKIP_NORM,
            RETYPE,
            LAYOUT,
            SELECT,
            ELEMENTWISE,
            REDUCE,
            SHAPE,
            LOOKUP,
            SUBGRAPH,
        ] {
            assert!(table.windows(2).all(|pair| pair[0] < pair[1]), "{table:?}");
        }
    }
}
