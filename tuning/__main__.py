"""Learn the encoder's tuning anew, and write it (`make tune`); the model has to be trained after that."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from rasa.shared.nlu.constants import INTENT

from assistant import encoder_graph
from assistant.encoder_graph import SIZE, TUNING, VOCABULARY_SHA256, WEIGHTS_SHA256
from assistant.fact_classifier import SIGNS, examples_in
from assistant.sentence_encoder import WordPieces
from evaluation import sets
from spotwise.knowledge import DEFAULT_FOLDER
from tuning.examples import Labelled, Numbers, ToldMessages, labelled_texts, told_messages
from tuning.network import SCALE, SENSES, Encoder, QuestionHeads, ToldHeads, padded

SEED = 7
ROUNDS = 3
"""Each goes through the messages twice."""
ROUNDS_OF_TEXTS = 2
"""In the first ones all labelled texts are learnt from, too; more would be learning them by heart."""
AT_ONCE = 32
ENCODER_RATE, QUESTION_RATE, TOLD_RATE = 5e-4, 3e-3, 1.5e-3
WARM_UP = 100
"""Steps in which the encoder's rate rises."""
OTHER_QUESTIONS = 0.3
"""What the questions other than the intent and the signs count."""
FACTS_COUNT, MENTIONS_COUNT = 0.5, 2.0


class Tuning:
    """The encoder and the heads, learning."""

    def __init__(self) -> None:
        """Gather the examples, and what they are after the layers that stay as they are."""
        tf.keras.utils.set_random_seed(SEED)
        self._random = np.random.default_rng(SEED)
        folder = encoder_graph.package_folder()
        vocabulary = encoder_graph.checked(folder / "vocab.txt", VOCABULARY_SHA256)
        words = WordPieces(vocabulary.read_text(encoding="utf-8").splitlines())
        weights = encoder_graph.checked(folder / "model.safetensors", WEIGHTS_SHA256)
        examples = examples_in(DEFAULT_FOLDER)
        self.texts: Labelled = labelled_texts(examples, words)
        self.told: ToldMessages = told_messages(examples, words)
        self.slots = sorted(sets.contract_slots())
        self.encoder = Encoder(encoder_graph.weights_in(weights), self._random)
        counts = {name: OTHER_QUESTIONS for name in self.texts.names} | {INTENT: 1.0, SIGNS: 1.0}
        self.questions = QuestionHeads(self.texts.names, counts, self._random)
        self.heads = ToldHeads(len(self.slots), len(self.told.values), len(self.told.items), self._random)
        self._text_rows = self._lower(self.texts.pieces)
        self._told_rows = self._lower([message.pieces for message in self.told.messages])
        self._texts_step, self._told_step = self._steps()
        self._rate, self._slowing = tf.Variable(0.0), tf.Variable(1.0)
        self._optimizers = [
            tf.keras.optimizers.legacy.Adam(rate)
            for rate in (
                self._rate,
                lambda: QUESTION_RATE * self._slowing,
                lambda: TOLD_RATE * self._slowing,
            )
        ]

    def learn(self, progress: Callable[[str], None]) -> None:
        """Learn from everything."""
        plan = [self._batches(number) for number in range(ROUNDS)]
        steps, done, started = sum(map(len, plan)), 0, time.monotonic()
        for number, batches in enumerate(plan):
            missed: dict[str, list[float]] = {"texts": [], "messages": []}
            for kind, places in batches:
                left = 1 - done / steps
                self._rate.assign(ENCODER_RATE * min(1, done / WARM_UP) * max(0.02, left))
                self._slowing.assign(max(0.1, left))
                loss = self._learn_texts(places) if kind == "texts" else self._learn_told(places)
                missed[kind].append(float(loss))
                done += 1
                if done % 200 == 0:
                    progress(f"step {done} of {steps}, {time.monotonic() - started:.0f} s")
            means = ", ".join(f"{kind} {np.mean(some):.3f}" for kind, some in missed.items() if some)
            progress(f"round {number + 1} of {ROUNDS}: missed by {means}")

    def write(self) -> None:
        """Write what was learnt, in 16 bits."""
        learnt: dict[str, Numbers] = {}
        for name, (first, second) in self.encoder.thin.items():
            learnt |= {f"{name}.in": first.numpy(), f"{name}.out": SCALE * second.numpy()}
        learnt |= {f"told.{name}": weight.numpy() for name, weight in self.heads.weights.items()}
        names = {
            "slots": self.slots,
            "senses": SENSES,
            "values": self.told.values,
            "items": self.told.items,
        }
        np.savez_compressed(
            TUNING,
            **{name: value.astype(np.float16) for name, value in learnt.items()},
            **{f"told.{name}": np.array(some) for name, some in names.items()},
        )

    def _lower(self, all_pieces: Sequence[list[int]]) -> list[Numbers]:
        """Each text after the layers that stay as they are."""
        run = tf.function(
            self.encoder.lower,
            input_signature=[tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, None))],
        )
        rows: list[Numbers] = [np.zeros(0)] * len(all_pieces)
        order = np.argsort([len(pieces) for pieces in all_pieces], kind="stable")
        for places in _parts(order, 64):
            pieces, mask = padded([np.array(all_pieces[place], dtype=np.int32) for place in places])
            for place, row in zip(places, run(pieces, mask).numpy(), strict=True):
                rows[place] = row[: len(all_pieces[place])]
        return rows

    def _batches(self, number: int) -> list[tuple[str, Numbers]]:
        """The batches of a round, in any order; texts of a like length together."""
        kinds = [("messages", self._told_rows, 6.0)] * 2
        if number < ROUNDS_OF_TEXTS:
            kinds.append(("texts", self._text_rows, 3.0))
        found: list[tuple[str, Numbers]] = []
        for kind, rows, mixing in kinds:
            lengths = np.array([len(row) for row in rows]) + self._random.uniform(0, mixing, len(rows))
            found += [(kind, places) for places in _parts(np.argsort(lengths), AT_ONCE)]
        return [found[place] for place in self._random.permutation(len(found))]

    def _learn_texts(self, places: Numbers) -> Any:
        rows, mask = padded([self._text_rows[place] for place in places])
        loss, gradients = self._texts_step(rows, mask, self.texts.labels[places])
        self._apply(gradients, self._optimizers[1], self.questions.variables)
        return loss

    def _learn_told(self, places: Numbers) -> Any:
        rows, mask = padded([self._told_rows[place] for place in places])
        messages = [self.told.messages[place] for place in places]
        whose, spans, keys, told = [], [], [], []
        for number, message in enumerate(messages):
            for seen in message.mentions:
                span = np.zeros(rows.shape[1], np.float32)
                span[seen.pieces] = 1
                slot, value, _, sense = seen.mention
                whose.append(number)
                spans.append(span)
                keys.append(
                    (self.slots.index(slot), SENSES.index(sense), self.told.values.index(f"{slot}.{value}"))
                )
                told.append(seen.told)
        loss, gradients = self._told_step(
            rows,
            mask,
            np.stack([message.facts for message in messages]),
            np.stack([message.known for message in messages]),
            np.array(whose, np.int32),
            np.array(spans, np.float32).reshape(len(spans), rows.shape[1]),
            np.array(keys, np.int32).reshape(len(keys), 3),
            np.array(told, np.float32),
        )
        self._apply(gradients, self._optimizers[2], self.heads.variables)
        return loss

    def _apply(self, gradients: list[Any], optimizer: Any, variables: list[Any]) -> None:
        """Change the encoder, and the heads at a rate of their own."""
        count = len(self.encoder.variables)
        clipped, _ = tf.clip_by_global_norm(gradients[:count], 1.0)
        self._optimizers[0].apply_gradients(zip(clipped, self.encoder.variables, strict=True))
        optimizer.apply_gradients(zip(gradients[count:], variables, strict=True))

    def _steps(self) -> tuple[Any, Any]:
        """Give the loss and the gradients of a batch of texts, and of messages."""
        encoder, questions, heads = self.encoder, self.questions, self.heads
        rows, mask = tf.TensorSpec((None, None, SIZE)), tf.TensorSpec((None, None))
        facts = tf.TensorSpec((None, len(self.told.items)))

        @tf.function(input_signature=[rows, mask, tf.TensorSpec((None, len(self.texts.names)), tf.int32)])
        def texts(rows: Any, mask: Any, labels: Any) -> tuple[Any, list[Any]]:
            with tf.GradientTape() as tape:
                loss = questions.loss(*encoder.upper(rows, mask), mask, labels)
            return loss, tape.gradient(loss, [*encoder.variables, *questions.variables])

        whose, keys = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None, 3), tf.int32)

        @tf.function(input_signature=[rows, mask, facts, facts, whose, mask, keys, tf.TensorSpec((None,))])
        def messages(
            rows: Any, mask: Any, facts: Any, known: Any, whose: Any, spans: Any, keys: Any, told: Any
        ) -> tuple[Any, list[Any]]:
            with tf.GradientTape() as tape:
                last, _ = encoder.upper(rows, mask)
                loss = FACTS_COUNT * heads.facts_loss(last, mask, facts, known)
                loss += MENTIONS_COUNT * heads.mentions_loss(last, mask, whose, spans, keys, told)
            variables = [*encoder.variables, *heads.variables]
            found = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            return loss, [tf.convert_to_tensor(gradient) for gradient in found]

        return texts, messages


def _parts(order: Numbers, size: int) -> Iterator[Numbers]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


if __name__ == "__main__":
    tuning = Tuning()
    print(f"{len(tuning.texts.pieces)} labelled texts, {len(tuning.told.messages)} messages", flush=True)
    tuning.learn(lambda what: print(what, flush=True))
    tuning.write()
    print(f"written to {TUNING.name}; now: make train")
