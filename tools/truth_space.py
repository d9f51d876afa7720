"""References for tests/tests/space/truth.rs: encodings at random real coordinates, at 90 digits.

How to run, from the root of the repository, with mpmath installed (see truth.py; the file is the same, byte for byte):

    python3 tools/truth_space.py

It writes tests/truth/space.safetensors: doubles nearest to the formula, and the remainders.

    timesteps/max_period, /scale, /shift F64, /half, /pair I32, /t F64            sin and cos of scale t P^(-pair/(half - shift))
    projections/b, /x F64 (cases, 3), /phase F64                                 sin and cos of 2 pi (b . x + phase)
    bands/exponent I32, /x F64                                                   sin and cos of pi 2^exponent x
    calendar/period, /phase, /t F64                                              sin and cos of 2 pi (t - phase) / period
    lines/w, /p, /t F64                                                          sin (and cos) of w t + p
    radial/kind U8, /dim, /k I32, /cutoff, /d F64, /value F64 (no rest)          0 Gaussian from 0 to the cutoff, 1 ExpNormal,
                                                                                 2 Bessel, 3 DimeNet with exponent 5
    sphere/w, /latitude, /longitude F64 in degrees, /values F64 (cases, 5)       Sphere2Vec's five features
"""

import mpmath
from mpmath import mpf

from truth import Random, save, to_double

PI = mpmath.pi


class Reals(Random):
    """Doubles with all bits, of random magnitudes."""

    def unit(self):
        return self.below(2**53) / 2.0**53

    def real(self, smallest, largest):
        sign = 1 - 2 * self.below(2)
        return sign * (1 + self.unit()) * 2.0 ** (smallest + self.below(largest - smallest))


def waves(angles):
    """The columns of sines and cosines, and of their remainders."""
    columns = {"sin": [], "cos": [], "sin_rest": [], "cos_rest": []}
    for angle in angles:
        for name, x in zip(("cos", "sin"), mpmath.cos_sin(angle)):
            columns[name].append(to_double(x))
            columns[f"{name}_rest"].append(float(x - columns[name][-1]))
    return {name: ("F32" if "rest" in name else "F64", values) for name, values in columns.items()}


def section(name, angles, **columns):
    return {f"{name}/{key}": value for key, value in {**columns, **waves(angles)}.items()}


def timesteps(random):
    rows = []
    for max_period in (100.0, 1e4):
        for scale in (1.0, 1000.0, 0.3):
            for half, shift in ((8, 1.0), (8, 0.0), (5, 0.5), (160, 0.0), (128, 1.0), (7, -0.25)):
                for _ in range(8):
                    rows.append((max_period, scale, shift, half, random.below(half), random.unit() * 1000))
    power = lambda p, pair, h: mpf(p) ** (-mpf(pair) / h)
    angles = [mpf(s) * mpf(t) * power(p, pair, mpf(half) - mpf(shift)) for p, s, shift, half, pair, t in rows]
    names = ("max_period", "scale", "shift", "half", "pair", "t")
    types = ("F64", "F64", "F64", "I32", "I32", "F64")
    columns = {n: (t, [row[i] for row in rows]) for i, (n, t) in enumerate(zip(names, types))}
    return section("timesteps", angles, **columns)


def projections(random):
    rows = [([random.real(-6, 6) for _ in range(3)], [random.real(-8, 10) for _ in range(3)], random.unit()) for _ in range(900)]
    # Terms that cancel: the sine is tiny, but all of its bits must be right.
    for _ in range(100):
        b, x = random.real(-3, 3), random.real(-3, 3)
        rows.append(([b, b, 0.0], [x, -x + random.real(-45, -20), 1.0], 0.0))
    angles = [2 * PI * (sum(mpf(u) * mpf(v) for u, v in zip(b, x)) + mpf(phase)) for b, x, phase in rows]
    flat = lambda i: ("F64", [value for row in rows for value in row[i]])
    return section("projections", angles, b=flat(0), x=flat(1), phase=("F64", [row[2] for row in rows]))


def simple(random):
    bands = [(random.below(20), random.real(-10, 3)) for _ in range(300)]
    calendar = [(period, random.real(0, 10), random.real(0, 45)) for period in (24.0, 168.0, 365.2425, 0.1) for _ in range(80)]
    lines = [(random.real(-8, 8), random.real(-3, 3), random.real(-5, 20)) for _ in range(300)]
    column = lambda rows, i, kind="F64": (kind, [row[i] for row in rows])
    return {
        **section("bands", [PI * mpf(2) ** e * mpf(x) for e, x in bands], exponent=column(bands, 0, "I32"), x=column(bands, 1)),
        **section(
            "calendar",
            [2 * PI * (mpf(t) - mpf(phase)) / mpf(period) for period, phase, t in calendar],
            period=column(calendar, 0), phase=column(calendar, 1), t=column(calendar, 2),
        ),
        **section(
            "lines",
            [mpf(w) * mpf(t) + mpf(p) for w, p, t in lines],
            w=column(lines, 0), p=column(lines, 1), t=column(lines, 2),
        ),
    }


def radial_value(kind, dim, k, cutoff, d):
    c, d = mpf(cutoff), mpf(d)
    if kind == 0:
        spacing = c / (dim - 1)
        return mpmath.exp(-((d - k * spacing) / spacing) ** 2 / 2)
    if kind == 1:
        first = mpmath.exp(-c)
        centre = first + k * (1 - first) / (dim - 1)
        beta = (mpf(2) / dim * (1 - first)) ** -2
        return (mpmath.cos(PI * d / c) + 1) / 2 * mpmath.exp(-beta * (mpmath.exp(-5 * d / c) - centre) ** 2) if d < c else mpf(0)
    sine = mpmath.sin((k + 1) * PI * d / c)
    if kind == 2:
        return sine / d
    x, p = d / c, 6
    a, b, g = mpf(-(p + 1) * (p + 2)) / 2, mpf(p * (p + 2)), mpf(-p * (p + 1)) / 2
    return (1 / x + a * x ** (p - 1) + b * x**p + g * x ** (p + 1)) * sine if x < 1 else mpf(0)


def radial(random):
    rows = []
    for kind in range(4):
        for dim, cutoff in ((6, 5.0), (50, 10.0), (128, 5.0)):
            rows += [(kind, dim, random.below(dim), cutoff, random.unit() * cutoff * 1.1) for _ in range(40)]
    names = (("kind", "U8"), ("dim", "I32"), ("k", "I32"), ("cutoff", "F64"), ("d", "F64"))
    columns = {f"radial/{name}": (kind, [row[i] for row in rows]) for i, (name, kind) in enumerate(names)}
    return {**columns, "radial/value": ("F64", [to_big(radial_value(*row)) for row in rows])}


def to_big(x):
    """The nearest double of any magnitude."""
    return float(x)


def sphere(random):
    rows = [(random.real(-8, 5), random.unit() * 180 - 90, random.unit() * 360 - 180) for _ in range(150)]
    values = []
    for w, latitude, longitude in rows:
        phi, lam = (mpf(angle) * PI / 180 for angle in (latitude, longitude))
        s, c = mpmath.sin, mpmath.cos
        w = mpf(w)
        values += [s(phi * w), c(phi * w) * c(lam), c(phi) * c(lam * w), c(phi * w) * s(lam), c(phi) * s(lam * w)]
    columns = {f"sphere/{name}": ("F64", [row[i] for row in rows]) for i, name in enumerate(("w", "latitude", "longitude"))}
    return {**columns, "sphere/values": ("F64", [to_double(value) for value in values])}


if __name__ == "__main__":
    random = Reals(4)
    tensors = {**timesteps(random), **projections(random), **simple(random), **radial(random), **sphere(random)}
    save("space.safetensors", "encodings at random real coordinates", tensors)
