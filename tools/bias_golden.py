#!/usr/bin/env python3
"""Makes tests/golden/d6_bias_references.safetensors: attention biases, computed by the systems that have them.

    python3 -m venv venv && venv/bin/pip install torch torchvision numpy transformers==5.24.0 einops safetensors
    venv/bin/pip download --no-deps nemo_toolkit==2.1.0 fla-core==0.6.0
    venv/bin/python tools/bias_golden.py nemo_toolkit-*.whl fla_core-*.whl layers.py embeddings.py

layers.py is megatron/mpu/layers.py of github.com/chijames/KERPLE at 25be3d7, embeddings.py is
cramming/architectures/embeddings.py of github.com/mcleish7/arithmetic at 86022a5. The classes named below are run
unchanged, without the other imports of their packages.
"""

import ast
import json
import math
import pathlib
import sys
import zipfile
from types import SimpleNamespace

import numpy as np
import torch
from einops import rearrange, repeat
from safetensors.numpy import save_file

MEGATRON = "nemo/collections/nlp/modules/common/megatron/position_embedding/"
CASES, TENSORS = {}, {}


def definitions(source, names, **given):
    """The classes and functions of these names in a Python source, which see only the given names."""
    wanted = [node for node in ast.parse(source).body if getattr(node, "name", None) in names]
    assert len(wanted) == len(names), names
    space = {"torch": torch, "math": math, **given}
    exec(compile(ast.Module(wanted, []), "<reference>", "exec"), space)
    return [space[name] for name in names]


def case(name, package, call, formula, **tensors):
    CASES[name] = {"package": package, "call": call, "formula": formula}
    for key, tensor in tensors.items():
        TENSORS[f"{name}/{key}"] = np.ascontiguousarray(tensor.detach().numpy())


def kerple(source):
    """The authors' kernels, on the CPU and in one process."""
    torch.cuda.current_device = lambda: "cpu"
    one = {"get_model_parallel_world_size": lambda: 1, "get_model_parallel_rank": lambda: 0}
    names = ["ParallelKerpleLog", "ParallelKerplePower"]
    log, power = definitions(source, names, Parameter=torch.nn.Parameter, **one)
    for kind, kernel, formula in [
        ("log", log, "-p*log(1 + a*|i-j|)"), ("power", power, "-a*|i-j|^p"),
    ]:
        name = {"log": "kerple_log", "power": "kerple_power_ap_"}[kind]
        torch.manual_seed(7)
        module = kernel(SimpleNamespace(num_attention_heads=4, pos_emb=name, params_dtype=torch.float32))
        whole, step = module(torch.zeros(1, 4, 9, 9)), module(torch.zeros(1, 4, 1, 9))
        case(
            f"kerple_{kind}", "github.com/chijames/KERPLE 25be3d7", f"{kernel.__name__}(args)(scores)",
            formula + "; keys that come after the query have distance 0",
            bias=whole[0], step=step[0], p=module.bias_p.flatten(), a=module.bias_a.flatten(),
        )


def nemo(wheel):
    """KERPLE and Sandwich of NeMo, both directions."""
    read = lambda name: zipfile.ZipFile(wheel).read(f"{MEGATRON}{name}_relative_position_embedding.py").decode()
    alibi = ["build_relative_position", "build_slopes", "get_slopes"]
    alibi = [name for name in alibi if f"def {name}(" in read("alibi")]
    given = dict(zip(alibi, definitions(read("alibi"), alibi)), experimental=lambda cls: cls)
    (kernel,) = definitions(read("kerple"), ["KERPLERelativePositionEmbedding"], **given)
    module = kernel(True, 4, None, max_seq_len=16)
    with torch.no_grad():
        module.kerple_a.copy_(torch.tensor([0.25, 1.0, 3.0, 0.01]).reshape(module.kerple_a.shape))
    case(
        "nemo_kerple", "nemo_toolkit 2.1.0", "KERPLERelativePositionEmbedding(True, 4, None, max_seq_len=16)(5, 9)",
        "-b*log(1 + a*|i-j|^p), p = 1", bias=module(5, 9)[0], a=module.kerple_a.flatten(), b=module.kerple_b.flatten(),
    )
    (sandwich,) = definitions(read("sandwich"), ["SandwichRelativePositionEmbedding"], **given)
    case(
        "nemo_sandwich", "nemo_toolkit 2.1.0",
        "SandwichRelativePositionEmbedding(True, 6, None, 32, max_seq_len=64)(7, 40)",
        "(sum over k=1..d/2 of cos((i-j)*10000^(-2k/d)) - d/2) / (8h/n)", bias=sandwich(True, 6, None, 32, 64)(7, 40)[0],
    )


def fire(source):
    """FIRE, as defined in its paper and implemented by others."""
    (module,) = definitions(source, ["FIRE"])
    for name, length, threshold in [("fire_short", 9, 512.0), ("fire_long", 24, 6.0)]:
        torch.manual_seed(11)
        one = module(num_heads=3, mlp_width=8, init_c=0.1, init_L=threshold).eval()
        layers = {f"layer{i}_{kind}": getattr(one.mlp[i], kind) for i in (0, 2) for kind in ("weight", "bias")}
        own = torch.stack([one.c, torch.abs(one.L_multiplier * one.init_L)])
        case(
            name, "github.com/mcleish7/arithmetic 86022a5", f"FIRE(3, 8, 0.1, {threshold}).eval()({length}, 'cpu')",
            "f(log(c|i-j| + 1) / (log(c*max(i, L) + 1) + 1e-6)), c_and_l = [c, L]",
            bias=one(length, "cpu")[0], c_and_l=own, **layers,
        )


def sam3():
    from transformers import Sam3DETRDecoderConfig
    from transformers.models.sam3 import modeling_sam3

    config = Sam3DETRDecoderConfig(hidden_size=16, num_layers=1, num_attention_heads=2, intermediate_size=32)
    torch.manual_seed(13)
    decoder = modeling_sam3.Sam3DetrDecoder(config).eval()
    for network in (decoder.box_rpb_embed_x, decoder.box_rpb_embed_y):
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    boxes = torch.tensor([[[0.5, 0.5, 1.0, 1.0], [0.25, 0.7, 0.1, 0.3], [0.9, 0.1, 0.05, 0.2], [0.4, 0.4, 0.0, 0.5]]])
    layers = {
        f"{axis}_{layer}_{kind}": getattr(getattr(getattr(decoder, f"box_rpb_embed_{axis}"), layer), kind)
        for axis in "xy" for layer in ("layer1", "layer2") for kind in ("weight", "bias")
    }
    shape = (torch.tensor(3), torch.tensor(5))
    case(
        "sam3_boxes", "transformers 5.24.0", "Sam3DetrDecoder(config)._get_rpb_matrix(boxes, (3, 5))",
        "f_x of (x - x0, x - x1) + f_y of (y - y0, y - y1), each d as sign(d)*log2(1 + |8d|)/3; boxes are cx, cy, w, h",
        bias=decoder._get_rpb_matrix(boxes, shape)[0], boxes=boxes[0],
        corners=modeling_sam3.box_cxcywh_to_xyxy(boxes)[0], **layers,
    )


def fox(wheel):
    """Forgetting attention: with k = 0 and v the identity its output is the softmax of the bias."""
    source = zipfile.ZipFile(wheel).read("fla/ops/forgetting_attn/naive.py").decode()
    given = {"F": torch.nn.functional, "rearrange": rearrange, "repeat": repeat}
    (attention,) = definitions(source, ["naive_forgetting_attn"], **given)
    torch.manual_seed(17)
    batch, length, heads, dim = 2, 7, 3, 7
    gates = torch.nn.functional.logsigmoid(2 * torch.randn(batch, length, heads) + 1)
    zeros, ones = torch.zeros(batch, length, heads, dim), torch.eye(dim)[None, :, None].repeat(batch, 1, heads, 1)
    q, k = torch.randn(2, batch, length, heads, dim)
    case(
        "fox", "fla-core 0.6.0", "naive_forgetting_attn(q, k, v, g), v the identity for each head",
        "softmax over j <= i of q_i.k_j/sqrt(d) + G_i - G_j, G the running sum of g; bias_alone has k = 0",
        gates=gates, q=q, k=k, weights=attention(q, k, ones, gates), bias_alone=attention(q, zeros, ones, gates),
    )


def main():
    nemo_wheel, fla_wheel, layers, embeddings = sys.argv[1:]
    kerple(pathlib.Path(layers).read_text())
    nemo(nemo_wheel)
    fire(pathlib.Path(embeddings).read_text())
    sam3()
    fox(fla_wheel)
    about = {"format": "golden-v1", "title": "biases of functions of distance, boxes and gates", "cases": json.dumps(CASES)}
    about["packages"] = json.dumps({"torch": torch.__version__})
    target = pathlib.Path(__file__).parent.parent / "tests/golden/d6_bias_references.safetensors"
    save_file(TENSORS, target, about)
    for name, tensor in TENSORS.items():
        print(name, tensor.dtype, tensor.shape)


main()
