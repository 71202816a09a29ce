//! Links as a table of text.

use super::places::Places;
use std::fmt::Write as _;

/// The effect of a silenced gene on a feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The gene, as a feature of the source.
    pub gene: usize,
    /// The feature of the target.
    pub feature: usize,
    /// Signed distance in base pairs, where both places are known and on one chromosome.
    pub distance: Option<i64>,
    /// Mean over the cells of the share when the gene is silenced minus the share: below 0 where the feature falls with
    /// the gene.
    pub effect: f64,
    /// Mean over the cells of the share.
    pub share: f64,
    /// Cells in which the gene was silenced.
    pub n_cells: usize,
    /// Cells that express it.
    pub n_expressing: usize,
    /// How often like genes have at least so large a relative effect on like features far away.
    pub p_value: f64,
    /// False discovery rate over the table.
    pub q_value: f64,
}

impl Link {
    /// The effect in units of the share.
    pub fn relative_effect(&self) -> f64 {
        self.effect / self.share
    }
}

/// The links of a run, with what they are between.
pub struct Links<'a> {
    /// Gene by gene.
    pub links: &'a [Link],
    /// Names of the source's features.
    pub genes: &'a [String],
    /// Names of the target's features.
    pub features: &'a [String],
    /// Places of the target's features.
    pub places: &'a Places,
}

/// What the first line of a table says of the signs in it.
const SIGNS: &str = "# effect: mean change of the feature's share when the gene is silenced; below 0: it falls with the gene \
                     (a positive association); relative_effect = effect / share; distance in bp, below 0 upstream";

const COLUMNS: &str = "gene\tfeature\tchromosome\tstart\tend\tdistance\teffect\trelative_effect\tshare\tn_cells\t\
                       n_expressing\tp_value\tq_value";

impl Links<'_> {
    /// A line that begins with `#`, the names of the columns, and a line per link; what is not known is left empty.
    pub fn to_tsv(&self) -> String {
        let mut table = format!("{SIGNS}\n{COLUMNS}\n");
        for link in self.links {
            let _ = write!(table, "{}\t{}\t", self.genes[link.gene], self.features[link.feature]);
            let _ = match self.places.get(link.feature) {
                Some(place) => write!(table, "{}\t{}\t{}\t", place.chromosome, place.start, place.end),
                None => write!(table, "\t\t\t"),
            };
            let distance = link.distance.map(|distance| distance.to_string()).unwrap_or_default();
            let (relative, Link { effect, share, n_cells, n_expressing, .. }) = (number(link.relative_effect()), link);
            let _ = write!(table, "{distance}\t{effect:e}\t{relative}\t{share:e}\t{n_cells}\t{n_expressing}\t");
            let _ = writeln!(table, "{}\t{}", number(link.p_value), number(link.q_value));
        }
        table
    }
}

/// Six digits; nothing for what is not known.
fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:.5e}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_as_many_fields_as_there_are_columns() {
        let names = ["chr1:5-9".to_owned(), "CD4".to_owned()];
        let places = Places::of(&names, None);
        let link = |feature| Link {
            gene: 1,
            feature,
            distance: Some(-7),
            effect: -0.25,
            share: 0.5,
            n_cells: 3,
            n_expressing: 4,
            p_value: 0.125,
            q_value: f64::NAN,
        };
        let links = [link(0), Link { distance: None, ..link(1) }];
        let table = Links { links: &links, genes: &names, features: &names, places: &places }.to_tsv();
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].starts_with("# effect: "));
        assert_eq!(lines[2], "CD4\tchr1:5-9\tchr1\t5\t9\t-7\t-2.5e-1\t-5.00000e-1\t5e-1\t3\t4\t1.25000e-1\t");
        assert!(lines[1..].iter().all(|line| line.split('\t').count() == 13), "{table}");
    }
}
