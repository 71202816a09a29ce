"""Makes the small files in tests/fixtures that the tests read.

Needs anndata, mudata, h5py, hdf5plugin. What anndata >= 0.13 writes differently is made only where that is installed:

    python tests/make_fixtures.py            # anndata 0.12: everything but strings.h5ad
    python tests/make_fixtures.py strings    # anndata 0.13: strings.h5ad

The value of every matrix follows from its row and column, so that the tests can say what to expect.
"""

import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import sparse

anndata.settings.remove_unused_categories = False
FIXTURES = Path(__file__).parent / "fixtures"
N_CELLS, N_FEATURES, N_RAW = 6, 5, 7


def counts(n_rows=N_CELLS, n_columns=N_FEATURES):
    row, column = np.indices((n_rows, n_columns))
    value = (row * 7 + column * 3) % 5
    return np.where(value >= 3, value, 0)


def names(prefix, n):
    return [f"{prefix}{i}" for i in range(n)]


def obs():
    return pd.DataFrame(
        {
            "stage": pd.Categorical(
                ["late", "early", None, "late", "early", "late"], ["early", "middle", "late"], ordered=True
            ),
            "note": ["a", "ä", "", "d", "e", "f"],
            "score": [0.5, np.nan, 1.0, 2.0, 3.0, 4.0],
            "n": pd.array([1, None, 3, 4, 5, 6], dtype="Int64"),
            "kept": pd.array([True, False, None, True, True, True], dtype="boolean"),
            "small": np.arange(6, dtype="uint8"),
            "flag": np.arange(6) % 2 == 0,
        },
        index=names("cell", N_CELLS),
    )


def var(n=N_FEATURES):
    return pd.DataFrame({"length": np.arange(n) * 100}, index=names("gene", n))


def write(data, name, **how):
    data.write_h5ad(FIXTURES / name, **how)


def compact(name):
    """Copies a file into the format of HDF5 1.8, whose groups are smaller."""
    path = FIXTURES / name
    with h5py.File(path) as old, h5py.File(path.with_suffix(".new"), "w", libver=("v108", "v108")) as new:
        for key in old:
            old.copy(key, new)
        new.attrs.update(old.attrs)
    path.with_suffix(".new").replace(path)


def csr():
    data = anndata.AnnData(sparse.csr_matrix(counts(n_columns=N_RAW).astype("float32")), obs(), var(N_RAW))
    data.raw = data
    data = data[:, :N_FEATURES].copy()
    data.layers["counts"] = sparse.csc_matrix(counts().astype("int32"))
    data.obsm["X_pca"] = np.arange(N_CELLS * 2, dtype="float64").reshape(N_CELLS, 2) / 4
    data.obsm["proteins"] = pd.DataFrame({"CD3": np.arange(6), "CD4": np.arange(6) / 2}, index=data.obs_names)
    data.uns["log1p"] = {"base": None}
    data.uns["rank_genes_groups"] = {
        "names": np.rec.fromarrays([["gene0", "gene1"], ["gene2", "gene3"]], names=["early", "late"]),
    }
    data.uns["tool"] = {"text": "hello"}
    write(data, "csr.h5ad")
    compact("csr.h5ad")


def matrices():
    data = anndata.AnnData(sparse.csc_matrix(counts().astype("int64")), obs()[[]], var()[[]])
    data.layers["truth"] = counts() > 0
    data.layers["half"] = counts().astype("float16")
    data.layers["unsigned"] = counts().astype("uint16")
    data.layers["double"] = counts().astype("float64") / 8
    data.layers["nan"] = np.where(np.arange(N_FEATURES) == 3, np.nan, counts())
    data.layers["large"] = sparse.csr_matrix(counts() + (2**24 - 2))
    write(data, "matrices.h5ad", compression="gzip")
    with h5py.File(FIXTURES / "matrices.h5ad", "r+") as file:
        # unsorted, with a duplicate (1 + 2) and a stored zero
        group = file["layers"].create_group("messy")
        group.attrs["encoding-type"], group.attrs["encoding-version"] = "csr_matrix", "0.1.0"
        group.attrs["shape"] = [N_CELLS, N_FEATURES]
        group["indptr"] = np.array([0, 4, 4, 6, 6, 6, 6])
        group["indices"] = np.array([4, 1, 4, 0, 2, 3])
        group["data"] = np.array([1.0, 5.0, 2.0, 7.0, 0.0, 9.0])
        strange = file["obs"].create_group("strange")
        strange.attrs["encoding-type"], strange.attrs["encoding-version"] = "of-the-future", "9.0.0"
        file["obs"].attrs["column-order"] = ["strange"]
    compact("matrices.h5ad")


def dense_mudata():
    import mudata

    rna = anndata.AnnData(counts().astype("float32"), obs(), var())
    protein = anndata.AnnData(
        counts(4, 3).astype("float64"),
        pd.DataFrame(index=["cell5", "cell6", "cell0", "cell1"]),
        pd.DataFrame(index=names("protein", 3)),
    )
    data = mudata.MuData({"rna": rna, "protein": protein})
    data.obs["batch"] = pd.Categorical(["a", "b"] * 3 + ["a"])
    data.obs = data.obs[["batch"]]
    data.write(FIXTURES / "two.h5mu")


def strings():
    table = obs()[["note", "stage"]]
    table["note"] = pd.array(["a", "ä", None, "d", "d", "f"], dtype="str")
    data = anndata.AnnData(sparse.csr_matrix(counts().astype("float32")), table, var())
    data.strings_to_categoricals = lambda *_: None
    write(data, "strings.h5ad", convert_strings_to_categoricals=False)


def old():
    with h5py.File(FIXTURES / "anndata_0_6.h5ad", "w") as file:
        file["X"] = counts().astype("float32")
        index = np.array([(name.encode(),) for name in names("cell", N_CELLS)], dtype=[("index", "S8")])
        file["obs"], file["var"] = index, index[:N_FEATURES]
    with h5py.File(FIXTURES / "anndata_0_7.h5ad", "w") as file:
        file["X"] = counts().astype("float32")
        for table, prefix, n in [("obs", "cell", N_CELLS), ("var", "gene", N_FEATURES)]:
            group = file.create_group(table)
            group.attrs["encoding-type"], group.attrs["encoding-version"] = "dataframe", "0.1.0"
            group.attrs["_index"] = "_index"
            group.attrs["column-order"] = ["type"] if table == "obs" else np.array([])
            group["_index"] = np.array(names(prefix, n), dtype=h5py.string_dtype())
        group = file["obs"]
        group["__categories/type"] = np.array(["B", "T"], dtype=h5py.string_dtype())
        group["__categories/type"].attrs["ordered"] = True
        group["type"] = np.array([0, 1, -1, 1, 1, 0], dtype="int8")
        group["type"].attrs["categories"] = group["__categories/type"].ref


def odd():
    """A name that is no UTF-8, and a truth that is neither 0 nor 1."""
    with h5py.File(FIXTURES / "odd.h5ad", "w") as file:
        for table, prefix, n in [("obs", "cell", 3), ("var", "gene", 1)]:
            group = file.create_group(table)
            group.attrs["encoding-type"], group.attrs["encoding-version"] = "dataframe", "0.2.0"
            group["_index"] = np.array(names(prefix, n), dtype=h5py.string_dtype())
        file["obs"].create_dataset(b"caf\xe9", data=np.arange(3))
        file["X"] = np.zeros((3, 1), dtype=bool)
        file["obs/flag"] = np.zeros(3, dtype=bool)
        for path, values in [("X", [[0], [77], [1]]), ("obs/flag", [0, 77, 1])]:
            truths = file[path].id
            truths.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array(values, dtype="int8"), mtype=truths.get_type())


def zstd():
    import hdf5plugin

    data = anndata.AnnData(counts().astype("float32"), obs()[[]], var()[[]])
    data.obsm["sparse"] = sparse.csr_matrix(counts().astype("float32"))
    write(data, "zstd.h5ad")
    with h5py.File(FIXTURES / "zstd.h5ad", "r+") as file:
        del file["X"]
        written = file.create_dataset("X", data=counts().astype("float32"), chunks=(6, 5), **hdf5plugin.Zstd())
        written.attrs["encoding-type"], written.attrs["encoding-version"] = "array", "0.2.0"


if __name__ == "__main__":
    if sys.argv[1:] == ["strings"]:
        strings()
    else:
        for make in [csr, matrices, dense_mudata, old, odd, zstd]:
            make()
