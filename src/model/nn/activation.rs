//! Activation functions.

use super::Scope;
use crate::graph::{Binary, GraphError, Unary, Value};

/// The nonlinearity between the layers of an MLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x · sigmoid(x).
    Silu,
    /// With the error function.
    Gelu,
    /// With the hyperbolic tangent (Hendrycks & Gimpel 2016, the approximation).
    GeluTanh,
    /// x · sigmoid(1.702 x).
    QuickGelu,
    /// max(x, 0)².
    ReluSquared,
    /// [`xielu`], learned per block; no config names it beside a choice of others.
    Xielu,
}

impl Activation {
    /// The names that configs use (`transformers/activations.py`, `ACT2FN`); `None` for an unknown one.
    pub fn read(name: &str) -> Option<Activation> {
        match name {
            "relu" => Some(Activation::Relu),
            "silu" | "swish" => Some(Activation::Silu),
            "gelu" => Some(Activation::Gelu),
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Some(Activation::GeluTanh),
            "quick_gelu" => Some(Activation::QuickGelu),
            "relu2" => Some(Activation::ReluSquared),
            _ => None,
        }
    }

    /// The name of an MLP with this activation in [`number::facts::ModelFacts::mlp`].
    pub fn mlp_name(self, gated: bool) -> &'static str {
        match (self, gated) {
            (Activation::Relu, false) => "relu",
            (Activation::Relu, true) => "reglu",
            (Activation::Silu, false) => "silu",
            (Activation::Silu, true) => "swiglu",
            (Activation::Gelu | Activation::GeluTanh | Activation::QuickGelu, false) => "gelu",
            (Activation::Gelu | Activation::GeluTanh | Activation::QuickGelu, true) => "geglu",
            (Activation::ReluSquared, false) => "relu-squared",
            (Activation::ReluSquared, true) => "reglu-squared",
            (Activation::Xielu, false) => "xielu",
            (Activation::Xielu, true) => "gated-xielu",
        }
    }

    /// The names that [`Activation::read`] knows, for messages.
    pub const NAMES: &str =
        "relu, relu2, silu, swish, gelu, quick_gelu, gelu_new, gelu_fast, gelu_pytorch_tanh";

    /// The activation of every component of `x`; what it learns is declared at `s`.
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
            Activation::QuickGelu => {
                let steep = s.scale(x, 1.702)?;
                let gate = s.unary(Unary::Sigmoid, steep)?;
                s.mul(x, gate)
            }
            Activation::ReluSquared => {
                let positive = s.unary(Unary::Relu, x)?;
                s.mul(positive, positive)
            }
            Activation::Xielu => xielu(s, x),
        }
    }
}

/// xIELU (Huang & Schlag 2025, `transformers/activations.py`): with β and ε fixed, α_p and α_n stored before softplus as
/// `act_fn.alpha_p [1]`, `act_fn.alpha_n [1]`:
/// `α_p·x² + β·x` for x > 0, else `α_n·(expm1(min(x, ε)) - x) + β·x`, where α_n is β + softplus(stored).
fn xielu(s: &mut Scope, x: Value) -> Result<Value, GraphError> {
    let mut s = s.at("act_fn");
    let mut stored = |name: &str, shape: &[usize]| s.weight(name, shape);
    let (alpha_p, alpha_n) = (stored("alpha_p", &[1])?, stored("alpha_n", &[1])?);
    let (beta, eps) = (stored("beta", &[])?, stored("eps", &[])?);
    let alpha_p = s.unary(Unary::Softplus, alpha_p)?;
    let alpha_n = s.unary(Unary::Softplus, alpha_n)?;
    let alpha_n = s.add(alpha_n, beta)?;

    let square = s.mul(x, x)?;
    let above = s.mul(alpha_p, square)?;
    let capped = s.binary(Binary::Min, x, eps)?;
    // expm1(y) = 2t / (1 - t) with t = tanh(y/2): exact near 0, where exp(y) - 1 loses its digits.
    let half = s.scale(capped, 0.5)?;
    let tanh = s.unary(Unary::Tanh, half)?;
    let twice = s.scale(tanh, 2.0)?;
    let one = s.scalar(1.0)?;
    let rest = s.sub(one, tanh)?;
    let expm1 = s.div(twice, rest)?;
    let bent = s.sub(expm1, x)?;
    let below = s.mul(alpha_n, bent)?;
    let zero = s.scalar(0.0)?;
    let positive = s.binary(Binary::Less, zero, x)?;
    let curved = s.choose(positive, above, below)?;
    let straight = s.mul(beta, x)?;
    s.add(curved, straight)
}

/// `cap · tanh(x / cap)`: small x pass, large ones stay below the cap (gemma2).
pub fn softcap(s: &mut Scope, x: Value, cap: f32) -> Result<Value, GraphError> {
    let small = s.scale(x, 1.0 / cap)?;
    let bent = s.unary(Unary::Tanh, small)?;
    s.scale(bent, cap)
}

/// `x/2 · (1 + y)`.
fn half_one_plus(s: &mut Scope, x: Value, y: Value) -> Result<Value, GraphError> {
    let one = s.scalar(1.0)?;
    let sum = s.add(y, one)?;
    let half = s.scale(x, 0.5)?;
    s.mul(half, sum)
}
