//! The `.h5` matrices of 10x Genomics: features × cells kept column by column, which is cells × features row by row.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use hdf5::Group;
use hdf5_metno as hdf5;

use super::features::{self, Features, GENES};
use super::names::lower_snake_case;
use crate::read::matrix::Naming;
use crate::read::{array, place, sparse, text};
use crate::{Csr, NewAnnData};

/// Reads the matrix of a 10x Genomics `.h5` file, one AnnData for each modality.
///
/// Cell Ranger 3 and later, Cell Ranger ATAC and ARC keep one group `matrix`; each feature type becomes a modality:
/// `rna` (Gene Expression), `protein` (Antibody Capture), `atac` (Peaks), others by their name in lower snake case.
/// Cell Ranger 2 keeps a group for each genome: `rna`, or `rna_<genome>` where there are several.
/// Names of features are made unique by `-1`, `-2`, …; `var` holds `gene_ids`, `feature_types` and `genome` as text.
///
/// # Errors
/// If there is no such file, it is no 10x matrix, is damaged, or holds values that single precision cannot hold.
pub fn read_tenx_h5(path: impl AsRef<Path>) -> Result<Vec<(String, NewAnnData)>> {
    let mut modalities = Vec::new();
    for matrix in TenxMatrix::all_of(path.as_ref())? {
        let counts = matrix.rows(0..matrix.cells.len())?;
        let TenxMatrix { group, genome, cells, features } = matrix;
        let parts = features::split(cells, features, counts).with_context(|| place::label(&group))?;
        for (name, modality) in parts {
            let name = named(name, genome.as_deref());
            ensure_new(path.as_ref(), &name, modalities.iter().map(|(known, _): &(String, _)| known))?;
            modalities.push((name, modality));
        }
    }
    Ok(modalities)
}

/// One matrix of a 10x file: its names; values are read when they are asked for.
#[derive(Debug)]
pub(crate) struct TenxMatrix {
    group: Group,
    /// The genome, where the file has a matrix for each of several.
    pub genome: Option<String>,
    pub cells: Vec<String>,
    pub features: Features,
}

impl TenxMatrix {
    /// The matrices of a file: one, or one for each genome.
    pub(crate) fn all_of(path: &Path) -> Result<Vec<Self>> {
        ensure!(path.is_file(), "no file `{}`", path.display());
        let opened = hdf5::File::open(path);
        let file = opened.with_context(|| format!("`{}` cannot be opened as HDF5; is it whole?", path.display()))?;
        if let Ok(group) = file.group("matrix") {
            return Ok(vec![Self::open(group, None)?]);
        }
        let groups = genome_groups(&file)?;
        if groups.is_empty() {
            return Err(not_tenx(&file, path));
        }
        let several = groups.len() > 1;
        groups.into_iter().map(|(genome, group)| Self::open(group, several.then_some(genome))).collect()
    }

    fn open(group: Group, genome: Option<String>) -> Result<Self> {
        let cells = all_texts(&group, "barcodes")?;
        let features = match group.group("features") {
            Ok(table) => features_of_matrix(&table)?,
            Err(_) => features_of_genome(&group)?,
        };
        Ok(Self { group, genome, cells, features })
    }

    /// Some rows of the matrix of cells × features.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Result<Csr> {
        let (group, cells, features) = (&self.group, &self.cells, &self.features);
        let stated = place::dataset(group, "shape")?;
        let shape = array::integers(&stated)?;
        ensure!(
            shape == [features.len() as i64, cells.len() as i64],
            "{} is {shape:?}, but there are {} features and {} barcodes; the file is damaged",
            place::label(&stated),
            features.len(),
            cells.len()
        );
        let naming = Naming { label: place::label(group), cells, features: &features.names };
        sparse::read_rows_of_known_shape(group, &naming, rows)
    }
}

/// The name of a modality of one of several genomes.
pub(crate) fn named(name: String, genome: Option<&str>) -> String {
    match genome {
        Some(genome) => format!("{name}_{}", lower_snake_case(genome)),
        None => name,
    }
}

/// Refuses modalities of one name.
pub(crate) fn ensure_new<'a>(path: &Path, name: &str, mut known: impl Iterator<Item = &'a String>) -> Result<()> {
    ensure!(
        known.all(|known| known != name),
        "`{}` has two genomes that would both be called `{name}`; rename one group",
        path.display()
    );
    Ok(())
}

/// The groups of a Cell Ranger 2 file.
fn genome_groups(root: &Group) -> Result<Vec<(String, Group)>> {
    let names = place::members(root)?;
    let groups = names.into_iter().filter_map(|name| root.group(&name).ok().map(|group| (name, group)));
    Ok(groups.filter(|(_, group)| group.link_exists("genes") && group.link_exists("barcodes")).collect())
}

fn not_tenx(root: &Group, path: &Path) -> anyhow::Error {
    let path = path.display();
    if root.link_exists("obs") || root.link_exists("mod") {
        return anyhow!("`{path}` is already an .h5ad or .h5mu file; it can be used as it is");
    }
    anyhow!(
        "`{path}` is not a 10x matrix: it has neither a group `matrix` nor one with `genes` and `barcodes`; expected a \
         file like `filtered_feature_bc_matrix.h5`"
    )
}

/// Cell Ranger 3 and later: a group of columns.
fn features_of_matrix(table: &Group) -> Result<Features> {
    let names = all_texts(table, "name")?;
    let column = |name: &str| match table.link_exists(name) {
        true => Ok(Some(texts(table, name, names.len())?)),
        false => anyhow::Ok(None),
    };
    Ok(Features {
        ids: column("id")?.unwrap_or_else(|| names.clone()),
        types: column("feature_type")?.unwrap_or_else(|| vec![GENES.to_owned(); names.len()]),
        are_typed: table.link_exists("feature_type"),
        genomes: column("genome")?,
        names,
    })
}

/// Cell Ranger 2: two arrays in the group that is called like the genome.
fn features_of_genome(group: &Group) -> Result<Features> {
    let ids = all_texts(group, "genes")?;
    let names = match group.link_exists("gene_names") {
        true => texts(group, "gene_names", ids.len())?,
        false => ids.clone(),
    };
    let genome = group.name().rsplit('/').next().unwrap_or_default().to_owned();
    let types = vec![GENES.to_owned(); ids.len()];
    Ok(Features { names, types, are_typed: false, genomes: Some(vec![genome; ids.len()]), ids })
}

fn all_texts(group: &Group, name: &str) -> Result<Vec<String>> {
    let dataset = place::dataset(group, name)?;
    text::read(&dataset)
}

fn texts(group: &Group, name: &str, n_features: usize) -> Result<Vec<String>> {
    let texts = all_texts(group, name)?;
    ensure!(
        texts.len() == n_features,
        "`{name}` of {} has {} entries for {n_features} features; the file is damaged",
        place::label(group),
        texts.len()
    );
    Ok(texts)
}
