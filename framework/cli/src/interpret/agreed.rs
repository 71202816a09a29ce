//! What the encoders of a shared space agree on, by canonical correlation, and what each of them tells beside that.

mod picture;

pub use picture::agreements_picture;

use super::spaces::SpaceOfCells;
use super::splits::HeldOut;
use crate::evaluate::{ids, select};
use analysis::{CanonicalCorrelation, CellSplit};
use anyhow::{Context, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// On what an encoder agrees with the others that read the same space.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgreementOf {
    /// The space, such as `rna.shared`.
    pub space: String,
    /// The others, of whose rows the mean is taken, such as `atac.shared`.
    pub others: Vec<String>,
    /// Cells that were fitted, and that were held out.
    pub n_cells: (usize, usize),
    /// Canonical correlations of the fitted cells, the largest first.
    pub fitted: Vec<f64>,
    /// Correlations of the same pairs in the cells held out.
    pub held_out: Vec<f64>,
    /// The largest correlation in cells held out, where the others' cells are in another order.
    pub permuted: f64,
    /// What a correlation in cells held out must reach.
    pub min_correlation: f64,
    /// Leading pairs that reach it.
    pub n_agreed: usize,
}

/// For every encoder of a space that several encoders tell, on how many directions it agrees with the mean of the others in
/// cells held out, and two spaces more: `SPACE.agreed`, its canonical variates of these directions, and `SPACE.rest`, its rows
/// without what these tell (linearly). A part of which nothing is left is not there.
///
/// What only one assay sees can be in a shared space as that assay's encoder tells it (rows of step 1 must rebuild that assay,
/// too); it is not in what the encoders agree on.
///
/// # Errors
/// When rows are not finite.
pub fn agreed(
    spaces: &[SpaceOfCells],
    held_out: HeldOut<'_>,
    min_correlation: f64,
) -> Result<(Vec<AgreementOf>, Vec<SpaceOfCells>)> {
    let (mut agreements, mut parts) = (Vec::new(), Vec::new());
    for space in spaces.iter().filter(|space| space.encoder.is_some()) {
        let is_other = |other: &&SpaceOfCells| other.space == space.space && other.name != space.name;
        let others: Vec<&SpaceOfCells> = spaces.iter().filter(is_other).collect();
        let found = Both::of(space, &others, held_out)?.map(|both| both.agreement(min_correlation)).transpose();
        let found = found.with_context(|| format!("what the encoders of `{}` agree on", space.name))?;
        let Some((found, with_parts)) = found else { continue };
        parts.extend(with_parts);
        agreements.push(AgreementOf { others: others.into_iter().map(|other| other.name.clone()).collect(), ..found });
    }
    Ok((agreements, parts))
}

/// Rows of a space, and the mean of the others' rows of the same cells.
struct Both<'a> {
    space: &'a SpaceOfCells,
    own: Tensor,
    others: Tensor,
    split: CellSplit,
    seed: u64,
}

impl<'a> Both<'a> {
    /// `None` where too few cells have both, or one is the same in all cells that are fitted.
    fn of(space: &'a SpaceOfCells, others: &[&SpaceOfCells], held_out: HeldOut<'_>) -> Result<Option<Both<'a>>> {
        let (n, dim) = (space.cells.len(), space.dim());
        let mut sum = Tensor::zeros([n as i64, dim as i64], (Kind::Double, space.rows.device()));
        let mut count = vec![0.0; n];
        for other in others {
            let rows: HashMap<usize, usize> = other.cells.iter().copied().zip(0..).collect();
            let common = space.cells.iter().enumerate();
            let (at, of): (Vec<usize>, Vec<usize>) =
                common.filter_map(|(row, cell)| Some((row, *rows.get(cell)?))).unzip();
            let _ = sum.f_index_add_(0, &ids(&at), &select(&other.rows, &of))?;
            at.iter().for_each(|&row| count[row] += 1.0);
        }
        let with_both: Vec<usize> = (0..n).filter(|&row| count[row] > 0.0 && held_out.has(space.cells[row])).collect();
        let cells: Vec<usize> = with_both.iter().map(|&row| space.cells[row]).collect();
        let Some(split) = held_out.splits(&cells)?.into_iter().next() else { return Ok(None) };
        let means = sum / Tensor::from_slice(&count).view([-1, 1]);
        let (own, others) = (select(&space.rows, &with_both), select(&means, &with_both));
        let differs = |rows: Tensor| -> Result<bool> { Ok(rows.f_ne_tensor(&rows.narrow(0, 0, 1))?.any().try_into()?) };
        if !differs(select(&own, &split.train))? || !differs(select(&others, &split.train))? {
            return Ok(None);
        }
        Ok(Some(Both { space, own, others, split, seed: held_out.seed }))
    }

    fn agreement(&self, min_correlation: f64) -> Result<(AgreementOf, Vec<SpaceOfCells>)> {
        let CellSplit { train, test } = &self.split;
        let (fitted, held_out) = self.fit((train, test))?;
        let (mut other_train, mut other_test) = (train.clone(), test.clone());
        let mut draws = ChaCha8Rng::seed_from_u64(self.seed);
        other_train.shuffle(&mut draws);
        other_test.shuffle(&mut draws);
        let (_, by_chance) = self.fit((&other_train, &other_test))?;
        let n_agreed = held_out.iter().take_while(|&&value| value >= min_correlation).count();
        let agreement = AgreementOf {
            space: self.space.name.clone(),
            others: Vec::new(),
            n_cells: (train.len(), test.len()),
            fitted: fitted.correlations.clone(),
            held_out,
            permuted: by_chance.into_iter().fold(0.0, f64::max),
            min_correlation,
            n_agreed,
        };
        Ok((agreement, self.parts(&fitted, n_agreed)?))
    }

    /// Fits the own rows of training cells beside others' rows in this order; and the correlations of test cells.
    fn fit(&self, (other_train, other_test): (&[usize], &[usize])) -> Result<(CanonicalCorrelation, Vec<f64>)> {
        let CellSplit { train, test } = &self.split;
        let fitted = CanonicalCorrelation::fit(&select(&self.own, train), &select(&self.others, other_train))?;
        let held_out = fitted.among(&select(&self.own, test), &select(&self.others, other_test))?;
        Ok((fitted, held_out))
    }

    /// What is agreed on of all cells, and the rest.
    fn parts(&self, fitted: &CanonicalCorrelation, n_agreed: usize) -> Result<Vec<SpaceOfCells>> {
        let part = |name: &str, rows: Tensor| SpaceOfCells {
            name: format!("{}.{name}", self.space.name),
            space: format!("{}.{name}", self.space.space),
            encoder: self.space.encoder,
            modalities: self.space.modalities.clone(),
            cells: self.space.cells.clone(),
            rows,
        };
        let agreed = |rows: &Tensor| Ok::<_, anyhow::Error>(fitted.of_x(rows)?.narrow(1, 0, n_agreed as i64));
        let learned = select(&self.own, &self.split.train);
        let centred = &learned - learned.mean_dim([0i64].as_slice(), true, Kind::Double);
        // variates are uncorrelated and of variance 1, so that this is the regression of rows on them
        let slopes = agreed(&learned)?.tr().f_matmul(&centred)? / (self.split.train.len() - 1) as f64;
        let variates = agreed(&self.space.rows)?;
        let rest = &self.space.rows - variates.f_matmul(&slopes)?;
        let mut parts = Vec::new();
        if n_agreed > 0 {
            parts.push(part("agreed", variates));
        }
        if n_agreed < self.space.dim() {
            parts.push(part("rest", rest));
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::random_rows;
    use framework::data::{Split, Subset};

    fn space(encoder: usize, cells: std::ops::Range<usize>, rows: Tensor) -> SpaceOfCells {
        SpaceOfCells {
            name: format!("m{encoder}.shared"),
            space: "shared".into(),
            encoder: Some(encoder),
            modalities: vec![0, 1],
            cells: cells.collect(),
            rows,
        }
    }

    fn correlation(left: &Tensor, right: &Tensor) -> f64 {
        let centred = |values: &Tensor| values - values.mean(Kind::Double);
        let (left, right) = (centred(left), centred(right));
        ((&left * &right).sum(Kind::Double)
            / ((&left * &left).sum(Kind::Double) * (&right * &right).sum(Kind::Double)).sqrt())
        .double_value(&[])
    }

    #[test]
    fn what_both_know_is_agreed_on_and_what_one_knows_is_the_rest() {
        // both know the first number; the second encoder knows one of its own, which its rows mix with it
        let (common, own, noise) = (random_rows(400, 1, 1), random_rows(400, 1, 2), random_rows(400, 2, 3));
        let first = Tensor::cat(&[&common, &(noise.narrow(1, 0, 1))], 1);
        let second = Tensor::cat(&[&common + &own * 2.0, &common - &own + noise.narrow(1, 1, 1) * 0.01], 1);
        let subset = |cell| if cell < 300 { Subset::Training } else { Subset::Test };
        let split = Split::new((0..400).map(subset).collect());
        let held_out = HeldOut { split: &split, groups: None, seed: 5 };
        // the first lacks some cells of the second
        let spaces = [space(0, 0..380, first.narrow(0, 0, 380)), space(1, 0..400, second.shallow_clone())];
        let (found, parts) = agreed(&spaces, held_out, 0.5).unwrap();
        assert_eq!((found.len(), found[1].n_agreed, found[1].n_cells), (2, 1, (300, 80)));
        assert!(
            found[1].held_out[0] > 0.98 && found[1].held_out[1].abs() < 0.3 && found[1].permuted < 0.3,
            "{found:?}"
        );
        assert_eq!((found[1].space.as_str(), found[1].others[0].as_str()), ("m1.shared", "m0.shared"));
        let part = |name: &str| parts.iter().find(|part| part.name == name).unwrap();
        let (both, rest) = (part("m1.shared.agreed"), part("m1.shared.rest"));
        assert_eq!((both.dim(), both.cells.len(), rest.dim()), (1, 400, 2));
        assert!(correlation(&both.rows, &common).abs() > 0.98 && correlation(&both.rows, &own).abs() < 0.1);
        for column in 0..2 {
            let rest = rest.rows.narrow(1, column, 1);
            assert!(correlation(&rest, &own).abs() > 0.9 && correlation(&rest, &common).abs() < 0.1);
        }

        let (found, parts) = agreed(&spaces, held_out, 1.01).unwrap();
        assert!(found.iter().all(|one| one.n_agreed == 0) && parts.iter().all(|part| part.name.ends_with("rest")));
        // an encoder that tells the same of all cells agrees with nobody, and so does one alone
        let same = random_rows(1, 2, 4).expand([400, 2], false).contiguous();
        let spaces = [space(0, 0..400, same), space(1, 0..400, second)];
        assert!(agreed(&spaces, held_out, 0.5).unwrap().0.is_empty());
        assert!(agreed(&spaces[..1], held_out, 0.5).unwrap().0.is_empty());
    }
}
