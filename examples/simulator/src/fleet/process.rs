use std::fs;

/// What a process has used so far, as Linux tells it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on processors, in milliseconds.
    pub cpu_ms: u64,
    /// Memory that is in use, in KiB.
    pub memory_kib: u64,
    /// The most memory that ever was.
    pub memory_peak_kib: u64,
}

/// Milliseconds in the unit in which Linux counts: a hundredth of a second on every architecture there is.
const TICK_MS: u64 = 10;

impl Usage {
    /// Of a process; `None` if it is gone, or not on Linux.
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name of the program is in brackets and may have anything in it.
        let (_, after) = stat.rsplit_once(')')?;
        let ticks: Vec<u64> = after.split_whitespace().skip(11).take(2).filter_map(|text| text.parse().ok()).collect();
        Some(Self {
            cpu_ms: ticks.iter().sum::<u64>() * TICK_MS,
            memory_kib: kib("VmRSS")?,
            memory_peak_kib: kib("VmHWM")?,
        })
    }
}

/// How many files and connections this process may have open; `None` if nobody says, or there is no limit.
pub fn descriptors() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
