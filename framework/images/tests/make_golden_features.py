"""Writes golden/features.json: small nuclei with their images, and what scikit-image and scipy measure of them.

Run with numpy, scipy and scikit-image installed:  python make_golden_features.py
Numbers in the stored file come from the versions it names. What these libraries do not define (foci, heterochromatin,
the ring) is put together from their functions here.
"""

import json
import warnings
from pathlib import Path

import numpy
import scipy
import skimage
from scipy import ndimage, stats
from skimage import feature, measure, morphology

rng = numpy.random.default_rng(20260611)
DEFAULTS = {
    "glcm_distances_pixels": [1, 5, 20],
    "n_grey_levels": 32,
    "grey_range": "within_mask",
    "heterochromatin_sds": 1.5,
    "foci_sigma_small_pixels": 1.0,
    "foci_sigma_large_pixels": 3.0,
    "foci_sds": 3.0,
    "foci_min_area_pixels": 4,
    "ring_inner_pixels": 1,
    "ring_outer_pixels": 6,
}
POWERS = [(p, q) for p in range(4) for q in range(4) if p + q >= 2]
ANGLES = [0, numpy.pi / 4, numpy.pi / 2, 3 * numpy.pi / 4]


def grid(height, width):
    return numpy.mgrid[:height, :width].astype(float)


def noise(height, width, sigma):
    values = ndimage.gaussian_filter(rng.normal(size=(height, width)), sigma)
    return values / values.std()


def texture(height, width, n_spots=0):
    """An image of whole numbers 0 to 255 with some bright spots."""
    image = 90 + 18 * noise(height, width, 2.5) + 4 * rng.normal(size=(height, width))
    row, column = grid(height, width)
    for _ in range(n_spots):
        y, x = rng.uniform(4, height - 4), rng.uniform(4, width - 4)
        image += 110 * numpy.exp(-((row - y) ** 2 + (column - x) ** 2) / 4.0)
    return numpy.clip(image, 0, 255).astype(int)


def ellipse(height, width, centre, axes, angle):
    row, column = grid(height, width)
    row, column = row - centre[0], column - centre[1]
    along = row * numpy.cos(angle) + column * numpy.sin(angle)
    across = column * numpy.cos(angle) - row * numpy.sin(angle)
    return (along / axes[0]) ** 2 + (across / axes[1]) ** 2 <= 1


def of_shape(props):
    found = {
        "area": props.area,
        "bbox_area": props.area_bbox,
        "convex_area": props.area_convex,
        "axis_major_length": props.axis_major_length,
        "axis_minor_length": props.axis_minor_length,
        "equivalent_diameter_area": props.equivalent_diameter_area,
    }
    names = ["perimeter", "perimeter_crofton", "eccentricity", "orientation", "solidity", "extent", "feret_diameter_max"]
    found |= {name: props[name] for name in names + ["euler_number"]}
    with numpy.errstate(all="ignore"):
        found["aspect_ratio"] = numpy.float64(props.axis_minor_length) / props.axis_major_length
        found["form_factor"] = 4 * numpy.pi * props.area / numpy.float64(props.perimeter) ** 2
    for p, q in POWERS:
        found[f"moments_central-{p}-{q}"] = props.moments_central[p, q]
        found[f"moments_normalized-{p}-{q}"] = props.moments_normalized[p, q]
    return found | {f"moments_hu-{n}": value for n, value in enumerate(props.moments_hu)}


def of_intensity(props, values):
    found = {
        "intensity_mean": props.intensity_mean,
        "intensity_sd": props.intensity_std,
        "intensity_min": props.intensity_min,
        "intensity_max": props.intensity_max,
        "intensity_q50": props.intensity_median,
        "intensity_q25": numpy.quantile(values, 0.25),
        "intensity_q75": numpy.quantile(values, 0.75),
        "intensity_integrated": values.sum(),
        "intensity_skewness": stats.skew(values),
        "intensity_kurtosis": stats.kurtosis(values),
        "mass_displacement": numpy.hypot(*numpy.subtract(props.centroid_weighted, props.centroid)),
    }
    for p, q in POWERS:
        found[f"moments_weighted_central-{p}-{q}"] = props.moments_weighted_central[p, q]
    return found | {f"moments_weighted_hu-{n}": value for n, value in enumerate(props.moments_weighted_hu)}


def grey_levels(image, mask, settings):
    n = settings["n_grey_levels"]
    low, high = image[mask].min(), image[mask].max()
    if settings["grey_range"] != "within_mask":
        low, high = settings["grey_range"]["fixed"]["low"], settings["grey_range"]["fixed"]["high"]
    if low == high:
        return numpy.zeros(image.shape, int)
    return numpy.clip(numpy.floor(n * (image - low) / (high - low)), 0, n - 1).astype(int)


def of_texture(levels, mask, settings):
    n = settings["n_grey_levels"]
    found = {"intensity_entropy": measure.shannon_entropy(levels[mask])}
    # outside the mask is a level of its own, whose pairs are struck out
    outside = numpy.where(mask, levels, n).astype(numpy.uint16)
    for distance in settings["glcm_distances_pixels"]:
        counts = feature.graycomatrix(outside, [distance], ANGLES, levels=n + 1, symmetric=True)[:n, :n]
        if mask.all():
            whole = feature.graycomatrix(levels.astype(numpy.uint16), [distance], ANGLES, levels=n, symmetric=True)
            assert (whole == counts).all()
        has_pairs = counts.sum(axis=(0, 1))[0] > 0
        for name in ["contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation"]:
            values = feature.graycoprops(counts, name)[0][has_pairs]
            found[f"glcm_{name.lower()}_{distance}"] = values.mean() if len(values) else numpy.nan
    return found


def of_chromatin(values, settings):
    hetero = values > values.mean() + settings["heterochromatin_sds"] * values.std()
    with numpy.errstate(all="ignore"):
        return {
            "hc_area_nuc_area": hetero.mean(),
            "hc_area_ec_area": hetero.sum() / (~hetero).sum(),
            "hc_content_nuc_content": values[hetero].sum() / values.sum(),
            "hc_content_ec_content": values[hetero].sum() / values[~hetero].sum(),
        }


def of_foci(image, mask, settings):
    def smoothed(sigma):
        inside = mask.astype(float)
        with numpy.errstate(all="ignore"):
            return ndimage.gaussian_filter(image * inside, sigma, mode="constant") / ndimage.gaussian_filter(
                inside, sigma, mode="constant"
            )

    contrast = smoothed(settings["foci_sigma_small_pixels"]) - smoothed(settings["foci_sigma_large_pixels"])
    sd = contrast[mask].std()
    if sd < 1e-9:
        return {"foci_count": 0, "foci_area_mean": numpy.nan}
    bright = mask & (contrast > contrast[mask].mean() + settings["foci_sds"] * sd)
    areas = numpy.bincount(measure.label(bright, connectivity=2).ravel())[1:]
    areas = areas[areas >= settings["foci_min_area_pixels"]]
    return {"foci_count": len(areas), "foci_area_mean": areas.mean() if len(areas) else numpy.nan}


def of_ring(image, mask, others, settings):
    wide = morphology.isotropic_dilation(mask, settings["ring_outer_pixels"])
    ring = wide & ~morphology.isotropic_dilation(mask, settings["ring_inner_pixels"]) & ~others
    mean = image[ring].mean() if ring.any() else numpy.nan
    return {
        "ring_mean": mean,
        "nuclear_ring_ratio": image[mask].mean() / mean,
        "intranuclear_share": image[mask].sum() / image[~others].sum(),
    }


def measured(image, mask, others, settings):
    image = image.astype(float)
    (props,) = measure.regionprops(mask.astype(int), intensity_image=image)
    values = image[mask]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = of_shape(props) | of_intensity(props, values)
    found |= of_texture(grey_levels(image, mask, settings), mask, settings) | of_chromatin(values, settings)
    return found | of_foci(image, mask, settings) | of_ring(image, mask, others, settings)


def case(name, mask, image, others=None, **chosen):
    others = numpy.zeros(mask.shape, bool) if others is None else others & ~mask
    settings = DEFAULTS | chosen
    found = measured(image, mask, others, settings)
    return {
        "name": name,
        "settings": settings,
        "mask": ["".join(".#"[pixel] for pixel in row) for row in mask.astype(int)],
        "others": ["".join(".#"[pixel] for pixel in row) for row in others.astype(int)],
        "image": image.tolist(),
        "expected": {name: float(value) if numpy.isfinite(value) else None for name, value in found.items()},
    }


def cases():
    yield case("ellipse", ellipse(40, 44, (19.3, 21.8), (17, 11), 0.6), texture(40, 44, 5))
    hole = ellipse(40, 40, (20, 19), (16, 13), 0.3) & ~ellipse(40, 40, (18, 21), (5, 4), 0)
    yield case("ring with a hole", hole, texture(40, 40), glcm_distances_pixels=[1, 2, 3], n_grey_levels=16)
    c_shape = ellipse(42, 40, (20, 20), (18, 15), 1.2) & ~ellipse(42, 40, (20, 31), (8, 16), 0.2)
    fixed = {"fixed": {"low": 20, "high": 200}}
    yield case("concave", c_shape, texture(42, 40, 4), grey_range=fixed, n_grey_levels=8, heterochromatin_sds=1.0)
    others = ellipse(36, 36, (24, 25), (8, 7), 0.4)
    border = ellipse(36, 36, (5, 9), (13, 12), 0.2)
    yield case("at the border", border, texture(36, 36, 3), others, ring_inner_pixels=0, ring_outer_pixels=4)
    point = numpy.zeros((9, 9), bool)
    point[3, 6] = True
    yield case("one pixel", point, texture(9, 9))
    line = numpy.zeros((9, 26), bool)
    line[5, 2:24] = True
    yield case("line", line, texture(9, 26))
    for n, sigma in enumerate([3.0, 2.0]):
        blob = noise(44, 48, sigma) > 0.7
        others = (noise(44, 48, sigma) > 1.0) & ~blob
        yield case(f"blobs {n}", blob, texture(44, 48, 6), others, foci_sds=2.0, foci_sigma_large_pixels=2.5)
    yield case("whole rectangle", numpy.ones((26, 34), bool), texture(26, 34, 3), foci_min_area_pixels=1)


if __name__ == "__main__":
    versions = {"scikit-image": skimage.__version__, "scipy": scipy.__version__, "numpy": numpy.__version__}
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases())
    path = Path(__file__).parent / "golden" / "features.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{{"versions": {json.dumps(versions)},\n"cases": [\n{lines}\n]}}\n')
