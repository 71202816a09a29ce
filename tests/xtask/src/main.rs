//! `cargo xtask`: one command from a fresh clone to a trained model, one to all tests.
//!
//! libtorch and CMake are no Rust crates. This program fetches what the build needs of them into the checkout
//! (`.libtorch/`, `.tools/`), where `.cargo/config.toml` tells cargo to look; afterwards plain cargo works.

mod archive;
mod cargo;
mod cmake;
mod libtorch;
mod needs;
mod setup;
mod wheel;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

commands:
  setup             fetch libtorch and CMake into this checkout, where they are missing
  demo [ARGS]       set up, build, then simulate a small experiment and train on it; ARGS go to `cithara demo`
  test [ARGS]       set up, then run all tests; ARGS go to `cargo test --workspace`

environment:
  CITHARA_WHEELS        a folder of wheels to take instead of downloading (torch 2.11.0, cmake and, on x86-64 Linux,
                        nvidia-cuda-cupti 13.0.85 and nvidia-cuda-runtime 13.0.96)
  LIBTORCH              your own libtorch 2.11.0; none is fetched then
  LIBTORCH_USE_PYTORCH  set to 1 to build against the PyTorch 2.11.0 of `python3`; none is fetched then
  CMAKE                 your own CMake, 3.26 or newer
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    match command {
        "setup" if rest.is_empty() => setup::run().map(|()| ExitCode::SUCCESS),
        "demo" => {
            setup::run()?;
            cargo::demo(rest)
        }
        "test" => {
            setup::run()?;
            cargo::test(rest)
        }
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        "setup" => anyhow::bail!("`setup` takes no arguments\nhelp: cargo xtask setup"),
        other => anyhow::bail!("unknown command `{other}`\nhelp: commands: setup, demo, test"),
    }
}
