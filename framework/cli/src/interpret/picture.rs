//! Pictures of an interpretation: curves of features over fold changes, and which space knows of which feature.

use super::findings::{ComponentFindings, Interpreted, SpaceFindings, TwoGroups};
use crate::drawing::axis::Axis;
use crate::drawing::heat_map::HeatMap;
use crate::drawing::lettering::shortened;
use crate::drawing::palette::{css, of_class};
use crate::drawing::svg::{LETTERS, Svg};

const WIDTH: f64 = 1040.0;
/// Panels beside each other, and most of them.
const COLUMNS: usize = 3;
const MOST_PANELS: usize = 6;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 40.0;
const BELOW: f64 = 44.0;
/// Room for the names of curves at the right of a panel.
const NAMES: f64 = 142.0;
/// Curves in colour, with names.
const NAMED: usize = 5;
const GREY: &str = "#BBBBBB";
/// Rows of the picture of shares.
const MOST_FEATURES: usize = 40;

/// Curves of the components of a space with the most listed features.
pub fn curves_picture(space: &SpaceFindings) -> String {
    let mut components: Vec<&ComponentFindings> =
        space.components.iter().filter(|component| !component.curves.is_empty()).collect();
    components.sort_by(|left, right| best(right).total_cmp(&best(left)));
    components.truncate(MOST_PANELS);
    components.sort_by_key(|component| component.component);
    let n_rows = components.len().div_ceil(COLUMNS).max(1);
    let mut svg = Svg::new((WIDTH, HEIGHT * n_rows as f64));
    for (place, component) in components.iter().enumerate() {
        let corner = ((place % COLUMNS) as f64 * WIDTH / COLUMNS as f64, (place / COLUMNS) as f64 * HEIGHT);
        panel(&mut svg, space, component, corner);
    }
    let first = |component: &&ComponentFindings| {
        let names: Vec<&str> = component.curves.iter().take(NAMED).map(|curve| curve.feature.as_str()).collect();
        format!("component {}: {}", component.component, names.join(", "))
    };
    svg.describe(&components.iter().map(first).collect::<Vec<_>>().join("; "));
    svg.finish(&format!("Features of {} that differ along components of {}", space.features, space.space))
}

fn best(component: &ComponentFindings) -> f64 {
    component.curves.first().map_or(0.0, |curve| curve.area)
}

fn panel(svg: &mut Svg, space: &SpaceFindings, component: &ComponentFindings, (left, top): (f64, f64)) {
    let (left, right) = (left + LEFT, left + WIDTH / COLUMNS as f64 - NAMES);
    let (top, bottom) = (top + TOP, top + HEIGHT - BELOW);
    let across = Axis::linear(&space.thresholds, (left, right), 0);
    let up = Axis::linear(&[0.0, space.curve_maximum as f64], (bottom, top), 0);
    let share = 100.0 * component.explained_variance_ratio;
    let title = format!("{}, component {} ({share:.0} %)", space.space, component.component);
    svg.text((left, top - 18.0), "font-weight=\"bold\"", &shortened(&title, LETTERS, right + NAMES - left));
    svg.text((left, top - 4.0), "font-size=\"11\"", "splits that agree");
    svg.text(((left + right) / 2.0, bottom + 32.0), "text-anchor=\"middle\" font-size=\"11\"", "fold change exceeded");
    across.draw_across(svg, (top, bottom));
    up.draw_up(svg, (left, right));
    let points = |repeats: &[u32]| -> Vec<(f64, f64)> {
        let pairs = space.thresholds.iter().zip(repeats);
        pairs.map(|(fold, n)| (across.place(*fold), up.place(f64::from(*n)))).collect()
    };
    for curve in component.curves.iter().skip(NAMED) {
        svg.path(&points(&curve.repeats), &format!("stroke=\"{GREY}\" stroke-width=\"1\""));
    }
    for (place, curve) in component.curves.iter().take(NAMED).enumerate() {
        let colour = css(of_class(place));
        svg.path(&points(&curve.repeats), &format!("stroke=\"{colour}\" stroke-width=\"1.8\""));
        let y = top + 10.0 + 16.0 * place as f64;
        svg.line((right + 6.0, y - 4.0), (right + 18.0, y - 4.0), (&colour, 3.0));
        let shown = shortened(&curve.feature, 11.0, NAMES - 26.0);
        svg.short_text((right + 22.0, y), "font-size=\"11\"", (&shown, &curve.feature));
    }
}

/// For each table of features that explains several spaces: the features listed most often, and which share of their
/// (component, direction) pairs each space has, as the paper's heat maps of shared and specific spaces.
pub fn shares_picture(found: &Interpreted) -> Vec<(String, String)> {
    let mut tables: Vec<&str> = Vec::new();
    for space in &found.spaces {
        if !tables.contains(&space.features.as_str()) {
            tables.push(&space.features);
        }
    }
    let drawn = tables.into_iter().filter_map(|table| {
        let spaces: Vec<&SpaceFindings> = found.spaces.iter().filter(|space| space.features == table).collect();
        let shares = Shares::of(&spaces);
        (spaces.len() > 1 && !shares.rows.is_empty()).then(|| (table.to_owned(), shares.draw(table, &spaces)))
    });
    drawn.collect()
}

struct Shares {
    /// A feature and its number of pairs by space, the most first.
    rows: Vec<(String, Vec<u32>)>,
}

impl Shares {
    fn of(spaces: &[&SpaceFindings]) -> Shares {
        let mut counts: std::collections::BTreeMap<&str, Vec<u32>> = std::collections::BTreeMap::new();
        for (place, space) in spaces.iter().enumerate() {
            for (feature, n) in &space.explained {
                counts.entry(feature).or_insert_with(|| vec![0; spaces.len()])[place] = *n;
            }
        }
        let mut rows: Vec<(String, Vec<u32>)> =
            counts.into_iter().map(|(feature, counts)| (feature.to_owned(), counts)).collect();
        rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u32>()));
        rows.truncate(MOST_FEATURES);
        // features of the first space at the top
        rows.sort_by(|(_, left), (_, right)| share(right, 0).total_cmp(&share(left, 0)));
        Shares { rows }
    }

    fn draw(&self, table: &str, spaces: &[&SpaceFindings]) -> String {
        let cells = |counts: &Vec<u32>| {
            let cell =
                |place: usize| (share(counts, place), format!("{:.2} ({})", share(counts, place), counts[place]));
            (0..counts.len()).map(|place| Some(cell(place))).collect()
        };
        let map = HeatMap {
            legend: &["share of the components (and directions) that", "tell the feature, by space"],
            columns: spaces.iter().map(|space| space.space.clone()).collect(),
            rows: self.rows.iter().map(|(feature, counts)| (feature.clone(), cells(counts))).collect(),
        };
        map.picture(&format!("Which spaces know of which features of {table}"))
    }
}

/// How far apart numbers are in the two groups of each space, as the paper's heat maps of places of proteins; a star where
/// they differ with every seed.
pub fn two_groups_picture(found: &[TwoGroups]) -> String {
    let unique = |of: fn(&TwoGroups) -> &String| {
        let mut names: Vec<String> = Vec::new();
        for name in found.iter().map(of) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    };
    let (numbers, columns) = (unique(|one| &one.of), unique(|one| &one.space));
    let largest = |number: &String| {
        found.iter().filter(|one| one.of == *number).map(TwoGroups::difference).fold(f64::MIN_POSITIVE, f64::max)
    };
    let cell = |number: &String, space: &String| {
        let one = found.iter().find(|one| one.of == *number && one.space == *space)?;
        let star = if one.differs { " *" } else { "" };
        Some((one.difference() / largest(number), format!("{:.3}{star}", one.difference())))
    };
    let rows = numbers.iter().map(|number| (number.clone(), columns.iter().map(|space| cell(number, space)).collect()));
    HeatMap {
        legend: &[
            "difference of means between the two groups of each space,",
            "mean over seeds; * differs with every seed",
        ],
        rows: rows.collect(),
        columns: columns.clone(),
    }
    .picture("Numbers in the two groups of each space")
}

fn share(counts: &[u32], place: usize) -> f64 {
    f64::from(counts[place]) / f64::from(counts.iter().sum::<u32>().max(1))
}
