"""Writes golden/motifs.json: motifs and sequences made up here, and what Biopython and MOODS make of them.

Run with numpy, scipy, biopython and MOODS-python installed:  python make_golden_motifs.py
Numbers in the stored file come from the versions it names. Matches are those of Biopython's search at the threshold of MOODS,
and the same are asked of MOODS' own scan; p-values of short motifs count all words.
"""

import json
from importlib.metadata import version
from pathlib import Path

import MOODS.scan
import MOODS.tools
import numpy
from Bio import motifs as bio
from Bio.Seq import Seq
from scipy import stats

rng = numpy.random.default_rng(20261123)
LETTERS = "ACGT"
BACKGROUND = dict(zip(LETTERS, [0.29, 0.21, 0.21, 0.29]))
PSEUDOCOUNT, LEVEL = 0.8, 5e-4
WIDTHS = [6, 7, 8, 9, 11, 14, 19]
# bits about the threshold within which rounding may decide
MARGIN = 0.02


def made_motif(width):
    """Counts of 60 sites, some positions sharp and some flat."""
    sharpness = rng.choice([0.15, 0.4, 3.0], size=width, p=[0.5, 0.3, 0.2])
    return [rng.multinomial(60, rng.dirichlet([sharp] * 4)).tolist() for sharp in sharpness]


def made_sequence(motifs):
    """Letters by the background, some unknown, one match planted in most."""
    length = int(rng.integers(30, 260))
    letters = rng.choice(list(LETTERS), size=length, p=list(BACKGROUND.values()))
    letters[rng.random(length) < 0.01] = "N"
    planted = motifs[rng.integers(len(motifs))]
    word = "".join(LETTERS[int(numpy.argmax(column))] for column in planted)
    if rng.random() < 0.5:
        word = str(Seq(word).reverse_complement())
    start = int(rng.integers(0, length - len(word) + 1))
    if rng.random() < 0.8:
        letters[start:start + len(word)] = list(word)
    return "".join(letters)


def scores_of(counts):
    """Biopython's log-odds."""
    motif = bio.Motif(counts={letter: [column[at] for column in counts] for at, letter in enumerate(LETTERS)}, alphabet=LETTERS)
    spread = {letter: PSEUDOCOUNT * share for letter, share in BACKGROUND.items()}
    return motif.counts.normalize(pseudocounts=spread).log_odds(BACKGROUND)


def exact_p(odds, score):
    """Share of chance's words that score as high, by counting them."""
    totals, weights = numpy.zeros(1), numpy.ones(1)
    for column in odds:
        totals = numpy.add.outer(totals, column).ravel()
        weights = numpy.multiply.outer(weights, list(BACKGROUND.values())).ravel()
    return float(weights[totals >= score - 1e-9].sum())


def best_match(pssm, sequence, threshold):
    """Score, start and strand of the best match, as Biopython finds it; None where there is none."""
    width, found = pssm.length, []
    for position, score in pssm.search(Seq(sequence), threshold=threshold, both=True):
        is_reverse = position < 0
        start = position + len(sequence) if is_reverse else position
        if numpy.isfinite(score):
            found.append((-exact_score(pssm, sequence[start:start + width], is_reverse), int(start), bool(is_reverse)))
    return min(found) if found else None


def exact_score(pssm, word, is_reverse):
    """The same in 64-bit numbers (Biopython searches in 32 bits)."""
    word = str(Seq(word).reverse_complement()) if is_reverse else word
    return sum(pssm[letter][at] for at, letter in enumerate(word))


def largest_scores(pssm, sequence):
    """Scores of all words on both strands."""
    words = [sequence[at:at + pssm.length] for at in range(len(sequence) - pssm.length + 1)]
    return [exact_score(pssm, word, strand) for word in words if "N" not in word for strand in (False, True)]


def of_motif(counts, sequences):
    pssm = scores_of(counts)
    odds = [[pssm[letter][at] for letter in LETTERS] for at in range(len(counts))]
    matrix = [[odds[at][letter] for at in range(len(odds))] for letter in range(4)]
    threshold = MOODS.tools.threshold_from_p(matrix, list(BACKGROUND.values()), LEVEL)
    hits = []
    for place, sequence in enumerate(sequences):
        # the very best must not hang on rounding
        if any(abs(score - threshold) < MARGIN for score in largest_scores(pssm, sequence)):
            continue
        best = best_match(pssm, sequence, threshold)
        reverse = MOODS.tools.reverse_complement(matrix)
        results = MOODS.scan.scan_dna(sequence, [matrix, reverse], list(BACKGROUND.values()), [threshold] * 2, 7)
        moods = [(-match.score, match.pos, bool(strand)) for strand, some in enumerate(results) for match in some]
        assert (min(moods)[1:] if moods else None) == (best[1:] if best else None) or ties(moods), (best, moods)
        short = len(counts) <= 9 and best is not None
        hits.append({
            "sequence": place,
            "start": best and best[1], "is_reverse": best and best[2], "score": best and -best[0],
            "p": exact_p(odds, -best[0]) if short else None,
        })
    return {"counts": counts, "log_odds": odds, "threshold": threshold, "hits": hits}


def ties(moods):
    ordered = sorted(moods)
    return len(ordered) > 1 and abs(ordered[0][0] - ordered[1][0]) < 1e-9


def rank_sums():
    """Scores with ties; scipy's test of Mann, Whitney and Wilcoxon, normal, without a correction for continuity."""
    scores = numpy.round(rng.normal(size=300), 1)
    sets = [numpy.flatnonzero(rng.random(300) < share).tolist() for share in (0.05, 0.3, 0.8)]
    sets.append(numpy.flatnonzero(scores + rng.normal(size=300) > 0.8).tolist())
    results = []
    for members in sets:
        others = numpy.setdiff1d(numpy.arange(300), members)
        found = stats.mannwhitneyu(scores[members], scores[others], use_continuity=False, method="asymptotic")
        results.append({"p": found.pvalue, "correlation": 2 * found.statistic / (len(members) * len(others)) - 1})
    return {"scores": scores.tolist(), "sets": sets, "results": results}


def stratified():
    """Four strata of unlike size and share; P(sum >= overlap) by trying all overlaps of the strata."""
    strata = rng.choice(4, size=260, p=[0.1, 0.2, 0.3, 0.4])
    chosen = numpy.flatnonzero(rng.random(260) < 0.1 + 0.12 * strata)
    sets = [numpy.flatnonzero(rng.random(260) < 0.05 + 0.1 * strata).tolist(), numpy.flatnonzero(rng.random(260) < 0.1).tolist()]
    sets.append(sorted(set(chosen[::2].tolist()) | set(numpy.flatnonzero(rng.random(260) < 0.03).tolist())))
    results = []
    for members in sets:
        pmfs = []
        for stratum in range(4):
            n_all = int((strata == stratum).sum())
            n_set, n_chosen = (int((strata[list(some)] == stratum).sum()) for some in (members, chosen))
            pmfs.append(stats.hypergeom(n_all, n_set, n_chosen).pmf(numpy.arange(n_all + 1)))
        total = pmfs[0]
        for pmf in pmfs[1:]:
            total = numpy.convolve(total, pmf)
        overlap = len(set(members) & set(chosen.tolist()))
        results.append({"overlap": overlap, "p": float(total[overlap:].sum())})
    return {"strata": strata.tolist(), "chosen": chosen.tolist(), "sets": sets, "results": results}


motifs = [made_motif(width) for width in WIDTHS]
sequences = [made_sequence(motifs) for _ in range(40)]
golden = {
    "versions": {name: version(name) for name in ("biopython", "MOODS-python", "numpy", "scipy")},
    "background": list(BACKGROUND.values()), "pseudocount": PSEUDOCOUNT, "level": LEVEL,
    "sequences": sequences,
    "motifs": [of_motif(counts, sequences) for counts in motifs],
    "rank_sum": rank_sums(),
    "stratified": stratified(),
}
path = Path(__file__).parent / "golden" / "motifs.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
for one in golden["motifs"]:
    n_found = sum(hit["start"] is not None for hit in one["hits"])
    print(len(one["counts"]), round(one["threshold"], 3), n_found, len(one["hits"]))
