"""Finding a cause by the names people use for it, and the facts that belong to a question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain

from rapidfuzz import fuzz, process

from spotwise.content import Cause, Fact, Kind, Knowledge, Question, Rule, Source
from spotwise.words import normalise

FACTS_ON_CAUSE = {
    "vaginal_atrophy": ("A11", "A12", "A13", "A14", "A15"),
    "cervical_ectropion": ("A16", "A17", "A18"),
    "vaginal_tear": ("A19", "A20"),
    "vaginitis": ("A21", "A22", "A23", "A24"),
    "cervical_polyp": ("A25", "A26"),
    "first_intercourse": ("A1",),
    "cervical_dysplasia_or_cancer": ("F3", "F4", "F5"),
    "endometrial_cause": ("F9",),
}
"""The facts that are about one cause."""

ASKED_ONLY = "cancer"
"""The topic that is told to nobody who did not ask about it."""

LONGEST_NAME = 5
"""Words of a name that are compared with what was typed."""

LIKE_ENOUGH = 82
"""How alike a name and a mistyped word have to be, out of 100, to ask whether it was meant."""

SHORTEST_LIKE = 5
"""Letters below which too many words look alike to guess."""


_PLURAL = re.compile(r"(?<=[^\W_s]{3})s\b")


def plain(text: str) -> str:
    """The words of a text in lower case with single spaces, nothing else."""
    return " ".join(re.findall(r"[^\W_]+", normalise(text.replace("_", " "))))


class CauseFinder:
    """Finds the causes that a text names."""

    def __init__(self, causes: Sequence[Cause]) -> None:
        """Learn every name of every cause."""
        self._causes = {cause.id: cause for cause in causes}
        self._names = {name: cause.id for cause in reversed(causes) for name in names_of(cause)}
        longest_first = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'})(?!\S)")
        self._written: dict[str, list[re.Pattern[str]]] = {}
        self._guessable = [name for name in self._names if len(name) >= SHORTEST_LIKE]

    def named_in(self, text: str) -> tuple[Cause, ...]:
        """The causes whose names stand in a text, in the order they are named; or without its plurals."""
        if text in self._causes:
            return (self._causes[text],)
        words = plain(text)
        names = self._pattern.findall(words) or self._pattern.findall(_PLURAL.sub("", words))
        return tuple(self._causes[id] for id in dict.fromkeys(self._names[name] for name in names))

    def place(self, text: str, cause: Cause) -> tuple[int, int]:
        """Where the longest name of a cause stands in a text; all of it where it is written otherwise."""
        if cause.id not in self._written:
            self._written[cause.id] = [_as_written(name) for name in names_of(cause)]
        matches = (pattern.search(text) for pattern in self._written[cause.id])
        spans = [match.span() for match in matches if match]
        return max(spans, key=lambda span: span[1] - span[0], default=(0, len(text)))

    def like(self, text: str, limit: int = 3) -> tuple[Cause, ...]:
        """The causes with a name much like something in a text, most alike first. Only to ask with."""
        scores: dict[str, float] = {}
        for part in _parts(plain(text).split()):
            near = process.extract(
                part, self._guessable, scorer=fuzz.ratio, score_cutoff=LIKE_ENOUGH, limit=limit
            )
            for name, score, _ in near:
                id = self._names[name]
                scores[id] = max(scores.get(id, 0), score)
        best = sorted(scores, key=lambda id: -scores[id])
        return tuple(self._causes[id] for id in best[:limit])


def _as_written(name: str) -> re.Pattern[str]:
    """Finds the plain words of a name in a text, whatever is between them."""
    words = r"[\W_]+".join(map(re.escape, name.split()))
    return re.compile(rf"\b{words}s?\b", re.IGNORECASE)


def names_of(cause: Cause) -> tuple[str, ...]:
    """Everything a cause is called, as plain words."""
    names = (cause.id, cause.name, cause.medical_name, *cause.also_called)
    return tuple(dict.fromkeys(map(plain, names)))


def _parts(words: Sequence[str]) -> Iterable[str]:
    """Every run of a few words of a text, as far as it is worth comparing."""
    words = words[:40]
    runs = (words[start : start + n] for n in range(1, LONGEST_NAME + 1) for start in range(len(words)))
    return (part for part in dict.fromkeys(" ".join(run) for run in runs) if len(part) >= SHORTEST_LIKE)


def kind_named_in(cause: Cause, text: str) -> Kind | None:
    """The form of a cause that a text names, such as an ectopic pregnancy."""
    words = set(plain(text).split())
    return next((kind for kind in cause.kinds if plain(kind.id).split()[0] in words), None)


def facts_about(knowledge: Knowledge, *topics: str) -> tuple[Fact, ...]:
    """The facts on some topics, topic by topic."""
    return tuple(chain.from_iterable(_on_topic(knowledge, topic) for topic in topics))


def _on_topic(knowledge: Knowledge, topic: str) -> list[Fact]:
    return [fact for fact in knowledge.facts if fact.topic == topic]


def facts_on_cause(knowledge: Knowledge, cause: Cause, asked: str) -> tuple[Fact, ...]:
    """The facts about one cause; those on cancer only where `asked`, the words or button, names it."""
    facts = (knowledge.fact(id) for id in FACTS_ON_CAUSE.get(cause.id, ()))
    return tuple(fact for fact in facts if fact.topic != ASKED_ONLY or ASKED_ONLY in asked.lower())


def last_checked(knowledge: Knowledge) -> str:
    """The day since when every text was checked against its sources, as people write it."""
    entries: tuple[Fact | Cause | Rule | Question, ...] = (
        *knowledge.facts,
        *knowledge.causes,
        *knowledge.rules,
        *knowledge.questions,
    )
    oldest = min(entry.reviewed for entry in entries)
    return f"{oldest.day} {oldest:%B %Y}"


def cited(source: Source) -> str:
    """A source as people name it."""
    title = source.title if source.title.endswith("?") else f"{source.title}."
    return title if source.publisher == "none" else f"{title} {source.publisher}."


def packed(texts: Iterable[str], most_words: int = 60) -> list[str]:
    """Texts put together, each on a line of its own, into messages that are still short to read."""
    messages: list[list[str]] = []
    for text in texts:
        if messages and len(" ".join([*messages[-1], text]).split()) <= most_words:
            messages[-1].append(text)
        else:
            messages.append([text])
    return ["\n".join(message) for message in messages]
