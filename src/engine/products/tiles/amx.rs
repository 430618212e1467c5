//! Whether the tile registers are there, and leave to use them.

use std::{
    arch::asm,
    fs::File,
    io::{BufRead, BufReader},
    sync::OnceLock,
};

use super::layout::SIDE;

/// Proof that this processor has tile registers and AVX-512, and that the system lets this process use them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers(());

impl Registers {
    /// Asks the processor and the system, once for a process.
    pub(crate) fn new() -> Option<Registers> {
        static FOUND: OnceLock<bool> = OnceLock::new();
        FOUND.get_or_init(|| processor_has_them() && system_lets()).then_some(Registers(()))
    }
}

/// As the kernel sees it: it lists what it has turned on.
fn processor_has_them() -> bool {
    is_x86_feature_detected!("avx512f") && {
        let Ok(file) = File::open("/proc/cpuinfo") else { return false };
        let flags = BufReader::new(file).lines().map_while(Result::ok).find(|line| line.starts_with("flags"));
        let flags = flags.unwrap_or_default();
        ["amx_tile", "amx_bf16"].iter().all(|name| flags.split_whitespace().any(|flag| flag == *name))
    }
}

/// Linux (5.16 and later) hands out the registers' 8 KiB of state on request: `arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA)`.
fn system_lets() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const REQUEST: i64 = 0x1023;
    const TILE_DATA: i64 = 18;
    let result: i64;
    // SAFETY: the call takes two numbers and touches no memory of this program; the kernel overwrites rcx and r11.
    unsafe {
        asm!("syscall", inlateout("rax") ARCH_PRCTL => result, in("rdi") REQUEST, in("rsi") TILE_DATA,
             lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result == 0
}

/// The tile registers of this thread, eight of 16 rows of 64 bytes, until dropped.
pub(super) struct Configured(());

#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl Configured {
    /// # Safety
    /// A [`Registers`] exists.
    pub(super) unsafe fn new() -> Configured {
        let mut all =
            Configuration { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
        all.row_bytes[..8].fill(64);
        all.rows[..8].fill(SIDE as u8);
        // SAFETY: the instruction reads 64 bytes, which is the size of the configuration.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const all, options(nostack, readonly)) };
        Configured(())
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: whoever made this may use the instruction; it touches no memory.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}
