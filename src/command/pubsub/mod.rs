//! Publish and subscribe.

mod listeners;
mod publish;
mod subscribe;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &subscribe::PSUBSCRIBE,
    &publish::PUBLISH,
    &listeners::LISTENERS,
    &subscribe::PUNSUBSCRIBE,
    &publish::SPUBLISH,
    &subscribe::SSUBSCRIBE,
    &subscribe::SUBSCRIBE,
    &subscribe::SUNSUBSCRIBE,
    &subscribe::UNSUBSCRIBE,
];
