//! What a snapshot holds besides keys and this server does not run (yet): function libraries, modules' data.

/// Function libraries and modules' auxiliary data, as they were loaded; written back unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Libraries {
    /// Source codes of function libraries.
    pub functions: Vec<Vec<u8>>,
    /// Whole records of modules' auxiliary data, opcode included.
    pub module_aux: Vec<Vec<u8>>,
}
