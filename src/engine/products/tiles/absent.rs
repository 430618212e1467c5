//! Where there are no tile registers.

use super::layout::Linear;
use crate::products::{Each, Rows};

/// There is none of it.
#[derive(Clone, Copy, Debug)]
pub enum Registers {}

impl Registers {
    pub fn new() -> Option<Registers> {
        None
    }
}

/// Of a thread, for nothing.
pub const THREAD_BYTES: usize = 0;

pub fn split(registers: Registers, _: &[f32], _: usize, _: &mut [u32], _: Each<'_>) {
    match registers {}
}

pub fn product(registers: Registers, _: Rows<'_>, _: Linear<'_>, _: &mut [f32], _: Each<'_>) {
    match registers {}
}
