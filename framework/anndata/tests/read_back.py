"""Checks with Python's anndata and mudata what the tests wrote: `python read_back.py FUNCTION PATH...`."""

import sys

import anndata
import h5py
import mudata
import numpy as np


def counts(n_rows, n_columns):
    row, column = np.indices((n_rows, n_columns))
    value = (row * 7 + column * 3) % 5
    return np.where(value >= 3, value, 0)


def new_h5ad(path):
    data = anndata.read_h5ad(path)
    assert data.shape == (6, 5)
    assert data.X.dtype == "float32" and data.X.has_canonical_format
    np.testing.assert_array_equal(data.X.toarray(), counts(6, 5))
    np.testing.assert_array_equal(data.layers["twice"], 2 * counts(6, 5))
    np.testing.assert_array_equal(data.obsm["X_apollo"], np.arange(12, dtype="float32").reshape(6, 2))
    assert list(data.obs_names) == [f"cell{i}" for i in range(6)]
    assert list(data.obs.columns) == ["type", "note", "gap", "score", "n", "n_gap", "kept", "kept_gap"]
    assert data.obs["type"].cat.ordered and list(data.obs["type"].cat.categories) == ["T", "B", "none"]
    assert data.obs["type"].isna().tolist() == [False, False, True, False, False, False]
    assert data.obs["note"].tolist() == ["a", "ä", "", "d", "e", "f"]
    assert data.obs["gap"].isna().tolist() == [False, True, False, False, False, False]
    assert data.obs["n"].dtype == "int64" and data.obs["n_gap"].dtype == "Int64"
    assert data.obs["kept"].dtype == "bool" and data.obs["kept_gap"].dtype == "boolean"
    assert data.uns["cithara"] == {"spec": "kind = 'apollo'", "build": {"version": "1"}}
    again = path + ".again.h5ad"
    data.write_h5ad(again)
    assert anndata.read_h5ad(again).shape == (6, 5)
    assert anndata.read_h5ad(path, backed="r").X[2:4].shape == (2, 5)


def new_h5mu(path):
    data = mudata.read_h5mu(path)
    assert list(data.mod) == ["rna", "protein"] and data.shape == (7, 8)
    assert list(data.obs_names) == [f"cell{i}" for i in range(7)]
    assert data.obs["batch"].tolist() == ["a", "b", "a", "b", "a", "b", "a"]
    assert data.obsm["rna"].ravel().tolist() == [True] * 6 + [False]
    assert data.obsm["protein"].ravel().tolist() == [True, True, False, False, False, True, True]
    assert data["protein"].obs_names.tolist() == ["cell5", "cell6", "cell0", "cell1"]
    np.testing.assert_array_equal(data["protein"].X, counts(4, 3))
    np.testing.assert_array_equal(data.obsm["X_apollo_shared"], np.ones((7, 2)))
    assert data.uns["cithara"] == "text"
    assert np.asarray(data.obsmap["protein"]).ravel().tolist() == [3, 4, 0, 0, 0, 1, 2]
    data.update()
    data.write(path + ".again.h5mu")
    again = mudata.read_h5mu(path + ".again.h5mu")
    assert again.shape == (7, 8) and list(again.obs_names) == list(data.obs_names)
    backed = mudata.read_h5mu(path, backed="r")
    assert backed["rna"].X[1:3].shape == (2, 5)


def annotated_h5ad(path):
    data = anndata.read_h5ad(path)
    np.testing.assert_array_equal(data.obsm["X_apollo"], np.arange(12).reshape(6, 2))
    np.testing.assert_array_equal(data.obsm["X_pca"], np.zeros((6, 3)))
    np.testing.assert_array_equal(data.layers["predicted"], np.arange(30).reshape(6, 5))
    assert data.obs.columns[-1] == "component" and data.obs["component"].tolist() == list("ababab")
    assert data.obs["score"].tolist() == [0, 1, 2, 3, 4, 5]
    assert data.uns["cithara"]["spec"] == "x" and data.uns["tool"] == "new"
    assert data.uns["log1p"]["base"] is None
    assert data.uns["rank_genes_groups"]["names"]["early"].tolist() == ["gene0", "gene1"]
    assert data.raw.shape == (6, 7)


def annotated_h5mu(path):
    data = mudata.read_h5mu(path)
    np.testing.assert_array_equal(data.obsm["X_apollo_shared"], np.ones((7, 2)))
    np.testing.assert_array_equal(data["protein"].obsm["X_apollo_protein"], np.ones((4, 2)))
    np.testing.assert_array_equal(data["protein"].layers["predicted"], np.ones((4, 3)))
    assert data["protein"].obs["component"].tolist()[:3] == ["a", "b", "a"]
    assert data["protein"].obs["component"].isna().tolist() == [False, False, False, True]
    assert data.obs["joint"].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert data.uns["cithara"]["spec"] == "x" and data["rna"].uns["cithara"] == "y"
    assert data.obs["batch"].tolist() == ["a", "b"] * 3 + ["a"]
    data.write(path + ".again.h5mu")


def untouched(before, after, *changed):
    """Everything but the objects in `changed` and below them is equal, values and attributes."""
    with h5py.File(before) as before, h5py.File(after) as after:
        n_equal = 0

        def compare(name, one):
            nonlocal n_equal
            if any(name == path or name.startswith(path + "/") for path in changed):
                return
            other = after[name]
            for key, value in one.attrs.items():
                if name + "@" + key not in changed:
                    np.testing.assert_array_equal(value, other.attrs[key])
            assert isinstance(one, h5py.Group) == isinstance(other, h5py.Group)
            if isinstance(one, h5py.Dataset):
                assert one.dtype == other.dtype and one.shape == other.shape and one.chunks == other.chunks
                np.testing.assert_array_equal(one[()], other[()])
            n_equal += 1

        before.visititems(compare)
        print(n_equal, "objects are as they were", file=sys.stderr)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
