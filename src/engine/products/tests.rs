//! Products of every unit against float64, a scalar sum in the documented order, and each other.

use half::{bf16, f16};

use super::{fma, tiles, *};
use model::checkpoint::Dtype;

/// Numbers of many sizes and both signs.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next() * (8.0 * next()).exp2()).collect()
}

fn in_bf16(numbers: &[f32]) -> Vec<bf16> {
    numbers.iter().map(|x| bf16::from_f32(*x)).collect()
}

fn one_thread(n: usize, each: &(dyn Fn(usize) + Sync)) {
    (0..n).for_each(each);
}

fn product(unit: Unit, x: &[f32], inputs: usize, linear: Linear<'_>, each: Each<'_>) -> Vec<f32> {
    let rows = x.len() / inputs;
    let mut bits = vec![u32::MAX; unit.size(rows, inputs)];
    unit.arrange(x, inputs, &mut bits, each);
    let mut out = vec![f32::NAN; rows * linear.outputs];
    unit.product(Rows { bits: &bits, rows, inputs }, linear, &mut out, each);
    out
}

/// All that this processor can do.
fn all() -> impl Iterator<Item = Unit> {
    let registers = tiles::Registers::new().map(Unit::Tiles);
    [Unit::EmulatedTiles].into_iter().chain(registers).chain(fma::Fma::all().map(Unit::Fma))
}

const SIZES: [(usize, usize, usize); 10] = [
    (0, 32, 64),
    (1, 1, 1),
    (2, 32, 64),
    (16, 33, 65),
    (17, 80, 7),
    (31, 300, 130),
    (6, 2100, 16),
    (40, 512, 300),
    (13, 1040, 33),
    (530, 96, 70),
];

#[test]
fn a_product_is_that_of_float32_at_every_edge() {
    // Tile registers begin anew after 32 inputs, vectors after 128 or more.
    let most = |unit: Unit| if matches!(unit, Unit::Fma(_)) { 2e-6 } else { 3e-7 };
    for (unit, (rows, inputs, outputs)) in all().flat_map(|unit| SIZES.map(|size| (unit, size))) {
        let x = numbers(rows * inputs, 1);
        let numbers_of_weight = numbers(outputs * inputs, 2);
        let (bf16s, f16s) =
            (in_bf16(&numbers_of_weight), numbers_of_weight.iter().map(|x| f16::from_f32(*x)));
        let f16s: Vec<f16> = f16s.collect();
        let bias = numbers(outputs, 3);
        for (weight, bias) in [
            (Halves::Bf16(&bf16s), None),
            (Halves::Bf16(&bf16s), Some(&bias[..])),
            (Halves::F16(&f16s), None),
            (Halves::F16(&f16s), Some(&bias[..])),
        ] {
            let (dtype, widened): (_, Vec<f64>) = match weight {
                Halves::Bf16(weight) => (Dtype::BF16, weight.iter().map(|w| w.to_f64()).collect()),
                Halves::F16(weight) => (Dtype::F16, weight.iter().map(|w| w.to_f64()).collect()),
            };
            if !unit.takes(dtype) {
                continue;
            }
            let out = product(unit, &x, inputs, Linear { weight, bias, outputs }, &one_thread);
            for (row, out) in out.chunks(outputs).enumerate() {
                for (o, found) in out.iter().enumerate() {
                    let (mut exact, mut size) = (bias.map_or(0.0, |b| f64::from(b[o])), 0.0);
                    for i in 0..inputs {
                        let term = f64::from(x[row * inputs + i]) * widened[o * inputs + i];
                        exact += term;
                        size += term.abs();
                    }
                    let error = (f64::from(*found) - exact).abs() / (size + exact.abs()).max(1e-30);
                    let place = format!("{unit}, {rows} x {inputs} x {outputs}, {dtype:?}: {row}, {o}");
                    assert!(error < most(unit), "{place}: {found} of {exact}");
                }
            }
        }
    }
}

/// The order that `fma` documents.
fn summed_in_runs(x: &[f32], weights: &[bf16], bias: Option<f32>, run: usize) -> f32 {
    let of_run = |(x, weights): (&[f32], &[bf16])| {
        x.iter().zip(weights).fold(0.0, |sum, (x, w)| x.mul_add(w.to_f32(), sum))
    };
    let runs = x.chunks(run).zip(weights.chunks(run)).map(of_run);
    bias.into_iter().chain(runs).reduce(|a, b| a + b).unwrap()
}

#[test]
fn vectors_sum_in_one_order_whatever_their_width() {
    // With the runs of each size: longer ones where outputs are few.
    for ((rows, inputs, outputs), run) in [
        ((13, 300, 70), 128),
        ((7, 2100, 64), 256),
        ((12, 1500, 33), 256),
        ((2, 2100, 16), 1024),
        ((3, 40, 5), 1024),
    ] {
        let (x, weight) = (numbers(rows * inputs, 6), in_bf16(&numbers(outputs * inputs, 7)));
        let bias = numbers(outputs, 8);
        for (fma, bias) in fma::Fma::all().flat_map(|fma| [(fma, None), (fma, Some(&bias[..]))]) {
            let linear = Linear { weight: Halves::Bf16(&weight), bias, outputs };
            let found = product(Unit::Fma(fma), &x, inputs, linear, &one_thread);
            let rows = x.chunks(inputs).flat_map(|x| {
                let weights = weight.chunks(inputs).enumerate();
                weights.map(move |(o, w)| summed_in_runs(x, w, bias.map(|bias| bias[o]), run))
            });
            let expected: Vec<f32> = rows.collect();
            assert!(found == expected, "{fma}, {inputs} x {outputs}");
        }
    }
}

#[test]
fn what_is_arranged_loses_nothing() {
    for unit in all() {
        let least = f32::from_bits((127 - 103) << 23); // 2^-103
        let mut x = vec![1.0, -0.1, f32::MAX, 1.0 / 3.0, -16_777_215.0, 0.0, 3e-20, least];
        x.extend([least, 1.0, 2e30].map(|x| f32::from_bits(x.to_bits() + 1)));
        x.extend([least, 2.0, 7e-9].map(|x| -f32::from_bits(x.to_bits() | 0x7F_FFFF)));
        let linear = Linear { weight: Halves::Bf16(&[bf16::ONE]), bias: None, outputs: 1 };
        assert_eq!(product(unit, &x, 1, linear, &one_thread), x);
    }
}

#[test]
fn what_is_not_finite_stays_so() {
    for unit in all() {
        for (x, w) in [(f32::INFINITY, 1.0), (f32::NAN, 1.0), (1.0, f32::NEG_INFINITY), (0.0, f32::NAN)] {
            let weight = [bf16::from_f32(w), bf16::ONE];
            let linear = Linear { weight: Halves::Bf16(&weight), bias: None, outputs: 1 };
            let out = product(unit, &[x, 2.0], 2, linear, &one_thread);
            assert!(!out[0].is_finite(), "{x} times {w}: {out:?}");
        }
    }
}

#[test]
fn neither_company_nor_threads_move_a_bit() {
    for unit in all() {
        let (rows, inputs, outputs) = (70, 520, 320);
        let x = numbers(rows * inputs, 4);
        let weight = in_bf16(&numbers(outputs * inputs, 5));
        let linear = Linear { weight: Halves::Bf16(&weight), bias: None, outputs };
        let backwards = |n: usize, each: &(dyn Fn(usize) + Sync)| {
            std::thread::scope(|scope| (0..n).rev().for_each(|i| drop(scope.spawn(move || each(i)))));
        };
        let all = product(unit, &x, inputs, linear, &one_thread);
        assert_eq!(product(unit, &x, inputs, linear, &backwards), all);
        for row in [0, 15, 16, 69] {
            let alone = product(unit, &x[row * inputs..][..inputs], inputs, linear, &one_thread);
            assert_eq!(alone, all[row * outputs..][..outputs], "row {row}");
        }
    }
}
