"""Makes the small inputs that the fuzz targets `tables` and `pictures` start from; needs nothing but Python.

The first byte of each is what the target understands by it (see src/tables.rs and src/pictures.rs).
"""

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"

TABLES = {
    "features_in_rows": b"\x29" + b',c1,c2\n"a",1,0\nb,0,2.5\n',
    "cells_in_rows": b"\x28" + b"a,b\nc1,1,0\nc2,0,2.5\n",
    "missing": b"\x19" + b"\ta\tb\nc1\tNA\t3\nc2\t\t16777216\n",
    "semicolons": b"\x0f" + b";a;b\nc1;1;0\n",
    "unnamed": b"\x20" + b"a,b\n1,0\n0,2\n",
    "folder": b"\x00"
    + b"%%MatrixMarket matrix coordinate integer general\n%metadata_json: {}\n3 4 5\n1 1 1\n3 1 2\n2 3 3\n1 4 4\n3 4 5\n"
    + b"\n====\n"
    + b"ENSG1\tCD3E\tGene Expression\nENSG2\tCD3E\tGene Expression\nCD3\tCD3_TotalC\tAntibody Capture\n"
    + b"\n====\n"
    + b"AAAC-1\nAAAG-1\nAAAT-1\nAACA-1\n",
    "folder_of_truths": b"\x40"
    + b"%%MatrixMarket matrix coordinate pattern general\n3 4 2\n1 1\n3 4\n"
    + b"\n====\n"
    + b"g1\tA\ng2\tB\ng3\tB\n",
    "folder_of_reals": b"\x00" + b"%%MatrixMarket matrix coordinate real general\n3 4 2\n1 1 0.5\n3 4 1e3\n",
}


def npy(kind, shape, content):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def npz():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("images.npy"), npy("<u2", "(2, 1, 2, 2)", bytes(range(16))))
    return out.getvalue()


def png(colour, depth, rows):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 2, len(rows), depth, colour, 0, 0, 0)
    content = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def tiff(bits, n_samples, planar, sample_format, pixels, description=None, compression=1):
    if compression == 8:
        pixels = zlib.compress(pixels)
    tags = [(256, 4, 2), (257, 4, 2), (259, 3, compression), (262, 3, 1), (277, 3, n_samples), (278, 4, 2), (284, 3, planar)]
    tags.append((339, 3, sample_format))
    place = 8 + len(pixels)
    extra = b""
    if n_samples == 1:
        tags += [(258, 3, bits), (273, 4, 8), (279, 4, len(pixels))]
    else:
        tags.append((258, 3, (place, n_samples)))
        extra += struct.pack(f"<{n_samples}H", *[bits] * n_samples)
        n_strips = n_samples if planar == 2 else 1
        size = len(pixels) // n_strips
        if n_strips == 1:
            tags += [(273, 4, 8), (279, 4, size)]
        else:
            tags.append((273, 4, (place + len(extra), n_strips)))
            extra += struct.pack(f"<{n_strips}I", *[8 + size * strip for strip in range(n_strips)])
            tags.append((279, 4, (place + len(extra), n_strips)))
            extra += struct.pack(f"<{n_strips}I", *[size] * n_strips)
    if description:
        tags.append((270, 2, (place + len(extra), len(description) + 1)))
        extra += description + b"\0"
    entries = b""
    for tag, kind, value in sorted(tags, key=lambda entry: entry[0]):
        value, count = value if isinstance(value, tuple) else (value, 1)
        entries += struct.pack("<HHII", tag, kind, count, value)
    start = place + len(extra)
    return b"II*\0" + struct.pack("<I", start) + pixels + extra + struct.pack("<H", len(tags)) + entries + bytes(4)


OME = (
    b'<?xml version="1.0" encoding="UTF-8"?><OME><Image ID="I"><Pixels SizeX="2" SizeY="2" SizeC="2" SizeZ="1" SizeT="1">'
    b'<Channel ID="a" Name="DAPI"/><Channel ID="b" SamplesPerPixel="1"/></Pixels></Image></OME>'
)
CROPS = {
    "channels": ["dna", "er"],
    "side": 4,
    "stored": "u8",
    "scale": 0.003921569,
    "inputs_sha256": "",
    "files_sha256": "",
    "skipped": [],
    "n_flat_crops": 0,
    "cells": {
        "columns": ["dose"],
        "fields": [{"name": "a", "values": ["1"], "has": [True, True]}],
        "cells": [{"field": 0, "label": 1, "centroid": [0.5, 1.5], "n_pixels": 3}],
    },
}
PICTURES = {
    "bytes.npy": npy("|u1", "(2, 2)", bytes(4)),
    "reals.npy": npy("<f4", "(2, 3, 2)", struct.pack("<12f", *range(12))),
    "big_endian.npy": npy(">i4", "(1, 2, 2)", struct.pack(">4i", 0, 1, 2, 3)),
    "cells.npz": npz(),
    "grey.png": png(0, 8, [b"\x01\x02", b"\x00\x02"]),
    "deep.png": png(0, 16, [b"\x01\x02\x03\x04", bytes(4)]),
    "colours.png": png(2, 8, [bytes(6), bytes(range(6))]),
    "grey.tif": tiff(8, 1, 1, 1, bytes(range(4))),
    "packed.tif": tiff(16, 1, 1, 1, bytes(range(8)), compression=8),
    "reals.tif": tiff(32, 1, 1, 3, struct.pack("<4f", 0, 1, 2, 3)),
    "together.tif": tiff(8, 3, 1, 1, bytes(range(12))),
    "apart.tif": tiff(8, 3, 2, 1, bytes(range(12))),
    "ome.tif": tiff(8, 1, 1, 1, bytes(4), OME),
    "imagej.tif": tiff(8, 1, 1, 1, bytes(4), b"ImageJ=1.53t\nimages=3\n"),
}


def main():
    for folder, seeds in [("tables", TABLES), ("pictures", {name: b"\0" + content for name, content in PICTURES.items()})]:
        (SEEDS / folder).mkdir(parents=True, exist_ok=True)
        for name, content in seeds.items():
            (SEEDS / folder / name).write_bytes(content)
    (SEEDS / "pictures" / "crops").write_bytes(b"\x03\x02" + json.dumps(CROPS).encode())


if __name__ == "__main__":
    main()
