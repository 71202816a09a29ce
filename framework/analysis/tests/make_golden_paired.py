"""Writes golden/paired.json: differences of few pairs and what scipy and statsmodels make of them.

Run with numpy, scipy and statsmodels installed:  python make_golden_paired.py
Numbers in the stored file come from the versions it names.
"""

import itertools
import json
from pathlib import Path

import numpy
import scipy
import statsmodels
from scipy import stats
from scipy.stats import _resampling
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

rng = numpy.random.default_rng(20260219)
MARGINS = [0.01, 0.1, 0.5, 2.0]


def dyadic(values):
    """Multiples of 2**-10, whose sums are exact in any order: equal means are equal to the last digit."""
    return numpy.round(numpy.asarray(values) * 1024) / 1024


def signed_rank(differences):
    """By counting all signs up to 50 differences (with ties, too), which scipy does only without ties or up to 13."""
    left = differences[differences != 0]
    if len(left) == 0:
        return None
    if len(left) > 50:
        return stats.wilcoxon(left, method="asymptotic", correction=True).pvalue
    ranks = stats.rankdata(abs(left))
    if len(left) <= 18:
        sums = numpy.zeros(1)
        for rank in ranks:
            sums = numpy.concatenate([sums, sums + rank])
        observed = ranks[left > 0].sum()
        return min(1.0, 2 * min((sums <= observed).mean(), (sums >= observed).mean()))
    # one polynomial per rank; whole numbers of any size
    counts = {0: 1}
    for rank in (2 * ranks).astype(int).tolist():
        more = dict(counts)
        for total, n_choices in counts.items():
            more[total + rank] = more.get(total + rank, 0) + n_choices
        counts = more
    observed = int(2 * ranks[left > 0].sum())
    n_less = sum(n for total, n in counts.items() if total <= observed)
    n_more = sum(n for total, n in counts.items() if total >= observed)
    return min(1.0, 2 * min(n_less, n_more) / 2 ** len(left))


def wilcoxon(differences):
    """What scipy says by itself, where it is exact or has more than 50 differences."""
    left = differences[differences != 0]
    ties = len(numpy.unique(abs(left))) < len(left) or len(left) < len(differences)
    if len(left) == 0 or (ties and 13 < len(differences) and len(left) <= 50):
        return None
    return stats.wilcoxon(differences, correction=True).pvalue


def interval(differences, indices):
    """scipy's own BCa interval, of resamples that are given rather than drawn."""
    drawn = _resampling._bootstrap_resample
    _resampling._bootstrap_resample = lambda sample, n_resamples=None, rng=None, *, xp: sample[..., indices]
    try:
        result = stats.bootstrap((differences,), numpy.mean, n_resamples=len(indices), method="BCa")
    finally:
        _resampling._bootstrap_resample = drawn
    return list(result.confidence_interval)


def made_indices(n, n_resamples):
    """Places that the tests make again from the same generator of whole numbers."""
    state, places = 12345, []
    for _ in range(n_resamples * n):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        places.append((state >> 33) % n)
    return numpy.array(places).reshape(n_resamples, n)


def case(name, differences):
    differences = dyadic(differences)
    n = len(differences)
    test = stats.ttest_1samp(differences, 0.0)
    zeros = numpy.zeros(n)
    assert numpy.isclose(test.pvalue, stats.ttest_rel(differences, zeros).pvalue, rtol=1e-12, atol=0)
    every = numpy.array(list(itertools.product(range(n), repeat=n))) if n <= 6 else None
    return {
        "name": name, "differences": differences.tolist(), "mean": differences.mean(), "sd": differences.std(ddof=1),
        "t": test.statistic, "p": test.pvalue, "interval": list(test.confidence_interval(0.95)),
        "effect_size": differences.mean() / differences.std(ddof=1),
        "margins": MARGINS, "equivalence": [ttost_paired(differences, zeros, -m, m)[0] for m in MARGINS],
        "signed_rank": signed_rank(differences), "wilcoxon": wilcoxon(differences),
        "enumerated": None if every is None else interval(differences, every),
        "resampled": None if n <= 6 else interval(differences, made_indices(n, 9999)),
        "drawn": None if n <= 6 else list(stats.bootstrap((differences,), numpy.mean, rng=1).confidence_interval),
    }


cases = [
    case("two", [0.1, 0.25]), case("two signs", [0.1, -0.25]), case("three", [0.02, 0.05, -0.01]),
    case("three far from 0", [2.0, 2.01, 2.03]), case("four with ties", [0.1, 0.1, -0.1, 0.3]),
    case("five", rng.normal(0.3, 0.4, 5)), case("five with zeros", [0.0, 0.2, 0.0, -0.1, 0.4]),
    case("five nearly alike", [1.0, 1.001, 1.002, 0.999, 1.003]), case("mean of 0", [0.5, -0.5, 0.25, -0.25]),
    case("six with an outlier", [0.1, 0.12, 0.09, 0.11, 0.1, 3.0]),
    case("twelve", rng.normal(0.2, 0.5, 12)), case("twelve with ties and zeros", rng.integers(-2, 4, 12) / 8),
    case("twelve, very small p", rng.normal(5.0, 0.15, 12)),
    case("sixteen with ties", rng.integers(-2, 4, 16) / 8), case("thirty with ties", rng.integers(-3, 6, 30) / 8),
    case("forty", rng.normal(0.1, 0.6, 40)), case("forty, small p", rng.normal(0.7, 0.6, 40)),
    case("forty, very small p", rng.normal(1.0, 0.6, 40)),
    case("sixty", rng.normal(0.1, 0.6, 60)), case("sixty with ties", rng.integers(-4, 6, 60) / 8),
    case("sixty, small p", rng.normal(1.0, 0.5, 60)),
]
p_values = [0.0001, 0.01, 0.02, 0.022, 0.022, 0.5, 0.049, 1.0, 3e-12, 0.3]
golden = {
    "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "cases": cases,
    "holm": {"p_values": p_values, "corrected": multipletests(p_values, method="holm")[1].tolist()},
}
path = Path(__file__).parent / "golden" / "paired.json"
path.write_text(json.dumps(golden) + "\n")
print(path, path.stat().st_size, "bytes;", "p from", min(c["p"] for c in cases))
