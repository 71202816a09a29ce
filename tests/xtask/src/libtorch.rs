//! `.libtorch/`: the processor half of libtorch, as torch-sys wants it: `lib/`, `include/` and `build-version`.
//!
//! For x86-64 Linux, registries hold only PyTorch's CUDA build. Its processor half lies in one stretch of its wheel
//! and needs, to be loaded, two small libraries of CUDA's own wheels: 133 MB instead of 2.7 GB. The CUDA half, where
//! there is one, is opened at run time (`framework::libtorch`).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::archive;
use crate::setup;
use crate::wheel::{Part, Wheel};

/// The libtorch that this version of `tch` is written for.
const VERSION: &str = "2.11.0";

const WITH_CUDA: [(Wheel, Part); 3] = [
    (
        Wheel { requirement: "torch==2.11.0", platforms: &["manylinux_2_28_x86_64"] },
        Part {
            first: 23_716_327,
            last: 155_095_495,
            sha256: "2e432e2a3323f744f76cb68bfdc104414103290314df84683cb49c3ef22744be",
        },
    ),
    (
        Wheel { requirement: "nvidia-cuda-cupti==13.0.85", platforms: &["manylinux_2_25_x86_64"] },
        Part {
            first: 686_589,
            last: 2_171_685,
            sha256: "71c9b56bfebfb5180a49e4dba66a88e28032d5f5a1c8dea2fa589574034e8917",
        },
    ),
    (
        Wheel { requirement: "nvidia-cuda-runtime==13.0.96", platforms: &["manylinux2014_x86_64"] },
        Part {
            first: 1_660_864,
            last: 1_864_631,
            sha256: "73e6bb8e588e6c0bf42a936f97a588319fc38a2b3097dd963e90086b989f3090",
        },
    ),
];

/// Systems for which PyTorch's wheel is a processor build already (untried).
const ARM_LINUX: Wheel = Wheel { requirement: "torch==2.11.0", platforms: &["manylinux_2_28_aarch64"] };
const ARM_MACOS: Wheel =
    Wheel { requirement: "torch==2.11.0", platforms: &["macosx_11_0_arm64", "macosx_12_0_arm64", "macosx_14_0_arm64"] };

/// A libtorch that is to be fetched.
pub struct Libtorch;

/// What is missing; `None` when it is here already, or the user brings one along.
///
/// # Errors
/// When the user's `LIBTORCH` is no folder.
pub fn wanted(root: &Path) -> Result<Option<Libtorch>> {
    if setup::own_value("LIBTORCH_USE_PYTORCH").is_some() {
        eprintln!("libtorch: that of your python3's PyTorch (LIBTORCH_USE_PYTORCH)");
        return Ok(None);
    }
    if let Some(folder) = setup::own_value("LIBTORCH").map(PathBuf::from) {
        let shown = folder.display();
        ensure!(
            folder.join("lib").is_dir(),
            "`LIBTORCH={shown}` is not a libtorch: it has no folder `lib`\n\
             help: unset LIBTORCH to have one fetched, or set it to a libtorch {VERSION}"
        );
        eprintln!("libtorch: yours (LIBTORCH={shown})");
        return Ok(None);
    }
    let stated = fs::read_to_string(place(root).join("build-version")).unwrap_or_default();
    Ok((stated.trim() != VERSION).then_some(Libtorch))
}

impl Libtorch {
    /// Fetches it and puts it into `.libtorch/`.
    pub fn install(&self, root: &Path) -> Result<()> {
        let start = Instant::now();
        let partial = root.join(".libtorch.partial");
        let downloads = root.join(".tools/downloads");
        setup::empty_folder(&partial)?;
        setup::empty_folder(&downloads)?;
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => processor_half(&downloads, &partial)?,
            ("linux", "aarch64") => whole(&ARM_LINUX, &downloads, &partial)?,
            ("macos", "aarch64") => whole(&ARM_MACOS, &downloads, &partial)?,
            (system, processor) => bail!(
                "no libtorch {VERSION} is known for {system} on {processor}\n\
                 help: set LIBTORCH to one of your own, or LIBTORCH_USE_PYTORCH=1"
            ),
        }
        fs::write(partial.join("build-version"), format!("{VERSION}\n"))?;
        check(&partial)?;
        setup::remove(&downloads)?;
        setup::put_in_place(&partial, &place(root))?;
        setup::report(&format!("libtorch {VERSION} is in .libtorch"), start);
        Ok(())
    }
}

fn place(root: &Path) -> PathBuf {
    root.join(".libtorch")
}

fn processor_half(downloads: &Path, folder: &Path) -> Result<()> {
    eprintln!("fetching the processor half of libtorch {VERSION}: 133 MB, 500 MB on disk");
    for (wheel, part) in &WITH_CUDA {
        archive::unpack(&wheel.fetch_part(part, downloads)?, folder, processor_place)?;
    }
    // torch-sys links `-ltorch`, which would drag in the CUDA half in this build: here it stands for the processor's.
    fs::write(folder.join("lib/libtorch.so"), "INPUT ( libtorch_cpu.so )\n")
        .context("`lib/libtorch.so` cannot be written")
}

fn whole(wheel: &Wheel, downloads: &Path, folder: &Path) -> Result<()> {
    eprintln!("fetching libtorch {VERSION}");
    archive::unpack(&wheel.fetch(downloads)?, folder, whole_place)?;
    Ok(())
}

/// Where a file of the CUDA build goes, if we want it.
fn processor_place(name: &str) -> Option<PathBuf> {
    const LIBRARIES: [&str; 5] = ["libc10.so", "libtorch_cpu.so", "libgomp.so.1", "libcupti.so.13", "libcudart.so.13"];
    header_place(name).or_else(|| {
        let file = file_name(name);
        LIBRARIES.contains(&file).then(|| Path::new("lib").join(file))
    })
}

/// Where a file of a processor build goes, if we want it: all libraries, also those it brings along.
fn whole_place(name: &str) -> Option<PathBuf> {
    let library = ["torch/lib/", "torch.libs/", "torch/.dylibs/"].iter().any(|folder| name.starts_with(folder));
    header_place(name).or_else(|| library.then(|| Path::new("lib").join(file_name(name))))
}

fn header_place(name: &str) -> Option<PathBuf> {
    let path = name.strip_prefix("torch/include/")?;
    Some(Path::new("include").join(path))
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Looks for what the build will ask for first.
fn check(folder: &Path) -> Result<()> {
    let libraries: &[&str] = if cfg!(target_os = "macos") {
        &["libtorch_cpu.dylib", "libc10.dylib"]
    } else {
        &["libtorch_cpu.so", "libc10.so"]
    };
    let header = folder.join("include/torch/csrc/api/include/torch/torch.h");
    let missing = libraries.iter().map(|library| folder.join("lib").join(library)).chain([header]);
    match missing.into_iter().find(|path| !path.is_file()) {
        Some(path) => bail!(
            "the fetched libtorch has no `{}`\nhelp: set LIBTORCH to a libtorch {VERSION} of your own",
            path.strip_prefix(folder).unwrap_or(&path).display()
        ),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_processor_half_of_the_cuda_build_is_taken() {
        let taken = |name| processor_place(name).map(|path| path.display().to_string());
        assert_eq!(taken("torch/lib/libtorch_cpu.so").as_deref(), Some("lib/libtorch_cpu.so"));
        assert_eq!(taken("nvidia/cu13/lib/libcudart.so.13").as_deref(), Some("lib/libcudart.so.13"));
        assert_eq!(taken("torch/include/c10/util/Half.h").as_deref(), Some("include/c10/util/Half.h"));
        for name in ["torch/lib/libtorch_cuda.so", "torch/lib/libtorch.so", "torch/version.py"] {
            assert_eq!(taken(name), None, "{name}");
        }
    }

    #[test]
    fn an_incomplete_folder_is_refused_with_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let error = check(folder.path()).unwrap_err().to_string();
        assert!(error.contains("has no `lib/libtorch_cpu."), "{error}");
    }
}
