"""What the components of the NLU pipeline that learn have in common."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.training_data.training_data import TrainingData


class Learner(GraphComponent, IntentClassifier):  # type: ignore[misc]  # Rasa is untyped here
    """Learns something, and keeps it in a folder of the model."""

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        """Begin untrained."""
        self._config = config
        self._model_storage = model_storage
        self._resource = resource

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Learner:
        """Make an untrained one."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Learner:
        """Make one that has learnt."""
        learner = cls.create(config, model_storage, resource, execution_context)
        with model_storage.read_from(resource) as folder:
            learner.recall(folder)
        return learner

    def train(self, training_data: TrainingData) -> Resource:
        """Learn, and keep what was learnt."""
        self.learn(training_data)
        with self._model_storage.write_to(self._resource) as folder:
            self.keep(folder)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leave the examples as they are: nothing after this learns from the predictions."""
        return training_data

    @abstractmethod
    def learn(self, training_data: TrainingData) -> None:
        """Learn from the examples."""

    @abstractmethod
    def keep(self, folder: Path) -> None:
        """Write what was learnt."""

    @abstractmethod
    def recall(self, folder: Path) -> None:
        """Read what was learnt."""
