//! The graph and the picture of a space, and what of them goes into the run's annotated file.

use super::clustering::{Clustered, Method};
use crate::interpret::SpaceOfCells;
use analysis::{NeighbourGraph, UmapSpec, umap};
use anndata::{Annotator, Categorical, Column, Csr, Dense, File, UnsTree};
use anyhow::{Context, Result};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// A space in two dimensions by its graph (UMAP): n_drawn × 2.
///
/// # Errors
/// When rows are not finite.
pub fn picture_of(rows: &Tensor, graph: &NeighbourGraph, seed: u64) -> Result<Vec<[f64; 2]>> {
    let picture = umap(rows, graph, &UmapSpec { seed, ..UmapSpec::default() }).context("UMAP")?;
    let flat = Vec::<f64>::try_from(picture.to_kind(Kind::Double).contiguous().view(-1))?;
    Ok(flat.chunks_exact(2).map(|point| [point[0], point[1]]).collect())
}

/// Adds to the file as a whole: `obs["leiden_SPACE"]` (or `k_means_SPACE`), and where there is a graph of all cells
/// `obsp["connectivities_SPACE"]` with `uns["neighbors_SPACE"]` as scanpy has them, and `obsm["X_umap_SPACE"]` where cells were
/// drawn. Cells of the file that the space has not are in no cluster.
///
/// # Errors
/// When the file cannot be written.
pub fn annotate(
    (annotator, file): (&mut Annotator, &File),
    (space, found, points): (&SpaceOfCells, &Clustered, Option<&[[f64; 2]]>),
    (names, method, n_neighbours): (&[String], Method, usize),
) -> Result<()> {
    let rows = space.rows_in(file.cells(), names);
    let groups: Vec<Option<String>> = rows.iter().map(|row| row.map(|row| found.groups[row].to_string())).collect();
    let column = Column::Categorical(Categorical::from_labels(&groups));
    annotator.set_obs_column(None, &format!("{}_{}", method.name(), space.name), &column)?;
    let drawn: HashMap<usize, usize> = found.drawn.iter().copied().zip(0..).collect();
    let places: Vec<Option<usize>> = rows.iter().map(|row| row.and_then(|row| drawn.get(&row).copied())).collect();
    if let Some(points) = points {
        let of = |place: &Option<usize>| place.map_or([f32::NAN; 2], |place| points[place].map(|one| one as f32));
        let array = Dense::new(places.len(), 2, places.iter().flat_map(of).collect())?;
        annotator.set_obsm(None, &format!("X_umap_{}", space.name), &array)?;
    }
    let Some(graph) = found.graph.as_ref().filter(|_| found.drawn.len() == space.cells.len()) else { return Ok(()) };
    let key = format!("connectivities_{}", space.name);
    annotator.set_obsp(None, &key, &in_file_order(graph, &places))?;
    let params: UnsTree =
        [("method", UnsTree::Text("umap".into())), ("n_neighbors", UnsTree::Numbers(vec![n_neighbours as f64]))]
            .into_iter()
            .collect();
    // scanpy asks for the name of the distances, not for them
    let distances = UnsTree::Text(format!("distances_{}", space.name));
    let keys = [("connectivities_key", UnsTree::Text(key)), ("distances_key", distances), ("params", params)];
    let about: UnsTree = keys.into_iter().collect();
    annotator.set_uns(None, &format!("neighbors_{}", space.name), &about)
}

/// The graph among the cells of a file; cells without a place are joined with none.
fn in_file_order(graph: &NeighbourGraph, places: &[Option<usize>]) -> Csr {
    let mut in_file = vec![None; graph.n_cells()];
    for (cell, place) in places.iter().enumerate() {
        if let Some(place) = place {
            in_file[*place] = Some(cell as u32);
        }
    }
    let mut matrix = Csr::zeros(places.len(), places.len());
    matrix.indptr.truncate(1);
    for place in places {
        if let Some(place) = place {
            let (others, weights) = graph.row(*place);
            let mut row: Vec<(u32, f32)> = (others.iter().zip(weights))
                .filter_map(|(&other, &weight)| Some((in_file[other as usize]?, weight as f32)))
                .collect();
            row.sort_unstable_by_key(|(cell, _)| *cell);
            matrix.indices.extend(row.iter().map(|(cell, _)| *cell));
            matrix.values.extend(row.iter().map(|(_, weight)| *weight));
        }
        matrix.indptr.push(matrix.indices.len() as u64);
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;
    use analysis::{Distance, NeighbourSearch};

    #[test]
    fn a_graph_is_symmetric_in_the_order_of_a_file() {
        let rows = Tensor::from_slice(&[0.0, 1.0, 2.5, 9.0]).view([4, 1]);
        let search = NeighbourSearch::new(&rows, Distance::Euclidean).unwrap();
        let graph = NeighbourGraph::fuzzy(&search.nearest_others(1).unwrap()).unwrap();
        let matrix = in_file_order(&graph, &[Some(3), None, Some(2), Some(0), Some(1)]);
        matrix.validate().unwrap();
        let weight = |row: usize, column: u32| {
            let (columns, values) = matrix.row(row);
            columns.iter().position(|one| *one == column).map(|place| values[place])
        };
        assert_eq!(matrix.row(1).0.len(), 0);
        // the rows 0 and 1 of the graph are 3 and 4 of the file
        assert!(weight(3, 4).is_some() && weight(3, 4) == weight(4, 3));
        assert_eq!(matrix.n_stored(), 2 * graph.n_connections());
    }
}
