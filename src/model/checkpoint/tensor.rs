//! A tensor of a checkpoint, as a weight or as it lies.

use std::path::Path;

use super::{made::Made, packed::Packed, place::StoredAs, quantised::Quantised};
use crate::gguf::Layout;

/// The type of a weight's numbers; tensors of other types are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dtype {
    /// float32.
    F32,
    /// IEEE half precision.
    F16,
    /// bfloat16.
    BF16,
}

/// A weight, row-major.
#[derive(Clone, Copy)]
pub struct Tensor<'a> {
    /// Its name in the checkpoint.
    pub name: &'a str,
    /// The type of its numbers.
    pub dtype: Dtype,
    /// Outermost dimension first; empty for a scalar.
    pub shape: &'a [usize],
    /// Its numbers.
    pub content: Content<'a>,
    /// Numbers of the content before its first, where the content is read by places; stored bytes begin with it.
    pub first: usize,
}

/// The source of a weight's numbers.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// Bytes of the file: exactly `elements() * dtype.size()` little-endian bytes of any alignment, borrowed from
    /// the mapping.
    Stored(&'a [u8]),
    /// An intervention's, float32.
    Made(&'a Made),
    /// Blocks of a GGUF file, which become float32 as they are read.
    Packed(Packed<'a>),
    /// Tensors that together store a weight; likewise.
    Quantised(Quantised<'a>),
}

/// A tensor of any dtype, weights or not (position ids, masks, 8-bit weights).
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// Its name in the checkpoint.
    pub name: &'a str,
    /// How the file stores it.
    pub dtype: StoredAs,
    /// Outermost dimension first; empty for a scalar.
    pub shape: &'a [usize],
    /// As they lie in the file; of a weight that several tensors store, those of the first.
    pub bytes: &'a [u8],
    /// The file it lies in.
    pub file: &'a Path,
    /// Bytes from the start of that file.
    pub offset: u64,
    /// The tensors that store it, where these are several.
    pub(super) quantised: Option<Quantised<'a>>,
}

impl Dtype {
    /// As safetensors headers write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Dtype::F32 => "F32",
            Dtype::F16 => "F16",
            Dtype::BF16 => "BF16",
        }
    }

    /// Bytes per element.
    pub fn size(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::BF16 => 2,
        }
    }
}

impl std::fmt::Display for Dtype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Tensor<'_> {
    /// How many numbers it holds.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

impl<'a> Tensor<'a> {
    /// The numbers of this shape that begin at place `first`, e.g. one matrix of several in one tensor.
    ///
    /// # Panics
    /// Where the tensor has fewer numbers.
    pub fn part(self, first: usize, shape: &'a [usize]) -> Tensor<'a> {
        let end = first + shape.iter().product::<usize>();
        assert!(end <= self.elements(), "numbers that the tensor has");
        match self.content {
            Content::Stored(bytes) => {
                let size = self.dtype.size();
                Tensor { shape, content: Content::Stored(&bytes[first * size..end * size]), ..self }
            }
            _ => Tensor { shape, first: self.first + first, ..self },
        }
    }
}

impl std::fmt::Debug for Tensor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}{:?}", self.name, self.dtype, self.shape)
    }
}

impl<'a> Entry<'a> {
    /// This tensor as a weight, if its dtype is one of those.
    pub fn weight(self) -> Option<Tensor<'a>> {
        let (dtype, content) = match self.dtype {
            StoredAs::Quantised(_) => (Dtype::F32, Content::Quantised(self.quantised?)),
            StoredAs::Plain(dtype) => (plain(&dtype.to_string())?, Content::Stored(self.bytes)),
            StoredAs::Blocks(encoding, layout) => match plain(encoding.name) {
                Some(dtype) if layout == Layout::AsStored => (dtype, Content::Stored(self.bytes)),
                _ if !encoding.holds_weights() => return None,
                _ => (Dtype::F32, Content::Packed(Packed::new(self.bytes, encoding, self.shape, layout))),
            },
        };
        Some(Tensor { name: self.name, dtype, shape: self.shape, content, first: 0 })
    }

    /// Bytes that store it, in all files.
    pub fn size(self) -> u64 {
        self.quantised.map_or(self.bytes.len() as u64, |quantised| quantised.size())
    }
}

/// The dtype of this name, if tensors of it are weights that can be read where they lie.
pub(super) fn plain(name: &str) -> Option<Dtype> {
    [Dtype::F32, Dtype::F16, Dtype::BF16].into_iter().find(|dtype| dtype.as_str() == name)
}
