"""The process that answers people goes without TensorFlow, and answers as with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assistant.without_tensorflow import NotHere, StandIn

ROOT = Path(__file__).parent.parent
TEXTS = ("I bled a little after sex", "is it cancer?", "I'm soaking a pad every hour", "", "no", "\U0001f937")

PARSE = """
import asyncio, json, sys
from assistant import silence_libraries
from assistant.without_tensorflow import leave_out_tensorflow
if sys.argv[1] == "without":
    leave_out_tensorflow()
silence_libraries()
import rasa.core.run
from rasa.core.agent import Agent
agent = Agent.load("models/spotwise.tar.gz")
parsed = [asyncio.run(agent.parse_message(text)) for text in json.loads(sys.argv[2])]
print(json.dumps([hasattr(sys.modules["tensorflow"], "__version__"), parsed]))
"""


def parsed(how: str) -> tuple[bool, list[dict[str, Any]]]:
    """Whether the real TensorFlow is there, and what a process makes of the texts."""
    ran = subprocess.run(
        [sys.executable, "-c", PARSE, how, json.dumps(TEXTS)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    real, found = json.loads(ran.stdout.splitlines()[-1])
    return real, found


def test_messages_are_understood_as_with_it() -> None:
    real, without = parsed("without")
    assert not real
    really, with_it = parsed("with")
    assert really and without == with_it


def test_a_stand_in_can_be_named_subclassed_and_decorate() -> None:
    class Layer(StandIn.keras.layers.Layer):  # type: ignore[misc, name-defined]
        """As Rasa's own layers are made."""

    @StandIn.function
    def called() -> int:
        return 1

    assert issubclass(Layer, StandIn) and called() == 1
    assert StandIn.Tensor[int] is StandIn


def test_to_use_one_raises() -> None:
    class Layer(StandIn):
        """As Rasa's own layers are made."""

    for make in (lambda: Layer(), lambda: StandIn.constant(3), lambda: StandIn.keras.Sequential()):
        with pytest.raises(NotHere, match="without TensorFlow"):
            make()
