//! COMMAND DOCS: the argument tree, derived from a row's syntax.
