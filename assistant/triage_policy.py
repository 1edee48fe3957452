"""The policy ahead of all others: it notes facts, triages, and takes the turns that cannot wait.

A running form is asked before any rule, and it calls an action first; with the action server down, an
emergency told in the middle of a question would get no answer. This policy therefore works in the Rasa
process and outranks forms and rules (`is_no_user_prediction`, see Rasa's policy ensemble). What it does
with a message is decided in `spotwise.dialogue`; here that becomes slots and next actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_DEACTIVATE_LOOP_NAME, ACTION_LISTEN_NAME, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SlotSet, UserUttered
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

from assistant.fact_classifier import ANY_SIGN, MEANINGS, SIGNS
from assistant.told_classifier import TOLD
from spotwise.dialogue import FORM, Message, hear
from spotwise.knowledge import load_knowledge
from spotwise.reading import default_reader

ASSESSMENT = "action_give_assessment"
TURN = "turn"
"""The slot that holds what was decided for the latest message, so that it is decided once."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class TriagePolicy(Policy):  # type: ignore[misc]  # Rasa's base class is untyped here
    """Runs the fixed rules over every message, in any state of the conversation."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The priority above RulePolicy's; nothing here is learnt."""
        return {"priority": 10}

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> None:
        """Load the knowledge and the lexicon. Raises KnowledgeError where they do not check."""
        super().__init__(config, model_storage, resource, execution_context, **kwargs)
        load_knowledge(), default_reader()

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TriagePolicy:
        """Load the policy: there is nothing in the model, all of it is in `knowledge/`."""
        return cls(config, model_storage, resource, execution_context)

    def train(
        self, training_trackers: list[TrackerWithCachedStates], domain: Domain, **kwargs: Any
    ) -> Resource:
        """Nothing to learn."""
        return self._resource

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """Give the next action of the plan for this message, or leave the turn to the other policies."""
        probabilities = self._default_predictions(domain)
        decision = decision_about(tracker)
        if decision.action is None:
            return self._prediction(probabilities, events=decision.events)
        probabilities[domain.index_for_action(decision.action)] = 1.0
        return self._prediction(probabilities, events=decision.events, is_no_user_prediction=True)


@dataclass(frozen=True)
class Decision:
    """What triage makes of a moment of a conversation."""

    action: str | None = None
    """The next action; None where the turn belongs to the other policies."""
    leaves_question: bool = False
    """The message is no answer to the open question: the rules and stories go first, then the form."""
    events: list[SlotSet] = field(default_factory=list)
    """The slots to set, where the latest message has just been heard."""


_latest: tuple[int, UserUttered, Decision] | None = None
"""The latest decision, for the policies that are asked after this one: after how many events, and of which
message. The next decision takes its place."""


def decision_about(tracker: DialogueStateTracker) -> Decision:
    """The decision for a conversation as it stands, worked out by the first policy that asks."""
    global _latest
    message, events = tracker.latest_message, len(tracker.events)
    if message is None or message.text is None:  # a story without words: nothing to read
        return Decision()
    if _latest is None or _latest[1] is not message or _latest[0] != events:
        slots, plan = _decided(tracker, message)
        leaves = not plan and tracker.active_loop_name == FORM and FORM not in _done_since(tracker)
        _latest = events, message, Decision(next_action(plan, tracker), leaves, slots)
    return _latest[2]


def _decided(tracker: DialogueStateTracker, message: UserUttered) -> tuple[list[SlotSet], list[str]]:
    """The plan for the latest message, and the slots to set where it is decided just now."""
    decided: Mapping[str, Any] = tracker.get_slot(TURN) or {}
    if decided.get("message") == message.message_id:
        return [], list(decided["plan"])
    if _confirms_deletion(tracker, message):
        return [SlotSet(TURN, {"message": message.message_id, "plan": [], "digression": False})], []
    slots = tracker.current_slot_values()
    in_form = tracker.active_loop_name == FORM
    turn = hear(slots, understood(message), in_form, default_reader(), load_knowledge())
    plan = list(turn.plan)
    memory = {"message": message.message_id, "plan": plan, "digression": turn.digression}
    changed = {name: value for name, value in turn.slots.items() if slots.get(name) != value}
    return [*(SlotSet(name, value) for name, value in changed.items()), SlotSet(TURN, memory)], plan


def understood(message: UserUttered) -> Message:
    """What Rasa's NLU made of a message, with the facts that a button carries."""
    entities: dict[str, list[str]] = {}
    for entity in message.entities or ():
        values = entity.get("value")
        for value in values if isinstance(values, list) else [values]:
            entities.setdefault(str(entity.get("entity")), []).append(value)
    intent = message.intent or {}
    meanings = dict((message.parse_data or {}).get(MEANINGS) or {})
    signs = meanings.pop(SIGNS, {})
    told = (message.parse_data or {}).get(TOLD) or {}
    return Message(
        text=message.text or "",
        intent=intent.get("name") or "nlu_fallback",
        confidence=float(intent.get("confidence") or 0.0),
        entities=entities,
        at=datetime.fromtimestamp(message.timestamp),
        meanings={slot: (meant[0], meant[1]) for slot, meant in meanings.items() if isinstance(meant, list)},
        signs=signs,
        any_sign=meanings.get(ANY_SIGN, 0.0),
        likely=frozenset(map(tuple, told.get("likely", ()))),
        unlikely=frozenset(map(tuple, told.get("unlikely", ()))),
    )


def next_action(plan: list[str], tracker: DialogueStateTracker) -> str | None:
    """The next action of a plan; None where the turn belongs to the rules.

    A plan with the form ends when the form asks, or with the assessment when it has nothing left to ask. A
    plan without it that closed the question (an emergency) leaves the form.
    """
    if not plan:
        return None
    done = _done_since(tracker)
    if len(done) < len(plan):
        return plan[len(done)]
    asking = tracker.get_slot(REQUESTED_SLOT) is not None
    if plan[-1] == FORM and not asking and ASSESSMENT not in done:
        return ASSESSMENT
    if tracker.active_loop_name is not None and not asking:
        return ACTION_DEACTIVATE_LOOP_NAME
    return ACTION_LISTEN_NAME


def _confirms_deletion(tracker: DialogueStateTracker, message: UserUttered) -> bool:
    """A yes or no to "shall I forget everything?" is no answer to the question that is open."""
    actions = [event.action_name for event in tracker.events if isinstance(event, ActionExecuted)]
    asked_to_confirm = [name for name in actions if name != ACTION_LISTEN_NAME][-1:] == [
        "utter_confirm_delete"
    ]
    return asked_to_confirm and (message.intent or {}).get("name") in ("affirm", "deny")


def _done_since(tracker: DialogueStateTracker) -> list[str]:
    """The actions that ran since the latest message."""
    done: list[str] = []
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            break
        if isinstance(event, ActionExecuted) and event.action_name:
            done.insert(0, event.action_name)
    return done
