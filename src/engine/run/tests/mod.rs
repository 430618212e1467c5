//! Weights on their way into the memory of a device. What whole walks and single graphs give is tested in `tests/checkpoints`.

mod device_memory;
