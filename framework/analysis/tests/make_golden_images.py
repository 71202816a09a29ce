"""Writes golden/images.json: pairs of images, and what numpy and scikit-image make of them.

Run with numpy and scikit-image installed:  python make_golden_images.py
Numbers in the stored file come from the versions it names.
"""

import json
from pathlib import Path

import numpy
import skimage
from skimage.filters import gaussian
from skimage.metrics import structural_similarity

rng = numpy.random.default_rng(20261122)


def nucleus(height, width, noise):
    rows, columns = numpy.mgrid[:height, :width]
    inside = ((rows - height / 2) / (height / 3)) ** 2 + ((columns - width / 2) / (width / 4)) ** 2 < 1
    image = gaussian(inside.astype(float), 1.0) * 0.7 + noise * rng.normal(size=inside.shape)
    return numpy.clip(image, 0, 1)


def similarity(predicted, observed):
    pairs = zip(predicted, observed)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    return float(numpy.mean([structural_similarity(p, o, **settings) for p, o in pairs]))


def thresholded(predicted):
    """What most values are is taken away: the whole minibatch at once."""
    values, counts = numpy.unique(predicted, return_counts=True)
    left = numpy.maximum(predicted - values[counts.argmax()], numpy.float32(0))
    return left / left.max() if left.max() > 0 else left


def case(name, predicted, observed):
    predicted, observed = numpy.float32(predicted), numpy.float32(observed)
    p, o = predicted.astype(float), observed.astype(float)
    is_constant = numpy.ptp(o) == 0, numpy.ptp(p) == 0
    return {
        "name": name,
        "form": list(predicted.shape),
        "predicted": predicted.ravel().tolist(),
        "observed": observed.ravel().tolist(),
        "l1": float(abs(p - o).mean()),
        "mse": float(((p - o) ** 2).mean()),
        "ssim": similarity(p, o) if min(predicted.shape[1:]) >= 11 else None,
        "pearson": None if is_constant[0] else 0.0 if is_constant[1] else float(numpy.corrcoef(p.ravel(), o.ravel())[0, 1]),
        "l1_thresholded": float(abs(thresholded(predicted).astype(float) - o).mean()),
        "l1_thresholded_both": float(abs(thresholded(predicted).astype(float) - thresholded(observed).astype(float)).mean()),
    }


def quantized(image, levels=255):
    return numpy.round(image * levels) / levels


observed = nucleus(24, 31, 0.05)
cases = [
    case("nucleus", [nucleus(24, 31, 0.1)], [observed]),
    case("bytes", [quantized(nucleus(32, 32, 0.02), 20)], [quantized(nucleus(32, 32, 0.05))]),
    case("smallest", [rng.random((11, 11))], [rng.random((11, 11))]),
    case("too_small", [rng.random((10, 40))], [rng.random((10, 40))]),
    case("channels", [nucleus(16, 18, 0.1), nucleus(16, 18, 0.2)], [nucleus(16, 18, 0.1), nucleus(16, 18, 0.0)]),
    case("constant_predicted", [numpy.full((24, 31), 0.25)], [observed]),
    case("constant_observed", [nucleus(24, 31, 0.1)], [numpy.full((24, 31), 0.5)]),
    case("dark", [numpy.zeros((12, 12))], [rng.random((12, 12)) * 1e-3]),
]
golden = {"numpy": numpy.__version__, "scikit_image": skimage.__version__, "cases": cases}
path = Path(__file__).parent / "golden" / "images.json"
path.write_text(json.dumps(golden) + "\n")
print(path, path.stat().st_size)
