#![allow(unsafe_code)] // the `rdtsc` instruction
//! The processor's cycle counter, where the kernel itself keeps time by it. A read costs a third of asking the kernel.

/// Whether the counter runs evenly and alike on all cores: the kernel has measured that, and says what it uses.
pub fn is_trusted() -> bool {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    cfg!(target_arch = "x86_64") && std::fs::read(SOURCE).is_ok_and(|name| name.trim_ascii() == b"tsc")
}

/// The counter; 0 where there is none.
#[inline]
pub fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the instruction, and it touches nothing but two registers.
    let ticks = unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(target_arch = "x86_64"))]
    let ticks = 0;
    ticks
}
