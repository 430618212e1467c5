//! Where there is no AVX2.

use crate::products::{Each, Linear, Rows};

/// There is none of it.
#[derive(Clone, Copy, Debug)]
pub enum Fma {}

impl Fma {
    pub fn new() -> Option<Fma> {
        None
    }

    pub fn is_fastest(self) -> bool {
        match self {}
    }
}

pub fn product(fma: Fma, _: Rows<'_>, _: Linear<'_>, _: &mut [f32], _: Each<'_>) {
    match fma {}
}
