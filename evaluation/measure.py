"""Plays every set of messages to an assistant, and keeps what came of each message."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from evaluation import sets
from evaluation.scores import FactResult, Pair, share
from evaluation.understanding import FALLBACK, URGENT, Answer, Assistant, Understood

Misses = dict[str, dict[str, list[str]]]
"""Set -> message -> what was wanted and not found, or found and not wanted."""


@dataclass(frozen=True)
class IntentResult:
    """A message with its intent, and how it was understood."""

    message: sets.IntentMessage
    understood: Understood

    @property
    def pair(self) -> Pair:
        """The intent wanted, and the one that the conversation goes by."""
        return Pair(self.message.intent, self.understood.intent)

    @property
    def asked_back(self) -> bool:
        """Whether the assistant asks what was meant."""
        return self.understood.intent == FALLBACK


@dataclass(frozen=True)
class RedFlagResult:
    """A red flag or look-alike, and what would follow from it."""

    message: sets.RedFlagMessage
    answer: Answer

    @property
    def missed(self) -> bool:
        """A red flag that got nothing that cannot wait."""
        return self.message.is_real and not self.answer.catches(self.message.expect)

    @property
    def mixed_up(self) -> bool:
        """A red flag that got the urgent words of another kind."""
        return self.message.is_real and self.answer.mixes_up(self.message.expect)

    @property
    def raised(self) -> bool:
        """A look-alike that got urgent words."""
        return not self.message.is_real and bool(self.answer.words)

    @property
    def noted(self) -> bool:
        """A look-alike from which a fact was noted that asks for a doctor on the same day."""
        return not self.message.is_real and not self.raised and self.answer.level in URGENT


@dataclass(frozen=True)
class FactsResult:
    """A message with its facts, and which of them were taken."""

    message: sets.FactMessage
    got: frozenset[str]

    @property
    def result(self) -> FactResult:
        """What was found, missed and wrongly taken."""
        stated, may = sets.items(self.message.facts), sets.items(self.message.may)
        return FactResult.of(self.got, stated, may, sets.slots_of_one_value())


@dataclass(frozen=True)
class Measured:
    """What came of every message, by set."""

    intents: dict[str, list[IntentResult]] = field(default_factory=dict)
    red_flags: dict[str, list[RedFlagResult]] = field(default_factory=dict)
    facts: dict[str, list[FactsResult]] = field(default_factory=dict)

    def misses(self) -> Misses:
        """Every message that went wrong."""
        found: Misses = {}
        for name, intents in self.intents.items():
            found[name] = {r.message.text: [r.message.intent] for r in intents if not r.pair.right}
        for name, flags in self.red_flags.items():
            found[name] = {r.message.text: [r.message.expect] for r in flags if r.missed or r.raised}
        for name, facts in self.facts.items():
            wrong = {r.message.name: r.result for r in facts}
            found[name] = {
                text: [*(f"missed {i}" for i in sorted(r.missed)), *(f"wrong {i}" for i in sorted(r.wrong))]
                for text, r in wrong.items()
                if r.missed or r.wrong
            }
        return found


def measured(assistant: Assistant, progress: Callable[[str], None] = lambda _: None) -> Measured:
    """Play all sets; `progress` is told each set's name."""
    found = Measured()
    for name, intents in sets.intent_sets().items():
        progress(name)
        found.intents[name] = [IntentResult(m, assistant.understand(m.text)) for m in intents]
    for name, flags in sets.red_flag_sets().items():
        progress(name)
        found.red_flags[name] = [RedFlagResult(m, assistant.answer(m.text)) for m in flags]
    for name, facts in sets.fact_sets().items():
        progress(name)
        found.facts[name] = [FactsResult(m, assistant.facts(m.text, m.asked)) for m in facts]
    return found


def caught(results: Collection[RedFlagResult]) -> float:
    """The share of red flags that are caught."""
    return share(not result.missed for result in results if result.message.is_real)


def raised(results: Collection[RedFlagResult]) -> float:
    """The share of look-alikes that are raised."""
    return share(result.raised for result in results if not result.message.is_real)
