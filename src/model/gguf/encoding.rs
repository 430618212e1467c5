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

const fn weights(id: u32, name: &'static str, elements: usize, bytes: usize, decode: Decode) -> Encoding {
    Encoding { id, name, elements, bytes, decode: Some(decode) }
}

const fn other(id: u32, name: &'static str, elements: usize, bytes: usize) -> Encoding {
    Encoding { id, name, elements, bytes, decode: None }
}

/// Sorted by id. Q8_1, Q8_K and Q1_0 are not among the weights: the first two hold activations and the reference
/// implementation in Python dequantises none of them.
static ENCODINGS: &[Encoding] = &[
    weights(0, "F32", 1, 4, plain::f32s),
    weights(1, "F16", 1, 2, plain::f16s),
    weights(2, "Q4_0", 32, 18, legacy::q4_0),
    weights(3, "Q4_1", 32, 20, legacy::q4_1),
    weights(6, "Q5_0", 32, 22, legacy::q5_0),
    weights(7, "Q5_1", 32, 24, legacy::q5_1),
    weights(8, "Q8_0", 32, 34, legacy::q8_0),
    other(9, "Q8_1", 32, 40),
    weights(10, "Q2_K", 256, 84, k::q2_k),
    weights(11, "Q3_K", 256, 110, k::q3_k),
    weights(12, "Q4_K", 256, 144, k::q4_k),
    weights(13, "Q5_K", 256, 176, k::q5_k),
    weights(14, "Q6_K", 256, 210, k::q6_k),
    other(15, "Q8_K", 256, 292),
    weights(16, "IQ2_XXS", 256, 66, codebooks::iq2_xxs),
    weights(17, "IQ2_XS", 256, 74, codebooks::iq2_xs),
    weights(18, "IQ3_XXS", 256, 98, codebooks::iq3_xxs),
    weights(19, "IQ1_S", 256, 50, codebooks::iq1_s),
    weights(20, "IQ4_NL", 32, 18, codebooks::iq4_nl),
    weights(21, "IQ3_S", 256, 110, codebooks::iq3_s),
    weights(22, "IQ2_S", 256, 82, codebooks::iq2_s),
    weights(23, "IQ4_XS", 256, 136, codebooks::iq4_xs),
    other(24, "I8", 1, 1),
    other(25, "I16", 1, 2),
    other(26, "I32", 1, 4),
    other(27, "I64", 1, 8),
    weights(28, "F64", 1, 8, plain::f64s),
    weights(29, "IQ1_M", 256, 56, codebooks::iq1_m),
    weights(30, "BF16", 1, 2, plain::bf16s),
    weights(34, "TQ1_0", 256, 54, ternary::tq1_0),
    weights(35, "TQ2_0", 256, 66, ternary::tq2_0),
    weights(39, "MXFP4", 32, 17, float4::mxfp4),
    weights(40, "NVFP4", 64, 36, float4::nvfp4),
    other(41, "Q1_0", 128, 18),
];

impl Encoding {
    /// The type with this number, if it is known.
    pub fn of(id: u32) -> Option<&'static Encoding> {
        ENCODINGS.iter().find(|encoding| encoding.id == id)
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
