//! Tests over the table.
