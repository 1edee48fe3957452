"""Loading the content: a sound folder loads, and every kind of fault is found with its file and line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotwise.content_checks import EXPECTED
from spotwise.knowledge import (
    DEFAULT_FOLDER,
    CombiningRule,
    GateItem,
    KnowledgeError,
    Rule,
    load_knowledge,
    main,
    most_urgent,
)

TODAY = date(2024, 6, 1)

FILES = {
    "slots.yml": """\
slots:
  amount: {type: scalar, values: [unsure, spotting, light, heavy], ordered: true}
  signs: {type: list, values: [fever, fainting, none, unsure]}
finer_slots:
  age: {type: number, minimum: 1, maximum: 120}
""",
    "conditions.yml": """\
conditions:
  bleeding_a_lot: amount above light
  ill: signs has any (fever, fainting)
""",
    "sources.yml": """\
sources:
  - {id: N1, title: Bleeding, publisher: A service, year: 2020, link: "https://example.org/", read: full}
  - {id: OWN, title: Our own choice, publisher: Us, year: not dated, link: null, read: 'no'}
""",
    "facts.yml": """\
facts:
  - {id: A1, topic: calm, text: It is common., sources: [N1], cautions: [C1], reviewed: 2024-01-31}
  - {id: A2, topic: name, text: It has a name., sources: [N1, OWN], reviewed: 2024-01-31}
cautions:
  - {id: C1, about: [A1], text: Not for all., sources: [OWN], reviewed: 2024-01-31}
""",
    "causes.yml": """\
causes:
  - id: tear
    name: A small tear
    medical_name: laceration
    also_called: [cut, graze]
    what: A small cut.
    why_it_bleeds: The skin is open.
    who: Anyone.
    starting: {under_25: 3, '25_39': 3, '40_54': 3, menopausal: 3, pregnant: 2}
    features:
      - {when: amount is spotting, weight: +M, because: it is only spots}
      - {when: ill, weight: -W, because: you feel ill}
    next_steps: A look.
    treatment: Often none.
    self_care: Rest.
    typical_urgency: Soon.
    sources: [N1]
    reviewed: 2024-01-31
  - id: polyp
    name: A small growth
    medical_name: polyp
    also_called: [growth]
    what: A small growth.
    why_it_bleeds: It is touched.
    who: Anyone over 40.
    starting: {under_25: 1, '25_39': 2, '40_54': 3, menopausal: 3, pregnant: 2}
    only_if: age >= 20
    serious: true
    open_while: not amount is heavy
    features: []
    kinds:
      - {id: stalk, name: On a stalk, what: It hangs., clues: You feel it., level: soon, sources: [OWN]}
    next_steps: A look inside.
    treatment: It can be taken out.
    self_care: None needed.
    typical_urgency: Soon.
    sources: [N1]
    reviewed: 2024-01-31
""",
    "rules.yml": """\
rules:
  - id: E01
    level: emergency
    variant: go_now
    when: bleeding_a_lot
    unless: signs has none
    ambulance_when: signs has fainting
    criterion: You bleed a lot.
    because: you bleed a lot
    why: It can be too much.
    sources: [N1]
    reviewed: 2024-01-31
  - id: S01
    level: soon
    when: ill
    stronger: {level: same_day, when: signs has fever and age < 18}
    criterion: You feel ill.
    because: you feel ill
    why: It may be an infection.
    sources: [OWN]
    reviewed: 2024-01-31
  - id: R01
    level: routine
    enabled: false
    when: amount is light
    criterion: It is light.
    because: it is light
    why: A check is good.
    sources: [OWN]
    reviewed: 2024-01-31
gate:
  - {id: W01, when: amount is spotting, criterion: Only spots., sources: [OWN], reviewed: 2024-01-31}
  - {id: W02, when: age >= 18, criterion: You are grown up., sources: [OWN], reviewed: 2024-01-31}
combining:
  - {id: CR01, rule: The highest wins., carried_out_by: spotwise.content, sources: [N1], reviewed: 2024-01-31}
  - id: CR02
    rule: Not sure counts.
    level: same_day
    stronger: {level: emergency, when: signs has unsure}
    when: amount is unsure
    because: you are not sure
    sources: [OWN]
    reviewed: 2024-01-31
""",
    "questions.yml": """\
questions:
  - slot: signs
    ids: [Q00]
    never_skipped: true
    unanswered: unsure
    declined: none
    why: To be safe.
    sources: [OWN]
    reviewed: 2024-01-31
  - slot: age
    ids: [Q01]
    ask_when: amount known
    skip_when: amount is heavy
    why: It matters.
    sources: [OWN]
    reviewed: 2024-01-31
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small sound folder, to be spoiled."""
    folder = tmp_path / "knowledge"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def spoil(folder: Path, name: str, old: str, new: str) -> int:
    """Replace a text that stands once in a file; gives the line where the replacement starts."""
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def faults_of(folder: Path, complete: bool = False) -> list[str]:
    """The faults told about a folder."""
    with pytest.raises(KnowledgeError) as error:
        load_knowledge(folder, complete=complete, today=TODAY)
    assert str(error.value).splitlines() == [str(fault) for fault in error.value.faults]
    return [str(fault) for fault in error.value.faults]


# --- Sound content --------------------------------------------------------------------------------


def test_a_sound_folder_loads(folder: Path) -> None:
    knowledge = load_knowledge(folder, complete=False, today=TODAY)
    assert knowledge.source("N1").year == "2020"
    assert knowledge.fact("A1").cautions == ("C1",)
    assert knowledge.caution("C1").about == ("A1",)
    assert [feature.weight for feature in knowledge.cause("tear").features] == ["+M", "-W"]
    assert not knowledge.cause("tear").serious and knowledge.cause("polyp").serious
    assert knowledge.cause("polyp").kinds[0].level == "soon"
    assert knowledge.question("signs").unanswered == "unsure"
    assert knowledge.vocabulary["age"].maximum == 120
    assert knowledge.conditions["ill"].holds({"signs": ["fever"]})
    assert knowledge.rule("E01").reviewed == date(2024, 1, 31)


def test_rules_are_found_by_id_whatever_their_kind(folder: Path) -> None:
    knowledge = load_knowledge(folder, complete=False)
    assert isinstance(knowledge.rule("E01"), Rule)
    assert isinstance(knowledge.rule("W01"), GateItem)
    assert isinstance(knowledge.rule("CR01"), CombiningRule)
    assert isinstance(knowledge.rule("CR02"), Rule)
    assert [rule.id for rule in knowledge.deciding] == ["E01", "S01", "R01", "CR02"]


@pytest.mark.parametrize("look_up", ["source", "fact", "caution", "cause", "rule", "question"])
def test_an_unknown_id_is_a_key_error(folder: Path, look_up: str) -> None:
    find: Callable[[str], object] = getattr(load_knowledge(folder, complete=False), look_up)
    with pytest.raises(KeyError, match="X99"):
        find("X99")


def test_when_unless_and_enabled(folder: Path) -> None:
    emergency, soon, routine = load_knowledge(folder, complete=False).rules
    assert emergency.applies({"amount": "heavy"})
    assert not emergency.applies({"amount": "heavy", "signs": ["none"]})
    assert soon.applies({"signs": ["fever"]})
    assert not routine.applies({"amount": "light"})


def test_level_and_variant_follow_the_facts(folder: Path) -> None:
    knowledge = load_knowledge(folder, complete=False)
    emergency, soon, _, unsure = knowledge.deciding
    assert emergency.variant_for({"amount": "heavy"}) == "go_now"
    assert emergency.variant_for({"amount": "heavy", "signs": ["fainting"]}) == "ambulance"
    assert soon.level_for({"signs": ["fever"]}) == "soon"
    assert soon.level_for({"signs": ["fever"], "age": 16}) == "same_day"
    assert soon.variant_for({"signs": ["fever"], "age": 16}) is None
    assert unsure.variant_for({"amount": "unsure", "signs": ["unsure"]}) == "go_now"
    assert emergency.slots() == {"amount", "signs"}


def test_a_question_is_asked_when_it_makes_sense(folder: Path) -> None:
    question = load_knowledge(folder, complete=False).question("age")
    assert question.is_asked({"amount": "light"})
    assert not question.is_asked({})
    assert not question.is_asked({"amount": "heavy"})


def test_most_urgent() -> None:
    assert most_urgent(["routine", "same_day", "soon"]) == "same_day"
    assert most_urgent([]) == "self_care"


# --- The shipped content --------------------------------------------------------------------------


def test_the_shipped_content_is_sound() -> None:
    # Reviews in the future are for `python -m spotwise.knowledge` to find, not for a test machine's clock.
    load_knowledge(DEFAULT_FOLDER, today=date.max)


def test_the_shipped_content_is_read_once() -> None:
    assert load_knowledge() is load_knowledge(DEFAULT_FOLDER)


def test_slots_are_those_of_the_contract_first() -> None:
    assert list(load_knowledge().vocabulary.slots)[:3] == ["danger_signs", "pregnancy", "bleeding_amount"]


# --- Faults ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spoiled:
    """A way to spoil a file, and what is then told. `below`: how far under the change the fault is told."""

    name: str
    old: str
    new: str
    told: str
    below: int = 0


E01, S01 = "  - id: E01\n", "  - id: S01\n"

SPOILED = [
    # YAML and shape
    Spoiled("rules.yml", "    when: bleeding_a_lot\n", "    when: [bleeding_a_lot\n", "not valid YAML", 1),
    Spoiled("rules.yml", "    when: bleeding_a_lot\n", "\twhen: bleeding_a_lot\n", "not valid YAML"),
    Spoiled("sources.yml", FILES["sources.yml"], "", "the file is empty"),
    Spoiled("sources.yml", FILES["sources.yml"], "- a list", "file: must be a mapping of keys, not a list"),
    Spoiled("sources.yml", "title: Bleeding", "title: Blee\u0007ding", "not valid YAML", -1),
    Spoiled("rules.yml", "gate:", "gates:", "file: unknown key 'gates'; did you mean 'gate'?"),
    Spoiled("rules.yml", "    why: It can be too much.\n", "", "E01: 'why' is missing", -8),
    Spoiled(
        "rules.yml",
        "    because: you bleed a lot",
        "    becuase: you bleed a lot",
        "E01: unknown key 'becuase'",
    ),
    Spoiled("rules.yml", "    why: It can be too much.", "    why: ' '", "E01: why: must not be empty"),
    Spoiled("rules.yml", "    why: It can be too much.", "    why: 3", "E01: why: must be text, not '3'"),
    Spoiled("rules.yml", "    when: ill\n", "    when: ill\n    when: ill\n", "'when' is given twice", 1),
    Spoiled("rules.yml", "level: emergency\n", "level: urgent\n", "E01: level: must be one of emergency"),
    Spoiled("rules.yml", "variant: go_now", "variant: go_nwo", "did you mean 'go_now'?"),
    Spoiled("questions.yml", "unanswered: unsure", "unanswered: no", "put quotes around yes, no"),
    Spoiled("causes.yml", "{under_25: 3, '25_39'", "{under_25: 3, 25_39", "put quotes around '25_39'"),
    Spoiled("causes.yml", "{under_25: 3, ", "{under_25: 5, ", "tear: starting under_25:"),
    Spoiled("causes.yml", "weight: +M", "weight: +XL", "tear: features 1 weight: must be one of +S"),
    Spoiled("causes.yml", "[cut, graze]", "[cut, cut]", "tear: also_called: holds the same thing twice"),
    Spoiled("sources.yml", '"https://example.org/"', "example.org", "N1: link: must be a link"),
    Spoiled("slots.yml", "type: list", "type: set", "signs: type: must be one of scalar, list, number"),
    Spoiled("slots.yml", "minimum: 1, maximum: 120", "values: [old]", "age: a number slot has no 'values'"),
    Spoiled("slots.yml", "minimum: 1,", "minimum: 121,", "'minimum' is greater than 'maximum'"),
    Spoiled("slots.yml", "  age: {", "  amount: {", "amount: this slot is given twice"),
    Spoiled("slots.yml", "[fever, ", "[not, ", "signs: 'not' cannot be used"),
    Spoiled(
        "slots.yml", "none, unsure]", "none, unsure], ordered: true", "only a scalar slot can be 'ordered'"
    ),
    # Ids, sources and dates
    Spoiled("rules.yml", S01, E01, "E01: this id is used before, in line 2"),
    Spoiled("rules.yml", "{id: W02", "{id: W01", "W01: this id is used before"),
    Spoiled("facts.yml", "{id: A2", "{id: A1", "A1: this id is used before, in line 2"),
    Spoiled("questions.yml", "slot: age", "slot: signs", "signs: this slot is used before, in line 2"),
    Spoiled("facts.yml", "[N1, OWN]", "[N1, OWM]", "A2: unknown source 'OWM'; did you mean 'OWN'?"),
    Spoiled("causes.yml", "soon, sources: [OWN]", "soon, sources: [X9]", "polyp: unknown source 'X9'"),
    Spoiled("facts.yml", "cautions: [C1]", "cautions: [C2]", "A1: unknown caution 'C2'"),
    Spoiled("facts.yml", "about: [A1]", "about: [A9]", "C1: unknown fact 'A9'"),
    Spoiled("facts.yml", "sources: [N1, OWN]", "sources: []", "A2: sources: must not be empty"),
    Spoiled("facts.yml", "sources: [N1, OWN], ", "", "A2: 'sources' is missing"),
    Spoiled("facts.yml", "[N1, OWN], reviewed: 2024-01-31", "[N1, OWN]", "A2: 'reviewed' is missing"),
    Spoiled("facts.yml", "[N1, OWN], reviewed: 2024", "[N1, OWN], reviewed: 2042", "is in the future"),
    Spoiled("facts.yml", "[N1, OWN], reviewed: 2024-01-31", "[N1], reviewed: 2024-01-32", "must be a date"),
    Spoiled("facts.yml", "[N1, OWN], reviewed: 2024-01-31", "[N1], reviewed: last May", "must be a date"),
    # Conditions
    Spoiled(
        "rules.yml", "amount is light", "amout is light", "R01: 'when': unknown slot 'amout'; did you mean"
    ),
    Spoiled(
        "rules.yml", "amount is light", "amount is ligth", "R01: 'when': 'ligth' is not a value of 'amount'"
    ),
    Spoiled(
        "rules.yml", "unless: signs has none", "unless: signs is none", "E01: 'unless': 'is' does not fit"
    ),
    Spoiled("rules.yml", "signs has fever and age", "signs has fever und age", "S01: 'when': did not expect"),
    Spoiled("causes.yml", "when: ill", "when: il", "tear: 'when': unknown name 'il'"),
    Spoiled("causes.yml", "only_if: age >= 20", "only_if: age >= 200", "'age' goes from 1 to 120"),
    Spoiled("questions.yml", "skip_when: amount", "skip_when: signs", "age: 'skip_when': 'is' does not fit"),
    Spoiled("conditions.yml", "above light", "above lite", "bleeding_a_lot: 'lite' is not a value"),
    Spoiled("conditions.yml", "  ill:", "  age:", "age: 'age' is a slot, so it cannot name a condition"),
    Spoiled("conditions.yml", "amount above light", "ill", "unknown name 'ill'"),
    # What can never hold
    Spoiled(
        "conditions.yml", "amount above light", "amount is light and amount is heavy", "it can never hold"
    ),
    Spoiled(
        "rules.yml", "amount is light", "amount is light and not amount known", "R01: 'when' can never hold"
    ),
    Spoiled(
        "rules.yml",
        "amount is light",
        "ill or (age > 9 and age < 5)",
        "R01: a part of 'when' can never hold: age > 9 and age < 5",
    ),
    Spoiled(
        "rules.yml", "unless: signs has none", "unless: amount is heavy", "E01: 'unless' always holds when"
    ),
    Spoiled(
        "rules.yml",
        "ambulance_when: signs has",
        "ambulance_when: amount is light and signs has",
        "never hold",
    ),
    Spoiled(
        "rules.yml", "signs has fever and age", "signs has none and not ill and age", "'stronger' can never"
    ),
    Spoiled("rules.yml", "when: age >= 18, c", "when: amount is light, c", "gate: the items can never", -2),
    Spoiled(
        "causes.yml", "features: []", "features: [{when: age < 9, weight: +S, because: x}]", "with 'only_if'"
    ),
    Spoiled(
        "questions.yml", "skip_when: amount is heavy", "skip_when: amount known", "'skip_when' always holds"
    ),
    # Rules
    Spoiled("rules.yml", "    variant: go_now\n", "", "E01: an emergency needs a 'variant'", -2),
    Spoiled("rules.yml", "variant: go_now", "variant: ambulance", "'ambulance_when' changes nothing", 3),
    Spoiled("rules.yml", "    enabled: false", "    variant: go_now", "R01: 'variant' and", -2),
    Spoiled("rules.yml", "level: same_day, when", "level: routine, when", "'stronger' has to be more urgent"),
    Spoiled(
        "rules.yml", "level: soon", "level: routine", "S01: the level is routine, but the level of such ids"
    ),
    Spoiled(
        "rules.yml",
        "  - id: R01\n    level: routine",
        "  - id: D01\n    level: same_day",
        "stands below S01",
        1,
    ),
    Spoiled("rules.yml", "carried_out_by: spotwise.content, ", "", "CR01: needs 'carried_out_by'"),
    Spoiled("rules.yml", "spotwise.content", "spotwise.nothing", "no module or file 'spotwise.nothing'"),
    Spoiled("rules.yml", "    because: you are not sure\n", "", "CR02: needs 'carried_out_by'", -5),
    # Causes
    Spoiled("causes.yml", "name: A small growth", "name: a small  tear", "polyp: the same 'name' as tear"),
    Spoiled("causes.yml", "what: A small growth.", "what: A small cut.", "polyp: the same 'what' as tear"),
    Spoiled("causes.yml", "It is touched.", "The skin is open.", "polyp: the same 'why_it_bleeds' as tear"),
    Spoiled("causes.yml", "[growth]", "[growth, cut]", "polyp: the same word as tear: cut"),
    Spoiled("causes.yml", "[growth]", "[Growth]", "polyp: write 'Growth' in lower case"),
    Spoiled("causes.yml", "serious: true", "serious: false", "polyp: 'open_while' is for causes with", 1),
    # Questions
    Spoiled("questions.yml", "slot: age", "slot: agee", "agee: unknown slot; did you mean 'age'?"),
    Spoiled(
        "questions.yml", "unanswered: unsure", "unanswered: dunno", "'unanswered': 'dunno' is not a value"
    ),
    Spoiled(
        "questions.yml", "declined: none", "declined: undisclosed", "signs: 'declined': 'undisclosed' is not"
    ),
]


@pytest.mark.parametrize("spoiled", SPOILED, ids=lambda spoiled: f"{spoiled.name}-{spoiled.told[:40]}")
def test_a_fault_is_told_once_with_file_and_line(folder: Path, spoiled: Spoiled) -> None:
    line = spoil(folder, spoiled.name, spoiled.old, spoiled.new) + spoiled.below
    told = [fault for fault in faults_of(folder) if spoiled.told in fault]
    assert [fault.split(": ")[0] for fault in told] == [f"knowledge/{spoiled.name}:{line}"], faults_of(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_told(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"knowledge/{name}:1: there is no such file" in faults_of(folder)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    assert len(faults_of(tmp_path / "nowhere")) == len(FILES)


def test_a_file_that_is_no_text_is_told(folder: Path) -> None:
    (folder / "facts.yml").write_bytes(b"facts: \xff\xfe")
    assert faults_of(folder)[0].startswith("knowledge/facts.yml:1: cannot be read")


AT_ONCE = [
    Spoiled("sources.yml", "read: full", "read: all", "N1: read: must be one of"),
    Spoiled("facts.yml", "[N1, OWN]", "[N1, X]", "A2: unknown source 'X'"),
    Spoiled("causes.yml", "when: ill", "when: well", "tear: 'when': unknown name 'well'"),
    Spoiled("rules.yml", "when: bleeding_a_lot", "when: amount is x", "E01: 'when': 'x' is not a value"),
    Spoiled("rules.yml", S01, E01, "E01: this id is used before"),
    Spoiled("rules.yml", "because: it is light", "becuase: it is light", "R01: 'because' is missing", -5),
    Spoiled("rules.yml", "when: amount is light", "when: amount is lite", "R01: 'when': 'lite'"),
    Spoiled("rules.yml", "age >= 18", "age > 50 and age < 40", "W02: 'when' can never hold"),
    Spoiled("questions.yml", "slot: age", "slot: aeg", "aeg: unknown slot"),
]


def test_all_faults_are_told_at_once(folder: Path) -> None:
    lines = [spoil(folder, each.name, each.old, each.new) + each.below for each in AT_ONCE]
    faults = faults_of(folder)
    for spoiled, line in zip(AT_ONCE, lines, strict=True):
        start = f"knowledge/{spoiled.name}:{line}: {spoiled.told}"
        assert any(fault.startswith(start) for fault in faults), f"{start} is not in {faults}"


def test_a_faulty_name_is_not_told_again_where_it_is_used(folder: Path) -> None:
    spoil(folder, "conditions.yml", "signs has any (fever, fainting)", "signs has any (fever, fainted)")
    assert len(faults_of(folder)) == 1


def test_a_name_that_can_never_hold_is_told_where_it_stands(folder: Path) -> None:
    spoil(folder, "conditions.yml", "signs has any (fever, fainting)", "age > 50 and age < 40")
    told = [fault for fault in faults_of(folder) if "age > 50" in fault]
    assert [fault.split(": ")[0] for fault in told] == ["knowledge/conditions.yml:3"]


def test_names_where_entries_belong_are_told(folder: Path) -> None:
    text = (folder / "facts.yml").read_text(encoding="utf-8")
    facts = text[: text.index("cautions:\n")]
    (folder / "facts.yml").write_text(f"{facts}cautions:\n  C1: an entry\n", encoding="utf-8")
    assert any(fault.startswith("knowledge/facts.yml") and "cautions" in fault for fault in faults_of(folder))


@given(name=st.sampled_from(sorted(FILES)), place=st.floats(0, 1), length=st.integers(0, 30), typed=st.text())
def test_a_file_spoiled_in_any_way_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, place: float, length: int, typed: str
) -> None:
    folder = tmp_path_factory.mktemp("knowledge")
    for each, text in FILES.items():
        start = int(place * len(text))
        spoiled = text[:start] + typed + text[start + length :] if each == name else text
        (folder / each).write_text(spoiled, encoding="utf-8", errors="replace")
    try:
        load_knowledge(folder, complete=False, today=TODAY)
    except KnowledgeError as error:
        assert error.faults


def test_every_missing_id_is_told(folder: Path) -> None:
    faults = faults_of(folder, complete=True)
    present = {"A1", "A2", "C1", "E01", "S01", "R01", "W01", "W02", "CR01", "CR02"}
    for (name, section), ids in EXPECTED.items():
        line = next(
            number
            for number, text in enumerate(FILES[name].splitlines(), 1)
            if text.startswith(f"{section}:")
        )
        for id in (id for id in ids if id not in present):
            assert f"knowledge/{name}:{line}: {id}: missing from '{section}'" in faults
    assert len(faults) == sum(map(len, EXPECTED.values())) - len(present)


def test_the_evidence_has_so_many_ids() -> None:
    assert [len(ids) for ids in EXPECTED.values()] == [45, 14, 23, 74, 10, 14]


# --- The command ----------------------------------------------------------------------------------


def test_the_command_tells_faults(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tomorrow = date.today() + timedelta(days=1)
    line = spoil(folder, "facts.yml", "[N1, OWN], reviewed: 2024-01-31", f"[N1], reviewed: {tomorrow}")
    assert main([str(folder)]) == 1
    told = capsys.readouterr().err
    assert f"knowledge/facts.yml:{line}: A2: reviewed on {tomorrow}, which is in the future" in told
    assert "E02: missing from 'rules'" in told


def test_the_command_says_that_all_is_fine(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spotwise.content_checks.EXPECTED", {})
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out.startswith("3 rules, 2 gate items, 2 combining rules, 2 causes, 2 facts")
