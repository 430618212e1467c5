//! Where there are no tile registers.

use super::{Each, Linear, Split};

/// There is none of it.
#[derive(Clone, Copy, Debug)]
pub enum Tiles {}

impl Tiles {
    pub fn new() -> Option<Tiles> {
        None
    }

    pub fn split(self, _: &[f32], _: usize, _: &mut [u32], _: Each<'_>) {
        match self {}
    }

    pub fn product(self, _: Split<'_>, _: Linear<'_>, _: &mut [f32], _: Each<'_>) {
        match self {}
    }
}
