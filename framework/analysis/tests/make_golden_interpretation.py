"""Writes golden/interpretation.json: a space with features, and what scanpy, scipy, gseapy and networkx make of them.

Run with scanpy, scipy, scikit-learn, gseapy, pandas and networkx installed:  python make_golden_interpretation.py
Numbers in the stored file come from the versions it names. The repeats are the published procedure (Zhang et al. 2026,
Methods) put together from scikit-learn's PCA, numpy's percentiles and scanpy's t-test.
"""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import gseapy
import networkx
import numpy
import pandas
import scanpy
from anndata import AnnData
from scipy import sparse, stats
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import PCA

warnings.filterwarnings("ignore")
rng = numpy.random.default_rng(20261122)
N_CELLS, N_FEATURES, N_DIMENSIONS = 700, 30, 5
N_REPEATS, LEVEL = 4, 0.05
GRID = [1.2, 1.6, 2.0, 3.0, 5.0]


def whole(values):
    """Multiples of 2**-8, which the file holds as whole numbers."""
    return numpy.round(numpy.asarray(values) * 256).astype(int)


def made():
    """A space, and counts that follow its first axes up, down and at the centre; log1p."""
    space = whole(rng.normal(size=(N_CELLS, N_DIMENSIONS)) * [4.0, 2.5, 1.8, 1.2, 0.8])
    x = space / 256
    rate = numpy.full((N_CELLS, N_FEATURES), 0.25)
    rate[:, :6] *= numpy.exp(numpy.outer(x[:, 0] / 4, [1.2, -1.2, 0.8, -0.8, 0.4, 0.2]))
    rate[:, 6:10] *= numpy.exp(numpy.outer(x[:, 1] / 2.5, [1.5, -1.5, 0.9, -0.6]))
    rate[:, 10:13] *= 10 * numpy.exp(-numpy.outer(abs(x[:, 0] / 4), [2.0, 1.0, 0.5]))
    rate[:, 13] *= numpy.exp(x[:, 2] / 1.8)
    counts = rng.poisson(rate * rng.gamma(4, 0.5, size=(N_CELLS, 1)))
    # constant features: 0 and 1 in every cell, and one that is 1 in one half
    counts[:, 27], counts[:, 28] = 0, 1
    return space, whole(numpy.log1p(counts))


def table(values, groups, names, against):
    """scanpy's table of each of the groups named, features in their order."""
    data = AnnData(sparse.csr_matrix(values), obs=pandas.DataFrame({"group": pandas.Categorical(groups)}))
    data.obs_names, data.var_names = data.obs_names.astype(str), data.var_names.astype(str)
    if against == "other_groups":
        data = data[data.obs["group"].isin(names)].copy()
    scanpy.tl.rank_genes_groups(data, "group", groups=names, reference="rest", method="t-test", rankby_abs=False)
    tables = {}
    for name in names:
        one = scanpy.get.rank_genes_groups_df(data, name)
        one.index = one["names"].astype(int)
        tables[name] = one.sort_index()
    return tables


def groups_of(scores, component, edges, largest, counted):
    """-1, c, 1 for centre cells of the end and middle bins, 0 for all others."""
    bins = numpy.searchsorted(edges, scores[:, component], side="left")
    others = [at for at in counted if at != component]
    near = (scores[:, others] ** 2).sum(1) < largest
    names = numpy.array(["-1", "-1", "0", "0", "0", "c", "0", "0", "0", "1", "1"])
    return numpy.where(near, names[bins], "0")


def repeats(space, values, case):
    """Numbers of repeats that qualify by component, direction, feature and fold change."""
    everything = PCA().fit(space)
    counts = numpy.zeros((N_DIMENSIONS, 3, N_FEATURES, len(GRID)), int)
    anywhere = numpy.zeros((N_DIMENSIONS, N_FEATURES, len(GRID)), int)
    for split in case["splits"]:
        train, test = numpy.array(split["train"]), numpy.array(split["test"])
        pca = PCA().fit(space[train])
        similar = everything.components_ @ pca.components_.T
        _, order = linear_sum_assignment(-abs(similar))
        signs = numpy.sign(similar[numpy.arange(N_DIMENSIONS), order])
        scores = pca.transform(space)[:, order] * signs
        for component in range(N_DIMENSIONS):
            counted = range(case["n_counted"])
            others = [at for at in counted if at != component]
            edges = numpy.percentile(scores[train, component], [100 * k / 11 for k in range(1, 11)])
            largest = numpy.percentile((scores[train][:, others] ** 2).sum(1), case["percentile"])
            found = []
            for part in (train, test):
                scaled = values.copy()
                if case["scale"] == "unit_variance":
                    scaled = scanpy.pp.scale(scaled, zero_center=False)
                if case["scale"] == "range":
                    low, high = scaled[part].min(0), scaled[part].max(0)
                    scaled = (scaled - low) / numpy.where(high > low, high - low, 1.0)
                groups = groups_of(scores[part], component, edges, largest, counted)
                found.append(table(scaled[part], groups, ["-1", "c", "1"], case["reference"]))
            direction_counts = []
            for name in ("-1", "c", "1"):
                first, second = found[0][name], found[1][name]
                agree = (first["pvals_adj"] < LEVEL) & (second["pvals_adj"] < LEVEL)
                folds = [first["logfoldchanges"].to_numpy(), second["logfoldchanges"].to_numpy()]
                agree &= numpy.sign(folds[0]) == numpy.sign(folds[1])
                smaller = numpy.minimum(abs(folds[0]), abs(folds[1]))
                direction_counts.append(agree.to_numpy()[:, None] & (smaller[:, None] > numpy.log2(GRID)))
            direction_counts = numpy.array(direction_counts)
            counts[component] += direction_counts
            anywhere[component] += direction_counts.any(0)
    listed = [[c, d, f, counts[c, d, f].tolist()] for c, d, f in numpy.argwhere(counts.sum(-1)).tolist()]
    either = [[c, f, anywhere[c, f].tolist()] for c, f in numpy.argwhere(anywhere.sum(-1)).tolist()]
    return {**case, "repeats": listed, "any": either}


def split(seed):
    test = numpy.random.default_rng(seed).choice(N_CELLS, int(0.4 * N_CELLS), replace=False)
    return {"train": sorted(set(range(N_CELLS)) - set(test.tolist())), "test": sorted(test.tolist())}


def tests(values, space):
    """Each group against the others, and against all cells."""
    groups = numpy.select([space[:, 0] < -500, space[:, 0] > 700, abs(space[:, 0]) < 200], ["a", "b", "c"], "z")
    found = {"groups": [numpy.flatnonzero(groups == name).tolist() for name in "abc"]}
    for against in ("other_groups", "rest"):
        tables = table(values, groups, ["a", "b", "c"], against)
        found[against] = [
            {column: tables[name][key].tolist() for column, key in
             (("t", "scores"), ("p", "pvals"), ("q", "pvals_adj"), ("log2_fold_change", "logfoldchanges"))}
            for name in "abc"
        ]
    return found


def hypergeometric():
    cases = []
    for n_all, n_marked, n_drawn in ((20, 5, 7), (500, 40, 60), (9000, 120, 700), (20_000, 15, 3000)):
        for n_least in range(0, min(n_marked, n_drawn, 40) + 1, 3):
            p = stats.hypergeom.sf(n_least - 1, n_all, n_marked, n_drawn)
            cases.append([n_all, n_marked, n_drawn, n_least, p])
    return cases


def ranking():
    n = 300
    # all different: what order gseapy gives to ties is its own affair
    scores = rng.permutation(numpy.arange(-150, 150) * 3 + 40)
    order = numpy.argsort(-scores, kind="stable")
    sets = [sorted(rng.choice(n, size, replace=False).tolist()) for size in (5, 12, 12, 30, 30, 60, 100)]
    sets += [sorted(order[:15].tolist()), sorted(order[-25:-5].tolist()), sorted(order[::2][:40].tolist())]
    cases = []
    for weight in (0.0, 1.0, 2.0):
        ranked = pandas.Series(scores / 256, index=[str(at) for at in range(n)]).sort_values(ascending=False, kind="stable")
        made = gseapy.prerank(ranked, {str(at): [str(one) for one in one_set] for at, one_set in enumerate(sets)},
                              min_size=1, max_size=500, weight=weight, permutation_num=5000, seed=7, threads=1, outdir=None)
        by_set = made.res2d.set_index(made.res2d["Term"].astype(int)).sort_index()
        cases.append({
            "weight": weight, "es": by_set["ES"].astype(float).tolist(), "nes": by_set["NES"].astype(float).tolist(),
            "p": by_set["NOM p-val"].astype(float).tolist(), "fdr": by_set["FDR q-val"].astype(float).tolist(),
            "leading_edge": [sorted(int(one) for one in genes.split(";")) for genes in by_set["Lead_genes"]],
        })
    return {"scores": scores.tolist(), "sets": sets, "cases": cases}


def feature_groups():
    n_cells, n_features = 60, 14
    ways = rng.normal(size=(n_cells, 4))
    values = whole(ways[:, rng.integers(0, 4, n_features)] * rng.choice([-1, 1], n_features)
                   + rng.normal(size=(n_cells, n_features)) * 0.45)
    r = numpy.corrcoef(values.T)
    cases = []
    for threshold in (0.6, 0.7, 0.8, 0.9):
        for sign in ("signed", "absolute"):
            size = abs(r) if sign == "absolute" else r
            graph = networkx.Graph()
            graph.add_nodes_from(range(n_features))
            graph.add_edges_from((i, j) for i in range(n_features) for j in range(i) if size[i, j] > threshold)
            groups = [sorted(group) for group in networkx.connected_components(graph)]
            cases.append({"threshold": threshold, "sign": sign, "groups": sorted(groups),
                          "representatives": [max(group, key=lambda at: (graph.degree[at], -at)) for group in sorted(groups)]})
    return {"values": values.tolist(), "cases": cases}


space, values = made()
splits = [split(seed) for seed in range(N_REPEATS)]
cases = [
    {"reference": "other_groups", "scale": "as_is", "n_counted": 3, "percentile": 40.0, "splits": splits},
    {"reference": "rest", "scale": "unit_variance", "n_counted": N_DIMENSIONS, "percentile": 60.0, "splits": splits},
    {"reference": "other_groups", "scale": "range", "n_counted": N_DIMENSIONS, "percentile": 60.0, "splits": splits},
]
golden = {
    "versions": {name: version(name) for name in
                 ("scanpy", "scipy", "scikit-learn", "gseapy", "networkx", "pandas", "numpy")},
    "space": space.tolist(), "values": values.tolist(), "grid": GRID, "splits": splits,
    "tests": tests(values / 256, space),
    "cases": [{key: value for key, value in repeats(space / 256, values / 256, case).items() if key != "splits"}
              for case in cases],
    "hypergeometric": hypergeometric(), "ranking": ranking(), "feature_groups": feature_groups(),
}
path = Path(__file__).parent / "golden" / "interpretation.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes", golden["versions"])
for case in golden["cases"]:
    print(case["reference"], case["scale"], len(case["repeats"]), "of", N_DIMENSIONS * 3 * N_FEATURES, case["repeats"][:4])
for case in golden["ranking"]["cases"]:
    print({key: case[key] for key in ("weight", "es", "nes", "p", "fdr")})
