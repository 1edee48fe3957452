"""What the actions of the action server say, and that none of them breaks or leaks."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import textstat
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher

from actions import about, assessment, causes, safe_action, topics, turn, wording
from actions.about import DeleteData, ExplainQuestion, ShowSources, Summarise
from actions.assessment import GiveAssessment
from actions.causes import ListCauses, TellCause
from actions.topics import TellHomeCare, TellPrevalence, TellPrevention, TellTreatment
from spotwise import summary
from spotwise.knowledge import DEFAULT_FOLDER, load_knowledge
from spotwise.lookup import FACTS_ON_CAUSE
from spotwise.triage import Triage

KNOWLEDGE = load_knowledge()

ACTIONS = (
    GiveAssessment,
    ListCauses,
    TellCause,
    TellTreatment,
    TellHomeCare,
    TellPrevention,
    TellPrevalence,
    ExplainQuestion,
    Summarise,
    ShowSources,
    DeleteData,
)

FAILED = ["utter_action_failed", "utter_what_to_do", "utter_calm", "utter_criteria", "utter_limits"]

TOLD = {
    "danger_signs": ["none"],
    "pregnancy": "no",
    "bleeding_amount": "light",
    "bleeding_status": "stopped",
    "pain": "entrance_sore",
    "symptoms": ["dryness"],
    "circumstances": ["little_lubrication"],
}


class Said:
    """What one run of an action said and gave back."""

    def __init__(self, messages, events):
        self.messages = messages
        self.events = events

    @property
    def responses(self):
        return [message["response"] for message in self.messages if message["response"]]

    @property
    def texts(self):
        return [message["text"] for message in self.messages if message["text"]]

    @property
    def text(self):
        return "\n".join(self.texts)

    @property
    def buttons(self):
        return [button for message in self.messages for button in message["buttons"]]

    def place(self, words):
        """Where the first message with these words stands."""
        return next(i for i, m in enumerate(self.messages) if words in (m["response"] or m["text"] or ""))


async def run(action, slots=None, text="", causes=()):
    entities = [{"entity": "cause", "value": value} for value in causes]
    latest = {"text": text, "entities": entities}
    tracker = Tracker("somebody", dict(slots or {}), latest, [], False, None, {}, None)
    dispatcher = CollectingDispatcher()
    events = await action().run(dispatcher, tracker, {})
    return Said(dispatcher.messages, events)


@pytest.fixture
def result(monkeypatch):
    """Sets what the rules and the ranking find."""

    def set_result(level="soon", reasons=("S04",), because="it came back", call_tomorrow=False, ranked=()):
        found = Triage(
            level,
            reasons,
            because,
            "".join(KNOWLEDGE.rule(id).why for id in reasons[:1]),
            call_tomorrow=call_tomorrow,
        )
        monkeypatch.setattr(turn, "triage", lambda facts, knowledge: found)
        monkeypatch.setattr(causes, "rank", lambda facts, knowledge: [ranked_cause(*one) for one in ranked])

    return set_result


def ranked_cause(id, for_=(), open_serious=False):
    return SimpleNamespace(
        cause=KNOWLEDGE.cause(id), score=1.0, for_=for_, against=(), open_serious=open_serious
    )


FOUR = (
    ("vaginal_tear", ("it stings", "you were dry", "sex was rough")),
    ("vaginal_atrophy", ("you feel dry",)),
    ("no_cause_found",),
    ("endometriosis",),
    ("pid", (), True),
    ("cervical_dysplasia_or_cancer", (), True),
)


# --- the base ---


def test_rasa_finds_every_action():
    executor = ActionExecutor()
    executor.register_package("actions")
    names = {action.called for action in ACTIONS}
    assert names <= set(executor.actions)
    assert len(names) == len(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.called)
async def test_a_breaking_action_says_what_matters_and_leaks_nothing(action, monkeypatch, caplog):
    secret = "my secret words"

    def break_it(self, turn):
        turn.tell(f"half of an answer about {secret}")
        raise ValueError(secret, turn.text, turn.facts)

    monkeypatch.setattr(action, "act", break_it)
    with caplog.at_level(logging.DEBUG):
        said = await run(action, {**TOLD, "cause": "pid"}, text=secret)
    assert said.responses == FAILED
    assert said.texts == [] and said.events == []
    logged = caplog.text + "".join(map(repr, (vars(record) for record in caplog.records)))
    assert secret not in logged and "little_lubrication" not in logged
    assert action.called in caplog.text and "ValueError" in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


async def test_broken_knowledge_leaks_nothing_either(monkeypatch, caplog):
    def broken():
        raise RuntimeError("secret path")

    monkeypatch.setattr(turn, "load_knowledge", broken)
    turn.finder.cache_clear()
    for action in ACTIONS[:-1]:
        said = await run(action, TOLD, text="polyp")
        assert said.responses == FAILED, action.called
    assert "secret path" not in caplog.text


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.called)
@pytest.mark.parametrize(
    "slots",
    [
        {},
        {
            "urgency": "nonsense",
            "cause": "nonsense",
            "possible_causes": ["nonsense"],
            "requested_slot": "nonsense",
        },
        {**TOLD, "urgency": "routine", "urgency_reasons": ["R01"], "possible_causes": ["vaginal_tear"]},
        {"danger_signs": ["fainting"], "urgency": "emergency"},
        {"details": ["worried"], "person": "other"},
    ],
    ids=["nothing", "nonsense", "assessed", "emergency", "worry"],
)
async def test_no_state_breaks_an_action(action, slots):
    said = await run(action, slots, text="anything at all")
    assert said.messages
    assert "utter_action_failed" not in said.responses


# --- the assessment ---


async def test_the_assessment_comes_in_order(result):
    result(ranked=FOUR)
    said = await run(GiveAssessment, {**TOLD, "urgency": "soon", "level_before": "same_day"})
    order = [
        "utter_what_to_do",
        "utter_changed",
        "utter_because",
        "utter_calm",
        "This can fit with: A small graze, cut or tear.",
        "Less likely, but the reason to be checked:",
        "utter_pause",
        KNOWLEDGE.cause("vaginal_tear").self_care,
        "utter_criteria",
        "utter_limits",
        "utter_next",
    ]
    places = [said.place(words) for words in order]
    assert places == sorted(places)
    assert said.messages[places[2]]["because"] == "it came back"
    assert [(event["name"], event["value"]) for event in said.events] == [("level_before", None)]


async def test_three_causes_and_every_serious_one(result):
    result(ranked=FOUR)
    said = await run(GiveAssessment, {**TOLD, "urgency": "soon"})
    assert said.text.count("This can fit with") == 3
    assert said.text.count(wording.LESS_LIKELY.split("{")[0]) == 2
    assert KNOWLEDGE.cause("endometriosis").name not in said.text
    assert "I list it because it stings. On top of that, you were dry." in said.text
    assert "rough" not in said.text
    assert wording.MOSTLY_NOT_CANCER in said.text


@pytest.mark.parametrize(
    ("level", "calm"), [("same_day", "utter_calm"), ("emergency", "utter_calm_emergency")]
)
async def test_urgent_results_are_short_on_causes(result, level, calm):
    result(level=level, reasons=("D04",), ranked=FOUR)
    said = await run(GiveAssessment, {**TOLD, "urgency": level})
    assert calm in said.responses
    assert "\n- A small graze, cut or tear\n" in said.text
    assert KNOWLEDGE.cause("vaginal_tear").what not in said.text
    assert KNOWLEDGE.cause("vaginal_tear").self_care not in said.text
    assert {"utter_pause", "utter_check_in_an_hour", "utter_criteria", "utter_limits"} <= set(said.responses)


@pytest.mark.parametrize(
    ("found", "response"),
    [
        ({"level": "same_day", "reasons": ("D04",)}, "utter_check_in_an_hour"),
        ({"level": "same_day"}, "utter_cannot_reach"),
        ({"call_tomorrow": True}, "utter_call_tomorrow"),
        ({"level": "self_care", "reasons": ("W01", "R06")}, "utter_offer_visit"),
    ],
)
async def test_some_results_call_for_more(result, found, response):
    result(ranked=FOUR)
    assert response not in (await run(GiveAssessment, TOLD)).responses
    result(ranked=FOUR, **found)
    assert response in (await run(GiveAssessment, TOLD)).responses


async def test_an_unchanged_level_is_not_called_changed(result):
    result()
    assert "utter_changed" not in (await run(GiveAssessment, {**TOLD, "level_before": "soon"})).responses


async def test_a_level_once_given_is_not_lowered(result):
    result(level="self_care", reasons=(), because="", ranked=FOUR)
    said = await run(GiveAssessment, {**TOLD, "urgency": "same_day"})
    assert "utter_because" not in said.responses
    assert "utter_cannot_reach" in said.responses
    assert KNOWLEDGE.cause("vaginal_tear").self_care not in said.text


async def test_a_possible_pregnancy_is_always_explained(result):
    result(reasons=("S04", "CR04"))
    assert "Take a test today." in (await run(GiveAssessment, TOLD)).text


# --- causes ---

ALWAYS = {"utter_what_to_do", "utter_criteria", "utter_limits"}


async def test_the_list_without_facts_has_the_article_and_what_it_leaves_out():
    said = await run(ListCauses)
    assert set(said.responses) == ALWAYS | {"utter_calm"}
    for id in (*causes.FROM_THE_ARTICLE, *causes.BEYOND):
        assert KNOWLEDGE.cause(id).name in said.text
    assert "menopause" in said.text


async def test_the_list_with_facts_is_the_persons_own(result):
    result(ranked=FOUR)
    said = await run(ListCauses, TOLD)
    assert set(said.responses) == ALWAYS | {"utter_calm"}
    asked = [f'/ask_about_cause{{"cause":"{FOUR[i][0]}"}}' for i in (0, 1, 2, 4, 5)]
    assert [button["payload"] for button in said.buttons] == asked


async def test_in_an_emergency_the_list_starts_with_what_to_do(result):
    result(level="emergency", ranked=FOUR)
    said = await run(ListCauses, {**TOLD, "urgency": "emergency"})
    assert said.responses[:2] == ["utter_what_to_do", "utter_calm_emergency"]
    assert set(said.responses) >= ALWAYS
    assert "pass with time" not in said.text


@pytest.mark.parametrize("cause", KNOWLEDGE.causes, ids=lambda cause: cause.id)
async def test_every_cause_can_be_told(cause):
    said = await run(TellCause, text="about it", causes=[cause.id])
    parts = (cause.name, cause.what, cause.why_it_bleeds, cause.who, cause.next_steps, cause.treatment)
    for part in (*parts, cause.self_care, cause.typical_urgency, wording.NOT_REVIEWED, wording.ONLY_AN_EXAM):
        assert part in said.text
    for id in cause.sources:
        assert KNOWLEDGE.source(id).title in said.text
    assert [(event["name"], event["value"]) for event in said.events] == [("cause", cause.id)]
    assert "you have it" not in said.text.lower()


@pytest.mark.parametrize(
    ("text", "value"), [("polyps?", None), ("xyz", "growth on the cervix"), ("xyz", "polyp")]
)
async def test_a_cause_is_found_by_lay_words(text, value):
    said = await run(TellCause, text=text, causes=[value] if value else [])
    assert said.text.startswith("A small growth on the cervix.")


async def test_a_mistyped_cause_is_asked_about_not_told():
    said = await run(TellCause, text="endimetriosis")
    assert said.responses == ["utter_did_you_mean"] and said.texts == [] and said.events == []
    assert 1 <= len(said.buttons) <= 3
    assert said.buttons[0]["payload"] == '/ask_about_cause{"cause":"endometriosis"}'


async def test_an_unknown_cause_is_not_guessed():
    said = await run(TellCause, text="is it lupus", causes=["lupus"])
    assert said.responses == ["utter_cause_unknown"]
    assert said.buttons


async def test_of_two_causes_the_second_is_offered():
    said = await run(TellCause, text="tear or polyp")
    assert said.events[0]["value"] == "vaginal_tear"
    assert [button["title"] for button in said.buttons] == ["A small growth on the cervix"]


async def test_kinds_of_bleeding_in_pregnancy():
    ectopic, *others = KNOWLEDGE.cause("pregnancy_related").kinds
    assert ectopic.clues in (await run(TellCause, text="an ectopic pregnancy")).text
    listed = (await run(TellCause, text="pregnancy")).text
    assert all(kind.name in listed for kind in (ectopic, *others))


async def test_a_cause_never_lowers_an_urgent_level(result):
    result(level="same_day")
    said = await run(TellCause, {**TOLD, "urgency": "same_day"}, text="ectropion")
    assert said.responses[0] == "utter_what_to_do"
    cause = KNOWLEDGE.cause("cervical_ectropion")
    assert cause.self_care not in said.text and cause.typical_urgency not in said.text


async def test_the_persons_own_level_stands_beside_the_usual_one(result):
    result()
    said = await run(TellCause, {**TOLD, "urgency": "soon"}, text="ectropion")
    assert said.place(wording.FOR_YOU) + 1 == said.place("utter_what_to_do")


def test_buttons_fit_every_channel():
    for cause in KNOWLEDGE.causes:
        made = turn.button(cause)
        assert len(made["title"]) <= 75
        assert len(made["payload"].encode()) <= 64


# --- topics ---


@pytest.mark.parametrize("action", [TellTreatment, TellHomeCare])
async def test_treatment_and_home_care_end_with_the_criteria(action):
    assert (await run(action)).messages[-1]["response"] == "utter_criteria"


async def test_treatment_of_the_cause_talked_about(result):
    result(level="routine")
    told = KNOWLEDGE.cause("cervical_polyp").treatment
    best = {"possible_causes": ["cervical_polyp", "vaginal_tear"], "urgency": "routine"}
    assert told in (await run(TellTreatment, {"cause": "cervical_polyp"})).text
    assert told in (await run(TellTreatment, best)).text
    assert told not in (await run(TellTreatment)).text
    named = await run(TellTreatment, best, text="how is a tear treated")
    assert KNOWLEDGE.cause("vaginal_tear").treatment in named.text
    assert named.events[0]["value"] == "vaginal_tear"


async def test_home_care_in_an_emergency_is_what_to_do_while_waiting():
    said = await run(TellHomeCare, {"urgency": "emergency"})
    assert said.responses == ["utter_while_waiting", "utter_what_to_do", "utter_criteria"]
    assert said.texts == []


async def test_home_care_where_it_cannot_wait_does_not_play_it_down():
    said = await run(TellHomeCare, {"urgency": "same_day", "cause": "vaginal_tear"})
    assert said.responses == ["utter_what_to_do", "utter_criteria"]
    assert said.text == f"{KNOWLEDGE.fact('A7').text}\n{KNOWLEDGE.fact('A37').text}"


async def test_danger_told_in_mid_form_counts_before_the_assessment():
    said = await run(TellHomeCare, {"danger_signs": ["soaking_pads"]})
    assert said.responses[0] == "utter_while_waiting"


async def test_every_fact_of_the_article_can_be_told():
    said = [await run(action) for action in (ListCauses, *ACTIONS[3:7], ShowSources)]
    said += [await run(TellCause, text=id) for id in FACTS_ON_CAUSE]
    text = "\n".join(one.text for one in said)
    missing = [fact.id for fact in KNOWLEDGE.facts if fact.id.startswith("A") and fact.text not in text]
    assert missing == []


async def test_numbers_on_cancer_only_for_those_who_ask():
    numbers = KNOWLEDGE.fact("F3").text
    assert numbers in (await run(TellCause, text="is it cancer")).text
    for action in (ListCauses, TellPrevalence, TellTreatment, TellPrevention):
        assert numbers not in (await run(action)).text


# --- about the assistant ---


@pytest.mark.parametrize("question", KNOWLEDGE.questions, ids=lambda question: question.slot)
async def test_every_question_is_explained(question):
    assert (await run(ExplainQuestion, {"requested_slot": question.slot})).texts == [question.why]


async def test_without_a_question_the_asking_is_explained():
    assert (await run(ExplainQuestion)).texts == [wording.WHY_I_ASK]


async def test_the_summary_is_from_what_was_told():
    slots = {**TOLD, "urgency": "soon", "urgency_reasons": ["S04"]}
    said = await run(Summarise, slots)
    assert summary.FROM_THE_PERSON in said.text
    assert "How much: light, a liner is enough" in said.text
    assert KNOWLEDGE.rule("S04").because in said.text


async def test_there_is_no_summary_of_nothing():
    said = await run(Summarise, {"details": ["worried"]})
    assert said.texts == [wording.NOTHING_TOLD]


async def test_sources_are_shown_with_their_limits():
    text = (await run(ShowSources)).text
    for words in (
        "Spotting After Sex: What Does It Mean?",
        "NHS",
        "https://www.nhs.uk/",
        "2026",
        "No clinician",
    ):
        assert words in text
    assert text.count("\n- ") == about.MOST_SOURCES


async def test_deleting_tells_the_channel_and_forgets():
    said = await run(DeleteData, TOLD)
    assert [message["custom"] for message in said.messages if message["custom"]] == [{"spotwise": "delete"}]
    assert said.responses == ["utter_deleted"]
    assert [event["event"] for event in said.events] == ["reset_slots", "restart"]


# --- words ---


def test_every_response_is_in_the_domain():
    domain = yaml.safe_load((DEFAULT_FOLDER.parent / "domain.yml").read_text(encoding="utf-8"))
    sources = (safe_action, assessment, causes, topics, about, turn)
    code = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in sources)
    assert set(re.findall(r'"(utter_\w+)"', code)) <= set(domain["responses"])
    assert {action.called for action in ACTIONS} <= set(domain["actions"])


def glue():
    """Every sentence made up here, its gaps filled with plain short words."""
    texts = [value for name, value in vars(wording).items() if name.isupper()]
    texts += [summary.FROM_THE_PERSON, *summary.QUESTIONS]
    texts += [summary.ADVICE.format(level=words) for words in summary.LEVELS_IN_WORDS.values()]
    because = {feature.because for cause in KNOWLEDGE.causes for feature in cause.features}
    texts += [wording.BECAUSE.format(because=words) for words in because]
    texts += [wording.ALSO_BECAUSE.format(because=words) for words in because]
    texts += [wording.FITS.format(name=cause.name) for cause in KNOWLEDGE.causes]
    texts += [wording.LESS_LIKELY.format(name=cause.name) for cause in KNOWLEDGE.causes if cause.serious]
    for text in texts:
        yield from re.split(r"(?<=[.?!:])\s+", re.sub(r"\{\w+\}", "this one", text))


@pytest.mark.parametrize("sentence", sorted(set(glue())))
def test_sentences_are_easy_to_read(sentence):
    words = sentence.split()
    assert len(words) <= 20
    assert len(words) < 5 or textstat.flesch_kincaid_grade(sentence) <= 8
