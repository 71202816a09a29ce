//! `cithara convert`: count tables of other formats as one .h5ad or .h5mu file.

use super::model::OfInput;
use crate::arguments::{ConvertArguments, Orientation};
use crate::console::Console;
use crate::failure::Misuse;
use anndata::{
    Counted, DelimitedSpec, FragmentSpec, FragmentTotals, Frame, NewAnnData, NewMuData, Regions, read_delimited,
    read_fragments, read_frame, read_matrix_market, read_names, read_peaks, read_tenx_h5, write_new_h5ad,
    write_new_h5mu,
};
use anyhow::{Result, bail, ensure};
use indexmap::{IndexMap, IndexSet};
use std::collections::HashSet;
use std::path::Path;

/// Modalities by name.
type Modalities = IndexMap<String, NewAnnData>;

pub(super) fn execute(arguments: &ConvertArguments, console: &mut Console<'_>) -> Result<()> {
    let out = &arguments.out;
    if out.exists() && !arguments.force {
        let text = format!("`{}` exists already", out.display());
        return Err(Misuse::new(text).help("choose another name or say `--force`").into());
    }
    let ending = out.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !["h5ad", "h5mu"].contains(&ending) {
        let text = format!("`{}` does not say what is to be written", out.display());
        return Err(Misuse::new(text).help("end the last name with `.h5mu`, or `.h5ad` for one modality").into());
    }
    let mut modalities = Modalities::new();
    for input in &arguments.inputs {
        for (name, table) in read(input, arguments, console).of_input()? {
            if modalities.contains_key(&name) {
                let text = format!("two tables are of the modality `{name}`");
                return Err(Misuse::new(text).help("name them, as in `protein=adt.csv`").into());
            }
            modalities.insert(name, table);
        }
    }
    if arguments.same_cells {
        rename_cells(&mut modalities).of_input()?;
    }
    for (name, table) in &modalities {
        console.note(&format!("{name}: {} cells × {} features", table.obs.n_rows(), table.var.n_rows()))?;
    }
    let obs = arguments.obs.as_deref().map(|path| read_frame(path, !arguments.obs_in_order)).transpose().of_input()?;
    if let (Some(obs), false) = (&obs, arguments.obs_in_order) {
        let known: HashSet<&String> = modalities.values().flat_map(|table| table.obs.index()).collect();
        let n_known = obs.index().iter().filter(|cell| known.contains(cell)).count();
        if n_known == 0 {
            let text = format!("no cell of `--obs` is in the tables; its first is `{}`", obs.index()[0]);
            return Err(Misuse::new(text).help("where its rows have no names, say `--obs-in-order`").into());
        }
        console.note(&format!("obs: {n_known} of {} cells described", known.len()))?;
    }
    write(modalities, obs.as_ref().map(|obs| (obs, arguments.obs_in_order)), out, ending).of_input()?;
    console.note(&format!("wrote {}", out.display()))
}

/// The modalities of one input, `PATH` or `NAME=PATH`.
fn read(input: &str, arguments: &ConvertArguments, console: &mut Console<'_>) -> Result<Vec<(String, NewAnnData)>> {
    let (name, path) = match input.split_once('=') {
        Some((name, path)) if !Path::new(input).exists() => (Some(name), Path::new(path)),
        _ => (None, Path::new(input)),
    };
    let found = read_path(path, arguments, console)?;
    match (name, found.len()) {
        (None, _) => Ok(found),
        (Some(name), 1) => Ok(found.into_iter().map(|(_, table)| (name.to_owned(), table)).collect()),
        (Some(name), n) => bail!("`{}` holds {n} modalities, so it cannot be called `{name}`", path.display()),
    }
}

fn read_path(
    path: &Path,
    arguments: &ConvertArguments,
    console: &mut Console<'_>,
) -> Result<Vec<(String, NewAnnData)>> {
    ensure!(path.exists(), "`{}` does not exist", path.display());
    if is_fragments(path) {
        return Ok(vec![("atac".to_owned(), count_fragments(path, arguments, console)?)]);
    }
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    match plain.rsplit_once('.') {
        _ if path.is_dir() => read_matrix_market(path),
        Some((_, "mtx")) => read_matrix_market(path),
        Some((_, "h5")) => read_tenx_h5(path),
        Some((stem, "csv" | "tsv" | "txt" | "tab")) => {
            let spec = DelimitedSpec {
                features_in_rows: arguments.features.map(|features| features == Orientation::Rows),
                missing_is_zero: arguments.missing_is_zero,
                named_rows: !arguments.no_row_names,
                ..DelimitedSpec::default()
            };
            Ok(vec![(stem.to_owned(), read_delimited(path, &spec)?)])
        }
        _ => bail!(
            "`{}` is of no known format; a table is a 10x `.h5`, a folder with `matrix.mtx`, `fragments.tsv`, or `.csv`, `.tsv` or `.txt`, also \
             with `.gz`",
            path.display()
        ),
    }
}

/// Gives the cells of every table the names of the first.
fn rename_cells(modalities: &mut Modalities) -> Result<()> {
    let Some((first, names)) = modalities.first().map(|(name, table)| (name.clone(), table.obs.index().to_vec()))
    else {
        return Ok(());
    };
    for (name, table) in modalities {
        let n = table.obs.n_rows();
        ensure!(
            n == names.len(),
            "`--same-cells`: `{name}` has {n} cells and `{first}` {}; the same cells are needed in all",
            names.len()
        );
        table.obs = Frame::new(names.clone());
    }
    Ok(())
}

/// Writes one modality as .h5ad, any number as .h5mu whose cells are those of any of them; `described` is what is known of
/// the cells, and whether its rows are the cells in their order.
fn write(mut modalities: Modalities, described: Option<(&Frame, bool)>, out: &Path, ending: &str) -> Result<()> {
    if ending == "h5ad" {
        let n = modalities.len();
        ensure!(n == 1, "a .h5ad holds one modality, but there are {n}; write a .h5mu");
        for table in modalities.values_mut() {
            describe(&mut table.obs, described)?;
        }
        return modalities.values().try_for_each(|table| write_new_h5ad(out, table));
    }
    let cells: IndexSet<&String> = modalities.values().flat_map(|table| table.obs.index()).collect();
    let mut obs = Frame::new(cells.into_iter().cloned().collect());
    describe(&mut obs, described)?;
    write_new_h5mu(out, &NewMuData { obs, modalities, ..NewMuData::default() })
}

/// Gives cells the columns of a table, by name or by their order; a cell that it does not know has no value.
fn describe(obs: &mut Frame, described: Option<(&Frame, bool)>) -> Result<()> {
    let Some((table, in_order)) = described else { return Ok(()) };
    ensure!(
        !in_order || table.n_rows() == obs.n_rows(),
        "`--obs` has {} rows, but there are {} cells; in order it must have one for each",
        table.n_rows(),
        obs.n_rows()
    );
    if in_order {
        let rows: Vec<Option<usize>> = (0..obs.n_rows()).map(Some).collect();
        return obs.take_columns(table, &rows);
    }
    obs.describe(table).map(drop)
}

/// Whether a file is called like fragments of accessible chromatin.
fn is_fragments(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    path.is_file() && name.strip_suffix(".gz").unwrap_or(&name).ends_with("fragments.tsv")
}

/// Fragments as counts in peaks or tiles.
fn count_fragments(path: &Path, arguments: &ConvertArguments, console: &mut Console<'_>) -> Result<NewAnnData> {
    let regions = match (&arguments.peaks, arguments.tiles) {
        (Some(peaks), _) => Regions::Peaks(read_peaks(peaks)?),
        (None, Some(width)) => Regions::Tiles(width),
        (None, None) => bail!(
            "`{}` holds fragments: say where they are counted: `--peaks PEAKS.bed`, or `--tiles 500` for tiles of 500 bases",
            path.display()
        ),
    };
    let counted = if arguments.cuts { Counted::Cuts } else { Counted::Fragments };
    let cells = arguments.cells.as_deref().map(read_names).transpose()?;
    let (counts, totals) = read_fragments(path, &FragmentSpec { regions, counted, cells })?;
    let FragmentTotals { n_fragments, n_outside, n_of_other_cells } = totals;
    console.note(&format!(
        "{n_fragments} fragments, {n_outside} of them in no region; {n_of_other_cells} of other cells"
    ))?;
    Ok(counts)
}
