//! Graph IR: operators, shape inference at insertion, builder. Knows no model and no file format.
