//! String values on their way in and out of a database.

use bytes::Bytes;

/// A string that owns its bytes: as read from a file, or as it came from a client.
///
/// A database stores short ones in place beside their key; this is the form in which they travel, and the
/// form of those too long for that.
#[derive(Debug, Clone)]
pub enum Str {
    /// Bytes of its own, which may grow.
    Owned(Vec<u8>),
    /// Bytes that others may have a handle on, too; copied before the first change if somebody has.
    Shared(Bytes),
}

impl Str {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Str::Owned(bytes) => bytes,
            Str::Shared(bytes) => bytes,
        }
    }

    /// The bytes as an own vector, to be changed. Copies what others still have a handle on, and nothing else.
    pub fn make_mut(&mut self) -> &mut Vec<u8> {
        if let Str::Shared(bytes) = self {
            *self = Str::Owned(Vec::from(std::mem::take(bytes)));
        }
        match self {
            Str::Owned(bytes) => bytes,
            Str::Shared(_) => unreachable!("turned into Owned above"),
        }
    }

    /// A handle on the bytes that outlives this value; the first call moves them into shared form, which copies nothing.
    pub fn share(&mut self) -> Bytes {
        if let Str::Owned(bytes) = self {
            *self = Str::Shared(Bytes::from(std::mem::take(bytes)));
        }
        match self {
            Str::Shared(bytes) => bytes.clone(),
            Str::Owned(_) => unreachable!("turned into Shared above"),
        }
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Str::Owned(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Str::Owned(bytes)
    }
}

impl From<Bytes> for Str {
    fn from(bytes: Bytes) -> Self {
        Str::Shared(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_else_has_is_changed_in_place() {
        let mut value = Str::from(Bytes::from(vec![b'x'; 100_000]));
        let at = value.as_slice().as_ptr();
        assert_eq!(value.make_mut().as_ptr(), at);
        let handle = value.share();
        value.make_mut()[0] = b'y';
        assert_eq!((handle[0], value.as_slice()[0]), (b'x', b'y'));
        drop(handle);
        let at = value.as_slice().as_ptr();
        drop(value.share());
        assert_eq!(value.make_mut().as_ptr(), at);
    }
}
