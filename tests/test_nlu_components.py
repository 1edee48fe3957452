"""The components of the NLU pipeline, each on its own. How well they do together: evaluation/."""

from __future__ import annotations

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from assistant import encoder_graph, sentence_encoder, train
from assistant.cause_extractor import CauseExtractor
from assistant.encoder_graph import SIZE, VOCABULARY_SHA256, EncoderError, checked
from assistant.intent_classifier import SENTENCE_RANKINGS, IntentClassifier, sentences_of
from assistant.linear import Counted, _vectorizers, parts_of
from assistant.safety_classifier import SafetyClassifier
from assistant.sentence_encoder import LONGEST, SentenceEncoder, SentenceModel, WordPieces, sentence_model

ROOT = Path(__file__).resolve().parents[1]
CONTEXT: Any = SimpleNamespace(node_name="SentenceEncoder")


def meaning(text: str) -> np.ndarray[Any, Any]:
    return sentence_model().encode([text])[0, :SIZE]


def examples(folder: Path) -> list[tuple[str, str]]:
    return [
        (re.sub(r"\[([^\]]+)\]\{[^}]*\}", r"\1", line.removeprefix("- ")), block["intent"])
        for path in sorted(folder.glob("*.yml"))
        if isinstance(content := yaml.safe_load(path.read_text(encoding="utf-8")), dict)
        for block in content["nlu"]
        for line in block["examples"].splitlines()
    ]


# --- sentence encoder ---


def test_servers_of_one_folder_may_build_the_encoder_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []

    def build(_: Any) -> bytes:
        built.append("graph")
        time.sleep(0.3)  # long enough for the other to ask, too
        return b"graph"

    monkeypatch.setattr(sentence_encoder, "ROOT", tmp_path)
    monkeypatch.setattr(encoder_graph, "weights_in", lambda _: {})
    monkeypatch.setattr(encoder_graph, "tuned", lambda weights: weights)
    monkeypatch.setattr(encoder_graph, "build", build)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "encoder-old.onnx").write_bytes(b"old")
    (tmp_path / "models" / "encoder-killed.part").write_bytes(b"half")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: sentence_encoder.graph_file(), range(2))
    assert first == second and first.read_bytes() == b"graph" and built == ["graph"]
    assert list((tmp_path / "models").glob("encoder-*")) == [first]


def test_two_trainings_in_one_folder_train_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, trained = tmp_path / "models" / "spotwise.tar.gz", []

    def rasa_train() -> None:
        trained.append(model)
        time.sleep(0.3)  # long enough for the other to ask, too
        model.write_bytes(b"model")

    monkeypatch.setattr(train, "MODEL", model)
    monkeypatch.setattr(train, "STAMP", model.with_name("stamp"))
    monkeypatch.setattr(train, "run_rasa_train", rasa_train)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: train.train(), range(2)))
    assert trained == [model]


def test_words_are_split_as_by_the_tokenizer_that_the_model_was_trained_with() -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "bleed", "##ing", "cafe", "'", "t", "!", "can"]
    words = WordPieces(pieces)
    assert words.split("Bleeding!").ids == [2, 4, 5, 9, 3]
    assert words.split("Café can't").ids == [2, 6, 10, 7, 8, 3]
    assert words.split("xyz \U0001f937 bleed").ids == [2, 1, 1, 4, 3]
    assert words.split("").ids == [2, 3]
    assert words.split("bleed" * 30).ids == [2, 1, 3]
    assert len(words.split("bleed " * 1000).ids) == LONGEST


def test_the_graph_gives_the_published_models_own_similarities(tmp_path: Path) -> None:
    """The example of the model's card, with the weights as published: 'happy person' and its comparisons."""
    graph = tmp_path / "encoder.onnx"
    weights = encoder_graph.package_folder() / "model.safetensors"
    graph.write_bytes(encoder_graph.build(encoder_graph.weights_in(weights)))
    others = ["That is a happy dog", "That is a very happy person", "Today is a sunny day"]
    source, *compared = SentenceModel(graph).encode(["That is a happy person", *others])[:, :SIZE]
    assert [round(float(source @ other), 3) for other in compared] == pytest.approx(
        [0.695, 0.943, 0.257],
        abs=0.05,  # 8-bit weights
    )


def test_tuning_changes_the_matrices_that_it_names_and_no_other() -> None:
    weights = encoder_graph.weights_in(encoder_graph.package_folder() / "model.safetensors")
    tuned = encoder_graph.tuned(weights)
    changed = {name for name in weights if not np.array_equal(weights[name], tuned[name])}
    named = {name.removesuffix(".in") for name in np.load(encoder_graph.TUNING).files if name.endswith(".in")}
    assert changed == {f"{name}.weight" for name in named}
    assert all(tuned[name].shape == weights[name].shape for name in weights)


def test_a_vector_does_not_depend_on_its_company() -> None:
    texts = ["I bled after sex", "help", "is this normal?", "a " * 300, ""]
    together = sentence_model().encode(texts)
    assert together.shape == (5, 2 * SIZE)
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(sentence_model().encode([text])[0], vector, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together[:, :SIZE], axis=1), 1, atol=1e-5)
    assert sentence_model().encode([]).shape == (0, 2 * SIZE)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[UNK]")
    with pytest.raises(EncoderError, match=r"vocab\.txt"):
        checked(tmp_path / "vocab.txt", VOCABULARY_SHA256)


def test_messages_without_words_get_no_feature() -> None:
    encoder = SentenceEncoder.create(SentenceEncoder.get_default_config(), None, None, CONTEXT)  # type: ignore[arg-type]
    said, silent = encoder.process([Message({TEXT: "hello"}), Message({TEXT: "  "})])
    assert said.get_dense_features(TEXT)[1].features.shape == (1, 2 * SIZE)
    assert silent.get_dense_features(TEXT)[1] is None


# --- intent classifier ---

LEARNT = {
    "greet": ["hello", "hi there", "good morning", "hey"],
    "ask_cancer": ["could it be cancer", "is this cancer", "do I have a tumour", "might it be cancer"],
    "describe_spotting": [
        "I bled after sex",
        "some blood when I wiped",
        "spotting since last night",
        "it stopped",
    ],
    "report_self_harm": [
        "I want to die",
        "I want to kill myself",
        "I am going to end my life",
        "I want to be dead",
    ],
}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> IntentClassifier:
    """A classifier of four intents, kept and loaded again."""
    storage = LocalModelStorage(tmp_path_factory.mktemp("model"))
    config, resource = IntentClassifier.get_default_config(), Resource("classifier")
    data = TrainingData(
        [Message({TEXT: text, INTENT: intent}) for intent, texts in LEARNT.items() for text in texts]
    )
    encoded().process_training_data(data)
    IntentClassifier.create(config, storage, resource, CONTEXT).train(data)
    return IntentClassifier.load(config, storage, resource, CONTEXT)


def encoded() -> SentenceEncoder:
    return SentenceEncoder.create(SentenceEncoder.get_default_config(), None, None, CONTEXT)  # type: ignore[arg-type]


def classified(classifier: IntentClassifier, text: str) -> Message:
    return classifier.process(encoded().process([Message({TEXT: text})]))[0]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hiya", "greet"),
        ("am I suffering from cancer?", "ask_cancer"),
        ("there was a little blood after we made love", "describe_spotting"),
        ("I no longer wish to live", "report_self_harm"),
    ],
)
def test_other_words_with_the_same_meaning_are_understood(
    classifier: IntentClassifier, text: str, intent: str
) -> None:
    message = classified(classifier, text)
    assert message.get("intent")["name"] == intent
    ranking = message.get("intent_ranking")
    assert ranking[0]["name"] == intent
    assert sum(entry["confidence"] for entry in ranking) == pytest.approx(1)


def test_a_message_without_words_has_no_intent(classifier: IntentClassifier) -> None:
    message = classified(classifier, "  ")
    assert message.get("intent") == {"name": None, "confidence": 0.0}


def test_sentences_are_ranked_too(classifier: IntentClassifier) -> None:
    message = classified(classifier, "Some blood when I wiped. I want to kill myself.")
    assert [ranking[0]["name"] for ranking in message.get(SENTENCE_RANKINGS)] == [
        "describe_spotting",
        "report_self_harm",
    ]
    assert SENTENCE_RANKINGS not in message.as_dict(only_output_properties=True)


@pytest.mark.parametrize(
    "words", ["", "blod", "a spot of blood , blood again and bloody sheets", "not in it"]
)
def test_a_row_is_the_one_that_the_vectorizer_makes(words: str) -> None:
    texts = ["a spot of blood", "blood on the sheets", "spots again , a spot", "it does not hurt"]
    for some in (texts, [*texts[1:], "a spot of bother"], texts):  # the classifiers share one numbering
        parts_of(words)
        vectorizers = [vectorizer.fit(some) for vectorizer in _vectorizers()]
        counted = [Counted.by(vectorizer) for vectorizer in vectorizers]
        for vectorizer, ours, parts in zip(vectorizers, counted, parts_of(words), strict=True):
            places, numbers = ours.row(parts)
            row = np.zeros(len(vectorizer.vocabulary_))
            row[places] = numbers
            assert row == pytest.approx(vectorizer.transform([words]).toarray()[0])
            assert ours.vocabulary == [*vectorizer.get_feature_names_out()]


def test_sentences() -> None:
    assert sentences_of("Only one sentence here.") == []
    assert sentences_of("I bled a bit. Ok. Is this normal?") == ["I bled a bit.", "Is this normal?"]
    assert len(sentences_of("one two three. " * 100)) == 12


# --- safety classifier ---


def judged(text: str, *sentences: dict[str, float], **ranking: float) -> dict[str, Any]:
    def entries(likely: dict[str, float]) -> list[dict[str, Any]]:
        ordered = sorted(likely, key=lambda name: -likely[name])
        return [{"name": name, "confidence": likely[name]} for name in ordered]

    message = Message({TEXT: text, "intent_ranking": entries(ranking), "intent": entries(ranking)[0]})
    message.set(SENTENCE_RANKINGS, [entries(sentence) for sentence in sentences])
    SafetyClassifier(SafetyClassifier.get_default_config()).process([message])
    assert sum(e["confidence"] for e in message.get("intent_ranking")) == pytest.approx(1)
    assert message.get("intent_ranking")[0] == message.get("intent")
    return dict(message.get("intent"))


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("I want to kill myself", "report_self_harm"),
        ("I was raped", "report_assault"),
        ("I'm soaking a pad an hour", "report_emergency"),
    ],
)
def test_what_the_lexicon_finds_comes_first(text: str, intent: str) -> None:
    assert judged(text, describe_spotting=0.9, express_worry=0.1) == {"name": intent, "confidence": 1.0}


def test_a_likely_red_flag_comes_first_above_the_fallback() -> None:
    found = judged("hmm", express_worry=0.5, report_self_harm=0.3, report_assault=0.1, greet=0.1)
    assert found == {"name": "report_self_harm", "confidence": 0.7}


def test_a_red_flag_in_one_sentence_comes_first() -> None:
    sentence = {"report_self_harm": 0.95, "greet": 0.05}
    assert judged("hmm", sentence, describe_spotting=1.0)["name"] == "report_self_harm"


def test_an_unlikely_red_flag_changes_nothing() -> None:
    assert judged("hmm", express_worry=0.8, report_self_harm=0.2) == {
        "name": "express_worry",
        "confidence": 0.8,
    }


def test_words_are_not_believed_where_the_meaning_is_surely_another() -> None:
    assert judged("I'm soaking a pad an hour", out_of_scope=1.0)["name"] == "out_of_scope"


@pytest.mark.parametrize(
    "text",
    ["this is killing me", "I could die of embarrassment", "he forced the tampon out", "my phone died"],
)
def test_figures_of_speech_are_no_red_flags_by_their_words(text: str) -> None:
    assert judged(text, express_worry=1.0)["name"] == "express_worry"


# --- causes ---


@pytest.mark.parametrize(
    ("text", "causes"),
    [
        ("what is thrush?", {"thrush": "vaginitis"}),
        ("could it be a Cervical Polyp", {"Cervical Polyp": "cervical_polyp"}),
        ("tell me about ectropions", {"ectropions": "cervical_ectropion"}),
        (
            "is it endometriosis or fibroids",
            {"endometriosis": "endometriosis", "fibroids": "fibroids_or_endometrial_polyp"},
        ),
        ("is this normal", {}),
    ],
)
def test_causes_are_found_where_they_stand(text: str, causes: dict[str, str]) -> None:
    message = Message({TEXT: text})
    CauseExtractor().process([message])
    found = message.get("entities", [])
    assert {text[e["start"] : e["end"]]: e["value"] for e in found} == causes
    assert {e["entity"] for e in found} <= {"cause"}


# --- data ---


def test_training_and_test_messages_are_apart_and_none_stands_under_two_intents() -> None:
    def bare(text: str) -> str:
        return re.sub(r"[^\w ]", "", text.lower()).strip() or text

    trained = Counter(bare(text) for text, _ in examples(ROOT / "data" / "nlu"))
    assert [text for text, count in trained.items() if count > 1] == []
    red_flags = [
        entry["text"]
        for path in (ROOT / "tests" / "nlu").glob("red_flags*.yml")
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    held_out = [text for text, _ in examples(ROOT / "tests" / "nlu")] + red_flags
    assert [text for text in held_out if bare(text) in trained] == []
    assert len(held_out) >= 800
