"""Train the model, but only when something that goes into it has changed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant import silence_libraries
from assistant.checks import MODEL, ROOT, StartError, check_knowledge, one_at_a_time
from assistant.without_tensorflow import leave_out_tensorflow

INPUTS = (
    "config.yml",
    "domain.yml",
    "data",
    "assistant",
    "knowledge/answers.yml",
    "knowledge/common.txt",
    "knowledge/english.txt",
    "knowledge/signs.yml",
    "knowledge/lexicon.yml",
    "knowledge/messages.yml",
    "knowledge/weighing.yml",
    "requirements.txt",
    *(
        f"spotwise/{name}.py"  # what reads the examples
        for name in ("lexicon", "measures", "reading", "senses", "spelling", "timeline", "words")
    ),
)
"""What the model is made from. Rules and causes are read at every start: a changed rule needs no training."""
STAMP = MODEL.with_name("spotwise.inputs.sha256")


def input_files() -> Iterator[Path]:
    """Give every file that the model is made from, in a fixed order."""
    for name in INPUTS:
        for path in (ROOT / name, *sorted((ROOT / name).rglob("*"))):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def fingerprint() -> str:
    """Hash the content of the inputs; a checkout that only changes dates does not count."""
    digest = hashlib.sha256()
    for path in input_files():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_current(wanted: str) -> bool:
    """Tell whether the model at hand was trained from the wanted inputs."""
    return MODEL.exists() and STAMP.exists() and STAMP.read_text() == wanted


def train() -> None:
    """Run `rasa train` where it is needed."""
    wanted = fingerprint()
    if is_current(wanted):
        return
    check_knowledge()
    with one_at_a_time(MODEL):
        if is_current(wanted):
            return
        print("Training the model. This takes a few minutes, and again only after a change.", flush=True)
        STAMP.unlink(missing_ok=True)
        run_rasa_train()
        STAMP.write_text(wanted)


def run_rasa_train() -> None:
    """Run `rasa train` in this process, where the noise of its libraries can be turned off."""
    leave_out_tensorflow()
    silence_libraries()
    import matplotlib.font_manager  # noqa: F401 - warns when imported, and Rasa would let that through
    import rasa.__main__
    from rasa.engine.training import graph_trainer

    graph_trainer.TrainingHook = _without_cache()
    os.chdir(ROOT)
    name = MODEL.name.removesuffix(".tar.gz")
    # By force: Rasa's own cache does not know what the classifiers read from knowledge/.
    # Without Rasa's look at the stories, which `make test` has: it takes ten seconds.
    sys.argv = ["rasa", "train", "--force", "--skip-validation", "--fixed-model-name", name]
    try:
        rasa.__main__.main()
    except SystemExit as end:
        if end.code:
            raise StartError("The model could not be trained; the lines above say why.") from None
    if not MODEL.exists():
        raise StartError("Training left no model; the lines above say why.")


def _without_cache() -> type:
    """Stand in for Rasa's TrainingHook: it fingerprints all data around every component.

    That takes ten seconds, and is for a cache that training by force never reads.
    """
    from rasa.engine.graph import GraphNodeHook

    class WithoutCache(GraphNodeHook):  # type: ignore[misc]  # Rasa is untyped here
        def __init__(self, **kwargs: Any) -> None:
            """Need neither cache, storage nor schema."""

        def on_before_node(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            """Take no fingerprint."""
            return {}

        def on_after_node(self, *args: Any, **kwargs: Any) -> None:
            """Keep nothing."""

    return WithoutCache


if __name__ == "__main__":
    try:
        train()
    except StartError as error:
        sys.exit(f"spotwise: {error}")
    except KeyboardInterrupt:
        sys.exit("spotwise: training was stopped.")
