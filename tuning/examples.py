"""The examples that the encoder learns from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from assistant.fact_classifier import SIGNS, Examples, labelled, sign_of
from assistant.linear import marks_of_all
from assistant.sentence_encoder import Pieces, WordPieces
from assistant.told_classifier import pieces_of
from evaluation import sets
from spotwise.knowledge import DEFAULT_FOLDER
from spotwise.reading import Mention, default_reader

LEAST = 8
"""Messages that have to tell a fact for it to be looked for without a mention."""
MESSAGES = DEFAULT_FOLDER / "messages.yml"

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Labelled:
    """Texts with a label for each question; -1 where it does not count."""

    pieces: list[list[int]]
    names: dict[str, list[str]]
    """Question -> its labels."""
    labels: Numbers
    """One row a text, one column a question."""


def labelled_texts(examples: Examples, words: WordPieces) -> Labelled:
    """The examples of intents, signs and answers."""
    texts, labels = labelled(examples)
    more = [Message({TEXT: each.text, INTENT: each.intent}) for each in sets.training()]
    marks = marks_of_all([message.get(TEXT) for message in more])
    signs = [sign_of(message, some) for message, some in zip(more, marks, strict=True)]
    for question, given in labels.items():
        given += signs if question == SIGNS else [None] * len(more)
    labels[INTENT] = [None] * len(texts) + [message.get(INTENT) for message in more]
    names = {question: sorted(set(filter(None, given))) for question, given in labels.items()}
    columns = [
        [names[question].index(label) if label else -1 for label in given]
        for question, given in labels.items()
    ]
    texts += [message.get(TEXT) for message in more]
    return Labelled(
        [pieces_in(text, words).ids for text in texts], names, np.array(columns, dtype=np.int32).T
    )


@dataclass(frozen=True)
class Seen:
    """A mention in a message: its word pieces, and whether it is told (1.0) or not (0.0)."""

    pieces: list[int]
    mention: Mention
    told: float


@dataclass(frozen=True)
class Told:
    """A message with what it tells."""

    pieces: list[int]
    mentions: list[Seen]
    facts: Numbers
    """For each item 1.0 where the message tells it."""
    known: Numbers
    """For each item 1.0 where that is known."""


@dataclass(frozen=True)
class ToldMessages:
    """The messages, and what can be told: facts as "slot.value"."""

    messages: list[Told]
    items: list[str]
    """Facts that are looked for without a mention."""
    values: list[str]
    """Facts that are mentioned somewhere; the first, "", stands for all others."""


def told_messages(examples: Examples, words: WordPieces) -> ToldMessages:
    """The messages of `knowledge/messages.yml`, labelled in full, and the answers to each question."""
    given = sets.facts(MESSAGES)
    often = Counter(item for message in given for item in sets.items(message.facts))
    items = sorted(item for item, times in often.items() if times >= LEAST and _is_value(item))
    messages = [_told(message, items, words) for message in given]
    values = sorted({_name(seen.mention) for told in messages for seen in told.mentions})
    return ToldMessages([*messages, *_answers(examples, items, words)], items, ["", *values])


def _told(message: sets.FactMessage, items: Sequence[str], words: WordPieces) -> Told:
    stated, may = sets.items(message.facts), sets.items(message.may)
    pieces, right = pieces_in(message.text, words), default_reader().words_of(message.text)
    mentions = default_reader().mentions_in(right)
    places = pieces_of([mention.span for mention in mentions], right, pieces)
    seen = [
        Seen(inside, mention, float(_name(mention) in stated))
        for mention, inside in zip(mentions, places, strict=True)
        if mention.slot in sets.contract_slots() and _name(mention) not in may
    ]
    return Told(pieces.ids, seen, _row(items, stated), 1 - _row(items, may))


def _answers(examples: Examples, items: Sequence[str], words: WordPieces) -> Iterable[Told]:
    """Answers tell a fact of one slot; of the others nothing is known."""
    for slot, values in examples.answers.items():
        known = np.array([item.startswith(f"{slot}.") for item in items], dtype=np.float32)
        for value, texts in values.items():
            for text in texts:
                yield Told(pieces_in(text, words).ids, [], _row(items, {f"{slot}.{value}"}), known)


def pieces_in(text: str, words: WordPieces) -> Pieces:
    """The pieces of a text as the running assistant sees them: misspelt words put right."""
    return words.split(default_reader().mended(text))


def _row(items: Sequence[str], some: Iterable[str]) -> Numbers:
    some = set(some)
    return np.array([item in some for item in items], dtype=np.float32)


def _name(mention: Mention) -> str:
    return f"{mention.slot}.{mention.value}"


def _is_value(item: str) -> bool:
    slot, _, value = item.partition(".")
    return value in default_reader().vocabulary[slot].values
