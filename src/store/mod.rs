//! The store: immutable Parquet objects named by content, and the index of what exists.
