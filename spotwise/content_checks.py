"""What has to be right about the content beyond the shape of its files.

Each check notes what is wrong at the entry it is about, and lets the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from spotwise.conditions import Condition, Node, Vocabulary, suggestion
from spotwise.content import LEVELS, Cause, CombiningRule, GateItem, Level, Question, Rule
from spotwise.content_reading import Files, Place
from spotwise.satisfiable import impossible_parts, satisfiable
from spotwise.yaml_lines import Step, YamlPath

REPOSITORY = Path(__file__).resolve().parents[1]

LEVEL_OF_PREFIX: dict[str, Level] = {"E": "emergency", "D": "same_day", "S": "soon", "R": "routine"}

CAUSES = [
    "vaginal_atrophy",
    "cervical_ectropion",
    "vaginal_tear",
    "vaginitis",
    "cervical_polyp",
    "cervicitis_sti",
    "pid",
    "pregnancy_related",
    "hormonal_contraception_breakthrough",
    "iud",
    "first_intercourse",
    "menstrual_timing",
    "cervical_dysplasia_or_cancer",
    "endometrial_cause",
    "endometriosis",
    "fibroids_or_endometrial_polyp",
    "skin_condition",
    "bleeding_disorder_or_anticoagulant",
    "recent_procedure_or_childbirth",
    "prolapse",
    "foreign_body",
    "non_vaginal_source",
    "no_cause_found",
]


def _series(prefix: str, last: int, width: int = 2) -> list[str]:
    """The ids of a series: E01, E02 and so on."""
    return [f"{prefix}{number:0{width}}" for number in range(1, last + 1)]


EXPECTED: dict[tuple[str, str], list[str]] = {
    ("facts.yml", "facts"): _series("A", 45, width=1),
    ("facts.yml", "cautions"): _series("C", 14, width=1),
    ("causes.yml", "causes"): CAUSES,
    ("rules.yml", "rules"): [*_series("E", 20), *_series("D", 24), *_series("S", 22), *_series("R", 8)],
    ("rules.yml", "gate"): _series("W", 10),
    ("rules.yml", "combining"): _series("CR", 14),
}
"""The ids that each section has to hold; it may hold more."""

ID_SPACES = (
    ("sources.yml", ("sources",), "id"),
    ("facts.yml", ("facts", "cautions"), "id"),
    ("causes.yml", ("causes",), "id"),
    ("rules.yml", ("rules", "gate", "combining"), "id"),
    ("questions.yml", ("questions",), "slot"),
)
"""Sections whose entries may not share an id."""


# --- Ids, sources and dates: every entry, whatever else is wrong with it --------------------------


def check_ids(files: Files) -> None:
    """No id twice, and no reference to a source, fact or caution that is not there."""
    for name, sections, key in ID_SPACES:
        _check_unique(files.entries(name, *sections), key)
        _check_references(files, name, sections, "sources", ("sources.yml", "sources"))
    _check_references(files, "facts.yml", ("facts",), "cautions", ("facts.yml", "cautions"))
    _check_references(files, "facts.yml", ("cautions",), "about", ("facts.yml", "facts"))


def _check_unique(places: Iterable[Place], key: str) -> None:
    """No two entries with the same id."""
    first: dict[str, int] = {}
    for place in places:
        id = _text_at(place, key)
        if id in first:
            place.fault(f"this {key} is used before, in line {first[id]}", key)
        elif id:
            first[id] = place.document.line(place.path)


def _check_references(
    files: Files, name: str, sections: tuple[str, ...], key: str, target: tuple[str, str]
) -> None:
    """Every id in the list `key` of an entry stands in the target section."""
    if not files.has(*target):
        return
    known = {_text_at(place, "id") for place in files.entries(*target)}
    for place in files.entries(name, *sections):
        for below, id in _ids_under(key, place.data):
            if isinstance(id, str) and id not in known:
                place.fault(f"unknown {target[1][:-1]} '{id}'{suggestion(id, known)}", *below)


def _ids_under(key: str, data: object, below: YamlPath = ()) -> Iterator[tuple[YamlPath, object]]:
    """What the lists under a key hold, however deep in an entry, each with its place."""
    if isinstance(data, dict):
        for step, value in data.items():
            yield from _ids_under(key, value, (*below, step))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            if below and below[-1] == key:
                yield (*below, index), value
            else:
                yield from _ids_under(key, value, (*below, index))


def check_complete(files: Files) -> None:
    """Every id of the evidence is there."""
    for (name, section), expected in EXPECTED.items():
        if files.has(name, section):
            found = {_text_at(place, "id") for place in files.entries(name, section)}
            for id in (id for id in expected if id not in found):
                files.documents[name].fault((section,), f"{id}: missing from '{section}'")


def check_parts(files: Files) -> None:
    """What carries out a combining rule exists: a file of the repository or a module."""
    for place in files.entries("rules.yml", "combining"):
        part = _text_at(place, "carried_out_by")
        if part and not _exists(part):
            place.fault(f"there is no module or file '{part}' to carry it out", "carried_out_by")


def _exists(part: str) -> bool:
    """Whether a file of the repository, or a module such as spotwise.triage, exists."""
    module = REPOSITORY.joinpath(*part.split("."))
    return (REPOSITORY / part).is_file() or module.with_suffix(".py").is_file() or module.is_dir()


def check_dates(files: Files, today: date) -> None:
    """No entry was reviewed in the future."""
    for name, sections, _ in ID_SPACES:
        for place in files.entries(name, *sections):
            reviewed = place.data.get("reviewed") if isinstance(place.data, dict) else None
            if isinstance(reviewed, date) and str(reviewed) > str(today):
                place.fault(f"reviewed on {reviewed}, which is in the future", "reviewed")


def _text_at(place: Place, key: str) -> str:
    """The text an entry has under a key; empty where it has none."""
    value = place.data.get(key) if isinstance(place.data, dict) else None
    return value if isinstance(value, str) else ""


# --- Conditions that can never hold ---------------------------------------------------------------


class Reach:
    """Finds conditions, and parts of them, that can never hold."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Slots take the values of this vocabulary."""
        self.vocabulary = vocabulary
        self._told: set[Node] = set()

    def can(self, *wanted: Condition | None, refused: Condition | None = None) -> bool:
        """Whether the conditions can hold together while `refused` does not; None is no condition."""
        against = [refused] if refused else []
        return satisfiable([condition for condition in wanted if condition], self.vocabulary, against)

    def check(self, place: Place, condition: Condition | None, *below: Step) -> bool:
        """Note a condition that can never hold, or else the parts of it that cannot."""
        if condition is None:
            return True
        name = f"'{below[-1]}'" if below else "it"
        if condition.node not in self._told and not self.can(condition):
            self._told.add(condition.node)
            place.fault(f"{name} can never hold: {condition.text}", *below)
            return False
        for part in impossible_parts(condition, self.vocabulary):
            if part not in self._told:
                self._told.add(part)
                place.fault(f"a part of {name} can never hold: {part.text}", *below)
        return True


def check_names(files: Files, names: dict[str, Condition], reach: Reach) -> None:
    """Every named condition can hold."""
    for place in files.clean("conditions.yml", "conditions"):
        reach.check(place, names[str(place.path[1])])


# --- Rules ----------------------------------------------------------------------------------------


def check_rules(rules: Sequence[tuple[Place, Rule]], reach: Reach) -> None:
    """Each rule is sound, and the file goes from the most to the least urgent level."""
    highest: tuple[int, str] = (0, "")
    for place, rule in rules:
        check_rule(place, rule, reach)
        expected = LEVEL_OF_PREFIX.get(rule.id.rstrip("0123456789"))
        if expected and expected != rule.level:
            place.fault(f"the level is {rule.level}, but the level of such ids is {expected}", "level")
        position = (LEVELS.index(rule.level), rule.id)
        if position[0] < highest[0]:
            place.fault(f"{rule.level} stands below {highest[1]}: put the most urgent level first", "level")
        else:
            highest = position


def check_rule(place: Place, rule: Rule, reach: Reach) -> None:
    """The rule can apply, and its level, stronger level and variant fit together."""
    _check_variant(place, rule)
    if not reach.check(place, rule.when, "when") or not reach.check(place, rule.unless, "unless"):
        return
    if rule.unless and not reach.can(rule.when, refused=rule.unless):
        place.fault("'unless' always holds when 'when' does, so the rule can never apply", "unless")
        return
    stronger = rule.stronger.when if rule.stronger else None
    for condition, below in ((stronger, ("stronger", "when")), (rule.ambulance_when, ("ambulance_when",))):
        if reach.check(place, condition, *below) and not reach.can(rule.when, condition, refused=rule.unless):
            place.fault(f"'{below[0]}' can never hold when the rule applies", *below)


def _check_variant(place: Place, rule: Rule) -> None:
    """Only an emergency says how to go there."""
    if rule.level == "emergency" and rule.variant is None:
        place.fault("an emergency needs a 'variant': ambulance or go_now")
    levels = {rule.level, rule.stronger.level if rule.stronger else rule.level}
    if "emergency" not in levels and (rule.variant or rule.ambulance_when):
        place.fault("'variant' and 'ambulance_when' are for emergencies only")
    if rule.variant == "ambulance" and rule.ambulance_when:
        place.fault("'ambulance_when' changes nothing where the variant is ambulance", "ambulance_when")
    if rule.stronger and LEVELS.index(rule.stronger.level) >= LEVELS.index(rule.level):
        place.fault(f"'stronger' has to be more urgent than {rule.level}", "stronger")


def check_gate(gate: Sequence[tuple[Place, GateItem]], reach: Reach) -> None:
    """Each item can hold, and all of them together."""
    sound = [reach.check(place, item.when, "when") for place, item in gate]
    if gate and all(sound) and not reach.can(*(item.when for _, item in gate)):
        document = gate[0][0].document
        document.fault(("gate",), "gate: the items can never hold all at once")


def check_combining(combining: Sequence[tuple[Place, CombiningRule]], reach: Reach) -> None:
    """Each combining rule is carried out by something."""
    for place, item in combining:
        given = [key for key in ("when", "level", "because") if key in place.data]
        if item.rule is not None and item.because:
            check_rule(place, item.rule, reach)
        elif given or not item.carried_out_by:
            place.fault("needs 'carried_out_by', or else 'when', 'level' and 'because'")


# --- Causes and questions -------------------------------------------------------------------------


def check_causes(causes: Sequence[tuple[Place, Cause]], reach: Reach) -> None:
    """Each cause can be listed, its features can count, and no two causes look the same."""
    for place, cause in causes:
        reach.check(place, cause.only_if, "only_if")
        reach.check(place, cause.open_while, "open_while")
        if cause.open_while and not cause.serious:
            place.fault("'open_while' is for causes with 'serious: true' only", "open_while")
        for index, feature in enumerate(cause.features):
            below = ("features", index, "when")
            if reach.check(place, feature.when, *below) and not reach.can(feature.when, cause.only_if):
                place.fault("the feature can never hold together with 'only_if'", *below)
    for key in ("name", "what", "why_it_bleeds"):
        _check_distinct(((place, str(getattr(cause, key)), (key,)) for place, cause in causes), f"'{key}'")
    _check_lay_names(causes)


def _check_lay_names(causes: Sequence[tuple[Place, Cause]]) -> None:
    """No word leads to two causes."""
    words: list[tuple[Place, str, tuple[Step, ...]]] = []
    for place, cause in causes:
        if _plain(cause.name) not in map(_plain, cause.also_called):
            words.append((place, cause.name, ("name",)))
        for index, word in enumerate(cause.also_called):
            words.append((place, word, ("also_called", index)))
            if word != word.lower():
                place.fault(f"write '{word}' in lower case", "also_called", index)
    _check_distinct(words, "word")


def _check_distinct(texts: Iterable[tuple[Place, str, tuple[Step, ...]]], what: str) -> None:
    """No two texts alike."""
    first: dict[str, str] = {}
    for place, text, below in texts:
        if _plain(text) in first:
            place.fault(f"the same {what} as {first[_plain(text)]}: {text}", *below)
        else:
            first[_plain(text)] = place.label


def _plain(text: str) -> str:
    """A text without differences that readers would not see."""
    return " ".join(text.casefold().split())


def check_questions(questions: Sequence[tuple[Place, Question]], reach: Reach) -> None:
    """Each question is about a slot, can be asked, and notes values that the slot has."""
    for place, question in questions:
        if question.slot not in reach.vocabulary:
            place.fault(f"unknown slot{suggestion(question.slot, reach.vocabulary.slots)}", "slot")
            continue
        values = reach.vocabulary[question.slot].values
        for key, value in (("unanswered", question.unanswered), ("declined", question.declined)):
            if value is not None and value not in values:
                hint = suggestion(value, values)
                place.fault(f"'{key}': '{value}' is not a value of '{question.slot}'{hint}", key)
        sound = reach.check(place, question.ask_when, "ask_when")
        sound = reach.check(place, question.skip_when, "skip_when") and sound
        if sound and not reach.can(question.ask_when, refused=question.skip_when):
            place.fault("'skip_when' always holds when the question would be asked", "skip_when")
