"""Makes fixtures/cells.h5sc and fixtures/cells_old.h5: images of single cells in the layouts of scPortrait.

Needs anndata and h5py:  python tests/make_cell_images.py

Not written by scPortrait, but after its documentation of the format: an AnnData whose `obsm/single_cell_images` has cells ×
channels × rows × columns of half precision, masks first, in chunks of one image, compressed with lzf. The value of every pixel
follows from cell, channel, row and column, so that the tests can say what to expect.
"""

from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd

FIXTURES = Path(__file__).parent / "fixtures"
N_CELLS, SIDE = 6, 16
CHANNELS = ["seg_all_nucleus", "DAPI", "lamin"]
MAPPING = ["mask", "image_channel", "image_channel"]
IDS = [11, 12, 15, 19, 22, 23]


def images():
    cell, channel, row, column = np.indices((N_CELLS, len(CHANNELS), SIDE, SIDE))
    brightness = ((cell * 5 + channel * 3 + row * 2 + column) % 32) / 32
    inside = (row - 7.5) ** 2 + (column - 7.5) ** 2 < (3 + cell / 2) ** 2
    return np.where(channel == 0, inside, brightness * inside).astype(np.float16)


def encoded(texts):
    return np.array([text.encode() for text in texts])


def write_images(path, mode, name):
    with h5py.File(path, mode) as file:
        chunks = (1, 1, SIDE, SIDE)
        return file.create_dataset(name, data=images(), chunks=chunks, compression="lzf").name


def write_new(path):
    obs = pd.DataFrame({"scportrait_cell_id": np.array(IDS, dtype=np.uint64)}, index=[str(n) for n in range(N_CELLS)])
    obs["dose"] = pd.Categorical(["low", "low", "high", "low", "high", "high"])
    obs["area"] = np.arange(N_CELLS) + 0.5
    var = pd.DataFrame({"channels": CHANNELS, "channel_mapping": MAPPING}, index=["0", "1", "2"])
    anndata.AnnData(obs=obs, var=var).write_h5ad(path)
    write_images(path, "a", "obsm/single_cell_images")
    with h5py.File(path, "a") as file:
        attributes = file["obsm/single_cell_images"].attrs
        attributes["encoding-type"] = "array"
        attributes["encoding-version"] = "0.2.0"
        attributes["channel_names"] = encoded(CHANNELS)
        attributes["channel_mapping"] = encoded(MAPPING)


def write_old(path):
    write_images(path, "w", "single_cell_data")
    with h5py.File(path, "a") as file:
        file["single_cell_index"] = np.stack([np.arange(N_CELLS), IDS], axis=1).astype(np.uint64)


write_new(FIXTURES / "cells.h5sc")
write_old(FIXTURES / "cells_old.h5")
for path in ["cells.h5sc", "cells_old.h5"]:
    print(path, (FIXTURES / path).stat().st_size)
