"""Reading with Python's anndata and mudata what `cithara embed` and `cithara predict` wrote."""

import sys

import anndata
import mudata
import numpy


def embedded_h5mu(path, n_cells):
    """A joint file with rows of every space, for the whole and for each modality."""
    file = mudata.read_h5mu(path)
    shared = file.obsm["X_apollo_shared"]
    assert shared.shape == (int(n_cells), 2) and numpy.isfinite(shared).all(), shared
    for name in ["x", "y"]:
        rows = file[name].obsm
        assert rows["X_apollo"].shape == (int(n_cells), 4)
        assert numpy.allclose(rows["X_apollo"][:, :2], rows["X_apollo_shared"])
        assert numpy.allclose(rows["X_apollo"][:, 2:], rows[f"X_apollo_{name}"])
    means = (file["x"].obsm["X_apollo_shared"] + file["y"].obsm["X_apollo_shared"]) / 2
    assert numpy.allclose(shared, means, atol=1e-5)
    about = file.uns["cithara"]
    assert about["seed"] == "3" and 'kind = "values"' in about["spec"], about


def predicted_h5mu(path, n_cells):
    """A joint file with a predicted layer."""
    file = mudata.read_h5mu(path)
    layer = file["y"].layers["predicted_from_x"]
    assert layer.shape == (int(n_cells), 20) and numpy.isfinite(layer).all(), layer
    assert "cithara" in file.uns


def predicted_h5ad(path, n_cells):
    """A file of one modality with another predicted beside it."""
    file = anndata.read_h5ad(path)
    rows = file.obsm["predicted_y"]
    names = file.uns["predicted_y_features"].split("\n")
    assert rows.shape == (int(n_cells), len(names)) and numpy.isfinite(rows).all(), rows
    assert names[:2] == ["y0", "y1"], names


def interpreted_h5mu(path):
    """Features of spaces, as scanpy reads marker genes (where scanpy is there)."""
    file = mudata.read_h5mu(path)
    agreed = file.obsm["cithara_x.shared.agreed"]
    assert agreed.shape[0] == file.n_obs and numpy.isfinite(agreed).all() and agreed.std() > 0.5, agreed
    cells = file["x"]
    t = cells.varm["cithara_x.x"]
    assert t.shape == (cells.n_vars, 2), t.shape
    markers = cells.uns["rank_genes_groups_x.x"]
    assert markers["params"]["method"] == "t-test"
    groups = list(markers["names"])
    assert numpy.isfinite(numpy.concatenate([markers["scores"][group] for group in groups] + [[0.0]])).all()
    try:
        import scanpy
    except ImportError:
        return
    for group in groups:
        table = scanpy.get.rank_genes_groups_df(cells, group=group, key="rank_genes_groups_x.x")
        assert list(table["scores"]) == sorted(table["scores"], reverse=True), table
        assert set(table["names"]) <= set(cells.var_names), table


def clustered_h5mu(path):
    """Clusters and graphs of spaces, as scanpy reads them (where scanpy is there)."""
    cells = mudata.read_h5mu(path)
    for key in ["k_means_x.x", "leiden_x.shared"]:
        assert cells.obs[key].dtype == "category" and cells.obs[key].notna().all(), cells.obs[key]
    graph = cells.obsp["connectivities_x.shared"]
    assert graph.shape == (cells.n_obs, cells.n_obs) and abs(graph - graph.T).max() < 1e-6
    assert 0 < graph.min(axis=None) + graph.max() <= 1.0 + 1e-6
    about = cells.uns["neighbors_x.shared"]
    assert about["connectivities_key"] == "connectivities_x.shared", about
    assert numpy.isfinite(cells.obsm["X_umap_x.shared"]).all()
    try:
        import anndata
        import igraph  # noqa: F401, what scanpy clusters with
        import scanpy
    except ImportError:
        return
    table = anndata.AnnData(obs=cells.obs, obsp={about["connectivities_key"]: graph}, uns={"neighbors_x.shared": about})
    scanpy.tl.leiden(table, neighbors_key="neighbors_x.shared", flavor="igraph", n_iterations=2, resolution=0.3)
    assert table.obs["leiden"].nunique() > 1, table.obs


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
