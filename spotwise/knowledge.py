"""Loading the medical content of `knowledge/`, checked as a whole.

python -m spotwise.knowledge        # says what is wrong, file by file and line by line, or that all is fine
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from spotwise import content_checks as checks
from spotwise import content_reading as reading
from spotwise.conditions import Condition, Facts, Slot, Vocabulary
from spotwise.content import (
    LEVELS,
    Cause,
    Caution,
    CombiningRule,
    Criterion,
    Fact,
    Feature,
    GateItem,
    Kind,
    Knowledge,
    Level,
    Question,
    Rule,
    Source,
    Stronger,
    Variant,
    most_urgent,
)
from spotwise.yaml_lines import Fault

__all__ = [
    "DEFAULT_FOLDER",
    "LEVELS",
    "Cause",
    "Caution",
    "CombiningRule",
    "Condition",
    "Criterion",
    "Fact",
    "Facts",
    "Fault",
    "Feature",
    "GateItem",
    "Kind",
    "Knowledge",
    "KnowledgeError",
    "Level",
    "Question",
    "Rule",
    "Slot",
    "Source",
    "Stronger",
    "Variant",
    "Vocabulary",
    "load_knowledge",
    "most_urgent",
]

DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / "knowledge"

Record = TypeVar("Record")


class KnowledgeError(ValueError):
    """The content has faults; the message lists all of them, one a line."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep the faults, for those who want to sort or count them."""
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def load_knowledge(
    folder: Path = DEFAULT_FOLDER, *, complete: bool = True, today: date | None = None
) -> Knowledge:
    """The content of a folder, or a KnowledgeError with everything that is wrong in it.

    `complete`: every rule, fact and cause of the evidence has to be there.
    `today`: check too what only those who edit the content need: that no review is dated later, and that
    every part of the program named in a rule exists. Left out, so that a wrong clock stops no service.
    The shipped folder is read once and kept.
    """
    if (folder, complete, today) == (DEFAULT_FOLDER, True, None):
        return _shipped()
    return _load(folder, complete, today)


@lru_cache(maxsize=1)
def _shipped() -> Knowledge:
    """The content that comes with the program."""
    return _load(DEFAULT_FOLDER, complete=True, today=None)


def _load(folder: Path, complete: bool, today: date | None) -> Knowledge:
    """Read, check and join the files of a folder."""
    files = reading.Files(folder)
    vocabulary = reading.read_vocabulary(files)
    knowledge = _read(files, vocabulary) if vocabulary is not None else None
    checks.check_ids(files)
    if complete:
        checks.check_complete(files)
    if today is not None:
        checks.check_dates(files, today)
        checks.check_parts(files)
    faults = files.faults()
    if knowledge is None or faults:
        raise KnowledgeError(faults)
    return knowledge


def _read(files: reading.Files, vocabulary: Vocabulary) -> Knowledge:
    """The records of all entries without faults, checked one by one."""
    names = reading.read_names(files, vocabulary)
    records = reading.Records(reading.Conditions(files, vocabulary, names))
    causes = reading.build(files.clean("causes.yml", "causes"), records.cause)
    rules = reading.build(files.clean("rules.yml", "rules"), records.rule)
    gate = reading.build(files.clean("rules.yml", "gate"), records.gate_item)
    combining = reading.build(files.clean("rules.yml", "combining"), records.combining_rule)
    questions = reading.build(files.clean("questions.yml", "questions"), records.question)
    knowledge = Knowledge(
        vocabulary=vocabulary,
        conditions=names,
        sources=tuple(map(reading.source, files.clean("sources.yml", "sources"))),
        facts=tuple(map(reading.fact, files.clean("facts.yml", "facts"))),
        cautions=tuple(map(reading.caution, files.clean("facts.yml", "cautions"))),
        causes=_records(causes),
        rules=_records(rules),
        gate=_records(gate),
        combining=_records(combining),
        questions=_records(questions),
    )
    reach = checks.Reach(vocabulary)
    checks.check_names(files, names, reach)
    checks.check_causes(causes, reach)
    checks.check_rules(rules, reach)
    checks.check_gate(gate, reach)
    checks.check_combining(combining, reach)
    checks.check_questions(questions, reach)
    return knowledge


def _records(built: Iterable[tuple[reading.Place, Record]]) -> tuple[Record, ...]:
    """The records without their places."""
    return tuple(record for _, record in built)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a folder and tell what is wrong, or that it is fine; gives the exit code, 1 for faults."""
    parser = argparse.ArgumentParser(prog="python -m spotwise.knowledge", description="Check the content.")
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    folder = parser.parse_args(arguments).folder
    try:
        knowledge = load_knowledge(folder, today=date.today())
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        print(f"{len(error.faults)} to put right in {folder}", file=sys.stderr)
        return 1
    counts = {
        "rules": knowledge.rules,
        "gate items": knowledge.gate,
        "combining rules": knowledge.combining,
        "causes": knowledge.causes,
        "facts": knowledge.facts,
        "questions": knowledge.questions,
        "sources": knowledge.sources,
    }
    print(", ".join(f"{len(records)} {what}" for what, records in counts.items()) + ": all fine")
    return 0


if __name__ == "__main__":
    sys.exit(main())
