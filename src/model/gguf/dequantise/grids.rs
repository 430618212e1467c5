//! The codebooks of the IQ types: which vectors of small numbers an index stands for.
//!
//! Data of llama.cpp (`ggml-common.h`: `iq2xxs_grid`, `iq1s_grid` and so on), packed as `gguf/quants.py` packs them;
//! `grids/README.md` names source and licence. `scripts/reference/make_gguf.py` writes the files.

/// One vector for each index.
pub(super) type Grid<const WIDTH: usize, const ROWS: usize> = [[i8; WIDTH]; ROWS];

pub(super) static IQ2_XXS: Grid<8, 256> = unpack(include_bytes!("grids/iq2_xxs.bin"), &[8, 25, 43]);
pub(super) static IQ2_XS: Grid<8, 512> = unpack(include_bytes!("grids/iq2_xs.bin"), &[8, 25, 43]);
pub(super) static IQ2_S: Grid<8, 1024> = unpack(include_bytes!("grids/iq2_s.bin"), &[8, 25, 43]);
pub(super) static IQ3_XXS: Grid<4, 256> =
    unpack(include_bytes!("grids/iq3_xxs.bin"), &[4, 12, 20, 28, 36, 44, 52, 62]);
pub(super) static IQ3_S: Grid<4, 512> =
    unpack(include_bytes!("grids/iq3_s.bin"), &[1, 3, 5, 7, 9, 11, 13, 15]);
pub(super) static IQ1: Grid<8, 2048> = unpack(include_bytes!("grids/iq1.bin"), &[-1, 0, 1]);

/// Elements lie from the lowest bits of each byte on: four where two bits name a value, else two.
const fn unpack<const WIDTH: usize, const ROWS: usize>(packed: &[u8], values: &[i8]) -> Grid<WIDTH, ROWS> {
    let of_byte = if values.len() <= 4 { 4 } else { 2 };
    let bits = 8 / of_byte;
    assert!(packed.len() * of_byte == WIDTH * ROWS);
    let mut grid = [[0; WIDTH]; ROWS];
    let mut i = 0;
    while i < WIDTH * ROWS {
        let value = (packed[i / of_byte] >> (i % of_byte * bits)) & ((1 << bits) - 1);
        grid[i / WIDTH][i % WIDTH] = values[value as usize];
        i += 1;
    }
    grid
}
