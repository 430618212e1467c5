//! Rotary positions (Su et al. 2021): component pairs of every head turn by an angle that grows with the position.

use super::{Scope, TOKENS};
use crate::graph::{Binary, Constant, Dim, Dtype, GraphError, Unary, Value};

/// Angular speeds of the r/2 pairs of components of a head.
#[derive(Clone, Debug, PartialEq)]
pub struct Frequencies {
    /// Radians per position, `[r/2]`.
    pub inverse: Vec<f32>,
    /// On cosines and sines, 1 unless the scaling has one.
    pub factor: f32,
    /// Other frequencies in prompts longer than a limit.
    pub beyond: Option<Beyond>,
}

impl Frequencies {
    /// Heads turn the other way round.
    pub fn backwards(&mut self) {
        let turn = |inverse: &mut Vec<f32>| inverse.iter_mut().for_each(|speed| *speed = -*speed);
        turn(&mut self.inverse);
        if let Some(Beyond { rule: Longer::Frequencies(others), .. }) = &mut self.beyond {
            turn(others);
        }
    }
}

/// Frequencies of a prompt of more than `limit` tokens: of all its tokens, the first ones too.
#[derive(Clone, Debug, PartialEq)]
pub struct Beyond {
    /// Tokens.
    pub limit: usize,
    /// The rule that gives the other frequencies.
    pub rule: Longer,
}

/// The frequencies of a prompt beyond the limit.
#[derive(Clone, Debug, PartialEq)]
pub enum Longer {
    /// Other frequencies (longrope), `[r/2]`.
    Frequencies(Vec<f32>),
    /// The base grows with the prompt (dynamic NTK): frequency i is divided by
    /// `(factor · tokens / limit - (factor - 1)) ^ (i / (components/2 - 1))`.
    Stretch {
        /// `factor` of the config's scaling.
        factor: f32,
        /// Components of a head that the config lets turn; one more turns where this is odd.
        components: usize,
    },
}

/// The components that turn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// i with i + r/2.
    Halves,
    /// 2i with 2i + 1.
    Neighbours,
}

/// Cosines and sines of every token, each `[T, 1, r/2]`.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    cos: Value,
    sin: Value,
}

/// Rotary positions of a model's blocks, or of some of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotary {
    /// Blocks that share the name share the tables: `<name>.cos`, `<name>.sin`.
    pub name: &'static str,
    /// The angular speed of each pair.
    pub frequencies: Frequencies,
    /// The components that are a pair.
    pub pairs: Pairs,
}

impl Rotary {
    /// Components of every head that turn, from the first on.
    pub fn turning(&self) -> usize {
        2 * self.frequencies.inverse.len()
    }

    /// In the prelude: compute the tables from `positions i64 [T]` and publish them, unless nothing turns.
    pub fn publish(&self, s: &mut Scope, positions: Value) -> Result<(), GraphError> {
        if self.turning() == 0 {
            return Ok(());
        }
        let positions = s.cast(positions, Dtype::F32)?;
        let positions = s.reshape(positions, &[TOKENS, 1.into(), 1.into()])?;
        let inverse = inverse(s, &self.frequencies)?; // [r/2] or [T, 1, r/2]
        let angles = s.mul(positions, inverse)?; // [T, 1, r/2]
        for (function, unary) in [("cos", Unary::Cos), ("sin", Unary::Sin)] {
            let table = s.unary(unary, angles)?;
            let table = s.scale(table, self.frequencies.factor)?;
            s.publish(&format!("{}.{function}", self.name), table)?;
        }
        Ok(())
    }

    /// In a block: the tables as the prelude published them.
    pub fn tables(&self, s: &mut Scope) -> Result<Tables, GraphError> {
        let shape = [TOKENS, Dim::Fixed(1), Dim::Fixed(self.frequencies.inverse.len())];
        let mut table = |function| s.shared_input(&format!("{}.{function}", self.name), Dtype::F32, &shape);
        Ok(Tables { cos: table("cos")?, sin: table("sin")? })
    }

    /// Turn the first r components of every head of `x [T, heads, head_width]`; the others pass.
    pub fn turn(
        &self,
        s: &mut Scope,
        x: Value,
        (heads, head_width): (usize, usize),
        tables: Tables,
    ) -> Result<Value, GraphError> {
        let half = self.frequencies.inverse.len();
        let (first, second) = match self.pairs {
            Pairs::Halves => (s.slice(x, 2, 0, half)?, s.slice(x, 2, half, 2 * half)?), // [T, heads, r/2]
            Pairs::Neighbours => {
                let turning = s.slice(x, 2, 0, 2 * half)?;
                let pairs = s.reshape(turning, &[TOKENS, heads.into(), half.into(), 2.into()])?;
                let mut part = |i: usize| {
                    let part = s.slice(pairs, 3, i, i + 1)?;
                    s.reshape(part, &[TOKENS, heads.into(), half.into()])
                };
                (part(0)?, part(1)?)
            }
        };
        let (a, b) = (s.mul(first, tables.cos)?, s.mul(second, tables.sin)?);
        let (c, d) = (s.mul(second, tables.cos)?, s.mul(first, tables.sin)?);
        let (first, second) = (s.sub(a, b)?, s.add(c, d)?);
        let mut parts = match self.pairs {
            Pairs::Halves => vec![first, second],
            Pairs::Neighbours => {
                let single = [TOKENS, heads.into(), half.into(), 1.into()];
                let (first, second) = (s.reshape(first, &single)?, s.reshape(second, &single)?);
                let turned = s.concat(&[first, second], 3)?; // [T, heads, r/2, 2]
                vec![s.reshape(turned, &[TOKENS, heads.into(), (2 * half).into()])?]
            }
        };
        if 2 * half < head_width {
            parts.push(s.slice(x, 2, 2 * half, head_width)?);
        }
        match parts[..] {
            [whole] => Ok(whole),
            _ => s.concat(&parts, 2),
        }
    }
}

/// Radians per position: `[r/2]`, or `[T, 1, r/2]` where they depend on the length of a token's prompt.
fn inverse(s: &mut Scope, frequencies: &Frequencies) -> Result<Value, GraphError> {
    let pairs = frequencies.inverse.len();
    let short = s.constant(Constant::F32(frequencies.inverse.clone()), &[pairs])?;
    let Some(Beyond { limit, rule }) = &frequencies.beyond else { return Ok(short) };
    let lengths = s.shared_input("lengths", Dtype::I64, &[TOKENS])?; // tokens of the prompt that a token belongs to
    let lengths = s.cast(lengths, Dtype::F32)?;
    let lengths = s.reshape(lengths, &[TOKENS, 1.into(), 1.into()])?;
    let limit_value = s.scalar(*limit as f32)?;
    match rule {
        Longer::Frequencies(inverse) => {
            let long = s.constant(Constant::F32(inverse.clone()), &[pairs])?;
            let beyond = s.binary(Binary::Less, limit_value, lengths)?; // [T, 1, 1]
            s.choose(beyond, long, short)
        }
        Longer::Stretch { factor, components } => {
            let within = s.binary(Binary::Max, lengths, limit_value)?; // up to the limit the growth is 1
            let grown = s.scale(within, factor / *limit as f32)?;
            let less = s.scalar(factor - 1.0)?;
            let growth = s.sub(grown, less)?;
            let growth = s.unary(Unary::Log, growth)?;
            let last = if *components > 2 { (*components as f32 - 2.0) / 2.0 } else { 1.0 };
            let exponents = (0..pairs).map(|i| -(i as f32) / last).collect();
            let exponents = s.constant(Constant::F32(exponents), &[pairs])?;
            let slower = s.mul(growth, exponents)?; // [T, 1, r/2]
            let slower = s.unary(Unary::Exp, slower)?;
            s.mul(slower, short)
        }
    }
}
