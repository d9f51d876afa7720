#!/usr/bin/env python3
"""Counts the instructions of the kernels' loops for f32, by what they do: the profile behind docs/limits.md.

    python3 tools/instructions.py [BINARY]

Needs objdump of binutils. Where llvm-mca is installed, of LLVM 17 or later, it says how many cycles of a Zen 4 core a turn takes: at best,
if nothing waited for anything else, and with the dependencies and queues of the processor. Without a program it builds an example.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETS = {"zmm": "AVX-512", "ymm": "AVX2", "xmm": "baseline"}
# Conversions to f32 of a turn: eight rows of a sine and a cosine for each vector of f64, or one row.
KINDS = {32: "eight rows", 8: "one row"}


def build():
    command = ["cargo", "build", "--release", "--example", "quickstart", "--message-format=json"]
    run = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return re.findall(r'"executable":"([^"]+)"', run.stdout)[-1]


def instructions(binary):
    """(address, mnemonic, operands) of all code."""
    command = ["objdump", "-d", "--no-show-raw-insn", "-M", "intel", binary]
    for line in subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        if match := re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*([^#<]*)", line):
            yield int(match[1], 16), match[2], match[3].strip()


def loops(code):
    """The code between the target of a backward jump and the jump."""
    index = {address: i for i, (address, _, _) in enumerate(code)}
    for i, (address, name, operands) in enumerate(code):
        if name.startswith("j") and re.fullmatch("[0-9a-f]+", operands):
            target = int(operands, 16)
            if target < address and target in index and i - index[target] < 1200:
                yield code[index[target] : i + 1]


def kind(name, operands):
    first, _, rest = operands.partition(",")
    if "mov" in name and "[" in first:
        return "stores"
    for part, what in {"mulpd": "products", "addpd": "sums", "subpd": "sums", "cvtpd2ps": "conversions"}.items():
        if part in name:
            return what
    if re.search("unpck|perm|shuf|insert|extract|broadcast|blend", name):
        return "shuffles"
    return "loads" if "mov" in name and "[" in rest else "other"


def cycles(body):
    """Of a turn by llvm-mca: throughput at best, and with all that waits."""
    mca = next(filter(shutil.which, ["llvm-mca", *(f"llvm-mca-{version}" for version in range(17, 30))][::-1]), None)
    if not mca:
        return "", ""
    lines = [f"{name} {re.sub(r'rip[+-]0x[0-9a-f]+', 'rip', operands)}" for _, name, operands in body if name[0] != "j"]
    text = ".intel_syntax noprefix\n" + "\n".join(lines) + "\n"
    command = [mca, "-mcpu=znver4", "-iterations=300", "-instruction-info=false", "-resource-pressure=false"]
    run = subprocess.run(command, input=text, capture_output=True, text=True)
    found = [re.search(rf"{what}:\s+([\d.]+)", run.stdout) for what in ("Block RThroughput", "Total Cycles")]
    if not all(found):
        return "", ""
    return f"{float(found[0][1]):.0f}", f"{float(found[1][1]) / 300:.0f}"


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else build()
    columns = ["products", "sums", "conversions", "shuffles", "loads", "stores", "other"]
    print("| loop | instructions |", " | ".join(columns), "| cycles at best | with all that waits |")
    print("|---" * (len(columns) + 4) + "|")
    shortest = {}
    for body in loops(list(instructions(binary))):
        counts = dict.fromkeys(columns, 0)
        for _, name, operands in body:
            counts[kind(name, operands)] += 1
        products = {operands[:3] for _, name, operands in body if name.endswith("mulpd")}
        rows = KINDS.get(counts["conversions"])
        if rows is None or counts["products"] + counts["sums"] < 72 or len(products) != 1 or not products <= SETS.keys():
            continue
        interleaving = sum(bool(re.search("unpck[lh]ps|perm[ti]2ps", name)) for _, name, _ in body)
        layout = "" if rows == "one row" else ", interleaved" if interleaving > 3 else ", halves"
        loop = f"{SETS[products.pop()]}, {rows}{layout}"
        # Amplitudes other than 1 take more.
        if loop not in shortest or len(body) < len(shortest[loop][0]):
            shortest[loop] = body, counts
    for loop, (body, counts) in sorted(shortest.items()):
        print("|", loop, "|", len(body), "|", *(f"{count} |" for count in counts.values()), " | ".join(cycles(body)), "|")


main()
