//! Publish and subscribe.

mod publish;
mod pubsub;
mod subscribe;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &subscribe::PSUBSCRIBE,
    &publish::PUBLISH,
    &pubsub::LISTENERS,
    &subscribe::PUNSUBSCRIBE,
    &publish::SPUBLISH,
    &subscribe::SSUBSCRIBE,
    &subscribe::SUBSCRIBE,
    &subscribe::SUNSUBSCRIBE,
    &subscribe::UNSUBSCRIBE,
];
