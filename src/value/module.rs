//! Values that only a module understands, kept as the bytes that they are on disk.

/// A module's value: what the module wrote, item by item, each with its kind, so that its end is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleValue {
    id: u64,
    raw: Box<[u8]>,
}

/// Characters of a module type's name, 6 bits each.
const NAME_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl ModuleValue {
    /// A value of module type `id`; `raw` is all that follows the value type on disk, id and end mark included.
    pub fn new(id: u64, raw: Box<[u8]>) -> Self {
        ModuleValue { id, raw }
    }

    /// The module type's id: 9 characters of 6 bits and 10 bits of version.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The bytes on disk after the value type.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The type's name, which TYPE answers.
    pub fn type_name(&self) -> [u8; 9] {
        type_name(self.id)
    }

    /// Bytes allocated.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.raw.len()
    }
}

/// The name in a module type's id.
pub fn type_name(id: u64) -> [u8; 9] {
    let mut name = [0; 9];
    for (i, byte) in name.iter_mut().enumerate() {
        *byte = NAME_CHARS[(id >> (58 - 6 * i) & 63) as usize];
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_in_the_id() {
        // "ReJSON-RL", version 3, as in files of RedisJSON
        let mut id = 0u64;
        for byte in b"ReJSON-RL" {
            id = id << 6 | NAME_CHARS.iter().position(|c| c == byte).unwrap() as u64;
        }
        assert_eq!(&type_name(id << 10 | 3), b"ReJSON-RL");
    }
}
