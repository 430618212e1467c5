//! One call for each operator: `let y = g.matmul(x, w)?`.

use super::{
    Dim, Dtype, Graph, GraphError, Value,
    op::{Binary, Op, Reduction, Unary},
};

impl Graph {
    /// A function of every element.
    pub fn unary(&mut self, unary: Unary, x: Value) -> Result<Value, GraphError> {
        self.add_one(Op::Unary(unary), &[x])
    }

    /// A function of every pair of elements.
    pub fn binary(&mut self, binary: Binary, a: Value, b: Value) -> Result<Value, GraphError> {
        self.add_one(Op::Binary(binary), &[a, b])
    }

    /// a + b.
    pub fn add(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        self.binary(Binary::Add, a, b)
    }

    /// a - b.
    pub fn sub(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        self.binary(Binary::Sub, a, b)
    }

    /// a · b, elementwise.
    pub fn mul(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        self.binary(Binary::Mul, a, b)
    }

    /// a / b.
    pub fn div(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        self.binary(Binary::Div, a, b)
    }

    /// `x` times a constant.
    pub fn scale(&mut self, x: Value, factor: f32) -> Result<Value, GraphError> {
        let factor = self.scalar(factor)?;
        self.mul(x, factor)
    }

    /// [`Op::MatMul`].
    pub fn matmul(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        self.add_one(Op::MatMul, &[a, b])
    }

    /// `x [m, k] · wᵀ + bias` with `w [n, k]` and `bias [n]`.
    pub fn gemm(&mut self, x: Value, w: Value, bias: Option<Value>) -> Result<Value, GraphError> {
        let inputs: Vec<Value> = [x, w].into_iter().chain(bias).collect();
        self.add_one(Op::Gemm, &inputs)
    }

    /// `x` as another element type.
    pub fn cast(&mut self, x: Value, dtype: Dtype) -> Result<Value, GraphError> {
        self.add_one(Op::Cast(dtype), &[x])
    }

    /// [`Op::Reshape`].
    pub fn reshape(&mut self, x: Value, shape: &[Dim]) -> Result<Value, GraphError> {
        self.add_one(Op::Reshape(shape.to_vec()), &[x])
    }

    /// `x` under other names of its open dimensions.
    pub fn relabel(&mut self, x: Value, shape: &[Dim]) -> Result<Value, GraphError> {
        self.add_one(Op::Relabel(shape.to_vec()), &[x])
    }

    /// [`Op::Unsqueeze`].
    pub fn unsqueeze(&mut self, x: Value) -> Result<Value, GraphError> {
        self.add_one(Op::Unsqueeze, &[x])
    }

    /// [`Op::Squeeze`].
    pub fn squeeze(&mut self, x: Value) -> Result<Value, GraphError> {
        self.add_one(Op::Squeeze, &[x])
    }

    /// [`Op::Transpose`].
    pub fn transpose(&mut self, x: Value, order: &[usize]) -> Result<Value, GraphError> {
        self.add_one(Op::Transpose(order.to_vec()), &[x])
    }

    /// [`Op::Concat`].
    pub fn concat(&mut self, parts: &[Value], axis: usize) -> Result<Value, GraphError> {
        self.add_one(Op::Concat { axis }, parts)
    }

    /// [`Op::Slice`].
    pub fn slice(&mut self, x: Value, axis: usize, start: usize, end: usize) -> Result<Value, GraphError> {
        self.add_one(Op::Slice { axis, start, end }, &[x])
    }

    /// [`Op::Gather`].
    pub fn gather(&mut self, x: Value, index: Value) -> Result<Value, GraphError> {
        self.add_one(Op::Gather, &[x, index])
    }

    /// [`Op::GatherNd`].
    pub fn gather_nd(&mut self, x: Value, index: Value) -> Result<Value, GraphError> {
        self.add_one(Op::GatherNd, &[x, index])
    }

    /// Softmax over the last axis.
    pub fn softmax(&mut self, x: Value) -> Result<Value, GraphError> {
        self.add_one(Op::Softmax, &[x])
    }

    /// `yes` where the condition holds, else `no`.
    pub fn choose(&mut self, condition: Value, yes: Value, no: Value) -> Result<Value, GraphError> {
        self.add_one(Op::Where, &[condition, yes, no])
    }

    /// Reduce the last axis away.
    pub fn reduce(&mut self, by: Reduction, x: Value) -> Result<Value, GraphError> {
        self.add_one(Op::Reduce { by, keep: false }, &[x])
    }

    /// Reduce the last axis to size 1.
    pub fn reduce_keep(&mut self, by: Reduction, x: Value) -> Result<Value, GraphError> {
        self.add_one(Op::Reduce { by, keep: true }, &[x])
    }

    /// The largest `k` of the last axis: (values, indices).
    pub fn top_k(&mut self, x: Value, k: usize) -> Result<(Value, Value), GraphError> {
        let outputs = self.insert(Op::TopK { k }, &[x])?;
        Ok((outputs[0], outputs[1])) // inference gives TopK two outputs
    }
}
