//! Writes small GGUF files, right or wrong.

/// The bytes of a header, put together.
#[derive(Clone, Default)]
pub(super) struct Writer {
    keys: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    data: Vec<u8>,
}

pub(super) const UNSIGNED: u32 = 4;
pub(super) const TEXT: u32 = 8;
pub(super) const LIST: u32 = 9;

pub(super) fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

/// The bytes of a list.
pub(super) fn list(kind: u32, count: u64, values: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes(), &count.to_le_bytes()[..], values].concat()
}

impl Writer {
    /// A key of any kind with the bytes of its value.
    pub(super) fn key(mut self, name: &str, kind: u32, value: &[u8]) -> Writer {
        self.keys.push([&text(name)[..], &kind.to_le_bytes(), value].concat());
        self
    }

    pub(super) fn count(self, name: &str, value: u32) -> Writer {
        self.key(name, UNSIGNED, &value.to_le_bytes())
    }

    pub(super) fn text(self, name: &str, value: &str) -> Writer {
        self.key(name, TEXT, &text(value))
    }

    /// An entry as it is; `shape` has the innermost dimension first.
    pub(super) fn entry(mut self, name: &str, shape: &[u64], encoding: u32, offset: u64) -> Writer {
        let dimensions = (shape.len() as u32).to_le_bytes();
        let shape: Vec<u8> = shape.iter().flat_map(|n| n.to_le_bytes()).collect();
        let entry =
            [&text(name)[..], &dimensions[..], &shape, &encoding.to_le_bytes(), &offset.to_le_bytes()];
        self.tensors.push(entry.concat());
        self
    }

    /// An entry with its data after those before it.
    pub(super) fn tensor(mut self, name: &str, shape: &[u64], encoding: u32, data: &[u8]) -> Writer {
        self.data.resize(self.data.len().next_multiple_of(32), 0);
        let offset = self.data.len() as u64;
        self.data.extend(data);
        self.entry(name, shape, encoding, offset)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.bytes_of(3, self.tensors.len() as u64, self.keys.len() as u64)
    }

    /// With a version and counts of its own.
    pub(super) fn bytes_of(&self, version: u32, tensors: u64, keys: u64) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(version.to_le_bytes());
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(keys.to_le_bytes());
        bytes.extend(self.keys.concat());
        bytes.extend(self.tensors.concat());
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(&self.data);
        bytes
    }
}
