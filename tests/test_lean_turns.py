"""What was made lean in a turn comes to the same as what it stands for."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import rasa.core.actions.action
import rasa.core.actions.forms
import rasa.core.agent
import rasa.core.processor
from hypothesis import given
from hypothesis import strategies as st
from rasa.core.actions.action import ActionExtractSlots, ActionListen
from rasa.core.actions.forms import FormAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.policies.memoization import MemoizationPolicy
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RULES, RULES_FOR_LOOP_UNHAPPY_PATH, RulePolicy
from rasa.core.processor import MessageProcessor
from rasa.engine.exceptions import GraphRunError
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActionReverted,
    ActiveLoop,
    BotUttered,
    ConversationPaused,
    Event,
    FollowupAction,
    LoopInterrupted,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
from rasa.shared.utils.common import all_subclasses
from rasa.utils.endpoints import EndpointConfig

from assistant import later_policies, triage_policy
from assistant.action_endpoint import ActionEndpoint
from assistant.checks import MODEL
from assistant.conversation import STATES_SEEN, Conversation
from assistant.graph_runner import OrderedGraphRunner
from assistant.later_policies import RulesAfterTriage, StoriesAfterTriage
from assistant.lean_actions import LeanExtraction, LeanForm, use_lean_actions
from assistant.lean_processor import LeanProcessor, use_lean_processor
from assistant.triage_policy import Decision

CONVERSATION = (
    "hi",
    "is this normal?",
    "I'm bleeding after sex",
    "none of those",
    "why do you ask?",
    "no, my period was on time",
    "a few spots",
    "how common is it?",
    "I am soaking two pads an hour",
    "start over",
    "thanks",
)


@pytest.fixture(scope="module")
def agent() -> Agent:
    """The trained assistant, without an action server: what Rasa does by itself is enough here."""
    loaded: Agent = Agent.load(str(MODEL))
    return loaded


@pytest.fixture
def dask(agent: Agent) -> Iterator[DaskGraphRunner]:
    """Rasa's own runner over the same components."""
    ours = agent.processor.graph_runner
    runner = DaskGraphRunner.__new__(DaskGraphRunner)
    runner.__dict__.update(ours.__dict__)
    yield runner
    agent.processor.graph_runner = ours


def ordered(runner: DaskGraphRunner) -> OrderedGraphRunner:
    """Our runner over the same components."""
    made = OrderedGraphRunner.__new__(OrderedGraphRunner)
    made.__dict__.update({name: value for name, value in runner.__dict__.items() if name != "_orders"})
    return made


async def actions_of(
    agent: Agent, name: str, texts: Sequence[str] = CONVERSATION
) -> list[tuple[str, str | None, float | None]]:
    """What is done in the conversation, by which policy, how surely."""
    for text in texts:
        await agent.handle_message(UserMessage(text, CollectingOutputChannel(), sender_id=name))
    tracker = await agent.tracker_store.retrieve(name)
    assert tracker is not None
    return [
        (event.action_name, event.policy, event.confidence)
        for event in tracker.events
        if isinstance(event, ActionExecuted)
    ]


def kinds_of(agent: Agent, name: str) -> set[type[Event]]:
    """The kinds of events of a conversation."""
    tracker = asyncio.run(agent.tracker_store.retrieve(name))
    assert tracker is not None
    return {type(event) for event in tracker.events}


def test_messages_are_parsed_as_by_dask(agent: Agent, dask: DaskGraphRunner) -> None:
    async def parsed() -> list[Any]:
        return [await agent.parse_message(text) for text in CONVERSATION]

    agent.processor.graph_runner = ordered(dask)
    ours = asyncio.run(parsed())
    agent.processor.graph_runner = dask
    assert ours == asyncio.run(parsed())


def test_a_conversation_goes_as_by_dask(agent: Agent, dask: DaskGraphRunner) -> None:
    agent.processor.graph_runner = ordered(dask)
    ours = asyncio.run(actions_of(agent, "ordered"))
    agent.processor.graph_runner = dask
    assert ours == asyncio.run(actions_of(agent, "dask"))


def test_a_conversation_goes_as_with_policies_that_are_always_asked(
    agent: Agent, dask: DaskGraphRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    lean = asyncio.run(actions_of(agent, "lean"))
    monkeypatch.setattr(later_policies, "decision_about", lambda _: Decision())
    monkeypatch.setattr(later_policies, "rule_is_sure", lambda _: False)
    monkeypatch.delattr(RulesAfterTriage, "_find_action_from_rules")
    assert lean == asyncio.run(actions_of(agent, "whole"))


DIGRESSIONS = (
    "I'm bleeding after sex",
    "why do you ask?",
    "how common is it?",
    "thanks",
    "hi",
    "ok bye",
    "yes",
)


def test_a_question_is_left_as_when_the_form_refuses_the_message(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = ActionEndpoint(
        EndpointConfig("http://127.0.0.1:1/webhook")
    )  # the form is asked in this process
    monkeypatch.setattr(agent.processor, "action_endpoint", nowhere)
    lean = asyncio.run(actions_of(agent, "left", DIGRESSIONS))
    assert ActionExecutionRejected not in kinds_of(agent, "left")
    monkeypatch.delattr(RulesAfterTriage, "_find_action_from_loop_happy_path")
    assert lean == asyncio.run(actions_of(agent, "refused", DIGRESSIONS))
    assert ActionExecutionRejected in kinds_of(agent, "refused")


# ------------------------------------------------------------------ the tracker
def test_a_copy_is_as_if_replayed() -> None:
    """All that Rasa's copy knows, with every event of a conversation that was told."""
    slots = Domain.load("domain.yml").slots
    events: list[Any] = [
        ActionExecuted("action_session_start"),
        SessionStarted(),
        ActionExecuted("action_listen"),
        UserUttered("I bleed", {"name": "describe_spotting"}),
        SlotSet("danger_signs", ["fever"]),
        ActiveLoop("spotting_form"),
        ActionExecuted("spotting_form"),
        SlotSet("requested_slot", "pain"),
        BotUttered("Does it hurt?"),
        ActionExecuted("action_listen"),
        UserUttered("why?", {"name": "ask_why"}),
        ActionExecutionRejected("spotting_form"),
        ActionExecuted("action_explain_question"),
        ActionExecuted("spotting_form"),
        ActionExecuted("action_listen"),
        UserUttered("start over", {"name": "restart"}),
        Restarted(),
        FollowupAction("action_listen"),
        ConversationPaused(),
    ]
    tracker = Conversation("s", slots)
    tracker.model_id = "m"
    for event in events:
        tracker.update(event)
        ours, rasas = tracker.copy(), DialogueStateTracker.copy(tracker)
        for each in (tracker, ours):
            assert each.current_state(EventVerbosity.ALL) == rasas.current_state(EventVerbosity.ALL)
            assert each.applied_events() == rasas.applied_events()
        unlike = {
            name for name, value in vars(rasas).items() if name != "slots" and vars(ours).get(name) != value
        }
        assert unlike == set(), event


EVENTS: list[Any] = [
    SessionStarted(),
    Restarted(),
    ActionExecuted("action_listen"),
    ActionExecuted("utter_greet"),
    ActionExecuted("spotting_form"),
    ActionExecuted("other_form"),
    ActionExecutionRejected("spotting_form"),
    ActiveLoop("spotting_form"),
    ActiveLoop("other_form"),
    ActiveLoop(None),
    ActionReverted(),
    UserUtteranceReverted(),
    SlotSet("pain", "severe"),
    UserUttered("no", {"name": "deny"}),
    BotUttered("Does it hurt?"),
]


@given(st.lists(st.sampled_from(EVENTS), max_size=25), st.sets(st.integers(0, 25)))
def test_the_events_that_count_are_those_of_rasa(told: list[Any], asked_after: set[int]) -> None:
    """However often it is asked in between, since what is known of the earlier ones is kept."""
    ours, rasas = Conversation("s", []), DialogueStateTracker("s", [])
    for place, event in enumerate(told):
        ours.events.append(event)
        rasas.events.append(event)
        if place in asked_after:
            assert [*map(id, ours.applied_events())] == [*map(id, rasas.applied_events())]
    assert [*map(id, ours.applied_events())] == [*map(id, rasas.applied_events())]


def test_a_form_tries_events_out_as_in_rasa() -> None:
    domain = Domain.load("domain.yml")
    tracker = Conversation("s", domain.slots)
    for event in (ActiveLoop("spotting_form"), SlotSet("requested_slot", "pain"), ActionExecuted("x")):
        tracker.update(event)
    told = [SlotSet("pain", "severe"), SlotSet("requested_slot", None)]
    ours, rasas = (
        kind("spotting_form", None)._temporary_tracker(tracker, told, domain)
        for kind in (LeanForm, FormAction)
    )
    states = [{**each.current_state(EventVerbosity.ALL), "latest_event_time": None} for each in (ours, rasas)]
    for state in states:
        for event in state["events"]:
            del event["timestamp"]
    assert states[0] == states[1]
    assert tracker.get_slot("pain") is None


@pytest.mark.parametrize(
    "before",
    [
        [],
        [ActiveLoop("spotting_form"), ActionExecuted("action_listen")],
        [ActiveLoop("spotting_form"), ActionExecuted("utter_greet")],
        [ActiveLoop("spotting_form"), LoopInterrupted(True), ActionExecuted("action_listen")],
    ],
)
def test_a_form_validates_where_rasas_does(before: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    async def noted(*given: Any, **_: Any) -> list[str]:
        return ["answer"] if isinstance(given[1], DialogueStateTracker) else ["nothing new"]

    monkeypatch.setattr(FormAction, "validate", noted)
    monkeypatch.setattr(FormAction, "validate_slots", noted)
    domain = Domain.load("domain.yml")
    tracker = Conversation.from_events("s", [UserUttered("no"), *before], domain.slots)
    ours, rasas = (
        asyncio.run(kind("spotting_form", None)._validate_if_required(tracker, domain, None, None))
        for kind in (LeanForm, FormAction)
    )
    assert ours == rasas and ours in (["answer"], ["nothing new"])


def test_events_are_found_by_their_names_as_in_rasa(monkeypatch: pytest.MonkeyPatch) -> None:
    rasas = Event.resolve_by_type
    places: list[tuple[Any, str]] = [
        (Event, "resolve_by_type"),
        (rasa.core.actions.action, "RemoteAction"),
        (rasa.core.actions.action, "ActionExtractSlots"),
        (rasa.core.actions.forms, "RemoteAction"),
        (rasa.core.actions.forms, "FormAction"),
    ]
    for place, name in places:  # to be put back after the test
        monkeypatch.setattr(place, name, inspect.getattr_static(place, name))
    use_lean_actions()
    assert Event.resolve_by_type is not rasas
    names = {kind.type_name for kind in all_subclasses(Event)}
    assert len(names) > 20
    for name in [*names, *names, "topic"]:
        assert Event.resolve_by_type(name) is rasas(name)
    for _ in range(2):
        with pytest.raises(ValueError, match="no such event"):
            Event.resolve_by_type("no such event")
        assert Event.resolve_by_type("no such event", SlotSet) is SlotSet


@pytest.mark.parametrize("turns", [1, 5, 30])
def test_the_latest_states_are_those_of_rasa(turns: int) -> None:
    domain = Domain.load("domain.yml")
    tracker = Conversation("s", domain.slots)
    for number in range(turns):
        for event in (
            UserUttered(f"no {number}", {"name": "deny" if number % 2 else "affirm"}),
            SlotSet("pain", "severe" if number % 3 else None),
            ActiveLoop("spotting_form" if number % 5 else None),
            ActionExecuted("spotting_form" if number % 2 else "utter_greet"),
            ActionExecuted("action_listen"),
        ):
            tracker.update(event)
    for omit_unset_slots in (False, True):
        rasas = DialogueStateTracker.past_states(tracker, domain, omit_unset_slots)
        assert tracker.past_states(domain, omit_unset_slots) == rasas[-STATES_SEEN:]
        everything = DialogueStateTracker.past_states(tracker, domain, omit_unset_slots, True, {})
        assert tracker.past_states(domain, omit_unset_slots, True, {}) == everything


def test_no_rule_looks_farther_back_than_the_latest_states(agent: Agent) -> None:
    nodes = agent.processor.graph_runner._instantiated_nodes
    rules = next(node._component for name, node in nodes.items() if "RulesAfterTriage" in name)
    keys = [*rules.lookup[RULES], *rules.lookup[RULES_FOR_LOOP_UNHAPPY_PATH]]
    lengths = [len(rules._rule_key_to_state(key)) for key in keys]
    assert len(lengths) > 50
    assert max(lengths) < STATES_SEEN


@pytest.mark.parametrize("mapping", ["custom", "from_text", "from_intent"])
def test_slots_are_filled_by_their_mappings_as_in_rasa(mapping: str) -> None:
    more = {"intent": "deny", "value": "no"} if mapping == "from_intent" else {}
    slots = {"told": {"type": "text", "mappings": [{"type": mapping, **more}]}}
    domain = Domain.from_dict({"intents": ["deny"], "slots": slots})
    tracker = Conversation("s", domain.slots)
    tracker.update(UserUttered("nope", {"name": "deny", "confidence": 1.0}))

    async def filled(kind: type[ActionExtractSlots]) -> Any:
        nlg = TemplatedNaturalLanguageGenerator({})
        return await kind(None).run(CollectingOutputChannel(), nlg, tracker, domain)

    ours, rasas = asyncio.run(filled(LeanExtraction)), asyncio.run(filled(ActionExtractSlots))
    values = {"custom": [], "from_text": ["nope"], "from_intent": ["no"]}[mapping]
    assert [event.value for event in ours] == values
    assert ours == rasas


def test_a_blank_tracker_has_the_same_slots_at_their_beginning() -> None:
    tracker = Conversation("s", Domain.load("domain.yml").slots)
    tracker.update(SlotSet("pain", "severe"))
    ours, rasas = tracker.init_copy(), DialogueStateTracker.init_copy(tracker)
    assert ours.current_state() == rasas.current_state() and ours.get_slot("pain") is None
    assert list(ours.slots) == list(rasas.slots)
    assert not any(ours.slots[name] is slot for name, slot in tracker.slots.items())


def test_a_copy_can_be_changed_alone() -> None:
    tracker = Conversation("s", Domain.load("domain.yml").slots)
    tracker.update(ActiveLoop("spotting_form"))
    assert len(tracker.applied_events()) == 1
    twin = tracker.copy()
    for event in (SlotSet("pain", "severe"), ActionExecutionRejected("spotting_form")):
        twin.update(event)
    assert twin.get_slot("pain") == "severe" and tracker.get_slot("pain") is None
    assert twin.is_active_loop_rejected and not tracker.is_active_loop_rejected
    assert (len(twin.applied_events()), len(tracker.applied_events())) == (3, 1)


def test_rules_and_stories_work_only_where_triage_leaves_the_turn(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for policy in (RulePolicy, MemoizationPolicy):
        whole = policy._prediction_states

        def states(self: Any, *args: Any, _whole: Any = whole, **kwargs: Any) -> Any:
            asked.append(type(self).__name__)
            return _whole(self, *args, **kwargs)

        monkeypatch.setattr(policy, "_prediction_states", states)

    async def say(text: str) -> None:
        await agent.handle_message(UserMessage(text, CollectingOutputChannel(), sender_id="who"))

    asyncio.run(say("hi"))
    assert set(asked) == {RulesAfterTriage.__name__}  # a rule is sure: the stories need not be asked
    asked.clear()
    asyncio.run(say("I'm bleeding after sex"))
    assert not asked
    monkeypatch.setattr(later_policies, "rule_is_sure", lambda _: False)
    asyncio.run(say("thanks"))
    assert set(asked) == {RulesAfterTriage.__name__, StoriesAfterTriage.__name__}


def test_a_decision_is_worked_out_once_for_all_policies(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    hear = triage_policy.hear

    def counted(*args: Any, **kwargs: Any) -> Any:
        heard.append(args[1].text)
        return hear(*args, **kwargs)

    monkeypatch.setattr(triage_policy, "hear", counted)
    asyncio.run(actions_of(agent, "counted"))
    assert heard == list(CONVERSATION)


def test_components_run_once_in_an_order_that_gives_each_what_it_needs() -> None:
    ran: list[str] = []

    def node(name: str) -> Any:
        def run(*given: Any) -> tuple[str, str]:
            ran.append(name)
            return name, name + "".join(f"({output})" for _, output in given)

        return run

    runner = _runner({"end": ["left", "right"], "left": ["in"], "right": ["left"], "unused": []}, node)
    assert runner.run({"in": 1}, ["end"]) == {"end": "end(left(1))(right(left(1)))"}
    assert ran == ["left", "right", "end"]


def test_a_component_that_breaks_is_told_as_rasa_tells_it() -> None:
    def node(name: str) -> Any:
        def run(*given: Any) -> tuple[str, str]:
            raise RuntimeError(name)

        return run

    with pytest.raises(GraphRunError):
        _runner({"end": []}, node).run({}, ["end"])


def _runner(needs: dict[str, list[str]], node: Any) -> OrderedGraphRunner:
    """A runner over made-up components; each gets what it needs in this order."""
    from rasa.engine.graph import GraphSchema, SchemaNode
    from rasa.engine.storage.resource import Resource

    runner = OrderedGraphRunner.__new__(OrderedGraphRunner)
    runner._graph_schema = GraphSchema(
        {
            name: SchemaNode(
                needs={some: some for some in given},
                uses=object,
                constructor_name="",
                fn="",
                config={},
                is_target=name == "end",
                resource=Resource(""),
            )
            for name, given in needs.items()
        }
    )
    runner._instantiated_nodes = {name: node(name) for name in needs}
    return runner


def test_rasa_uses_the_processor_once_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rasa.core.agent, "MessageProcessor", MessageProcessor)
    use_lean_processor()
    assert rasa.core.agent.MessageProcessor is LeanProcessor


@pytest.mark.parametrize(
    "events", [None, [], [SlotSet("pain", "none"), BotUttered("Noted.")], [ActionExecutionRejected("x")]]
)
def test_what_an_action_comes_to_is_added_as_in_rasa(events: list[Event] | None) -> None:
    domain = Domain.load("domain.yml")
    prediction = PolicyPrediction([1.0], "TriagePolicy", events=[SlotSet("turn", {"plan": []})])
    trackers = []
    for kind in (LeanProcessor, MessageProcessor):
        processor = kind.__new__(kind)
        processor.domain = domain
        trackers.append(tracker := Conversation("s", domain.slots))
        processor._log_action_on_tracker(tracker, ActionListen(), events, prediction)
    ours, rasas = trackers
    assert list(ours.events) == list(rasas.events)
    assert ours.current_slot_values() == rasas.current_slot_values()


@pytest.mark.parametrize(
    ("intent", "entity", "warns"),
    [
        ("greet", None, False),
        (None, None, False),
        ("greet", "cause", False),
        ("greet", "colour", True),
        ("sing", None, True),
    ],
)
def test_what_the_domain_lacks_is_warned_of_as_in_rasa(
    intent: str | None, entity: str | None, warns: bool
) -> None:
    parse_data = {"intent": {"name": intent}, "entities": [{"entity": entity}] if entity else []}
    for kind in (LeanProcessor, MessageProcessor):
        processor = kind.__new__(kind)
        processor.domain = Domain.load("domain.yml")
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            processor._check_for_unseen_features(parse_data)
        assert any("not defined in the domain" in str(each.message) for each in warned) == warns


def test_rasa_uses_the_runner_once_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.graph_runner import use_ordered_graphs

    monkeypatch.setattr(rasa.core.processor, "DaskGraphRunner", DaskGraphRunner)
    use_ordered_graphs()
    assert rasa.core.processor.DaskGraphRunner is OrderedGraphRunner
