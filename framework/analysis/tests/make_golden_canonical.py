"""Writes golden/canonical.json: canonical correlations of two sets of variables, by scikit-learn.

Run with numpy and scikit-learn installed:  python make_golden_canonical.py
"""

import json
from pathlib import Path

import numpy
import sklearn
from sklearn.cross_decomposition import CCA

rng = numpy.random.default_rng(20261122)
N_CELLS, N_FITTED = 120, 90
common = rng.normal(size=(N_CELLS, 3)) * [1.0, 0.8, 0.5]
x = numpy.round(numpy.hstack([common, rng.normal(size=(N_CELLS, 1))]) @ rng.normal(size=(4, 4)) + rng.normal(size=(N_CELLS, 4)), 3)
y = numpy.round(numpy.hstack([common, rng.normal(size=(N_CELLS, 2))]) @ rng.normal(size=(5, 6)) + rng.normal(size=(N_CELLS, 6)), 3)
# one at a time as it is by power iteration, to the last digit
cca = CCA(n_components=4, tol=1e-15, max_iter=1_000_000).fit(x[:N_FITTED], y[:N_FITTED])
pairs = [cca.transform(x[part], y[part]) for part in (slice(None, N_FITTED), slice(N_FITTED, None))]
correlations = [[float(numpy.corrcoef(u[:, i], v[:, i])[0, 1]) for i in range(4)] for u, v in pairs]
Path(__file__).with_name("golden").joinpath("canonical.json").write_text(json.dumps({
    "versions": {"numpy": numpy.__version__, "scikit-learn": sklearn.__version__},
    "n_fitted": N_FITTED, "x": x.tolist(), "y": y.tolist(),
    "fitted": correlations[0], "others": correlations[1],
}) + "\n")
