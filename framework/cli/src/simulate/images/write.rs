//! Writing simulated nuclei as `cithara cut` leaves cells: a file of cells, and crops beside it.

use super::{Nucleus, PROTEINS, SIDE, SimulatedNuclei};
use crate::cut::{CELLS, CROPS};
use anndata::{Categorical, Column, Dense, Frame, NewAnnData, NewMuData, UnsTree, write_new_h5mu};
use anyhow::{Context, Result};
use framework::data::IMAGES_KEY;
use images::{CellImagesSpec, Cutting, Normalisation, Reach, StackSpec, make_crops};
use std::path::{Path, PathBuf};

/// The stack of images that crops are made of, beside the file of cells.
const STACK: &str = "images.npy";
/// The stains, in the order of the stack.
const STAINS: [&str; 3] = ["dna", "protein", "unmeasured"];

impl SimulatedNuclei {
    /// Writes `cells.h5mu`, `crops.cells` and `images.npy` into a folder; returns the file of cells.
    ///
    /// Modalities are `dna`, `protein` (the stained one) and `unmeasured` (the other one of the panel: what is to be predicted,
    /// for nobody to learn from). Truth is in obs: `panel`, `protein`, `other_protein`, `area`, `eccentricity`, `direction`,
    /// `n_dna_foci`, `n_foci`, `n_other_foci`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        std::fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
        let stack = [npy_header(&[self.nuclei.len(), STAINS.len(), SIDE, SIDE]), self.pixels.clone()].concat();
        let path = folder.join(STACK);
        std::fs::write(&path, stack).with_context(|| format!("`{}` cannot be written", path.display()))?;
        let crops = make_crops(&crops_spec(), folder, &folder.join(CROPS))?;
        let names = crops.contents().cells.names();
        let mut file = NewMuData { obs: self.truth(&names)?, ..NewMuData::default() };
        for (place, stain) in STAINS.into_iter().enumerate() {
            let obs = Frame::new(names.clone());
            let mut modality = NewAnnData::new(obs, Frame::new(vec!["mean".to_owned()]), self.means(place)?);
            let about: UnsTree = [("crops", CROPS), ("channel", stain)].into_iter().collect();
            modality.uns.insert(IMAGES_KEY.to_owned(), about);
            file.modalities.insert(stain.to_owned(), modality);
        }
        let path = folder.join(CELLS);
        write_new_h5mu(&path, &file)?;
        Ok(path)
    }

    /// Mean brightness of a stain in each cell, from 0 to 1.
    fn means(&self, stain: usize) -> Result<Dense> {
        let n = SIDE * SIDE;
        let stained = self.pixels.chunks(n).skip(stain).step_by(STAINS.len());
        let mean = |pixels: &[u8]| pixels.iter().map(|pixel| f32::from(*pixel)).sum::<f32>() / (255.0 * n as f32);
        Dense::new(self.nuclei.len(), 1, stained.map(mean).collect())
    }

    /// What the cells are made of.
    fn truth(&self, names: &[String]) -> Result<Frame> {
        let mut obs = Frame::new(names.to_vec());
        let text = |of: &dyn Fn(&Nucleus) -> &'static str| {
            let labels: Vec<_> = self.nuclei.iter().map(|nucleus| Some(of(nucleus).to_owned())).collect();
            Column::Categorical(Categorical::from_labels(&labels))
        };
        obs.insert("panel", text(&Nucleus::panel))?;
        obs.insert("protein", text(&|nucleus| PROTEINS[nucleus.protein].0))?;
        obs.insert("other_protein", text(&|nucleus| PROTEINS[nucleus.other].0))?;
        let number = |of: &dyn Fn(&Nucleus) -> f64| Column::Float(self.nuclei.iter().map(of).collect());
        obs.insert("area", number(&Nucleus::area))?;
        obs.insert("eccentricity", number(&Nucleus::eccentricity))?;
        obs.insert("direction", number(&|nucleus| nucleus.direction))?;
        obs.insert("n_dna_foci", number(&|nucleus| f64::from(nucleus.n_dna_foci)))?;
        obs.insert("n_foci", number(&|nucleus| f64::from(nucleus.n_foci)))?;
        obs.insert("n_other_foci", number(&|nucleus| f64::from(nucleus.n_other_foci)))?;
        Ok(obs)
    }
}

/// Crops are the images as they are.
fn crops_spec() -> CellImagesSpec {
    let channels = STAINS.map(str::to_owned).to_vec();
    CellImagesSpec {
        stack: Some(StackSpec { path: STACK.into(), channels, ..StackSpec::default() }),
        crops: Cutting { side: SIDE, keep_mask: false, ..Cutting::default() },
        normalisation: Normalisation { per: Reach::None, ..Normalisation::default() },
        ..CellImagesSpec::default()
    }
}

/// The beginning of a NumPy file of bytes: magic, version and length are 10 bytes, and all of it ends at a multiple of 64.
fn npy_header(shape: &[usize]) -> Vec<u8> {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let mut text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({})}}", sizes.join(", "));
    text.push_str(&" ".repeat(63 - (10 + text.len()) % 64));
    text.push('\n');
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::super::simulate_nuclei;
    use super::*;
    use anndata::File;
    use images::Crops;

    #[test]
    fn what_is_written_is_what_was_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let simulated = simulate_nuclei(20, 1);
        let path = simulated.write(folder.path()).unwrap();
        let file = File::open(&path).unwrap();
        assert_eq!(file.modalities().unwrap(), ["dna", "protein", "unmeasured"]);
        let crops = Crops::open(&folder.path().join(CROPS)).unwrap();
        for (place, stain) in STAINS.iter().enumerate() {
            let read = crops.gather(&[7], crops.channel(stain).unwrap()).unwrap().to_f32();
            let drawn = &simulated.pixels[(3 * 7 + place) * SIDE * SIDE..][..SIDE * SIDE];
            assert!(read.iter().zip(drawn).all(|(read, drawn)| (read * 255.0 - f32::from(*drawn)).abs() < 1e-3));
        }
        let proteins = file.obs().labels("protein").unwrap();
        assert_eq!(proteins[7].as_deref(), Some(PROTEINS[simulated.nuclei[7].protein].0));
    }
}
