"""References for tests/tests/additive/accuracy.rs: sines and cosines of position * frequency at 90 digits.

How to run, from the root of the repository (about two minutes; the files are the same, byte for byte):

    python3 -m pip install mpmath gmpy2      # gmpy2 is optional and faster
    python3 tools/truth.py

It writes two safetensors files to tests/truth/.

hard.safetensors: single values, most of them the hardest ones. For the angle p * w the hardest positions p are the
denominators of the continued fraction of w / pi (sine nearly zero) and of 2 w / pi (cosine nearly zero, where the
numerator is odd): at frequency 1 these are 22, 355, 103993, 80143857, 6167950454, 14885392687, ... A reference is
a double and the remainder as a float, so that every shorter format can be rounded from it once.

    encodings/kind  U8   0: base^(-2i/dim), 1: base^(-i/(dim/2 - 1)) (1 at dim 2)
    encodings/dim   I32
    encodings/base  F64
    cases/encoding  U16  index into the above
    cases/pair      U16  i
    cases/position  F64
    cases/sin, cases/cos            F64  nearest double
    cases/sin_rest, cases/cos_rest  F32  remainder

rows.safetensors: more than 1,000,000 values as whole rows, interleaved [sin, cos, sin, cos, ...], of which only the
FNV-1a hash of the little-endian bytes is kept, each value rounded once from 90 digits.

    rows/kind, rows/dim, rows/base, rows/position   as above
    rows/f32, rows/f16, rows/bf16                   U64  hashes
"""

import json
import struct
from pathlib import Path

import mpmath
from mpmath import mpf

mpmath.mp.dps = 90

OUT = Path(__file__).resolve().parent.parent / "tests" / "truth"
BASES = [100.0, 1e3, 1e4, 5e5, 1e6, 1e8]
LAST = 2**53 - 1


class Random:
    """splitmix64: the same everywhere, which Python's own generator does not guarantee."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return (z ^ (z >> 31)) % n

    def position(self):
        """An integer up to 2^53 - 1 of a random magnitude."""
        return self.below(2 ** (1 + self.below(53)))


def frequency(kind, dim, base, pair):
    if kind == 0:
        return mpf(base) ** (mpf(-2 * pair) / dim)
    return mpf(1) if dim == 2 else mpf(base) ** (mpf(-2 * pair) / (dim - 2))


def convergents(x, last):
    """Numerators and denominators of the continued fraction of x, the denominators up to `last`."""
    (h0, k0), (h1, k1) = (0, 1), (1, 0)
    while True:
        a = int(mpmath.floor(x))
        (h0, k0), (h1, k1) = (h1, k1), (a * h1 + h0, a * k1 + k0)
        if k1 > last:
            return
        yield h1, k1
        if x == a:
            return
        x = 1 / (x - a)


def hard_positions(w):
    """The positions at which the sine or the cosine of p * w is smallest."""
    sines = {p for _, p in convergents(w / mpmath.pi, LAST)}
    cosines = {p for k, p in convergents(2 * w / mpmath.pi, LAST) if k % 2 == 1}
    return sorted(sines | cosines)


def rounded(x, bits, smallest):
    """x as (integer, exponent): nearest with `bits` bits, ties to even, no exponent below `smallest`."""
    sign, man, exp, length = x._mpf_
    man, exp, length = int(man), int(exp), int(length)
    if man == 0:
        return 0, 0
    drop = max(length - bits, smallest - exp)
    if drop > 0:
        half, rest = 1 << (drop - 1), man & ((1 << drop) - 1)
        man >>= drop
        if rest > half or (rest == half and man & 1):
            man += 1
        exp += drop
        if man >> bits:
            man, exp = man >> 1, exp + 1
    return (-man if sign else man), exp


def to_format(x, bits, smallest, width):
    """The IEEE 754 bits of x, |x| <= 1, as little-endian bytes."""
    man, exp = rounded(x, bits, smallest)
    sign, man, field = int(x < 0), abs(man), 0
    if man:
        # A full significand loses its top bit to the hidden one; a shorter one is made full where it is not subnormal.
        shift = min(bits - man.bit_length(), exp - smallest)
        man, exp = man << shift, exp - shift
        field = exp - smallest + 1 if man >> (bits - 1) else 0
        man &= (1 << (bits - 1)) - 1
    return ((sign << (8 * width - 1)) + (field << (bits - 1)) + man).to_bytes(width, "little")


def to_double(x):
    return struct.unpack("<d", to_format(x, 53, -1074, 8))[0]


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def save(name, title, tensors):
    header, data = {"__metadata__": {"title": title, "generator": "tools/truth.py"}}, b""
    # Wide types first, so that every tensor is aligned.
    sizes = {"F64": ("d", 8), "U64": ("Q", 8), "I32": ("i", 4), "F32": ("f", 4), "U16": ("H", 2), "U8": ("B", 1)}
    for key, (kind, values) in sorted(tensors.items(), key=lambda item: (-sizes[item[1][0]][1], item[0])):
        packed = struct.pack(f"<{len(values)}{sizes[kind][0]}", *values)
        header[key] = {"dtype": kind, "shape": [len(values)], "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / name).write_bytes(struct.pack("<Q", len(text)) + text + data)
    print(name, (OUT / name).stat().st_size, "bytes")


def hard():
    random = Random(1)
    encodings, cases = [], []
    reals = [0.1, 0.5, -0.3, 1e-5, 2.5, -77.25, 1234.5678, 1e6 + 1 / 3, -1e9 - 0.125, 2.0**40 + 0.5, 2.0**51 + 0.5]
    for kind in (0, 1):
        for base in BASES:
            for dim in (2, 4, 6, 10, 64, 100, 128, 512, 1000, 1024, 4096, 16384):
                pairs = dim // 2
                chosen = set()
                for pair in {0, 1, pairs // 2, pairs - 1, random.below(pairs), random.below(pairs)}:
                    if pair >= pairs:
                        continue
                    positions = hard_positions(frequency(kind, dim, base, pair))
                    # All positions once, at frequency 1; for other frequencies the last ones and some others.
                    if not (dim == 2 and base == 1e4):
                        some = positions[-3:] + [positions[random.below(len(positions))] for _ in range(6)]
                        positions = some + [LAST - random.below(2), random.position(), random.position()]
                    else:
                        positions = positions + [-p for p in positions[-5:]] + [LAST, LAST - 1, 0, 1, 2, 3]
                        positions += [2 * p for p in positions if 0 < p <= LAST // 2] + reals
                    positions += [-random.position(), reals[random.below(len(reals))]]
                    chosen |= {(pair, float(p)) for p in positions}
                for pair, position in sorted(chosen):
                    cases.append((len(encodings), pair, position))
                encodings.append((kind, dim, base))
    sines, cosines, sine_rests, cosine_rests = [], [], [], []
    for encoding, pair, position in cases:
        cosine, sine = mpmath.cos_sin(mpf(position) * frequency(*encodings[encoding], pair))
        for x, nearest, rests in ((sine, sines, sine_rests), (cosine, cosines, cosine_rests)):
            nearest.append(to_double(x))
            rests.append(float(x - nearest[-1]))
    print(len(encodings), "encodings,", len(cases), "cases")
    save("hard.safetensors", "hard sines and cosines: a double and what it lacks", {
        "encodings/kind": ("U8", [e[0] for e in encodings]),
        "encodings/dim": ("I32", [e[1] for e in encodings]),
        "encodings/base": ("F64", [e[2] for e in encodings]),
        "cases/encoding": ("U16", [c[0] for c in cases]),
        "cases/pair": ("U16", [c[1] for c in cases]),
        "cases/position": ("F64", [c[2] for c in cases]),
        "cases/sin": ("F64", sines),
        "cases/cos": ("F64", cosines),
        "cases/sin_rest": ("F32", sine_rests),
        "cases/cos_rest": ("F32", cosine_rests),
    })


def rows():
    random = Random(2)
    # (dim, rows with each base and kind): 24 widths from 2 to 16384
    counts = [(2, 32), (4, 32), (6, 24), (10, 24), (16, 24), (32, 20), (50, 12), (64, 24), (80, 12), (96, 12), (128, 24)]
    counts += [(200, 8), (256, 16), (300, 8), (384, 8), (512, 12), (768, 8), (1000, 4), (1024, 8), (1536, 4), (2048, 4)]
    counts += [(4096, 2), (8192, 1), (16384, 1)]
    table, total = [], 0
    for kind in (0, 1):
        for base in BASES:
            for dim, count in counts:
                frequencies = [frequency(kind, dim, base, pair) for pair in range(dim // 2)]
                for row in range(count):
                    position = (LAST - row // 8) if row % 8 == 7 else random.position()
                    formats = [(24, -149, 4), (11, -24, 2), (8, -133, 2)]
                    data = [bytearray() for _ in formats]
                    for w in frequencies:
                        cosine, sine = mpmath.cos_sin(position * w)
                        for x in (sine, cosine):
                            for out, (bits, smallest, width) in zip(data, formats):
                                out += to_format(x, bits, smallest, width)
                    table.append((kind, dim, base, float(position), *map(fnv1a, data)))
                    total += dim
    print(len(table), "rows,", total, "values")
    save("rows.safetensors", "hashes of correctly rounded rows", {
        "rows/kind": ("U8", [r[0] for r in table]),
        "rows/dim": ("I32", [r[1] for r in table]),
        "rows/base": ("F64", [r[2] for r in table]),
        "rows/position": ("F64", [r[3] for r in table]),
        "rows/f32": ("U64", [r[4] for r in table]),
        "rows/f16": ("U64", [r[5] for r in table]),
        "rows/bf16": ("U64", [r[6] for r in table]),
    })


def check_rounding():
    """Checks the formats against Python's own, since they are the reference."""
    random = Random(3)
    for _ in range(20000):
        x = (random.below(2**53) - 2**52) * 2.0 ** -(52 + random.below(40))
        for name, args in (("<d", (53, -1074, 8)), ("<f", (24, -149, 4)), ("<e", (11, -24, 2))):
            assert struct.pack(name, x + 0.0) == to_format(mpf(x), *args), (name, x)
        float_bits = struct.unpack("<I", to_format(mpf(x), 24, -149, 4))[0]
        brain = struct.unpack("<H", to_format(mpf(x), 8, -133, 2))[0]
        assert abs(float_bits - (brain << 16)) <= 1 << 15, x


if __name__ == "__main__":
    check_rounding()
    hard()
    rows()
