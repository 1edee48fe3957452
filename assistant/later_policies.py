"""Rasa's rules and stories, asked only where the triage policy leaves the turn to them.

The triage policy outranks both, but Rasa asks every policy each time, and each goes through the whole
conversation for its answer: a third of a turn. Where triage has decided, these two have no say; where a rule
has, the stories have none.
"""

from __future__ import annotations

from typing import Any

from rasa.core.policies.memoization import MemoizationPolicy
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from assistant.triage_policy import decision_about

_ruled: tuple[int, UserUttered] | None = None
"""Where a rule was sure last: after how many events, and of which message."""


def rule_is_sure(tracker: DialogueStateTracker) -> bool:
    """Whether the rules, which are asked first, had one for this moment."""
    return _ruled is not None and _ruled[0] == len(tracker.events) and _ruled[1] is tracker.latest_message


class _AfterTriage(Policy):  # type: ignore[misc]  # Rasa's base class is untyped here
    """A policy that has nothing to say where triage has decided."""

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """Predict as the policy does, or nothing."""
        if decision_about(tracker).action is not None:
            return self._prediction(self._default_predictions(domain))
        return super().predict_action_probabilities(tracker, domain, rule_only_data=rule_only_data, **kwargs)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class RulesAfterTriage(_AfterTriage, RulePolicy):  # type: ignore[misc]
    """The rules."""

    def predict_action_probabilities(
        self, tracker: DialogueStateTracker, domain: Domain, *args: Any, **kwargs: Any
    ) -> PolicyPrediction:
        """Predict as the policy does, and keep in mind where a rule is sure."""
        global _ruled
        prediction = super().predict_action_probabilities(tracker, domain, *args, **kwargs)
        _ruled = (len(tracker.events), tracker.latest_message) if prediction.max_confidence == 1.0 else None
        return prediction

    @staticmethod
    def _find_action_from_loop_happy_path(tracker: DialogueStateTracker) -> tuple[str | None, str | None]:
        """Go to the form, or wait after it; but not where the form would only refuse the message.

        Rasa asks it all the same, and after its refusal asks every policy again.
        """
        if decision_about(tracker).leaves_question:
            return None, None
        found: tuple[str | None, str | None] = RulePolicy._find_action_from_loop_happy_path(tracker)
        return found

    def _find_action_from_rules(
        self, tracker: DialogueStateTracker, domain: Domain, use_text_for_last_user_input: bool
    ) -> tuple[str | None, str | None, bool]:
        """Look for a rule by the intent; no rule here is for a certain text, where Rasa looks first."""
        if use_text_for_last_user_input:
            return None, None, False
        found: tuple[str | None, str | None, bool] = super()._find_action_from_rules(tracker, domain, False)
        return found


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class StoriesAfterTriage(_AfterTriage, MemoizationPolicy):  # type: ignore[misc]
    """The stories; a rule outranks them."""

    def predict_action_probabilities(
        self, tracker: DialogueStateTracker, domain: Domain, *args: Any, **kwargs: Any
    ) -> PolicyPrediction:
        """Predict as the policy does, or nothing where a rule was sure of this moment."""
        if rule_is_sure(tracker):
            return self._prediction(self._default_predictions(domain))
        return super().predict_action_probabilities(tracker, domain, *args, **kwargs)
