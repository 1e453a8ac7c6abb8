//! Numbers out of text and into text, exactly as Redis 8.0.6 takes and prints them.
//!
//! Integers are strict (`string2ll`): what parses prints back as the same bytes. Floats are `strtod`'s, with the
//! differences between scores and score ranges that 8.0.6 has. Nothing here allocates but `general_f64`.

mod float;
mod general;
mod grisu;
mod int;
mod powers;
mod units;

pub use float::{DoubleText, fixed_point, format_f64, human_f64, parse_f64, parse_range_f64, shortest_f64};
pub use general::general_f64;
pub use int::{digits_before, digits10, leading_i64, parse_i64, parse_u64};
pub use units::{parse_memory, parse_percent};
