//! Activation functions and the MLPs made of them.

use super::{Scope, linear::linear};
use crate::graph::{GraphError, Unary, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Relu,
    Silu,
    /// With the error function.
    Gelu,
    /// With the hyperbolic tangent (Hendrycks & Gimpel 2016, the approximation).
    GeluTanh,
}

impl Activation {
    /// The names that configs use (`transformers/activations.py`, `ACT2FN`); `None` for an unknown one.
    pub fn read(name: &str) -> Option<Activation> {
        match name {
            "relu" => Some(Activation::Relu),
            "silu" | "swish" => Some(Activation::Silu),
            "gelu" => Some(Activation::Gelu),
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Some(Activation::GeluTanh),
            _ => None,
        }
    }

    /// What [`crate::facts::ModelFacts::mlp`] calls an MLP with this activation.
    pub fn mlp_name(self, gated: bool) -> &'static str {
        match (self, gated) {
            (Activation::Relu, false) => "relu",
            (Activation::Relu, true) => "reglu",
            (Activation::Silu, false) => "silu",
            (Activation::Silu, true) => "swiglu",
            (Activation::Gelu | Activation::GeluTanh, false) => "gelu",
            (Activation::Gelu | Activation::GeluTanh, true) => "geglu",
        }
    }

    pub const NAMES: &str = "relu, silu, swish, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh";

    pub fn apply(self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        match self {
            Activation::Relu => s.unary(Unary::Relu, x),
            Activation::Silu => {
                let gate = s.unary(Unary::Sigmoid, x)?;
                s.mul(x, gate)
            }
            Activation::Gelu => {
                let scaled = s.scale(x, std::f32::consts::FRAC_1_SQRT_2)?;
                let erf = s.unary(Unary::Erf, scaled)?;
                half_one_plus(s, x, erf)
            }
            Activation::GeluTanh => {
                let square = s.mul(x, x)?;
                let cube = s.mul(square, x)?;
                let bent = s.scale(cube, 0.044_715)?;
                let sum = s.add(x, bent)?;
                let inner = s.scale(sum, (2.0 / std::f64::consts::PI).sqrt() as f32)?;
                let tanh = s.unary(Unary::Tanh, inner)?;
                half_one_plus(s, x, tanh)
            }
        }
    }
}

/// Widths and options of an MLP.
#[derive(Clone, Copy, Debug)]
pub struct Mlp {
    pub width: usize,
    pub inner: usize,
    pub activation: Activation,
    pub bias: bool,
}

/// `down(act(gate(x)) · up(x))`, names in that order: gate, up, down.
pub fn gated(s: &mut Scope, names: [&str; 3], x: Value, mlp: Mlp) -> Result<Value, GraphError> {
    let [gate, up, down] = names;
    let gate = linear(s, gate, x, (mlp.width, mlp.inner), mlp.bias)?;
    let gate = mlp.activation.apply(s, gate)?;
    let up = linear(s, up, x, (mlp.width, mlp.inner), mlp.bias)?;
    let product = s.mul(gate, up)?;
    linear(s, down, product, (mlp.inner, mlp.width), mlp.bias)
}

/// `out(act(in(x)))`, names in that order: in, out.
pub fn feed_forward(s: &mut Scope, names: [&str; 2], x: Value, mlp: Mlp) -> Result<Value, GraphError> {
    let inner = linear(s, names[0], x, (mlp.width, mlp.inner), mlp.bias)?;
    let inner = mlp.activation.apply(s, inner)?;
    linear(s, names[1], inner, (mlp.inner, mlp.width), mlp.bias)
}

/// `x/2 · (1 + y)`.
fn half_one_plus(s: &mut Scope, x: Value, y: Value) -> Result<Value, GraphError> {
    let one = s.scalar(1.0)?;
    let sum = s.add(y, one)?;
    let half = s.scale(x, 0.5)?;
    s.mul(half, sum)
}
