"""Writes golden/plate.json: nuclei per well of the plate BBBC013 (rows A to D) as scikit-image counts them.

The same steps and values as the plate's spec in `plate.rs`: Gaussian, Otsu, holes filled, distance, peaks, watershed,
nuclei at the border or outside the range of areas dropped.

    python make_golden_plate.py FOLDER_WITH_THE_PLATE golden/plate.json
"""

import csv
import json
import sys
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import regionprops
from skimage.segmentation import clear_border, watershed

SIGMA, MIN_DISTANCE, MIN_AREA, MAX_AREA = 1.5, 7, 60, 1000


def nuclei(image):
    smoothed = gaussian(image.astype(float), SIGMA, preserve_range=True, mode="nearest")
    filled = ndimage.binary_fill_holes(smoothed > threshold_otsu(smoothed))
    distance = ndimage.distance_transform_edt(filled)
    peaks = peak_local_max(distance, min_distance=MIN_DISTANCE, exclude_border=False)
    markers = np.zeros(image.shape, int)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = clear_border(watershed(-distance, markers, mask=filled))
    return [one for one in regionprops(labels) if MIN_AREA <= one.area <= MAX_AREA]


def main():
    folder = Path(sys.argv[1])
    wells = {}
    for well in csv.DictReader((folder / "wells.csv").open()):
        row, column = well["row"], well["column"]
        found = nuclei(imageio.imread(next(folder.glob(f"Channel2-*-{row}-{column}.png"))))
        wells[row + column] = {"n_nuclei": len(found), "area": int(sum(one.area for one in found))}
    values = {"sigma": SIGMA, "min_distance": MIN_DISTANCE, "min_area": MIN_AREA, "max_area": MAX_AREA}
    Path(sys.argv[2]).write_text(json.dumps({"values": values, "wells": wells}, indent=1) + "\n")
    print(sum(well["n_nuclei"] for well in wells.values()))


main()
