//! What the fuzz targets share: a server without sockets, bytes to decide by, and an end to greed.
//!
//! Never here: what a target is about.

mod cap;
mod choices;
mod road;

pub use cap::Capped;
pub use choices::Choices;
pub use road::{Road, bulks};
