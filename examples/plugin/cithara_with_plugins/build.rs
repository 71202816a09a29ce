//! Writes libtorch's folder into the program, so that it runs with nothing exported.

fn main() -> Result<(), std::env::VarError> {
    println!("cargo::rerun-if-changed=build.rs");
    let libtorch = std::env::var("DEP_CITHARA_LIBTORCH")?;
    println!("cargo::rustc-link-arg=-Wl,-rpath,{libtorch}");
    Ok(())
}
