//! Products of float32 rows with weights of two bytes as they lie in a file: nothing is widened, stored or transposed
//! beforehand. For processors on which they are faster than the runtime's products with widened weights.
//!
//! Each number of a product is summed in an order that depends on the matrix's size alone: not on the rows beside it, nor on
//! threads.

mod fma;
mod halves;
mod operands;
mod shared;
#[cfg(target_arch = "x86_64")]
mod square;
mod tiles;
mod unit;

pub(crate) use halves::Halves;
pub(crate) use operands::{Each, Linear, Rows};
pub(crate) use unit::Unit;

#[cfg(test)]
mod tests;
