//! The types in which GGUF files store tensors, `GGMLQuantizationType` and `GGML_QUANT_SIZES` of `gguf/constants.py`.

use std::fmt;

use super::dequantise::{codebooks, float4, k, legacy, plain, ternary};

/// Turns whole blocks into float32 numbers.
type Decode = fn(&[u8], &mut [f32]);

/// A type: blocks of so many elements in so many bytes.
pub struct Encoding {
    id: u32,
    /// As llama.cpp writes it, e.g. `Q4_K`.
    pub name: &'static str,
    /// Elements of a block.
    pub elements: usize,
    /// Bytes of a block.
    pub bytes: usize,
    /// None: such tensors hold no weights.
    decode: Option<Decode>,
}

/// A function compiled once plain and once for wide registers; it must be one that is always inlined.
macro_rules! wide {
    ($decode:path) => {{
        fn chosen(blocks: &[u8], out: &mut [f32]) {
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                #[target_feature(enable = "avx2")]
                fn wide(blocks: &[u8], out: &mut [f32]) {
                    $decode(blocks, out);
                }
                // SAFETY: the processor has AVX2, just asked.
                return unsafe { wide(blocks, out) };
            }
            $decode(blocks, out);
        }
        chosen
    }};
}

const fn weights(id: u32, name: &'static str, elements: usize, bytes: usize, decode: Decode) -> Encoding {
    Encoding { id, name, elements, bytes, decode: Some(decode) }
}

const fn other(id: u32, name: &'static str, elements: usize, bytes: usize) -> Encoding {
    Encoding { id, name, elements, bytes, decode: None }
}

/// Sorted by id. Q8_1, Q8_K and Q1_0 are not among the weights: the first two hold activations and the reference
/// implementation in Python dequantises none of them.
static ENCODINGS: &[Encoding] = &[
    weights(0, "F32", 1, 4, wide!(plain::f32s)),
    weights(1, "F16", 1, 2, wide!(plain::f16s)),
    weights(2, "Q4_0", 32, 18, wide!(legacy::q4_0)),
    weights(3, "Q4_1", 32, 20, wide!(legacy::q4_1)),
    weights(6, "Q5_0", 32, 22, wide!(legacy::q5_0)),
    weights(7, "Q5_1", 32, 24, wide!(legacy::q5_1)),
    weights(8, "Q8_0", 32, 34, wide!(legacy::q8_0)),
    other(9, "Q8_1", 32, 40),
    weights(10, "Q2_K", 256, 84, wide!(k::q2_k)),
    weights(11, "Q3_K", 256, 110, wide!(k::q3_k)),
    weights(12, "Q4_K", 256, 144, wide!(k::q4_k)),
    weights(13, "Q5_K", 256, 176, wide!(k::q5_k)),
    weights(14, "Q6_K", 256, 210, wide!(k::q6_k)),
    other(15, "Q8_K", 256, 292),
    weights(16, "IQ2_XXS", 256, 66, wide!(codebooks::iq2_xxs)),
    weights(17, "IQ2_XS", 256, 74, wide!(codebooks::iq2_xs)),
    weights(18, "IQ3_XXS", 256, 98, wide!(codebooks::iq3_xxs)),
    weights(19, "IQ1_S", 256, 50, wide!(codebooks::iq1_s)),
    weights(20, "IQ4_NL", 32, 18, wide!(codebooks::iq4_nl)),
    weights(21, "IQ3_S", 256, 110, wide!(codebooks::iq3_s)),
    weights(22, "IQ2_S", 256, 82, wide!(codebooks::iq2_s)),
    weights(23, "IQ4_XS", 256, 136, wide!(codebooks::iq4_xs)),
    other(24, "I8", 1, 1),
    other(25, "I16", 1, 2),
    other(26, "I32", 1, 4),
    other(27, "I64", 1, 8),
    weights(28, "F64", 1, 8, wide!(plain::f64s)),
    weights(29, "IQ1_M", 256, 56, wide!(codebooks::iq1_m)),
    weights(30, "BF16", 1, 2, wide!(plain::bf16s)),
    weights(34, "TQ1_0", 256, 54, wide!(ternary::tq1_0)),
    weights(35, "TQ2_0", 256, 66, wide!(ternary::tq2_0)),
    weights(39, "MXFP4", 32, 17, wide!(float4::mxfp4)),
    weights(40, "NVFP4", 64, 36, wide!(float4::nvfp4)),
    other(41, "Q1_0", 128, 18),
];

impl Encoding {
    /// The type with this number, if it is known.
    pub fn of(id: u32) -> Option<&'static Encoding> {
        ENCODINGS.iter().find(|encoding| encoding.id == id)
    }

    /// Its number in files.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Every type that is known.
    pub fn all() -> impl Iterator<Item = &'static Encoding> {
        ENCODINGS.iter()
    }

    /// Whether tensors of this type are weights that can be read.
    pub fn holds_weights(&self) -> bool {
        self.decode.is_some()
    }

    /// Bits that an element takes, with its share of its block's scales.
    pub fn bits(&self) -> f64 {
        (8 * self.bytes) as f64 / self.elements as f64
    }

    /// Turns whole blocks into float32, on this core.
    ///
    /// # Panics
    /// Where `blocks` and `out` are not as many blocks, or the type holds no weights.
    pub fn decode(&self, blocks: &[u8], out: &mut [f32]) {
        assert!(
            blocks.len().is_multiple_of(self.bytes) && blocks.len() / self.bytes * self.elements == out.len(),
            "bytes and numbers of the same blocks"
        );
        self.decode.expect("only weights are decoded")(blocks, out);
    }
}

impl PartialEq for Encoding {
    fn eq(&self, other: &Encoding) -> bool {
        self.id == other.id
    }
}

impl Eq for Encoding {}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_types_are_sorted_and_known_once() {
        assert!(ENCODINGS.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert_eq!(Encoding::of(14).unwrap().name, "Q6_K");
        assert!(Encoding::of(4).is_none(), "Q4_2 was taken out of the format");
    }
}
