//! `cithara doctor`: what was found on this machine, and what to do about what was not.

use crate::arguments::DoctorArguments;
use crate::console::Console;
use anyhow::Result;
use framework::Role;
use framework::libtorch::{Cuda, LIBTORCH_VERSION, LibtorchReport, libtorch_report};
use framework::nn::Precision;
use registry::Catalogue;
use serde::Serialize;
use serde_json::json;

pub(super) fn execute(arguments: &DoctorArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let report = libtorch_report();
    let gflops = Gflops { float32: Precision::Float32.gflops()?, bf16: Precision::Bf16.gflops()? };
    let hdf5 = anndata::hdf5_version();
    if arguments.json {
        let components: Vec<String> = catalogue.iter().map(|info| format!("{} {}", info.role, info.name)).collect();
        let version = env!("CARGO_PKG_VERSION");
        return console
            .print_json(&json!({ "cithara": version, "libtorch": report, "gflops": gflops, "hdf5": hdf5, "components": components }));
    }
    let mut lines = vec![("cithara", env!("CARGO_PKG_VERSION").to_owned())];
    lines.extend(libtorch_lines(&report, &gflops));
    lines.push(("hdf5", format!("{hdf5}, built in")));
    let roles: Vec<(&str, String)> = Role::ALL.map(|role| (role.name(), catalogue.names(role).join(", "))).to_vec();
    lines.extend(roles);
    for (what, found) in lines {
        console.print(&format!("{what:<11} {found}"))?;
    }
    Ok(())
}

/// What the processor multiplies in a second, by the kind of numbers.
#[derive(Serialize)]
struct Gflops {
    float32: f64,
    bf16: f64,
}

fn libtorch_lines(report: &LibtorchReport, gflops: &Gflops) -> Vec<(&'static str, String)> {
    let library =
        report.library.as_ref().map_or_else(|| "an unknown place".to_owned(), |path| path.display().to_string());
    let version = match report.version.as_deref() {
        Some(LIBTORCH_VERSION) => LIBTORCH_VERSION.to_owned(),
        Some(other) => format!("{other} (this program is made for {LIBTORCH_VERSION}: run `cargo xtask setup`)"),
        None => format!("of unstated version (this program is made for {LIBTORCH_VERSION})"),
    };
    let pages = match report.huge_pages {
        true => "on".to_owned(),
        false => "off; training is slower: set transparent huge pages to `madvise` or `always`".to_owned(),
    };
    let cuda = match &report.cuda {
        Cuda::Loaded { library, n_devices: 0 } => {
            format!("{} loads, but no device answers; see `nvidia-smi`", library.display())
        }
        Cuda::Loaded { library, n_devices } => format!("{n_devices} devices, through {}", library.display()),
        Cuda::Absent { reason } => format!("none: {reason}"),
    };
    let products = format!("{:.0} GFLOP/s in float32, {:.0} in bf16", gflops.float32, gflops.bf16);
    vec![
        ("libtorch", format!("{version}, from {library}")),
        ("processor", format!("{} threads, {}", report.n_threads, report.cpu_features.join(" "))),
        ("products", products),
        ("huge pages", pages),
        ("cuda", cuda),
    ]
}
