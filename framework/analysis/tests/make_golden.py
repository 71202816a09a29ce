"""Writes golden/golden.json: inputs and what numpy, scipy and scikit-learn make of them.

Run with numpy, scipy and scikit-learn installed:  python make_golden.py
Numbers in the stored file come from the versions it names.
"""

import json
from pathlib import Path

import numpy
import scipy
import sklearn
from scipy import stats
from sklearn import metrics
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestNeighbors
from sklearn.preprocessing import StandardScaler

rng = numpy.random.default_rng(20260218)


def floats(*shape, digits=3):
    """Normal numbers with few digits that 32-bit floats and the file hold alike."""
    return numpy.round(rng.normal(size=shape), digits).astype(numpy.float32).astype(float)


def listed(values):
    return numpy.asarray(values).tolist()


def correlation():
    observed = floats(40, 7) + 50.0
    predicted = 0.6 * observed + floats(40, 7)
    observed[:, 2] = 4.0
    predicted[:, 5] = -1.0
    predicted = predicted.astype(numpy.float32).astype(float)
    observed = observed.astype(numpy.float32).astype(float)
    by_feature = [None if j == 2 else 0.0 if j == 5 else stats.pearsonr(predicted[:, j], observed[:, j])[0] for j in range(7)]
    by_cell = [stats.pearsonr(p, o)[0] for p, o in zip(predicted, observed)]
    defined = [value for value in by_feature if value is not None]
    error = predicted - observed
    return {
        "predicted": listed(predicted), "observed": listed(observed),
        "by_feature": by_feature, "by_cell": by_cell,
        "mean": numpy.mean(defined), "median": numpy.median(defined),
        "rmse": metrics.root_mean_squared_error(observed.ravel(), predicted.ravel()),
        "rmse_by_feature": listed(numpy.sqrt((error ** 2).mean(axis=0))),
        "r_squared": listed([None if j == 2 else metrics.r2_score(observed[:, j], predicted[:, j]) for j in range(7)]),
    }


def average_precision():
    scores = numpy.round(rng.normal(size=(60, 5)), 1).astype(numpy.float32).astype(float)
    positive = (rng.random((60, 5)) < 0.25).astype(float)
    positive[:, 3] = 0
    by_feature = [None if j == 3 else metrics.average_precision_score(positive[:, j], scores[:, j]) for j in range(5)]
    return {
        "scores": listed(scores), "positive": listed(positive), "by_feature": by_feature,
        "pooled": metrics.average_precision_score(positive.ravel(), scores.ravel()), "base_rate": positive.mean(),
    }


def neighbours():
    reference, cells = floats(50, 4), floats(20, 4)
    reference[10] = reference[3]
    labels = rng.integers(0, 4, 50)
    target = numpy.round(rng.random((50, 6)) * (rng.random((50, 6)) < 0.4), 2).astype(numpy.float32).astype(float)
    out = {"reference": listed(reference), "cells": listed(cells), "labels": listed(labels), "target": listed(target)}
    for metric in ("euclidean", "cosine"):
        distances, _ = NearestNeighbors(n_neighbors=7, metric=metric, algorithm="brute").fit(reference).kneighbors(cells)
        out[metric] = listed(distances)
    out["predicted"] = listed(KNeighborsClassifier(7, algorithm="brute").fit(reference, labels).predict(cells))
    out["means"] = listed(KNeighborsRegressor(7, algorithm="brute").fit(reference, target).predict(cells))
    return out


def labels():
    truth = rng.integers(0, 4, 80)
    predicted = numpy.where(rng.random(80) < 0.6, truth, rng.integers(0, 5, 80))
    return {
        "truth": listed(truth), "predicted": listed(predicted),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": numpy.mean([(predicted[truth == c] == c).mean() for c in range(4)]),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro"),
        "confusion": listed(metrics.confusion_matrix(truth, predicted, labels=range(5))),
        "adjusted_rand": metrics.adjusted_rand_score(truth, predicted),
        "normalised_mutual_information": metrics.normalized_mutual_info_score(truth, predicted),
    }


def logistic():
    out = {}
    for name, n_classes in (("many", 3), ("two", 2)):
        labels = rng.integers(0, n_classes, 60)
        space = floats(60, 3) * [1.0, 20.0, 0.1] + numpy.outer(labels, [0.7, -10.0, 0.0])
        unseen = floats(15, 3) * [1.0, 20.0, 0.1]
        scaler = StandardScaler().fit(space)
        model = LogisticRegression(C=1.0, tol=1e-12, max_iter=100_000).fit(scaler.transform(space), labels)
        out[name] = {
            "space": listed(space), "labels": listed(labels), "unseen": listed(unseen),
            "probabilities": listed(model.predict_proba(scaler.transform(unseen))),
        }
    return out


def ridge():
    inputs, unseen = floats(40, 5) + 3.0, floats(10, 5)
    target = (inputs @ floats(5, 4) + floats(40, 4) + 2.0).astype(numpy.float32).astype(float)
    model = Ridge(alpha=2.5, solver="cholesky").fit(inputs, target)
    centred = inputs - inputs.mean(0)
    eigenvalue = numpy.linalg.eigvalsh(centred.T @ centred).max()

    def error(alpha):
        hat = centred @ numpy.linalg.solve(centred.T @ centred + alpha * numpy.eye(5), centred.T)
        left = (numpy.eye(40) - hat) @ (target - target.mean(0))
        return 40 * (left ** 2).sum() / (40 - 1 - numpy.trace(hat)) ** 2

    grid = [eigenvalue * 10 ** (step / 2) for step in range(-12, 5)]
    return {
        "inputs": listed(inputs), "target": listed(target), "unseen": listed(unseen),
        "coefficients": listed(model.coef_.T), "predicted": listed(model.predict(unseen)),
        "cross_validated_penalty": min(grid, key=error),
    }


def pca():
    matrix = (floats(60, 4) @ floats(4, 80) + 0.3 * floats(60, 80) + 5.0) * (rng.random((60, 80)) < 0.5)
    matrix = numpy.round(matrix, 3).astype(numpy.float32).astype(float)
    model = PCA(6, svd_solver="full").fit(matrix[:45])
    return {
        "matrix": listed(matrix), "n_train": 45,
        "components": listed(model.components_.T), "scores": listed(model.transform(matrix)),
        "explained_variance": listed(model.explained_variance_),
        "explained_variance_ratio": listed(model.explained_variance_ratio_),
    }


def spaces():
    groups = rng.integers(0, 4, 70)
    groups[0] = 9
    space = floats(70, 3) + numpy.outer(groups, [1.0, 0.5, 0.0])
    space[5] = space[6]
    factor = space @ [0.5, -0.2, 0.0] + floats(70)
    return {
        "space": listed(space), "groups": listed(groups), "factor": listed(factor),
        "silhouette": metrics.silhouette_score(space, groups),
        "silhouette_of_cells": listed(metrics.silhouette_samples(space, groups)),
        "linear_r2": LinearRegression().fit(space, factor).score(space, factor),
    }


def sparse_spectrum():
    """Largest variances of a random sparse matrix that the tests make again from the same generator of whole numbers."""
    n_cells, n_features, state = 300, 2500, 12345
    matrix = numpy.zeros((n_cells, n_features))
    for cell in range(n_cells):
        for _ in range(60):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
            matrix[cell, (state >> 33) % n_features] = 1 + (state >> 20) % 7
    model = PCA(20, svd_solver="full").fit(matrix)
    return {"explained_variance": listed(model.explained_variance_), "sum": matrix.sum()}


golden = {
    "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
    "correlation": correlation(), "average_precision": average_precision(), "neighbours": neighbours(),
    "labels": labels(), "logistic": logistic(), "ridge": ridge(), "pca": pca(), "spaces": spaces(),
    "sparse_spectrum": sparse_spectrum(),
}
path = Path(__file__).parent / "golden" / "golden.json"
path.write_text(json.dumps(golden) + "\n")
print(path, path.stat().st_size, "bytes")
