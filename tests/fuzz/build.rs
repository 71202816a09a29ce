//! Writes libtorch's folder into the target that links it, so that it runs with nothing exported.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Ok(libtorch) = std::env::var("DEP_CITHARA_LIBTORCH") {
        println!("cargo::rustc-link-arg-bin=spec=-Wl,-rpath,{libtorch}");
    }
}
