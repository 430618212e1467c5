//! Building blocks of transformers as graph functions: linear, norm, rope, attention, mlp.
