"""Writes golden/gene_score.json: counts as logarithms of shares, and the bins, control genes and scores of scanpy.

Run with numpy, pandas, scipy and scanpy installed:  python make_golden_gene_score.py
Numbers in the stored file come from the versions it names. Control genes are drawn at random: those that scanpy drew are
stored, and its score with them.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy
import pandas
import scanpy
from anndata import AnnData
from scanpy.tools import _score_genes
from scipy import sparse

rng = numpy.random.default_rng(20261124)
N_CELLS, N_GENES, N_BINS, N_CONTROLS = 40, 180, 25, 5

rate = rng.gamma(0.4, 1.5, size=N_GENES)
counts = rng.poisson(rate * rng.gamma(3, 0.5, size=(N_CELLS, 1)))
counts[:, 170:175] = 0  # equal means
counts[:, 3] += 1
# multiples of 2**-10, which the file holds as whole numbers and 32 bits hold alike
values = numpy.round(numpy.log1p(1e4 * counts / counts.sum(axis=1, keepdims=True)) * 1024)
genes = sorted(rng.choice(N_GENES, size=12, replace=False).tolist())
data = AnnData(sparse.csr_matrix(values / 1024), var=pandas.DataFrame(index=[f"g{gene}" for gene in range(N_GENES)]))
names = pandas.Index([f"g{gene}" for gene in genes])

# the definition of scanpy's bins, taken from its own function: all genes outside the set are controls
by_bin = _score_genes._score_genes_bins(
    names, data.var_names, ctrl_as_ref=False, ctrl_size=N_GENES, n_bins=N_BINS,
    get_subset=lambda some: data.X[:, data.var_names.get_indexer(some)],
)
bins = [sorted(int(name[1:]) for name in some) for some in by_bin]

drawn = pandas.Index([], dtype="string")
original = _score_genes._score_genes_bins


def kept(*arguments, **keywords):
    """Remembers what was drawn."""
    global drawn
    for some in original(*arguments, **keywords):
        drawn = drawn.union(some)
        yield some


_score_genes._score_genes_bins = kept
scanpy.tl.score_genes(data, names, ctrl_as_ref=False, ctrl_size=N_CONTROLS, n_bins=N_BINS, random_state=3)
golden = {
    "versions": {name: version(name) for name in ("scanpy", "numpy", "pandas")},
    "values": values.astype(int).tolist(), "genes": genes, "n_bins": N_BINS, "n_controls": N_CONTROLS,
    "bins": bins, "controls": sorted(int(name[1:]) for name in drawn), "score": data.obs["score"].tolist(),
}
path = Path(__file__).parent / "golden" / "gene_score.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print([len(some) for some in bins], len(golden["controls"]), golden["score"][:3])
