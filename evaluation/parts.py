"""Cross-validation of the intent classifier, and what each part of the pipeline is worth.

The components of config.yml run here one by one, without Rasa's graph around them, so that each can be left
out and timed.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from unittest.mock import patch

import numpy as np
import yaml
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.model_selection import StratifiedKFold  # type: ignore[import-untyped]

from assistant import encoder_graph, linear
from assistant.intent_classifier import IntentClassifier
from assistant.safety_classifier import SafetyClassifier
from assistant.sentence_encoder import SIZE, Pieces, SentenceModel, States, sentence_model
from evaluation import ROOT, sets
from evaluation.measure import Measured, measured
from evaluation.scores import Pair, share
from evaluation.understanding import NOW, Assistant
from spotwise.reading import Reader, Reading

FOLDS = 5
TIMED = 60
"""Messages that the milliseconds are measured on."""
TIMES = 5
"""How often each is sent. The fastest counts: what else the machine does can only slow it down."""

_RASAS = {
    "FallbackClassifier": "rasa.nlu.classifiers.fallback_classifier",
}
"""Where Rasa keeps its own components."""
_SPACY = ("EnglishTokenizer",)
_BOTH = frozenset({"last", "middle"})

Encode = Callable[[SentenceModel, Sequence[str]], "np.ndarray[Any, Any]"]
GiveStates = Callable[[SentenceModel, str], tuple["np.ndarray[Any, Any]", States]]


@dataclass(frozen=True)
class Variant:
    """The pipeline with something left out."""

    name: str
    layers: frozenset[str] = _BOTH
    """Of the sentence encoder."""
    tuned: bool = True
    """Whether the encoder has what it learnt for this assistant, or is as it was published."""
    settings: Mapping[str, float] = field(default_factory=dict)
    """Of the linear classifiers."""
    without: tuple[str, ...] = ()
    """Components."""
    deaf: str | None = None
    """A detector of the SafetyClassifier."""

    @property
    def learns_anew(self) -> bool:
        """Whether the classifiers have to be trained for it."""
        return self.layers != _BOTH or not self.tuned or bool(self.settings)


VARIANTS = (
    Variant("everything"),
    Variant("MiniLM's last layer", layers=frozenset({"middle"})),
    Variant("MiniLM's middle layer", layers=frozenset({"last"})),
    Variant("MiniLM", layers=frozenset(), without=("ToldClassifier",)),
    Variant("ToldClassifier", without=("ToldClassifier",)),
    Variant("ToldClassifier and MiniLM's tuning", tuned=False, without=("ToldClassifier",)),
    Variant("words and pairs of words", settings={"words_weight": 0.0}),
    Variant("parts of words", settings={"parts_weight": 0.0}),
    Variant("what the lexicon finds, as features", settings={"marks_weight": 0.0}),
    Variant("FactClassifier", without=("FactClassifier",)),
    Variant("SafetyClassifier", without=("SafetyClassifier",)),
    Variant("SafetyClassifier by words", deaf="_by_words"),
    Variant("SafetyClassifier by meaning", deaf="_by_meaning"),
    Variant("FallbackClassifier", without=("FallbackClassifier",)),
    Variant("spaCy", without=_SPACY),
)
"""Each is named by what it goes without."""


@dataclass(frozen=True)
class Outcome:
    """What a variant came to."""

    variant: Variant
    held_out: float
    """Accuracy of the intent classifier on a fifth of the training data that it did not see."""
    measured: Measured
    milliseconds: float
    """Of a message, the median."""
    by_component: Mapping[str, float]
    """The same of each component."""


@dataclass(frozen=True)
class Fold:
    """A prediction for an example that the classifier was not trained with."""

    pair: Pair
    confidence: float
    second: float


class Parts:
    """The components of the pipeline, trained in this process."""

    def __init__(self, folder: Path) -> None:
        """Keep what is learnt in this folder."""
        self._folder = folder
        self._messages = sets.training()
        self._encode = _remembering(SentenceModel.encode)
        self._states = cache(SentenceModel.states)
        self._marks = cache(linear.marks_of)
        self._read = _remembering_reader(Reader.read)
        self._learnt: dict[str, dict[str, Any]] = {}
        self._held_out: dict[str, float] = {}

    # --- cross-validation ---

    def folds(self, variant: Variant = VARIANTS[0], only: int = FOLDS) -> list[list[Fold]]:
        """The predictions of the intent classifier alone, each by one that has not seen the example."""
        texts, labels = [m.text for m in self._messages], [m.intent for m in self._messages]
        settings = {**_settings(IntentClassifier.__name__), **variant.settings}
        found: list[list[Fold]] = []
        with self._encoder(variant), self._reading():
            vectors = sentence_model().encode(texts)
            splits = StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(texts, labels)
            for seen, unseen in list(splits)[:only]:
                classifier = linear.LinearClassifier.learnt(
                    [texts[i] for i in seen], vectors[seen], {INTENT: [labels[i] for i in seen]}, settings
                )
                rankings = classifier.rankings([texts[i] for i in unseen], vectors[unseen])
                found.append(
                    [
                        Fold(
                            Pair(labels[i], ranked[INTENT][0][0]), ranked[INTENT][0][1], ranked[INTENT][1][1]
                        )
                        for i, ranked in zip(unseen, rankings, strict=True)
                    ]
                )
        return found

    # --- one part left out ---

    def outcome(self, variant: Variant) -> Outcome:
        """Train a variant where it learns, play all sets to it, and take its time."""
        components = self._components(variant)
        deaf = patch.object(SafetyClassifier, variant.deaf, lambda *_: None) if variant.deaf else None
        with deaf or contextlib.nullcontext():
            with self._encoder(variant), self._reading():
                fast = {name: part for name, part in components.items() if name not in _SPACY}
                results = measured(Assistant(lambda text: _parsed(text, fast)))
            with _encoder(variant, SentenceModel.encode, SentenceModel.states):
                took = _timed(components)
        return Outcome(
            variant,
            held_out=self._of_unseen(variant),
            measured=results,
            milliseconds=median(sum(times) for times in zip(*took.values(), strict=True)),
            by_component={name: median(times) for name, times in took.items()},
        )

    def _of_unseen(self, variant: Variant) -> float:
        """The accuracy on the first fold."""
        key = _learning(variant)
        if key not in self._held_out:
            self._held_out[key] = share(fold.pair.right for fold in self.folds(variant, only=1)[0])
        return self._held_out[key]

    def _components(self, variant: Variant) -> dict[str, Any]:
        """The components of a variant, in order."""
        key = _learning(variant)
        if key not in self._learnt:
            if self._learnt:  # only those of the whole pipeline serve others, too
                self._learnt = {VARIANTS[0].name: self._learnt[VARIANTS[0].name]}
            with self._encoder(variant), self._reading():
                self._learnt[key] = self._made(variant, Path(mkdtemp(dir=self._folder)))
        return {name: part for name, part in self._learnt[key].items() if name not in variant.without}

    def _made(self, variant: Variant, folder: Path) -> dict[str, Any]:
        """Make the components, and train those that learn."""
        storage = LocalModelStorage(folder)
        data = TrainingData([Message({TEXT: m.text, INTENT: m.intent}) for m in self._messages])
        made: dict[str, Any] = {}
        left_out = variant.without if variant.learns_anew else ()  # what others are made of is whole
        for entry in _pipeline():
            path, name = _place(entry["name"])
            if name in left_out:
                continue
            clazz = getattr(importlib.import_module(path), name)
            config = {**clazz.get_default_config(), **_settings(name)}
            if set(config) >= set(linear.DEFAULTS):
                config.update(variant.settings)
            made[name] = clazz.create(
                config, storage, Resource(name), ExecutionContext(GraphSchema({}), node_name=name)
            )
            if name not in _SPACY and hasattr(clazz, "process_training_data"):
                made[name].process_training_data(data)
            if hasattr(clazz, "train"):
                made[name].train(data)
        return made

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Every text is read once for all variants: the lexicon finds the same in each."""
        with patch.object(linear, "marks_of", self._marks), patch.object(Reader, "read", self._read):
            yield

    def _encoder(self, variant: Variant) -> contextlib.AbstractContextManager[None]:
        """The layers of a variant, from vectors that were computed before."""
        return _encoder(variant, self._encode, self._states)


def outcomes(
    variants: Sequence[Variant] = VARIANTS, progress: Callable[[str], None] = lambda _: None
) -> tuple[list[list[Fold]], list[Outcome]]:
    """The cross-validation, and every variant."""
    with TemporaryDirectory() as folder:
        parts = Parts(Path(folder))
        progress("cross-validation")
        folds = parts.folds()
        found: list[Outcome] = []
        for variant in variants:
            progress(f"without {variant.name}" if found else variant.name)
            found.append(parts.outcome(variant))
    return folds, found


def _learning(variant: Variant) -> str:
    """The variant whose classifiers serve this one, too."""
    return variant.name if variant.learns_anew else VARIANTS[0].name


def _pipeline() -> list[dict[str, Any]]:
    pipeline: list[dict[str, Any]] = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))[
        "pipeline"
    ]
    return pipeline


def _place(name: str) -> tuple[str, str]:
    """The module and the class of a component."""
    module, _, clazz = name.rpartition(".")
    return module or _RASAS[clazz], clazz


def _settings(name: str) -> dict[str, Any]:
    """What config.yml sets of a component, over the defaults of the linear classifier where it is one."""
    entry = next(entry for entry in _pipeline() if _place(entry["name"])[1] == name)
    own = {key: value for key, value in entry.items() if key != "name"}
    return {**linear.DEFAULTS, **own} if name == IntentClassifier.__name__ else own


def _parsed(
    text: str, components: Mapping[str, Any], took: dict[str, list[float]] | None = None
) -> dict[str, Any]:
    """Send a message through components, and give what Rasa would; `took` gets the milliseconds of each."""
    message = Message({TEXT: text})
    for name, part in components.items():
        start = time.perf_counter()
        part.process([message])
        if took is not None:
            took[name].append((time.perf_counter() - start) * 1000)
    return {"entities": [], **message.as_dict(only_output_properties=True)}


def _timed(components: Mapping[str, Any]) -> dict[str, list[float]]:
    """The milliseconds of each component for some messages of the sets."""
    texts = [message.text for some in sets.intent_sets().values() for message in some]
    rounds: list[dict[str, list[float]]] = []
    for _ in range(TIMES):
        rounds.append(defaultdict(list))
        for text in texts[:: max(1, len(texts) // TIMED)]:
            _parsed(text, components, rounds[-1])
    return {
        name: [min(times) for times in zip(*(took[name] for took in rounds), strict=True)]
        for name in components
    }


@contextlib.contextmanager
def _encoder(variant: Variant, encode: Encode, states: GiveStates) -> Iterator[None]:
    """Have the sentence encoder give what a variant leaves of it; without any layer it does not compute."""

    def cut(vectors: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        vectors = vectors.copy()
        if "last" not in variant.layers:
            vectors[..., :SIZE] = 0
        if "middle" not in variant.layers:
            vectors[..., SIZE:] = 0
        return vectors

    def used(model: SentenceModel) -> SentenceModel:
        return model if variant.tuned else _published()

    def some_vectors(model: SentenceModel, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        if not variant.layers:
            return np.zeros((len(texts), 2 * SIZE), dtype=np.float32)
        return cut(encode(used(model), texts))

    def some_states(model: SentenceModel, text: str) -> tuple[np.ndarray[Any, Any], States]:
        if not variant.layers:
            return np.zeros(2 * SIZE, dtype=np.float32), States(
                Pieces([], [], []), np.zeros((0, SIZE), np.float32)
            )
        vector, made_of = states(used(model), text)
        return cut(vector), made_of

    with (
        patch.object(SentenceModel, "encode", some_vectors),
        patch.object(SentenceModel, "states", some_states),
    ):
        yield


@cache
def _published() -> SentenceModel:
    """The encoder as it was published."""
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)  # the model opens the file again when a text is sent alone
    graph = Path(folder.name) / "encoder.onnx"
    weights = encoder_graph.package_folder() / "model.safetensors"
    graph.write_bytes(encoder_graph.build(encoder_graph.weights_in(weights)))
    return SentenceModel(graph)


def _remembering_reader(read: Callable[..., Reading]) -> Callable[..., Reading]:
    """The same readings, each made once; the moment does not count."""
    known: dict[tuple[Any, ...], Reading] = {}

    def remembered(
        reader: Reader,
        text: str,
        asked: str | None = None,
        person: str = "self",
        now: Any = None,
        unlikely: Collection[tuple[str, str]] = (),
    ) -> Reading:
        key = (text, asked, person, frozenset(unlikely))
        if key not in known:
            known[key] = read(reader, text, asked, person, now or NOW, unlikely)
        return known[key]

    return remembered


def _remembering(encode: Encode) -> Encode:
    """The same vectors, each computed once."""
    known: dict[tuple[SentenceModel, str], np.ndarray[Any, Any]] = {}

    def remembered(model: SentenceModel, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        new = list(dict.fromkeys(text for text in texts if (model, text) not in known))
        known.update(zip(((model, text) for text in new), encode(model, new), strict=True))
        return np.vstack([known[model, text] for text in texts])

    return remembered
