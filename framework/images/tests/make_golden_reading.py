"""Writes golden/reading.json: what scikit-image and SciPy give for each step of the segmentation of nuclei, and files of
every kind of image with what tifffile and NumPy say they hold.

Run with scikit-image 0.26, SciPy 1.17, NumPy 2.4, tifffile 2026.3 and zstd for Python (imagecodecs):
    python make_golden_reading.py golden/reading.json golden/files
Nothing here is random: images are sums of bumps at stated places.
"""

import json
import sys
from pathlib import Path

import numpy as np
import scipy
import skimage
import tifffile
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import label, regionprops
from skimage.segmentation import clear_border, watershed


def bumps(height, width, centres, noise):
    """Round nuclei with soft edges on a ground with a pattern."""
    rows, columns = np.mgrid[:height, :width].astype(float)
    image = 20.0 + noise * ((rows * 7 + columns * 13) % 11)
    for row, column, radius, bright in centres:
        distance = np.hypot(rows - row, columns - column)
        image += bright / (1.0 + np.exp(2.0 * (distance - radius)))
    return image


IMAGES = {
    "apart": (bumps(48, 60, [(12, 15, 7, 150), (33, 40, 8, 120)], 0.7), np.uint8, 1.0, 4),
    "touching": (bumps(50, 56, [(24, 18, 9, 180), (25, 34, 9, 160), (40, 47, 6, 200), (2, 50, 5, 150)], 1.1), np.uint8, 1.5, 5),
    "wide": (40 * bumps(40, 44, [(10, 11, 6, 100), (14, 30, 7, 900), (30, 20, 8, 400)], 2.0), np.uint16, 0.0, 3),
    "ring": (bumps(40, 40, [(20, 20, 13, 150), (20, 20, 5, -140)], 0.5), np.uint8, 0.7, 6),
    "crowded": (
        bumps(64, 64, [(8 + 13 * (i // 5), 8 + 12 * (i % 5) + 3 * (i // 5 % 2), 5 + i % 3, 90 + 7 * i) for i in range(25)], 0.9),
        np.uint8, 1.0, 4,
    ),
}


def steps(image, kind, sigma, min_distance):
    """Every step, and all of it."""
    image = np.clip(np.round(image), 0, np.iinfo(kind).max).astype(kind)
    smoothed = gaussian(image.astype(float), sigma, preserve_range=True, mode="nearest") if sigma else image.astype(float)
    otsu = threshold_otsu(smoothed)
    nucleus = smoothed > otsu
    filled = ndimage.binary_fill_holes(nucleus)
    distance = ndimage.distance_transform_edt(filled)
    peaks = peak_local_max(distance, min_distance=min_distance, exclude_border=False)
    markers = np.zeros(image.shape, int)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-distance, markers, mask=filled)
    kept = clear_border(labels)
    areas = {region.label: int(region.area) for region in regionprops(kept)}
    kept = np.where(np.isin(kept, [one for one, area in areas.items() if area >= 40]), kept, 0)
    return {
        "height": image.shape[0],
        "width": image.shape[1],
        "pixels": image.ravel().tolist(),
        "wide": kind == np.uint16,
        "sigma": sigma,
        "min_distance": min_distance,
        "smoothed": smoothed.ravel().tolist(),
        "otsu": float(otsu),
        "nucleus": nucleus.ravel().astype(int).tolist(),
        "filled": filled.ravel().astype(int).tolist(),
        "distance_squared": np.round(distance**2).astype(int).ravel().tolist(),
        "peaks": [int(row) * image.shape[1] + int(column) for row, column in peaks],
        "watershed": labels.ravel().tolist(),
        "n_parts": int(label(filled, connectivity=2).max()),
        "regions": [
            {"label": int(one.label), "area": int(one.area), "centroid": [float(mean) for mean in one.centroid]}
            for one in regionprops(labels)
        ],
        "n_kept": len(np.unique(kept)) - 1,
        "areas_kept": sorted(int(one.area) for one in regionprops(kept)),
    }


def write_files(folder):
    """Small images of every kind; returns what each holds: planes of pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    small = np.arange(3 * 5 * 4).reshape(3, 5, 4)
    held = {}

    def tiff(name, array, planes, **more):
        tifffile.imwrite(folder / name, array, metadata=more.pop("metadata", None), software=None, **more)
        held[name] = [np.asarray(plane, float).ravel().tolist() for plane in planes]

    u8, u16 = small.astype(np.uint8), (small * 1000).astype(np.uint16)
    tiff("planar.tif", u8, u8, photometric="rgb", planarconfig="separate")
    tiff("pages.tif", u16, u16, photometric="minisblack")
    interleaved = np.moveaxis(u16, 0, -1)
    tiff("interleaved.tif", interleaved, u16, photometric="rgb", planarconfig="contig")
    tiff("big.tif", u16, u16, photometric="minisblack", bigtiff=True)
    tiff("big_endian.tif", u16, u16, photometric="minisblack", byteorder=">")
    tiff("deflate.tif", u16, u16, photometric="minisblack", compression="zlib", predictor=True)
    tiff("lzw.tif", u16, u16, photometric="minisblack", compression="lzw")
    tiff("zstd.tif", u16, u16, photometric="minisblack", compression="zstd")
    tiles = (np.arange(40 * 50).reshape(40, 50) % 251).astype(np.uint8)
    tiff("tiles.tif", tiles, [tiles], photometric="minisblack", tile=(16, 16))
    half = (small / 8).astype(np.float16)
    tiff("half.tif", half, half, photometric="minisblack")
    mask = (small[0] * 70000).astype(np.uint32)
    tiff("mask.tif", mask, [mask], photometric="minisblack")
    tiff(
        "named.ome.tif", u16, u16, photometric="minisblack", ome=True,
        metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "gH2AX", "lamin"]}},
    )
    np.save(folder / "planes.npy", u16)
    held["planes.npy"] = [plane.astype(float).ravel().tolist() for plane in u16]
    np.savez_compressed(folder / "half.npz", images=half)
    held["half.npz"] = [plane.astype(float).ravel().tolist() for plane in half]
    return held


def main():
    golden, files = Path(sys.argv[1]), Path(sys.argv[2])
    versions = {"skimage": skimage.__version__, "scipy": scipy.__version__, "numpy": np.__version__}
    found = {"versions": versions, "segmentation": {name: steps(*image) for name, image in IMAGES.items()}}
    found["files"] = write_files(files)
    golden.write_text(json.dumps(found, separators=(",", ":")) + "\n")


main()
