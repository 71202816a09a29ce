//! The libtorch this process runs on: which one it is, how it gets its CUDA half, and how it is started fast.
//!
//! The program is linked to the processor half of libtorch only, so that one binary runs everywhere. Its CUDA half,
//! `libtorch_cuda.so`, is opened at run time where there is a driver and a matching library. libtorch remembers the
//! answer to its first question about CUDA for ever, so **nothing may ask `tch::Cuda` before [`cuda`] was called**;
//! choose devices through this module.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Serialize;

/// The libtorch that this version of `tch` is written for; another one is refused.
pub const LIBTORCH_VERSION: &str = "2.11.0";

/// Names a folder with `libtorch_cuda.so`, before any other place is looked at.
pub const CUDA_FOLDER_VARIABLE: &str = "CITHARA_LIBTORCH_CUDA";

/// Read once by libtorch, at its first allocation: large tensors lie in huge pages when it is `1`.
const HUGE_PAGES_VARIABLE: &str = "THP_MEM_ALLOC_ENABLE";

/// Read once by the OpenMP library under libtorch: whether waiting threads sleep (`passive`) or spin.
const WAIT_POLICY_VARIABLE: &str = "OMP_WAIT_POLICY";

/// Read once by the GNU C library: from how many bytes on memory is asked of the system, and given back, each time. A step
/// makes and drops tensors of hundreds of megabytes; fresh pages for each, which the system zeroes, took a third of its time.
const OWN_PAGES_VARIABLE: &str = "MALLOC_MMAP_THRESHOLD_";
const OWN_PAGES_BYTES: &str = "1073741824";

/// Read once by the GNU C library: how many free bytes at the end of its memory it keeps for the next step.
const KEPT_VARIABLE: &str = "MALLOC_TRIM_THRESHOLD_";
const KEPT_BYTES: &str = "8589934592";

/// What `cithara doctor` says about libtorch and the machine it runs on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LibtorchReport {
    /// The version its folder states; `None` when the folder states none.
    pub version: Option<String>,
    /// The loaded `libtorch_cpu` library; `None` where the system does not tell (all but Linux).
    pub library: Option<PathBuf>,
    /// Threads that one operation is spread over.
    pub n_threads: usize,
    /// Threads that separate operations are spread over.
    pub n_interop_threads: usize,
    /// The processor's vector instructions that matter for speed, as the system reports them.
    pub cpu_features: Vec<&'static str>,
    /// Whether large tensors lie in huge pages.
    pub huge_pages: bool,
    /// What became of the CUDA half.
    pub cuda: Cuda,
}

/// What became of libtorch's CUDA half in this process.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cuda {
    /// It is loaded.
    Loaded {
        /// The opened `libtorch_cuda.so`.
        library: PathBuf,
        /// Devices it sees; 0 without a working driver.
        n_devices: usize,
    },
    /// It is not loaded: everything runs on the processor.
    Absent {
        /// Why not, and what would change it.
        reason: String,
    },
}

impl Cuda {
    /// Devices that can be used.
    pub fn n_devices(&self) -> usize {
        match self {
            Self::Loaded { n_devices, .. } => *n_devices,
            Self::Absent { .. } => 0,
        }
    }
}

/// Opens libtorch's CUDA half at the first call and says what became of it.
///
/// Looked at in turn: the folder that [`CUDA_FOLDER_VARIABLE`] names; where there is a driver, the folder of the
/// loaded `libtorch_cpu.so`, then that of the Python package `torch`. Without a driver nothing is opened.
///
/// ```
/// use framework::{libtorch, tch::{Device, Kind, Tensor}};
///
/// let device = if libtorch::cuda().n_devices() > 0 { Device::Cuda(0) } else { Device::Cpu };
/// assert_eq!(Tensor::ones([2, 3], (Kind::Float, device)).device(), device);
/// ```
pub fn cuda() -> &'static Cuda {
    static CUDA: OnceLock<Cuda> = OnceLock::new();
    CUDA.get_or_init(|| {
        let opened = find_cuda_library().and_then(|library| open_for_ever(&library).map(|()| library));
        match opened {
            Ok(library) => Cuda::Loaded { library, n_devices: usize::try_from(tch::Cuda::device_count()).unwrap_or(0) },
            Err(reason) => Cuda::Absent { reason },
        }
    })
}

/// Gathers what is known about libtorch in this process; opens its CUDA half first.
pub fn libtorch_report() -> LibtorchReport {
    let cuda = cuda().clone();
    let library = loaded_libtorch();
    LibtorchReport {
        version: library.as_deref().and_then(Path::parent).and_then(stated_version),
        library,
        n_threads: usize::try_from(tch::get_num_threads()).unwrap_or(0),
        n_interop_threads: usize::try_from(tch::get_num_interop_threads()).unwrap_or(0),
        cpu_features: cpu_features(),
        huge_pages: huge_pages(),
        cuda,
    }
}

/// Starts the program anew with the environment that libtorch is fast in; to be the first statement of `main`.
///
/// Large tensors go into huge pages, memory is kept from step to step, and threads that wait for work sleep instead of
/// spinning: on a machine that is busy with anything else, spinning makes every step several times slower. The variables are
/// read before `main`, hence the new start. A value that the user has set stays, and where all are set nothing happens.
#[cfg(unix)]
pub fn apply_performance_environment() {
    use std::os::unix::process::CommandExt;
    let wanted = [
        (HUGE_PAGES_VARIABLE, "1"),
        (WAIT_POLICY_VARIABLE, "passive"),
        (OWN_PAGES_VARIABLE, OWN_PAGES_BYTES),
        (KEPT_VARIABLE, KEPT_BYTES),
    ];
    let missing: Vec<_> = wanted.into_iter().filter(|(name, _)| env::var_os(name).is_none()).collect();
    let Ok(program) = env::current_exe() else { return };
    if !missing.is_empty() {
        let mut arguments = env::args_os();
        let name = arguments.next().unwrap_or_else(|| "cithara".into());
        // Returns only where it fails; then the program runs as it was started.
        let _ = std::process::Command::new(program).arg0(name).args(arguments).envs(missing).exec();
    }
}

/// Does nothing: this system cannot start a program anew in place.
#[cfg(not(unix))]
pub fn apply_performance_environment() {}

fn huge_pages() -> bool {
    let mode = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    let wanted = env::var(HUGE_PAGES_VARIABLE).is_ok_and(|value| value == "1");
    mode.contains("[always]") || (wanted && mode.contains("[madvise]"))
}

/// Opens a library with all its symbols visible, and never closes it.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn open_for_ever(library: &Path) -> Result<(), String> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: the library's initialisers register CUDA with the libtorch they were built with, whose version was
    // compared; the handle is never dropped, so that no registered function can disappear.
    let opened = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_GLOBAL) };
    opened.map(std::mem::forget).map_err(|error| format!("`{}` does not load: {error}", library.display()))
}

#[cfg(not(target_os = "linux"))]
fn open_for_ever(library: &Path) -> Result<(), String> {
    Err(format!("`{}` is not loaded: CUDA is used on Linux only", library.display()))
}

fn find_cuda_library() -> Result<PathBuf, String> {
    if let Some(folder) = env::var_os(CUDA_FOLDER_VARIABLE) {
        return cuda_library_in(Path::new(&folder)).ok_or_else(|| {
            let folder = Path::new(&folder).display();
            format!(
                "`{CUDA_FOLDER_VARIABLE}={folder}` holds no `libtorch_cuda.so` of version {LIBTORCH_VERSION}; \
                 set it to the folder of the Python package `torch=={LIBTORCH_VERSION}`"
            )
        });
    }
    if !driver_present() {
        return Err("no NVIDIA driver is present".to_string());
    }
    let beside = loaded_libtorch().and_then(|library| cuda_library_in(library.parent()?));
    beside.or_else(|| cuda_library_in(&python_torch_folder()?)).ok_or_else(|| {
        format!(
            "a driver is present, but no `libtorch_cuda.so` of version {LIBTORCH_VERSION}: \
             install the Python package `torch=={LIBTORCH_VERSION}`, or set `{CUDA_FOLDER_VARIABLE}` to its folder"
        )
    })
}

/// The CUDA library of a folder, or of the folder `lib` in it, if its version is the one we need.
fn cuda_library_in(folder: &Path) -> Option<PathBuf> {
    let places = [folder.to_path_buf(), folder.join("lib")];
    places.into_iter().find_map(|place| {
        let library = place.join("libtorch_cuda.so");
        let fits = library.is_file() && stated_version(&place).as_deref() == Some(LIBTORCH_VERSION);
        fits.then_some(library)
    })
}

/// The version that the installation around a library folder states, without its build suffix (`+cu130`).
fn stated_version(library_folder: &Path) -> Option<String> {
    let installation = library_folder.parent()?;
    let stated = fs::read_to_string(installation.join("build-version")).ok().or_else(|| {
        let module = fs::read_to_string(installation.join("version.py")).ok()?;
        let value = module.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
        Some(value.trim_matches(['\'', '"']).to_string())
    })?;
    stated.trim().split('+').next().map(str::to_string)
}

fn driver_present() -> bool {
    ["/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg"].iter().any(|path| Path::new(path).exists())
}

/// Where Python's `torch` lies; Python looks for it without importing it, which would take seconds.
fn python_torch_folder() -> Option<PathBuf> {
    let question = "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])";
    let answer = std::process::Command::new("python3").args(["-c", question]).output().ok()?;
    let folder = String::from_utf8(answer.stdout).ok()?;
    answer.status.success().then(|| PathBuf::from(folder.trim()))
}

/// The `libtorch_cpu.so` mapped into this process.
fn loaded_libtorch() -> Option<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with("/libtorch_cpu.so"))?;
    line.find('/').map(|start| PathBuf::from(&line[start..]))
}

/// Whether this processor multiplies numbers of 16 bits (bfloat16) itself; where it does not, that is slower than 32 bits.
pub fn has_bf16() -> bool {
    cpu_features().iter().any(|feature| feature.ends_with("bf16"))
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    let features = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512_vnni", is_x86_feature_detected!("avx512vnni")),
        ("avx512_bf16", is_x86_feature_detected!("avx512bf16")),
    ];
    features.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
}

#[cfg(target_arch = "aarch64")]
fn cpu_features() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected;
    let features = [
        ("neon", is_aarch64_feature_detected!("neon")),
        ("sve", is_aarch64_feature_detected!("sve")),
        ("bf16", is_aarch64_feature_detected!("bf16")),
    ];
    features.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_names_the_loaded_library_and_its_version() {
        let report = libtorch_report();
        assert_eq!(report.version.as_deref(), Some(LIBTORCH_VERSION));
        assert!(report.n_threads >= 1);
        if cfg!(target_os = "linux") {
            assert!(report.library.is_some_and(|library| library.is_file()));
        }
    }

    #[test]
    fn cuda_libraries_of_another_version_are_not_taken() -> std::io::Result<()> {
        let torch = env::temp_dir().join(format!("cithara-libtorch-{}", std::process::id()));
        fs::create_dir_all(torch.join("lib"))?;
        fs::write(torch.join("lib/libtorch_cuda.so"), "")?;
        let mut taken = Vec::new();
        for version in ["2.10.0+cu130", "2.11.0+cu130"] {
            fs::write(torch.join("version.py"), format!("__version__ = '{version}'\n"))?;
            taken.push((cuda_library_in(&torch).is_some(), cuda_library_in(&torch.join("lib")).is_some()));
        }
        fs::remove_dir_all(&torch)?;
        assert_eq!(taken, [(false, false), (true, true)]);
        Ok(())
    }
}
