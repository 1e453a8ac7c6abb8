//! Settings of the machine that hurt a server which forks.

use std::fs;

pub use crate::text::os::reason;

/// One check: its name and, if something is wrong, what and what to do about it.
pub struct Check {
    /// Short name, as `--check-system` shows it.
    pub name: &'static str,
    /// `None`: fine.
    pub warning: Option<String>,
}

/// All checks.
pub fn checks() -> [Check; 2] {
    [Check { name: "overcommit", warning: overcommit() }, Check { name: "THP", warning: huge_pages() }]
}

fn overcommit() -> Option<String> {
    let setting = fs::read_to_string("/proc/sys/vm/overcommit_memory").ok()?;
    (setting.trim() != "1").then(|| {
        "Memory overcommit must be enabled! Without it a background save can fail when memory is low. Run \
         'sysctl vm.overcommit_memory=1', and add 'vm.overcommit_memory = 1' to /etc/sysctl.conf to keep it."
            .to_owned()
    })
}

fn huge_pages() -> Option<String> {
    let setting = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").ok()?;
    setting.contains("[always]").then(|| {
        "Transparent Huge Pages are always on. After a fork they make writes slow and memory grow. Run 'echo madvise \
         > /sys/kernel/mm/transparent_hugepage/enabled' as root; 'disable-thp yes' helps this process alone."
            .to_owned()
    })
}

/// A queue of connections longer than the machine allows.
pub fn backlog_warning(backlog: u32) -> Option<String> {
    let most: u32 = fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?.trim().parse().ok()?;
    (most > 0 && most < backlog).then(|| {
        format!(
            "WARNING: The TCP backlog setting of {backlog} cannot be enforced because /proc/sys/net/core/somaxconn is \
             set to the lower value of {most}."
        )
    })
}
