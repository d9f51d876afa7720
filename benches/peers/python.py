#!/usr/bin/env python3
"""Compares the code of the PyTorch tutorial, numpy, torch and transformers with this crate, on one thread, in one run.

    python3 -m venv venv && venv/bin/pip install torch numpy transformers
    venv/bin/python python.py             # under two minutes; --rounds 1 for a glance

New memory costs a page fault for every 4 KiB, half of most times here, and whether the C library uses new memory depends on what ran
before. So everything runs with two settings of glibc: every array over 1 MiB is new memory ("new"), or freed memory is reused
("kept"). This crate runs in the same round with the same settings. Ratios are taken within a round; the table has
their medians.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
MEMORY = {
    "new": {"MALLOC_MMAP_THRESHOLD_": str(1 << 20)},
    "kept": {"MALLOC_MMAP_THRESHOLD_": str(1 << 32), "MALLOC_TRIM_THRESHOLD_": str(1 << 34)},
}

# The same sizes and values as in src/work.rs.
ROWS, DIM, BATCH, LEN, VOCABULARY, SCALE = 8192, 1024, 8, 1024, 32_000, 32.0
HEADS, POSITIONS, HEAD_DIM, STEP, BASE = 32, 2048, 128, 4095, 10_000.0
IMAGES, SIDE, PIXEL_DIM = 8, 128, 256
STRIDE, SHORT = 9973, 10_000
SCORES, BUCKETS, FARTHEST = {"": (1024, 1024), " step": (1, STEP + 1)}, 32, 128

# The comparisons: a name, the task of Python, the task of this crate.
PAIRS = [
    ("table 8192 x 1024", "PyTorch tutorial, table", "table, allocated"),
    ("table 8192 x 1024", "numpy, table", "table, allocated"),
    ("lookup x 32 + position, ids (8, 1024)", "torch, lookup as usual", "lookup, allocated"),
    ("lookup x 32 + position, ids (8, 1024)", "torch, lookup, out= and in place", "lookup, in place"),
    ("lookup x 32 + position, ids (8, 1024)", "torch, lookup, out=, scale and sum in one", "lookup, in place"),
    ("rotary, q and k (1, 32, 2048, 128)", "transformers, apply_rotary_pos_emb", "rotary, allocated"),
    ("rotary, q and k (1, 32, 2048, 128)", "transformers, apply_rotary_pos_emb", "rotary, in place"),
    ("decode step, q and k (1, 32, 1, 128)", "transformers, apply_rotary_pos_emb, decode", "decode, in place"),
    ("decode step, cos and sin", "transformers, cos and sin, decode", "angles, in place"),
    *[
        (f"{name} made and added to ({HEADS}, {queries}, {keys})", f"transformers, {name}{step}{how}", f"{name}{step}, {form}")
        for step, (queries, keys) in SCORES.items()
        for name in ("T5", "ALiBi")
        for how, form in (("", "allocated"), (", in place", "in place"))
    ],
    ("DETR, masks (8, 128, 128), dim 256", "transformers, DetrSinePositionEmbedding", "masks, allocated"),
    ("DETR, masks (8, 128, 128), dim 256", "transformers, DetrSinePositionEmbedding", "masks, in place"),
    ("floor: fill 32 MiB", "torch, fill", "fill, in place"),
    ("floor: copy 32 MiB", "torch, copy", "copy, in place"),
    ("floor: allocated fill of 32 MiB", "torch, allocated fill", "fill, allocated"),
    ("floor: allocated copy of 32 MiB", "torch, allocated copy", "copy, allocated"),
]


def median(run):
    """The median time of a call in nanoseconds: half a second of samples, each long enough for the clock."""
    start = time.perf_counter_ns()
    run()
    run()
    repeat = max(1, 200_000 // max(1, (time.perf_counter_ns() - start) // 2))
    samples = []
    while len(samples) < 7 or time.perf_counter_ns() - start < 500_000_000:
        sample = time.perf_counter_ns()
        for _ in range(repeat):
            run()
        samples.append((time.perf_counter_ns() - sample) / repeat)
    return statistics.median(samples)


def values(np, shape):
    """The values of `value` in src/work.rs."""
    i = np.arange(math.prod(shape), dtype=np.int64)
    return ((i * 7919 % 1009 - 504).astype(np.float32) / np.float32(504)).reshape(shape)


def numpy_table(np):
    position = np.arange(ROWS, dtype=np.float32)[:, None]
    frequencies = np.exp(np.arange(0, DIM, 2, dtype=np.float32) * np.float32(-math.log(BASE) / DIM))
    table = np.zeros((ROWS, DIM), dtype=np.float32)
    table[:, 0::2] = np.sin(position * frequencies)
    table[:, 1::2] = np.cos(position * frequencies)
    return table


def tutorial_table(torch):
    """PositionalEncoding.__init__ of the PyTorch tutorial."""
    position = torch.arange(ROWS).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, DIM, 2) * (-math.log(BASE) / DIM))
    pe = torch.zeros(ROWS, 1, DIM)
    pe[:, 0, 0::2] = torch.sin(position * div_term)
    pe[:, 0, 1::2] = torch.cos(position * div_term)
    return pe


def lookups(np, torch):
    """The usual form, and two with a reused output; scale and sum in one call touches memory least."""
    embedding = torch.nn.Embedding.from_pretrained(torch.from_numpy(values(np, (VOCABULARY, DIM))))
    ids = torch.arange(BATCH * LEN) * 40_503 % VOCABULARY
    shaped = ids.view(BATCH, LEN)
    positions = tutorial_table(torch)[:LEN, 0].contiguous()
    out = torch.empty(BATCH * LEN, DIM)
    batch = out.view(BATCH, LEN, DIM)

    def in_place():
        torch.index_select(embedding.weight, 0, ids, out=out)
        return batch.mul_(SCALE).add_(positions)

    def in_one():
        torch.index_select(embedding.weight, 0, ids, out=out)
        return torch.add(positions, batch, alpha=SCALE, out=batch)

    return {
        "torch, lookup as usual": lambda: embedding(shaped) * SCALE + positions,
        "torch, lookup, out= and in place": in_place,
        "torch, lookup, out=, scale and sum in one": in_one,
    }


def rotations(np, torch):
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    config = LlamaConfig(
        hidden_size=HEADS * HEAD_DIM, num_attention_heads=HEADS, max_position_embeddings=2 * POSITIONS,
        rope_parameters={"rope_type": "default", "rope_theta": BASE},
    )
    rotary = LlamaRotaryEmbedding(config)
    q, one = (torch.from_numpy(values(np, (1, HEADS, count, HEAD_DIM))) for count in (POSITIONS, 1))
    k, one_k = q.clone(), one.clone()
    cos, sin = rotary(q, torch.arange(POSITIONS)[None])
    step = torch.tensor([[STEP]])
    step_cos, step_sin = rotary(one, step)
    return {
        "transformers, apply_rotary_pos_emb": lambda: apply_rotary_pos_emb(q, k, cos, sin),
        "transformers, apply_rotary_pos_emb, decode": lambda: apply_rotary_pos_emb(one, one_k, step_cos, step_sin),
        "transformers, cos and sin, decode": lambda: rotary(one, step),
    }


def biases(np, torch):
    """The biases of T5 and MPT, which every call of their models makes anew, and the addition."""
    from transformers import T5Config
    from transformers.models.mpt.modeling_mpt import build_mpt_alibi_tensor
    from transformers.models.t5.modeling_t5 import T5Attention

    config = T5Config(
        num_heads=HEADS, relative_attention_num_buckets=BUCKETS, relative_attention_max_distance=FARTHEST
    )
    attention = T5Attention(config, has_relative_attention_bias=True, layer_idx=0)
    attention.relative_attention_bias.weight.data = torch.from_numpy(values(np, (BUCKETS, HEADS)))
    works = {}
    for step, (queries, keys) in SCORES.items():
        scores = torch.from_numpy(values(np, (1, HEADS, queries, keys)))
        made = {
            "T5": lambda queries=queries, keys=keys: attention.compute_bias(queries, keys, past_seen_tokens=keys - queries),
            "ALiBi": lambda keys=keys: build_mpt_alibi_tensor(HEADS, keys),
        }
        for name, make in made.items():
            works[f"transformers, {name}{step}"] = lambda scores=scores, make=make: scores + make()
            own = scores.clone()
            works[f"transformers, {name}{step}, in place"] = lambda own=own, make=make: own.add_(make())
    return works


def pixels(np, torch):
    """Vectors (images, height, width, dim) of pixels, from masks that keep less of each image."""
    from transformers.models.detr.modeling_detr import DetrSinePositionEmbedding

    detr = DetrSinePositionEmbedding(PIXEL_DIM // 2, temperature=int(BASE), normalize=True)
    image, y, x = np.indices((IMAGES, SIDE, SIDE))
    mask = torch.from_numpy((y < SIDE - 8 * image) & (x < SIDE - 4 * image))
    shape = torch.Size((IMAGES, 3, SIDE, SIDE))

    def run():
        # The class caches the result of its last arguments, and knows a mask by its identity.
        found = detr(shape, torch.device("cpu"), torch.float32, mask.clone())
        return found.permute(0, 2, 3, 1)

    return {"transformers, DetrSinePositionEmbedding": run}


def floors(torch):
    source = torch.full((ROWS, DIM), 0.5)
    out = source.clone()
    return {
        "torch, fill": lambda: out.fill_(0.5),
        "torch, copy": lambda: out.copy_(source),
        "torch, allocated fill": lambda: torch.full((ROWS, DIM), 0.5),
        "torch, allocated copy": source.clone,
    }


def sample(np, result):
    """Some values of a result, sampled as in src/bin/ours.rs; of q and k, or of cos and sin, those of the first."""
    result = np.asarray(result[0] if isinstance(result, tuple) else result).reshape(-1)
    return result[:: STRIDE if result.size > SHORT else 1].tolist()


def worker():
    """Prints the sampled results once, then medians for every line of input."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    with torch.inference_mode():
        works = {
            **floors(torch),
            "PyTorch tutorial, table": lambda: tutorial_table(torch),
            "numpy, table": lambda: numpy_table(np),
            **lookups(np, torch),
            **rotations(np, torch),
            **pixels(np, torch),
            **biases(np, torch),
        }
        print(json.dumps({"values": {name: sample(np, run()) for name, run in works.items()}}), flush=True)
        for _ in sys.stdin:
            print(json.dumps({name: median(run) for name, run in works.items()}), flush=True)


def allowed(work, i):
    """The error of a value from float32 angles, as in src/check.rs; a word row is up to 32."""
    if work == "masks":
        # Up to 2π, from three more roundings.
        frequency = BASE ** (-4 * (i % (PIXEL_DIM // 2) // 2) / PIXEL_DIM)
        return 2 * (math.tau * frequency * (3 * abs(math.log(frequency)) + 6) + 4) * 2.0**-24
    dim = DIM if work in ("table", "lookup") else HEAD_DIM
    row, feature = divmod(i, dim)
    pair = feature // 2 if dim == DIM else feature % (dim // 2)
    position = {"table": row, "lookup": row % LEN, "rotary": row % POSITIONS}.get(work, STEP)
    frequency = BASE ** (-2 * pair / dim)
    angle = position * frequency * (3 * abs(math.log(frequency)) + 3)
    return 2 * (angle + 4 * (SCALE if work == "lookup" else 1)) * 2.0**-24


def check(python, ours):
    """Stops unless both results agree."""
    for _, name, own in PAIRS:
        work = own.split(",")[0]
        if work in ("fill", "copy"):
            continue
        found, expected = python[name], ours[work]
        if work == "angles":
            found = found[: HEAD_DIM // 2]  # transformers holds each cosine twice
        if len(found) != len(expected):
            sys.exit(f"{name}: {len(found)} values, not {len(expected)}")
        stride = 1 if work in ("decode", "angles") else STRIDE
        for i, (one, other) in enumerate(zip(found, expected)):
            roundings = 8 * 2.0**-23 * max(1.0, abs(other)) if work.startswith(("T5", "ALiBi")) else 0.0
            if not abs(one - other) <= (roundings or allowed(work, i * stride)):
                sys.exit(f"{name}: {one} at {i * stride}, not {other}")


def built():
    """Builds the program of this crate and returns its path."""
    cargo = ["cargo", "build", "--release", "--bin", "ours", "--message-format", "json", "--manifest-path"]
    lines = subprocess.run([*cargo, HERE / "Cargo.toml"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    programs = [json.loads(line).get("executable") for line in lines if line.startswith("{")]
    return next(program for program in programs if program)


class Worker:
    """Python's side with one kind of memory: a process of its own, since memory must be set before it starts."""

    def __init__(self, setting):
        self.environment = {**os.environ, **ONE_THREAD, **setting}
        command = [sys.executable, __file__, "--worker"]
        self.process = subprocess.Popen(
            command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.values = self.answer()["values"]

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else sys.exit("Python's side stopped; see above")

    def medians(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.answer()

    def ours(self, program):
        """The medians of this crate with the same memory, after comparing its results."""
        ours = subprocess.run([program], env=self.environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        ours = json.loads(ours)
        check(self.values, ours["values"])
        return ours["medians"]


def measure(rounds):
    """The results of every round, for both kinds of memory: {memory: [(Python's medians, ours)]}."""
    program = built()
    workers = {memory: Worker(setting) for memory, setting in MEMORY.items()}
    results = {memory: [] for memory in MEMORY}
    for _ in range(rounds):
        for memory, worker in workers.items():
            results[memory].append((worker.medians(), worker.ours(program)))
    for worker in workers.values():
        worker.process.communicate()
    return results


def readable(nanoseconds):
    for unit, size in (("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.2f} {unit}"
    return f"{nanoseconds:.0f} ns"


def report(results):
    print("| work | memory | peer | median | this crate | median | times as fast |\n|---|---|---|---|---|---|---|")
    for work, name, own in PAIRS:
        for memory, rounds in results.items():
            theirs = statistics.median(python[name] for python, _ in rounds)
            ours = statistics.median(medians[own] for _, medians in rounds)
            ratio = statistics.median(python[name] / medians[own] for python, medians in rounds)
            form = own.split(", ")[1]
            print(f"| {work} | {memory} | {name} | {readable(theirs)} | {form} | {readable(ours)} | {ratio:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker()
    try:
        versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "numpy", "transformers"))
    except metadata.PackageNotFoundError as missing:
        sys.exit(f"{missing.name} is not installed. In a virtual environment: pip install torch numpy transformers")
    print(f"{versions}, Python {sys.version.split()[0]}; one thread, medians of {arguments.rounds} rounds\n")
    report(measure(arguments.rounds))


if __name__ == "__main__":
    main()
