//! The binary: everything is in `cli`.

fn main() {}
