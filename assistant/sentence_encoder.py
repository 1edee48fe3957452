"""Sentence features by meaning: all-MiniLM-L6-v2 (`encoder_graph`), computed by ONNX Runtime."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
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

from assistant import encoder_graph
from assistant.checks import ROOT, one_at_a_time
from assistant.cores import MANY, in_threads
from assistant.encoder_graph import SIZE, VOCABULARY_SHA256, WEIGHTS_SHA256, Array
from spotwise.reading import default_reader

STATES = "states"
"""Where a message keeps its words, and the vector of each of their pieces, for what looks at them singly."""
LONGEST = 256
"""Word pieces that the model was made for; the rest of a longer message is left out."""
CORES = 2
"""Cores that compute a message together: two take 40 % less time than one, more would gain little."""

# --- Words to word pieces, as BERT's uncased tokenizer makes them ---

_LONGEST_WORD = 100
_SPLIT = re.compile(r"[^\W_]+|\S")
_DROPPED = frozenset({"Mn", "Cc", "Cf", "Co", "Cs", "Cn"})


def _plain(text: str) -> str:
    """Lower case without accents and control characters."""
    text = unicodedata.normalize("NFD", text.lower())
    return "".join(c for c in text if c.isspace() or unicodedata.category(c) not in _DROPPED)


class Pieces(NamedTuple):
    """The words of a text, the ids of their pieces, and the number of each piece's word; -1 for none."""

    words: list[str]
    ids: list[int]
    whose: list[int]


class WordPieces:
    """Splits text into the ids of word pieces."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        """Learn the ids: a piece's place in the vocabulary."""
        self._ids = {piece: number for number, piece in enumerate(vocabulary)}
        self._unknown, self._first, self._last = (self._ids[name] for name in ("[UNK]", "[CLS]", "[SEP]"))

    def split(self, text: str) -> Pieces:
        """The words of a text and their pieces, with those that mark its start and its end."""
        words = _SPLIT.findall(_plain(text))
        found = ((piece, place) for place, word in enumerate(words) for piece in self._pieces(word))
        pieces = list(islice(found, LONGEST - 2))
        ids = [self._first, *(piece for piece, _ in pieces), self._last]
        return Pieces(words, ids, [-1, *(place for _, place in pieces), -1])

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


class States(NamedTuple):
    """The pieces of a text, and the last layer's vector of each, one a row."""

    pieces: Pieces
    vectors: Array


class SentenceModel:
    """From texts to vectors that are alike where the meaning is alike."""

    def __init__(self, graph: Path) -> None:
        """Load a graph that `encoder_graph` built, and the vectors of the word pieces."""
        folder = encoder_graph.package_folder()
        vocabulary = encoder_graph.checked(folder / "vocab.txt", VOCABULARY_SHA256)
        self._words = WordPieces(vocabulary.read_text(encoding="utf-8").splitlines())
        weights = encoder_graph.weights_in(folder / "model.safetensors")
        self._pieces = weights["embeddings.word_embeddings.weight"]  # stays on disk; only rows are read
        self._graph = graph
        self._session = _session(graph, cores=min(CORES, os.cpu_count() or 1))

    def encode(self, texts: Sequence[str]) -> Array:
        """For each text the mean of the last layer, and that of the middle one, of length 1 each.

        One text at a time: 8-bit numbers are scaled by all that is computed together, and a text's vector
        must not depend on the texts it came with.
        """
        if len(texts) < MANY:
            found = [self._vector(text, self._session) for text in texts]
        else:  # a core for each of several texts is faster than all for each
            found = in_threads(partial(self._vector, session=_session(self._graph, cores=1)), texts)
        return np.vstack(found) if found else np.zeros((0, 2 * SIZE), dtype=np.float32)

    def states(self, text: str) -> tuple[Array, States]:
        """The vector of one text, as above, and the vectors of its pieces."""
        pieces = self._split(text)
        meaning, states = self._session.run(["meaning", "words"], self._input(pieces))
        return meaning[0], States(pieces, states[0])

    def _vector(self, text: str, session: onnxruntime.InferenceSession) -> Array:
        (meaning,) = session.run(["meaning"], self._input(self._split(text)))
        vector: Array = meaning[0]
        return vector

    def _split(self, text: str) -> Pieces:
        return self._words.split(default_reader().mended(text))

    def _input(self, pieces: Pieces) -> dict[str, Array]:
        return {"pieces": self._pieces[pieces.ids][None, :, :]}


def _session(graph: Path, cores: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def graph_file() -> Path:
    """The encoder's graph, built where there is none yet of these weights and this code."""
    code, tuning = Path(encoder_graph.__file__), encoder_graph.TUNING
    made_of = WEIGHTS_SHA256.encode() + code.read_bytes() + tuning.read_bytes()
    digest = hashlib.sha256(made_of).hexdigest()[:16]
    path = ROOT / "models" / f"encoder-{digest}.onnx"
    if path.exists():
        return path
    with one_at_a_time(path.with_name("encoder")):
        if not path.exists():
            published = encoder_graph.package_folder() / "model.safetensors"
            weights = encoder_graph.weights_in(encoder_graph.checked(published, WEIGHTS_SHA256))
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(encoder_graph.build(encoder_graph.tuned(weights)))
            unfinished.replace(path)
            for old in set(path.parent.glob("encoder-*")) - {path}:
                old.unlink(missing_ok=True)
    return path


@lru_cache(maxsize=1)
def sentence_model() -> SentenceModel:
    """The one model of this process, loaded when it is first needed."""
    return SentenceModel(graph_file())


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
        """Add the feature to messages, and what it was made of."""
        for message in messages:
            if _has_words(message):
                vector, states = sentence_model().states(message.get(TEXT))
                message.set(STATES, states)
                self._add(message, vector)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the feature to training examples."""
        with_words = [message for message in training_data.training_examples if _has_words(message)]
        vectors = sentence_model().encode([message.get(TEXT) for message in with_words])
        for message, vector in zip(with_words, vectors, strict=True):
            self._add(message, vector)
        return training_data

    def _add(self, message: Message, vector: Array) -> None:
        alias = self._config[FEATURIZER_CLASS_ALIAS]
        message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, alias))


def _has_words(message: Message) -> bool:
    return bool((message.get(TEXT) or "").strip())
