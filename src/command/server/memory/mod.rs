//! MEMORY: where the memory goes.

pub(super) mod overhead;
