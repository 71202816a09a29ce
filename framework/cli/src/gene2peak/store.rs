//! Links as a .h5ad of genes × features.

use super::table::{Link, Links};
use anndata::{Column, Csr, Dense, Frame, Matrix, NewAnnData, UnsTree, write_new_h5ad};
use anyhow::Result;
use indexmap::IndexMap;
use std::path::Path;

/// The part of all pairs above which a matrix is written dense.
const DENSE_ABOVE: f64 = 0.25;

/// Writes the effects as `X` (genes × features), and as layers `relative_effect`, `p_value` and `q_value`; pairs that are no
/// links are absent where matrices are sparse (few links among all pairs), and NaN where they are dense.
///
/// # Errors
/// When the file cannot be written.
pub fn write_h5ad(path: &Path, links: &Links<'_>, about: UnsTree) -> Result<()> {
    let mut first_of_gene: IndexMap<usize, usize> = IndexMap::new();
    links.links.iter().enumerate().for_each(|(place, link)| {
        first_of_gene.entry(link.gene).or_insert(place);
    });
    let mut obs = Frame::new(first_of_gene.keys().map(|&gene| links.genes[gene].clone()).collect());
    let of_gene = |of: &dyn Fn(usize) -> usize| {
        Column::Int(first_of_gene.values().map(|&place| Some(of(place) as i64)).collect())
    };
    obs.insert("n_cells", of_gene(&|place| links.links[place].n_cells))?;
    obs.insert("n_expressing", of_gene(&|place| links.links[place].n_expressing))?;
    let layer = |of: &dyn Fn(&Link) -> f64, unknown| matrix(links, first_of_gene.len(), of, unknown);
    let mut file = NewAnnData::new(obs, features(links)?, layer(&|link| link.effect, 0.0)?);
    file.layers.insert("relative_effect".to_owned(), layer(&Link::relative_effect, 0.0)?);
    file.layers.insert("p_value".to_owned(), layer(&|link| link.p_value, 1.0)?);
    file.layers.insert("q_value".to_owned(), layer(&|link| link.q_value, 1.0)?);
    file.uns.insert("cithara".to_owned(), about);
    write_new_h5ad(path, &file)
}

fn features(links: &Links<'_>) -> Result<Frame> {
    let mut var = Frame::new(links.features.to_vec());
    let places = || (0..links.features.len()).map(|feature| links.places.get(feature));
    if links.places.n_known() > 0 {
        let chromosomes = places().map(|place| place.map(|place| place.chromosome.clone())).collect();
        var.insert("chromosome", Column::Text(chromosomes))?;
        var.insert("start", Column::Int(places().map(|place| place.map(|place| place.start)).collect()))?;
        var.insert("end", Column::Int(places().map(|place| place.map(|place| place.end)).collect()))?;
    }
    Ok(var)
}

/// A number of each link as a matrix; links lie gene by gene, features ascending. A sparse matrix holds finite numbers
/// only, so what is not known is `unknown` there.
fn matrix(links: &Links<'_>, n_genes: usize, of: &dyn Fn(&Link) -> f64, unknown: f32) -> Result<Matrix> {
    let n_features = links.features.len();
    let mut sparse = Csr::zeros(0, n_features);
    for (place, link) in links.links.iter().enumerate() {
        if place == 0 || links.links[place - 1].gene != link.gene {
            sparse.n_rows += 1;
            sparse.indptr.push(place as u64);
        }
        if let Some(end) = sparse.indptr.last_mut() {
            *end = place as u64 + 1;
        }
        sparse.indices.push(link.feature as u32);
        sparse.values.push(of(link) as f32);
    }
    let n_pairs = (n_genes * n_features) as f64;
    if links.links.len() as f64 <= DENSE_ABOVE * n_pairs {
        sparse.values.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = unknown);
        return Ok(sparse.into());
    }
    let mut dense = Dense::new(n_genes, n_features, vec![f32::NAN; n_genes * n_features])?;
    for row in 0..n_genes {
        for place in sparse.indptr[row] as usize..sparse.indptr[row + 1] as usize {
            dense.values[row * n_features + sparse.indices[place] as usize] = sparse.values[place];
        }
    }
    Ok(dense.into())
}
