//! The programs that must be here already, and how to get them.

use std::env;
use std::ffi::OsString;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// A program, what it is needed for, and the Debian package it comes in.
struct Need {
    name: &'static str,
    purpose: &'static str,
    package: &'static str,
    present: bool,
}

/// Refuses to go on while a program is missing; all missing ones are named at once.
///
/// The programs that fetch are looked for only when something is to be fetched.
pub fn check(fetches: bool) -> Result<()> {
    let compiler = |variable: &str, otherwise: &str| env::var_os(variable).unwrap_or_else(|| otherwise.into());
    let mut needs = vec![
        Need::new("a C compiler", "compiles HDF5", "gcc", starts(&compiler("CC", "cc"), &["--version"])),
        Need::new(
            "a C++ compiler",
            "compiles libtorch's bindings",
            "g++",
            starts(&compiler("CXX", "c++"), &["--version"]),
        ),
        Need::new("make", "builds HDF5", "make", starts(&"make".into(), &["--version"])),
    ];
    if fetches {
        let python = starts(&"python3".into(), &["--version"]);
        let pip = starts(&"python3".into(), &["-m", "pip", "--version"]);
        needs.push(Need::new("python3", "runs pip", "python3", python));
        needs.push(Need::new("pip (`python3 -m pip`)", "finds libtorch and CMake", "python3-pip", pip));
        needs.push(Need::new("curl", "fetches them", "curl", starts(&"curl".into(), &["--version"])));
    }
    needs.retain(|need| !need.present);
    if needs.is_empty() { Ok(()) } else { bail!(message(&needs)) }
}

impl Need {
    fn new(name: &'static str, purpose: &'static str, package: &'static str, present: bool) -> Self {
        Self { name, purpose, package, present }
    }
}

fn message(missing: &[Need]) -> String {
    let lines: Vec<String> =
        missing.iter().map(|need| format!("note: {} is missing ({})", need.name, need.purpose)).collect();
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let help = if cfg!(target_os = "macos") {
        "xcode-select --install (compilers, make, python3, curl), python3 -m ensurepip (pip)".to_string()
    } else {
        format!("on Debian and Ubuntu: sudo apt install {}", packages.join(" "))
    };
    format!("the set-up needs programs that are not here\n{}\nhelp: {help}", lines.join("\n"))
}

fn starts(program: &OsString, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_programs_are_named_at_once() {
        let missing =
            [Need::new("curl", "fetches", "curl", false), Need::new("a C++ compiler", "compiles", "g++", false)];
        let message = message(&missing);
        assert!(
            message.contains("note: curl is missing (fetches)\nnote: a C++ compiler is missing (compiles)\nhelp: ")
        );
    }

    #[test]
    fn a_program_that_does_not_exist_does_not_start() {
        assert!(!starts(&"no-such-program-anywhere".into(), &[]));
    }
}
