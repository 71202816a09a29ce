//! How many crops the loader hands out in a second: read at random from disk, checked, made into numbers, in minibatches.
//!
//! `cargo bench -p cithara-tests --bench image_loader --profile dev [-- SPEC]`; without a spec, 4,096 crops of 128 × 128 pixels.

use framework::data::{Dataset, Loader, Subset, visiting_order};
use framework::spec::Order;
use framework::testing::small_images;
use framework::{Seed, TargetValues};
// Naming the built-in components keeps the linker from dropping them.
use plugins as _;
use registry::{Catalogue, read_file};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;
use tch::Device;

const N_CELLS: usize = 4096;
const SIDE: usize = 128;
const MINIBATCH: usize = 256;
const N_ROUNDS: usize = 5;

/// Two modalities of the same images.
const SPEC: &str = "spec_version = 1\nname = \"loader\"\nseed = 1\n[data]\npath = \"images.h5ad\"\nfilter_rounds = 0\n\
    [modality.dna]\nkind = \"chromatin_image\"\npath = \"images.h5ad\"\n\
    [modality.protein]\nkind = \"protein_image\"\npath = \"images.h5ad\"\n[model]\nkind = \"apollo\"\n";

fn main() -> framework::anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let asked = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let spec = match asked {
        Some(spec) => PathBuf::from(spec),
        None => {
            small_images(folder.path(), N_CELLS, SIDE)?;
            std::fs::write(folder.path().join("spec.toml"), SPEC)?;
            folder.path().join("spec.toml")
        }
    };
    let experiment = read_file(&spec, &[], &Catalogue::linked()?)?;
    let opened = Dataset::open_for_training(&experiment)?;
    let (dataset, cells) = (&opened.dataset, opened.split.of(Subset::Training));
    let targets = vec![TargetValues::UnitInterval; dataset.assays.len()];
    let loader = Loader { dataset, minibatch: MINIBATCH, targets: &targets, device: Device::Cpu };
    let mut rates = Vec::new();
    for round in 0..N_ROUNDS {
        let order = visiting_order(&cells, Order::Reshuffled, Seed(1), round as u64);
        let start = Instant::now();
        let mut n_crops = 0;
        loader.for_each(&order, |_, minibatch| {
            n_crops += minibatch.parts.iter().flatten().map(|part| part.input.n_cells() as usize).sum::<usize>();
            Ok(ControlFlow::Continue(()))
        })?;
        rates.push(n_crops as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    println!(
        "{} cells × {} modalities: {:.0} crops per second (median of {N_ROUNDS}; {:.0} to {:.0})",
        cells.len(),
        dataset.assays.len(),
        rates[N_ROUNDS / 2],
        rates[0],
        rates[N_ROUNDS - 1]
    );
    Ok(())
}
