//! Rows of the page's tables.

use super::cells::Pattern;
use super::found::{Found, ModalityFacts};
use super::integration::{Integrated, IntegratedSpace, METRICS};
use super::written::{bytes, counted, counted_of, date, duration, three};
use crate::drawing::lettering::plain;
use crate::drawing::numbers::with_minus;
use crate::evaluate::{Part, WrittenRow, WrittenTable};
use crate::run::SpaceFacts;

/// A modality: name, assay, features, cells by subset, steps, loss.
pub fn modality_row(modality: &ModalityFacts, subsets: &[usize]) -> Vec<String> {
    let mut row = vec![plain(&modality.name), modality.kind.clone(), counted(modality.n_features)];
    row.extend(subsets.iter().map(|&place| counted(modality.n_cells[place])));
    let steps = if modality.steps.is_empty() { "none".to_owned() } else { modality.steps.join(", ") };
    row.extend([steps, modality.loss.clone()]);
    row
}

/// A space: name, dimensions, those alive, modalities, prior, covariate, learned rows, rows from encoders.
pub fn space_row(space: &SpaceFacts) -> Vec<String> {
    let covariate = space.covariate.as_ref().map_or("–".to_owned(), |column| plain(column));
    let (n_learned, n_encoded) = (counted(space.n_learned), counted(space.n_encoded));
    let n_live = space.dim as usize - space.collapsed().len();
    let live = if space.variances.is_empty() { "–".to_owned() } else { counted(n_live) };
    let modalities = plain(&space.modalities.join(", "));
    vec![
        plain(&space.name),
        space.dim.to_string(),
        live,
        modalities,
        space.prior.clone(),
        covariate,
        n_learned,
        n_encoded,
    ]
}

/// A pattern: whether each modality measured it, cells by subset, all cells.
pub fn pattern_row(pattern: &Pattern, modalities: &[String], subsets: &[usize]) -> Vec<String> {
    let there =
        |name: &String| if pattern.modalities.iter().any(|other| plain(other) == *name) { "measured" } else { "–" };
    let flags = modalities.iter().map(|name| there(name).to_owned());
    let counts = subsets.iter().map(|&place| counted(pattern.n_cells[place]));
    flags.chain(counts).chain([counted(pattern.total())]).collect()
}

/// A table of the evaluation with the signs of the page.
pub fn tidied(table: &WrittenTable) -> WrittenTable {
    let mut table = table.clone();
    table.title = plain(&table.title);
    table.note = capitalised(&table.note);
    for row in &mut table.rows {
        row.label = plain(&row.label);
        for (cell, _) in &mut row.cells {
            *cell = with_minus(cell).replace("\u{2212}", if cell == "-" { "–" } else { "\u{2212}" });
        }
    }
    table
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Spaces and controls judged by a label and a covariate, the best of each metric marked.
pub fn integration_table(found: &Integrated) -> WrittenTable {
    let values = |row: &IntegratedSpace| METRICS.map(|(_, _, metric)| metric(&row.report)).to_vec();
    let all: Vec<Vec<Option<f64>>> = found.rows.iter().map(values).collect();
    let best = |at: usize| all.iter().filter_map(|row| row[at]).map(|value| three(Some(value))).max();
    let best: Vec<Option<String>> = (0..METRICS.len()).map(best).collect();
    let row = |(row, values): (&IntegratedSpace, &Vec<Option<f64>>)| {
        let meant = if row.is_of_covariate { format!(" (stands for {})", found.covariate) } else { String::new() };
        let cells = values.iter().enumerate().map(|(at, value)| {
            let text = three(*value);
            let is_best = value.is_some() && all.len() > 1 && best[at].as_ref() == Some(&text);
            (text, is_best)
        });
        let cells = std::iter::once((counted(row.report.n_cells_used), false)).chain(cells).collect();
        WrittenRow { label: plain(&format!("{}{meant}", row.name)), is_control: row.is_control, cells }
    };
    let definitions = found.rows.first().map_or("", |row| row.report.definitions);
    WrittenTable {
        part: Part::Clusterings,
        title: plain(&format!("Joining {} while keeping {} apart", found.covariate, found.label)),
        headers: std::iter::once("cells").chain(METRICS.map(|(name, _, _)| name)).map(str::to_owned).collect(),
        rows: found.rows.iter().zip(&all).map(row).collect(),
        note: format!("Definitions of {definitions}; 1 is best; total = 0.6 × label kept + 0.4 × covariate joined"),
    }
}

/// Where the run comes from.
pub fn provenance(found: &Found) -> Vec<[String; 2]> {
    let of = &found.provenance;
    let mut rows = vec![
        ["Program".to_owned(), format!("cithara {}", of.version)],
        ["Started".to_owned(), date(of.started_secs)],
        ["Seed".to_owned(), of.seed.to_string()],
        [
            "Device and threads".to_owned(),
            format!("{}, {}", of.device, counted_of(of.n_threads.max(0) as usize, "thread")),
        ],
        ["Time of learning".to_owned(), of.fit_secs.map_or("not ended".to_owned(), duration)],
        ["Time of the whole run".to_owned(), of.total_secs.map_or("not ended".to_owned(), duration)],
        ["Most memory held until learned".to_owned(), of.peak_memory_bytes.map_or("not known".to_owned(), bytes)],
        ["SHA-256 of the spec".to_owned(), of.spec_sha256.clone()],
    ];
    if !of.resumed_secs.is_empty() {
        let times: Vec<String> = of.resumed_secs.iter().map(|secs| date(*secs)).collect();
        rows.push(["Gone on with".to_owned(), times.join(", ")]);
    }
    for file in of.data.iter().chain(&of.plugins) {
        let text = format!("{} ({}), SHA-256 {}", file.path, bytes(file.n_bytes), file.sha256);
        rows.push(["File".to_owned(), text]);
    }
    rows.push([
        "Overrides".to_owned(),
        if of.overrides.is_empty() { "none".to_owned() } else { of.overrides.join(" ") },
    ]);
    rows.into_iter().map(|row| row.map(|text| plain(&text))).collect()
}
