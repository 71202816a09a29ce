//! One AnnData: the cells, features and matrices of one modality.

mod blocks;

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use hdf5::Group;
use hdf5_metno as hdf5;

use crate::read::{dense, frame, matrix, place};
use crate::tables::Table;
use crate::{Csr, Dense, Frame, Layer, nearest};

/// An AnnData inside an open file: its tables are in memory, its matrices are read when asked for.
#[derive(Debug, Clone)]
pub struct Annotated {
    store: Store,
    obs: Frame,
    var: Frame,
}

/// What is behind an AnnData.
#[derive(Debug, Clone)]
enum Store {
    Hdf5(Group),
    /// One modality of a table of another format, by its place.
    Table(Arc<Table>, usize),
}

impl Annotated {
    /// Reads the tables of the AnnData in `group`.
    pub(crate) fn open(group: Group) -> Result<Self> {
        let obs = frame::read(&group, "obs")?;
        let var = frame::read(&group, "var")?;
        Ok(Self { store: Store::Hdf5(group), obs, var })
    }

    /// The modality at this place of a table of another format.
    pub(crate) fn of_table(table: &Arc<Table>, place: usize) -> Self {
        let part = &table.parts[place];
        Self { obs: part.obs.clone(), var: part.var.clone(), store: Store::Table(table.clone(), place) }
    }

    /// Names of the cells, in order.
    pub fn cells(&self) -> &[String] {
        self.obs.index()
    }

    /// Names of the features, in order.
    pub fn features(&self) -> &[String] {
        self.var.index()
    }

    /// What is known about each cell.
    pub fn obs(&self) -> &Frame {
        &self.obs
    }

    /// What is known about each feature.
    pub fn var(&self) -> &Frame {
        &self.var
    }

    /// What is known about each feature of the raw matrix, which may have more features than [`Annotated::var`].
    ///
    /// # Errors
    /// If there is no raw matrix.
    pub fn raw_var(&self) -> Result<Frame> {
        self.ensure_layer(&Layer::Raw)?;
        match &self.store {
            Store::Hdf5(group) => frame::read(&place::group(group, "raw")?, "var"),
            Store::Table(..) => Ok(self.var.clone()),
        }
    }

    /// Names of the matrices in `layers`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn layer_names(&self) -> Result<Vec<String>> {
        match &self.store {
            Store::Hdf5(group) => place::member_names(group, "layers"),
            Store::Table(..) => Ok(Vec::new()),
        }
    }

    /// All matrices there are: `X`, layers, raw.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn layers(&self) -> Result<Vec<Layer>> {
        let mut layers: Vec<Layer> = self.layer_names()?.into_iter().map(Layer::Named).collect();
        let Store::Hdf5(group) = &self.store else { return Ok(vec![Layer::X]) };
        if group.link_exists("X") {
            layers.insert(0, Layer::X);
        }
        if group.group("raw").is_ok_and(|raw| raw.link_exists("X")) {
            layers.push(Layer::Raw);
        }
        Ok(layers)
    }

    /// A whole matrix, whatever its encoding (dense, sparse by rows or columns; any number type), as sparse rows.
    ///
    /// # Shapes
    /// Cells × features; for [`Layer::Raw`] cells × features of [`Annotated::raw_var`].
    ///
    /// # Errors
    /// If there is no such matrix, or it holds a value that is not finite or that 32-bit floating point would change;
    /// the message names the cell and the feature.
    pub fn matrix(&self, layer: &Layer) -> Result<Csr> {
        self.matrix_rows(layer, 0..self.obs.n_rows())
    }

    /// Some consecutive rows of a matrix, reading only those where the encoding allows it (not `csc_matrix`).
    ///
    /// # Errors
    /// As [`Annotated::matrix`], and if the rows do not exist.
    pub fn matrix_rows(&self, layer: &Layer, rows: Range<usize>) -> Result<Csr> {
        self.ensure_layer(layer)?;
        let group = match &self.store {
            Store::Hdf5(group) => group,
            Store::Table(table, place) => return table.rows(&table.parts[*place], rows),
        };
        let folder = group.name();
        let label = format!("`{}/{layer}` in `{}`", folder.trim_end_matches('/'), group.filename());
        if *layer == Layer::Raw {
            let var = self.raw_var()?;
            let naming = matrix::Naming { label, cells: self.cells(), features: var.index() };
            return matrix::read(&place::group(group, "raw")?, "X", &naming, rows);
        }
        let naming = matrix::Naming { label, cells: self.cells(), features: self.features() };
        matrix::read(group, &layer.to_string(), &naming, rows)
    }

    fn ensure_layer(&self, layer: &Layer) -> Result<()> {
        let layers = self.layers()?;
        if layers.contains(layer) {
            return Ok(());
        }
        let names: Vec<String> = layers.iter().map(Layer::to_string).collect();
        bail!("{}: {}", self.label(), nearest::unknown("matrix", &layer.to_string(), &names))
    }

    /// The AnnData as messages name it.
    fn label(&self) -> String {
        match &self.store {
            Store::Hdf5(group) => place::label(group),
            Store::Table(table, _) => format!("`{}`", table.path.display()),
        }
    }

    /// Names of the per-cell arrays in `obsm`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn obsm_names(&self) -> Result<Vec<String>> {
        match &self.store {
            Store::Hdf5(group) => place::member_names(group, "obsm"),
            Store::Table(..) => Ok(Vec::new()),
        }
    }

    /// A per-cell array of `obsm`: dense, or a table of numbers.
    ///
    /// # Shapes
    /// Cells × whatever the array has.
    ///
    /// # Errors
    /// If there is none of that name, or it is sparse or not numbers.
    pub fn obsm(&self, name: &str) -> Result<Dense> {
        match &self.store {
            Store::Hdf5(group) => read_obsm(group, name, self.obs.n_rows()),
            Store::Table(..) => bail!("{} is a table without arrays beside it", self.label()),
        }
    }

    /// A text below `uns`, such as `uns_text("cithara/spec")`; none if it is absent or not text.
    pub fn uns_text(&self, path: &str) -> Option<String> {
        match &self.store {
            Store::Hdf5(group) => frame::optional_text(group, &format!("uns/{path}")),
            Store::Table(..) => None,
        }
    }
}

/// Reads `obsm/name` below a group with `n_cells` cells.
pub(crate) fn read_obsm(parent: &Group, name: &str, n_cells: usize) -> Result<Dense> {
    let names = place::member_names(parent, "obsm")?;
    if !names.iter().any(|known| known == name) {
        bail!("{}: {}", place::label(parent), nearest::unknown("obsm array", name, &names));
    }
    let group = place::group(parent, "obsm")?;
    let array = match group.dataset(name) {
        Ok(dataset) => dense::read(dataset)?,
        Err(_) => read_obsm_table(&group, name)?,
    };
    ensure!(
        array.n_rows == n_cells,
        "`obsm/{name}` of {} has {} rows, but there are {n_cells} cells",
        place::label(parent),
        array.n_rows
    );
    Ok(array)
}

fn read_obsm_table(obsm: &Group, name: &str) -> Result<Dense> {
    let group = place::group(obsm, name)?;
    let encoding = place::encoding(&group);
    ensure!(
        encoding == "dataframe",
        "{}/{name} has the encoding `{encoding}`; expected a dense array or a table of numbers",
        place::label(obsm)
    );
    let table = frame::read(obsm, name)?;
    let mut array = Dense::zeros(table.n_rows(), table.columns().count());
    for (place, (column_name, column)) in table.columns().enumerate() {
        let numbers = column.numbers().with_context(|| {
            format!("column `{column_name}` of {}/{name} is {}, expected numbers", place::label(obsm), column.kind())
        })?;
        for (row, number) in numbers.into_iter().enumerate() {
            array.values[row * array.n_columns + place] = number as f32;
        }
    }
    Ok(array)
}
