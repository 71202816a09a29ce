"""Writes beta_binomial.json: counts, predictions and what scipy's beta-binomial distribution makes of them.

Run with scipy installed:  python make_beta_binomial.py
Numbers in the stored file come from the version it names.
"""

import json
from pathlib import Path

import numpy
import scipy
from scipy.special import expit, gammaln
from scipy.stats import betabinom

N_CELLS, N_FEATURES = 6, 5

rng = numpy.random.default_rng(20261021)
trials = rng.integers(0, 40, size=(N_CELLS, N_FEATURES)) * (rng.random((N_CELLS, N_FEATURES)) < 0.7)
trials[2] = 0  # a cell that nothing covers
trials[4, 1] = 2000
# few digits, which 32-bit floats and the file hold alike
logits = numpy.round(rng.normal(scale=2, size=trials.shape) * 8) / 8
concentrations = numpy.array([0.125, 1.0, 8.0, 64.0, 4096.0])
successes = rng.binomial(trials, expit(logits))
successes[0] = trials[0]  # all of them
successes[1] = 0  # none of them

alpha = expit(logits) * concentrations
nll = -betabinom.logpmf(successes, trials, alpha, concentrations - alpha)
log_choose = gammaln(trials + 1) - gammaln(successes + 1) - gammaln(trials - successes + 1)
covered = trials > 0


def mean_of_covered(values):
    """Mean over the entries with trials of each cell; 0 for a cell without any."""
    return (values * covered).sum(1) / numpy.maximum(covered.sum(1), 1)


golden = {
    "made_by": f"scipy {scipy.__version__}, stats.betabinom.logpmf",
    "successes": successes.tolist(),
    "trials": trials.tolist(),
    "logits": logits.tolist(),
    "concentrations": concentrations.tolist(),
    "full": mean_of_covered(nll).tolist(),
    "without_constant": mean_of_covered(nll + log_choose).tolist(),
    "expectation": expit(logits).tolist(),
}
lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
Path(__file__).with_name("beta_binomial.json").write_text("{\n" + lines + "\n}\n")
