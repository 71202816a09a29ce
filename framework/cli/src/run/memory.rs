//! What a process has held in memory.

/// Most memory that this process held at a time, in bytes; where the system tells (Linux).
pub(super) fn peak_memory_bytes() -> Option<u64> {
    read(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn read(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_linux_is_read() {
        assert_eq!(read("Name:\tx\nVmHWM:\t   5120 kB\nVmRSS:\t 1 kB\n"), Some(5 << 20));
        assert_eq!(read("Name:\tx\n"), None);
        if cfg!(target_os = "linux") {
            assert!(peak_memory_bytes().is_some_and(|bytes| bytes > 1 << 20));
        }
    }
}
