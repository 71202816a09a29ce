//! A table whose cells are coloured by a share and hold a few letters.

use super::lettering::shortened;
use super::palette::{css, of_share};
use super::svg::Svg;

/// Room for the names of rows, and a cell.
const LEFT: f64 = 190.0;
const CELL: (f64, f64) = (86.0, 19.0);
/// Height of a line above the table.
const LINE: f64 = 14.0;
/// Above this share letters are dark, on pages that are dark, too.
const BRIGHT: f64 = 0.55;
const DARK: &str = "#1A1A1A";

/// A table in colours.
#[derive(Debug)]
pub(crate) struct HeatMap<'a> {
    /// What the colours mean, in lines.
    pub legend: &'a [&'a str],
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Names of the rows, with a cell for each column.
    pub rows: Vec<(String, Vec<HeatCell>)>,
}

/// A share from 0 to 1 and letters; nothing where there is nothing.
pub(crate) type HeatCell = Option<(f64, String)>;

impl HeatMap<'_> {
    /// The picture, with a title for those who cannot see it.
    pub(crate) fn picture(&self, title: &str) -> String {
        let top = 28.0 + LINE * self.legend.len() as f64;
        let size = (LEFT + CELL.0 * self.columns.len() as f64 + 20.0, top + CELL.1 * self.rows.len() as f64 + 20.0);
        let mut svg = Svg::new((size.0.max(LEFT + 260.0), size.1));
        for (place, line) in self.legend.iter().enumerate() {
            svg.text((LEFT, 16.0 + LINE * place as f64), "font-size=\"11\"", line);
        }
        for (place, column) in self.columns.iter().enumerate() {
            let x = LEFT + CELL.0 * (place as f64 + 0.5);
            let shown = shortened(column, 11.0, CELL.0 - 4.0);
            svg.short_text((x, top - 8.0), "text-anchor=\"middle\" font-size=\"11\"", (&shown, column));
        }
        for (row, (name, cells)) in self.rows.iter().enumerate() {
            let y = top + CELL.1 * row as f64;
            let shown = shortened(name, 11.0, LEFT - 16.0);
            svg.short_text((LEFT - 6.0, y + 13.0), "text-anchor=\"end\" font-size=\"11\"", (&shown, name));
            for (place, cell) in cells.iter().enumerate() {
                let Some((share, letters)) = cell else { continue };
                let x = LEFT + CELL.0 * place as f64;
                svg.area((x + 1.0, y + 1.0), (x + CELL.0 - 1.0, y + CELL.1 - 1.0), &css(of_share(*share)));
                let ink = if *share < BRIGHT { "#FFFFFF" } else { DARK };
                let style = format!("text-anchor=\"middle\" font-size=\"11\" fill=\"{ink}\"");
                svg.text((x + CELL.0 / 2.0, y + 13.0), &style, letters);
            }
        }
        svg.finish(title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_without_a_value_are_empty() {
        let rows = vec![("one".to_owned(), vec![Some((0.1, "a few".to_owned())), None])];
        let map = HeatMap { legend: &["what it means"], columns: vec!["left".into(), "right".into()], rows };
        let svg = map.picture("a table");
        assert!(svg.contains("a few") && svg.contains("what it means") && svg.contains("right"), "{svg}");
        // the background and one cell
        assert_eq!(svg.matches("<rect").count(), 2);
    }
}
