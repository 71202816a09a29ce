//! Fragments of accessible chromatin (`fragments.tsv.gz` of Cell Ranger ATAC), counted in regions of the genome.
//!
//! A line holds chromosome, start, end (the first place after it), cell and, not used here, the number of reads. Lines are
//! read one after the other; memory follows the values that are not zero.

mod regions;

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use self::regions::Known;
use super::text_file::{Lines, shortened};
use super::triplets::Triplets;
use super::{names, tenx_folder};
use crate::{Column, Frame, NewAnnData};

/// Entries that are gathered before equal ones are added up.
const N_TOGETHER: usize = 1 << 23;

/// The regions in which fragments are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Regions {
    /// Peaks: chromosome, start and end, in the order of a BED file; fragments elsewhere are not counted.
    Peaks(Vec<Peak>),
    /// Tiles of this many bases side by side; those without any fragment are left out.
    Tiles(u32),
}

/// A region of the genome.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peak {
    /// Its chromosome.
    pub chromosome: String,
    /// Its first place, counted from 0.
    pub start: u32,
    /// The first place after it.
    pub end: u32,
}

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counted {
    /// A fragment counts once in a region that holds one of its ends, or both (Miao and Kim 2024: paired insertions).
    #[default]
    Fragments,
    /// Each end of a fragment, where the transposase cut, counts in the region that holds it.
    Cuts,
}

/// How fragments become counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FragmentSpec {
    /// Where they are counted.
    pub regions: Regions,
    /// What counts.
    pub counted: Counted,
    /// The cells, in order; none: all that the file names, in the order of their names.
    pub cells: Option<Vec<String>>,
}

/// What became of the lines of a file of fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FragmentTotals {
    /// Fragments of the cells.
    pub n_fragments: u64,
    /// Those of them that count in no region.
    pub n_outside: u64,
    /// Fragments of other cells.
    pub n_of_other_cells: u64,
}

/// Reads the peaks of a BED file (also `.gz`): chromosome, start and end, separated by tabs.
///
/// # Errors
/// If a line has other fields, or a peak comes twice: says the line.
pub fn read_peaks(path: impl AsRef<Path>) -> Result<Vec<Peak>> {
    let path = path.as_ref();
    let (mut peaks, mut met) = (Vec::new(), std::collections::HashSet::new());
    tenx_folder::for_each_row(path, |row| {
        let [chromosome, start, end, ..] = row else {
            bail!("{} columns; expected chromosome, start and end of a peak, separated by tabs", row.len());
        };
        let peak = Peak { chromosome: (*chromosome).to_owned(), start: place(start)?, end: place(end)? };
        ensure!(peak.start < peak.end, "the peak {} ends before it starts", peak.name());
        ensure!(met.insert(peak.clone()), "the peak {} comes twice", peak.name());
        peaks.push(peak);
        Ok(())
    })?;
    ensure!(!peaks.is_empty(), "`{}` holds no peak", path.display());
    Ok(peaks)
}

impl Peak {
    /// `chr1:100-600`.
    pub fn name(&self) -> String {
        format!("{}:{}-{}", self.chromosome, self.start, self.end)
    }
}

fn place(text: &str) -> Result<u32> {
    text.parse().ok().with_context(|| format!("`{}` is not a place on a chromosome", shortened(text)))
}

/// Counts the fragments of each cell in each region.
///
/// # Errors
/// If there is no such file, a line is not sound (says which), or no fragment of the cells lies in a region.
pub fn read_fragments(path: impl AsRef<Path>, spec: &FragmentSpec) -> Result<(NewAnnData, FragmentTotals)> {
    let path = path.as_ref();
    let mut counts = Counts::new(spec)?;
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next_line_where(|line| !line.starts_with('#') && !line.trim().is_empty())? {
        let taken = counts.take(line);
        taken.with_context(|| lines.place())?;
    }
    counts.finish().with_context(|| format!("`{}`", path.display()))
}

/// Counts on their way to a matrix.
struct Counts {
    regions: Known,
    counted: Counted,
    cells: HashMap<String, u32>,
    /// Whether cells that are met are new ones.
    is_open: bool,
    /// Cell and region of what was counted since equal entries were added up.
    recent: Vec<(u32, u32)>,
    entries: Triplets,
    totals: FragmentTotals,
}

impl Counts {
    fn new(spec: &FragmentSpec) -> Result<Self> {
        let mut cells = HashMap::new();
        if let Some(listed) = &spec.cells {
            names::ensure_unique_cells(listed)?;
            cells = listed.iter().cloned().zip(0..).collect();
        }
        Ok(Self {
            regions: Known::new(&spec.regions)?,
            counted: spec.counted,
            cells,
            is_open: spec.cells.is_none(),
            recent: Vec::new(),
            entries: Triplets::default(),
            totals: FragmentTotals::default(),
        })
    }

    fn take(&mut self, line: &str) -> Result<()> {
        let mut fields = line.split('\t');
        let (Some(chromosome), Some(start), Some(end), Some(cell)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            bail!("`{}` is no fragment; expected chromosome, start, end and cell, separated by tabs", shortened(line));
        };
        let (start, end) = (place(start)?, place(end)?);
        ensure!(start < end, "the fragment ends at {end}, not after its start {start}");
        let cell = match self.cells.get(cell) {
            Some(cell) => *cell,
            None if self.is_open => {
                let next = u32::try_from(self.cells.len())?;
                self.cells.insert(cell.to_owned(), next);
                next
            }
            None => {
                self.totals.n_of_other_cells += 1;
                return Ok(());
            }
        };
        self.totals.n_fragments += 1;
        let before = self.recent.len();
        self.regions.holding(chromosome, start, &mut |region| self.recent.push((cell, region)));
        let of_start = self.recent.len();
        self.regions.holding(chromosome, end - 1, &mut |region| self.recent.push((cell, region)));
        if self.counted == Counted::Fragments {
            let mut place = of_start;
            while place < self.recent.len() {
                if self.recent[before..of_start].contains(&self.recent[place]) {
                    self.recent.swap_remove(place);
                } else {
                    place += 1;
                }
            }
        }
        self.totals.n_outside += u64::from(self.recent.len() == before);
        if self.recent.len() > N_TOGETHER {
            self.add_up();
        }
        Ok(())
    }

    fn add_up(&mut self) {
        self.recent.sort_unstable();
        for equal in self.recent.chunk_by(|left, right| left == right) {
            self.entries.push(equal[0].0, equal[0].1, equal.len() as f32);
        }
        self.recent.clear();
    }

    fn finish(mut self) -> Result<(NewAnnData, FragmentTotals)> {
        self.add_up();
        let FragmentTotals { n_fragments, n_outside, n_of_other_cells } = self.totals;
        ensure!(
            n_fragments > n_outside,
            "none of {n_fragments} fragments of {} cells lies in a region ({n_of_other_cells} are of other cells); are chromosomes and \
             cells named alike?",
            self.cells.len()
        );
        let (names, order) = self.regions.named();
        let mut cells = vec![String::new(); self.cells.len()];
        for (cell, place) in self.cells {
            cells[place as usize] = cell;
        }
        let matrix = self.entries.into_csr(cells.len(), names.len())?;
        let mut matrix = if order.is_sorted() { matrix } else { matrix.select_columns(&order)? };
        let names: Vec<String> = order.iter().map(|place| names[*place].clone()).collect();
        if self.is_open {
            let mut rows: Vec<usize> = (0..cells.len()).collect();
            rows.sort_unstable_by(|left, right| cells[*left].cmp(&cells[*right]));
            matrix = matrix.select_rows(&rows)?;
            cells.sort_unstable();
        }
        let mut var = Frame::new(names);
        var.insert("feature_types", Column::Text(vec![Some("Peaks".to_owned()); var.n_rows()]))?;
        Ok((NewAnnData::new(Frame::new(cells), var, matrix), self.totals))
    }
}
