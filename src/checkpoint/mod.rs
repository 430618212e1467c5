//! Checkpoints as they lie on disk: `config.json`, safetensors (one file or index and shards), `tokenizer.json`.
//!
//! Files are memory-mapped and validated at opening; no weight is copied or converted.
