//! Products with a bf16 matrix on the tile registers of newer x86-64 processors (AMX).
//!
//! A float32 number from 2^-103 on is the sum of three bf16 numbers, exactly: its significand has 24 bits, theirs have 8. The
//! product of two bf16 numbers is exact in float32, where the tile unit sums. So three passes over a bf16 matrix give what a
//! float32 product of the widened matrix gives, with an error of the same kind and size. Parts, products and sums below 2^-126
//! count as zero; an infinity or a NaN on either side gives no finite product. Faster than the runtime's products where it was
//! measured, on two cores (results/bench).
//!
//! Source of the instructions: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18.

pub(super) mod emulated;
mod layout;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod product;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod split;

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod absent;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub use absent::{Registers, THREAD_BYTES, product, split};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(super) use {
    amx::Registers,
    product::{THREAD_BYTES, product},
    split::split,
};

pub(super) use layout::size;
