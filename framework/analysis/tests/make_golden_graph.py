"""Writes golden/graph.json: a space with labels and batches, and what scanpy, umap-learn, leidenalg and scib-metrics make of it.

Run with scanpy, umap-learn, leidenalg, scib-metrics and scikit-learn installed:  python make_golden_graph.py
Numbers in the stored file come from the versions it names. scib-metrics computes in 64-bit numbers here (jax_enable_x64), on
exact neighbours, so that what differs is the definition, not rounding. Trustworthiness of umap-learn and
modularity of leidenalg are means over five seeds.
"""

import json
from importlib.metadata import version
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import igraph
import leidenalg
import numpy
import scanpy
import scib_metrics
import umap
from anndata import AnnData
import scib_metrics.utils._diffusion_nn as diffusion
from scib_metrics.nearest_neighbors import NeighborsResults
from sklearn.cluster import KMeans
from sklearn.manifold import trustworthiness
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.neighbors import NearestNeighbors

rng = numpy.random.default_rng(20261121)
# cells of each label, the largest label first: scib-metrics lets a small label change kBET of those after it
SIZES = [130, 100, 80, 50, 8]
N_BATCHES = 3
N_DIMENSIONS = 6


def rounded(values):
    """Numbers with few digits that the file and 32-bit floats hold alike."""
    return numpy.round(values, 3).astype(numpy.float32).astype(float)


def cells():
    """Labels with centres of their own, batches with shifts; label 1 in two places, label 2 in a large and a small one,
    labels 3 and 4 in two batches only."""
    labels = numpy.repeat(numpy.arange(len(SIZES)), SIZES)
    batches = rng.integers(0, N_BATCHES, len(labels))
    batches[labels >= 3] = rng.integers(0, 2, (labels >= 3).sum())
    centres = 2.2 * rng.normal(size=(len(SIZES), N_DIMENSIONS))
    space = centres[labels] + rng.normal(size=(len(labels), N_DIMENSIONS))
    places = numpy.arange(len(labels))
    space[(labels == 1) & (places % 10 < 4)] += [25, 0, 0, 0, 0, 0]
    space[(labels == 2) & (places % 10 < 1)] += [0, 25, 0, 0, 0, 0]
    shifts = rng.normal(size=(N_BATCHES, N_DIMENSIONS))
    before = space + 2.0 * shifts[batches]
    after = space + 0.4 * shifts[batches]
    order = rng.permutation(len(labels))
    return rounded(before[order]), rounded(after[order]), labels[order], batches[order]


def neighbours(space, n):
    """Each cell and its nearest others, exactly."""
    distances, indices = NearestNeighbors(n_neighbors=n, algorithm="brute").fit(space).kneighbors(space)
    own = numpy.arange(len(space))
    assert (indices[:, 0] == own).all()
    distances[:, 0] = 0
    return NeighborsResults(indices=indices, distances=distances)


def listed(values):
    return numpy.asarray(values).tolist()


def connectivities(space):
    adata = AnnData(space.astype(numpy.float32))
    scanpy.pp.neighbors(adata, n_neighbors=15, use_rep="X")
    matrix = adata.obsp["connectivities"].tocsr()
    matrix.sort_indices()
    return matrix, {"indptr": listed(matrix.indptr), "indices": listed(matrix.indices),
                    "weights": [float(f"{value:.9g}") for value in matrix.data]}


def modularity(matrix, resolution):
    """Of leidenalg's groups, run until nothing improves, mean over seeds."""
    upper = matrix.astype(float).tocoo()
    edges = [(i, j, w) for i, j, w in zip(upper.row, upper.col, upper.data) if i < j]
    graph = igraph.Graph(n=matrix.shape[0], edges=[edge[:2] for edge in edges])
    weights = [edge[2] for edge in edges]
    found = []
    for seed in range(5):
        part = leidenalg.find_partition(graph, leidenalg.RBConfigurationVertexPartition, weights=weights, n_iterations=-1,
                                        resolution_parameter=resolution, seed=seed)
        found.append(part.quality() / (2 * sum(weights)))
    return numpy.mean(found)


def picture(space):
    found = []
    for seed in range(5):
        places = umap.UMAP(n_neighbors=15, min_dist=0.5, random_state=seed).fit_transform(space)
        found.append(trustworthiness(space, places, n_neighbors=15))
    return numpy.mean(found), places


def k_means(space, labels):
    """Of scikit-learn's best of fifty starts; that of scib-metrics makes one, and does not run in 64-bit numbers."""
    found = KMeans(len(SIZES), n_init=50, random_state=0, tol=0).fit_predict(space)
    return {"nmi": normalized_mutual_info_score(labels, found), "ari": adjusted_rand_score(labels, found)}


def transitions_spectrum(matrix, n_comps=15, sort="decrease"):
    """What scib-metrics computes, but in 64-bit numbers and with the eigenvalue 1 as 1.

    It rounds to 32 bits, where the solver's last digit decides whether the first coordinate is weighted by 1 or by 10⁷.
    """
    values, vectors = numpy.linalg.eigh(matrix.toarray().astype(float))
    order = numpy.argsort(-abs(values))[:n_comps]
    values = numpy.where(abs(values - 1) < 1e-6, 1.0 - diffusion._EPS, values)[order]
    return values, vectors[:, order]


diffusion._compute_eigen = transitions_spectrum
before, after, labels, batches = cells()
matrix, graph = connectivities(after)
trust, places = picture(after)
narrow, middle, wide = (neighbours(after, n) for n in (15, 50, 90))
kbet, by_label = scib_metrics.kbet_per_label(middle, batches, labels, return_df=True)
isolated = scib_metrics.isolated_labels(after, labels, batches)
golden = {
    "versions": {name: version(name) for name in
                 ("scanpy", "umap-learn", "leidenalg", "scib-metrics", "scikit-learn", "numpy", "jax")},
    "before": listed(before), "after": listed(after), "labels": listed(labels), "batches": listed(batches),
    "connectivities": graph,
    "modularity": {str(resolution): modularity(matrix, resolution) for resolution in (0.5, 1.0, 2.0)},
    "umap": {"trustworthiness": trust, "places": listed(rounded(places)),
             "of_places": trustworthiness(after, rounded(places), n_neighbors=15)},
    "lisi_of_batches": listed(scib_metrics.lisi_knn(wide, batches)),
    "metrics": {
        "silhouette_label": scib_metrics.silhouette_label(after, labels),
        "silhouette_batch": scib_metrics.silhouette_batch(after, labels, batches),
        "bras": scib_metrics.bras(after, labels, batches),
        "isolated_labels": isolated,
        "ilisi": scib_metrics.ilisi_knn(wide, batches),
        "clisi": scib_metrics.clisi_knn(wide, labels),
        "kbet": kbet,
        "graph_connectivity": scib_metrics.graph_connectivity(narrow, labels),
        "pcr_before": scib_metrics.utils.principal_component_regression(before, batches, categorical=True),
        "pcr_after": scib_metrics.utils.principal_component_regression(after, batches, categorical=True),
        "pcr_comparison": scib_metrics.pcr_comparison(before, after, batches, categorical=True),
        "pcr_of_numbers": scib_metrics.utils.principal_component_regression(after, before[:, 0]),
    },
    "kbet_by_label": [None if numpy.isnan(value) else value for value in by_label["kBET"]],
    "leiden": scib_metrics.nmi_ari_cluster_labels_leiden(narrow, labels),
    "k_means": k_means(after, labels),
}
golden["metrics"] = {name: float(value) for name, value in golden["metrics"].items()}
path = Path(__file__).parent / "golden" / "graph.json"
path.write_text(json.dumps(golden) + "\n")
print(path, path.stat().st_size, "bytes")
for name in ("versions", "modularity", "metrics", "kbet_by_label", "leiden", "k_means"):
    print(name, golden[name])
print("umap", trust, golden["umap"]["of_places"])
