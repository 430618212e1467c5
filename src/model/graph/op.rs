//! The operators, a small subset of ONNX with the same meaning. Axes and sizes are attributes, never inputs.

use super::{Dim, Dtype};

/// Elementwise, one input, dtype and shape kept (f32 only, except `Identity`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// |x|.
    Abs,
    /// Cosine.
    Cos,
    /// The error function.
    Erf,
    /// e^x.
    Exp,
    /// x itself.
    Identity,
    /// The natural logarithm.
    Log,
    /// -x.
    Neg,
    /// 1 / x.
    Reciprocal,
    /// max(x, 0).
    Relu,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// Sine.
    Sin,
    /// ln(1 + e^x).
    Softplus,
    /// Square root.
    Sqrt,
    /// Hyperbolic tangent.
    Tanh,
}

/// Elementwise over two inputs of one dtype with numpy broadcasting. `Equal`, `Less`, `LessOrEqual` give bool; `And`
/// takes bool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// a + b.
    Add,
    /// a - b.
    Sub,
    /// a · b.
    Mul,
    /// a / b.
    Div,
    /// The larger of both.
    Max,
    /// The smaller of both.
    Min,
    /// a = b.
    Equal,
    /// a < b.
    Less,
    /// a ≤ b.
    LessOrEqual,
    /// Both hold.
    And,
}

/// Reductions over the last axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Root of the sum of squares.
    L2,
    /// The largest element.
    Max,
    /// The mean.
    Mean,
    /// The sum.
    Sum,
}

/// An operator with its attributes.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Elementwise over one input.
    Unary(Unary),
    /// Elementwise over two inputs.
    Binary(Binary),
    /// Batched matrix product, batch dimensions broadcast: `[.., m, k] x [.., k, n] -> [.., m, n]`.
    MatMul,
    /// `x [m, k] · wᵀ` with `w [n, k]`, the layout of stored linear layers, plus `bias [n]` when a third input is given.
    Gemm,
    /// To another element type.
    Cast(Dtype),
    /// Leading named dimensions must stay where they are; the rest is fixed with an equal product.
    Reshape(Vec<Dim>),
    /// Other names for the same open dimensions; the builder of the graph knows that they are equal. A size of 1 may take a
    /// name and give it back (one prompt).
    Relabel(Vec<Dim>),
    /// A new first axis of size 1.
    Unsqueeze,
    /// Without the first axis, of size 1.
    Squeeze,
    /// Axes in another order: axis i of the result is axis `order[i]` of the input.
    Transpose(Vec<usize>),
    /// Inputs one after another along an axis of fixed size; the other axes are equal.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// Elements `start..end` of one axis of fixed size.
    Slice {
        /// The axis.
        axis: usize,
        /// First element taken.
        start: usize,
        /// First element after it that is not.
        end: usize,
    },
    /// Rows of the first axis: `[n, rest..]`, `i64 [i..]` -> `[i.., rest..]`.
    Gather,
    /// Cells of the leading axes: `[.., rest..]`, `i64 [n, k]` -> `[n, rest..]` where k leading axes are indexed.
    GatherNd,
    /// Over the last axis.
    Softmax,
    /// `bool`, value where true, value where false.
    Where,
    /// Over the last axis; the axis stays with size 1 when `keep`.
    Reduce {
        /// The number that the axis becomes.
        by: Reduction,
        /// The axis stays, with size 1.
        keep: bool,
    },
    /// Largest `k` of the last axis, falling, lower index first among equals: values f32 and indices i64.
    TopK {
        /// How many; at most the size of the axis.
        k: usize,
    },
}

impl Op {
    /// The operator's name in ONNX.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Unary(unary) => match unary {
                Unary::Abs => "Abs",
                Unary::Cos => "Cos",
                Unary::Erf => "Erf",
                Unary::Exp => "Exp",
                Unary::Identity => "Identity",
                Unary::Log => "Log",
                Unary::Neg => "Neg",
                Unary::Reciprocal => "Reciprocal",
                Unary::Relu => "Relu",
                Unary::Sigmoid => "Sigmoid",
                Unary::Sin => "Sin",
                Unary::Softplus => "Softplus",
                Unary::Sqrt => "Sqrt",
                Unary::Tanh => "Tanh",
            },
            Op::Binary(binary) => match binary {
                Binary::Add => "Add",
                Binary::Sub => "Sub",
                Binary::Mul => "Mul",
                Binary::Div => "Div",
                Binary::Max => "Max",
                Binary::Min => "Min",
                Binary::Equal => "Equal",
                Binary::Less => "Less",
                Binary::LessOrEqual => "LessOrEqual",
                Binary::And => "And",
            },
            Op::MatMul => "MatMul",
            Op::Gemm => "Gemm",
            Op::Cast(_) => "Cast",
            Op::Reshape(_) => "Reshape",
            Op::Relabel(_) => "Identity",
            Op::Unsqueeze => "Unsqueeze",
            Op::Squeeze => "Squeeze",
            Op::Transpose(_) => "Transpose",
            Op::Concat { .. } => "Concat",
            Op::Slice { .. } => "Slice",
            Op::Gather => "Gather",
            Op::GatherNd => "GatherND",
            Op::Softmax => "Softmax",
            Op::Where => "Where",
            Op::Reduce { by, .. } => match by {
                Reduction::L2 => "ReduceL2",
                Reduction::Max => "ReduceMax",
                Reduction::Mean => "ReduceMean",
                Reduction::Sum => "ReduceSum",
            },
            Op::TopK { .. } => "TopK",
        }
    }
}
