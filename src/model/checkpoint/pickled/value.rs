//! What a pickle of tensors is made of: its values, and the names that it may use.

use std::rc::Rc;

use safetensors::Dtype;

/// One tensor of a pickle, as it says.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) dtype: Dtype,
    /// The member that holds its numbers. Shared, as are all texts: few bytes of a pickle could ask for many copies of a long one.
    pub(super) key: Rc<str>,
    /// Elements before its own there.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// What a value is; values are known by their place among all, so that none can hold itself.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Mark,
    Nothing,
    Whole(i64),
    Text(Rc<str>),
    Tuple(Vec<usize>),
    Dictionary(Vec<(usize, usize)>),
    Name(Known),
    Storage { dtype: Dtype, key: Rc<str> },
    Tensor(Tensor),
}

/// The names that a pickle of tensors needs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Dtype),
}

/// What a name of a module is, if it is one of these.
pub(super) fn known(module: &str, name: &str) -> Result<Known, String> {
    let storage = name.strip_suffix("Storage").filter(|_| matches!(module, "torch" | "torch.cuda"));
    let dtype = match storage {
        Some("Float") => Some(Dtype::F32),
        Some("Half") => Some(Dtype::F16),
        Some("BFloat16") => Some(Dtype::BF16),
        Some("Double") => Some(Dtype::F64),
        Some("Long") => Some(Dtype::I64),
        Some("Int") => Some(Dtype::I32),
        Some("Short") => Some(Dtype::I16),
        Some("Char") => Some(Dtype::I8),
        Some("Byte") => Some(Dtype::U8),
        Some("Bool") => Some(Dtype::BOOL),
        _ => None,
    };
    match (module, name, dtype) {
        (_, _, Some(dtype)) => Ok(Known::Storage(dtype)),
        ("collections", "OrderedDict", _) => Ok(Known::OrderedDict),
        ("torch._utils", "_rebuild_tensor_v2", _) => Ok(Known::RebuildTensor),
        ("torch._utils", "_rebuild_parameter", _) => Ok(Known::RebuildParameter),
        _ => Err(format!("the name {:?}, of which nothing is run", format!("{module}.{name}"))),
    }
}
