"""The encoder in TensorFlow, with thin matrices to learn, and the heads that learn with it.

The same layers as `assistant.encoder_graph` builds for the running assistant. The lower ones don't change, so
they are computed once for each text (`lower`); what is learnt is above them (`upper`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import tensorflow as tf

from assistant.encoder_graph import HEADS, LAYERS, MIDDLE, SIZE, Array
from spotwise.senses import Sense
from tuning.examples import Numbers

LOWER = 2
"""Layers that stay as they are."""
RANK = 8
"""Columns of a thin matrix."""
SCALE = 2.0
"""What the product of two thin matrices is multiplied by."""
KEY_SIZE, INNER_SIZE = 16, 96
"""Numbers for each slot, sense and value; width of the network that judges a mention."""
DROPPED = 0.15
"""Share of what the heads see that is left out while they learn."""
TUNED = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
SENSES: tuple[str, ...] = get_args(Sense)

Tensor = Any


class Encoder:
    """The encoder with its thin matrices."""

    def __init__(self, weights: Mapping[str, Array], random: np.random.Generator) -> None:
        """Begin with products of nought: the encoder as it was published."""
        self._known = {name: tf.constant(np.array(value)) for name, value in weights.items()}
        self.thin: dict[str, tuple[Tensor, Tensor]] = {}
        for number in range(LOWER, LAYERS):
            for part in TUNED:
                name = f"encoder.layer.{number}.{part}"
                wide, long = weights[f"{name}.weight"].shape
                first = random.normal(0, long**-0.5, (long, RANK)).astype(np.float32)
                self.thin[name] = tf.Variable(first), tf.Variable(np.zeros((RANK, wide), np.float32))

    @property
    def variables(self) -> list[Tensor]:
        """What is learnt."""
        return [matrix for pair in self.thin.values() for matrix in pair]

    def lower(self, pieces: Tensor, mask: Tensor) -> Tensor:
        """The vectors of word pieces after the layers that stay as they are."""
        places = self._known["embeddings.position_embeddings.weight"][: tf.shape(pieces)[1]]
        x = tf.gather(self._known["embeddings.word_embeddings.weight"], pieces)
        x += places + self._known["embeddings.token_type_embeddings.weight"][0]
        x = self._norm(x, "embeddings.LayerNorm")
        for number in range(LOWER):
            x = self._layer(x, mask, number)
        return x

    def upper(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The vectors after the last layer, and after the middle one."""
        middle = x
        for number in range(LOWER, LAYERS):
            x = self._layer(x, mask, number)
            if number + 1 == MIDDLE:
                middle = x
        return x, middle

    def _layer(self, x: Tensor, mask: Tensor, number: int) -> Tensor:
        name = f"encoder.layer.{number}"

        def dense(y: Tensor, part: str) -> Tensor:
            part = f"{name}.{part}"
            result = tf.einsum("bti,oi->bto", y, self._known[f"{part}.weight"]) + self._known[f"{part}.bias"]
            if part in self.thin:
                first, second = self.thin[part]
                result += SCALE * tf.matmul(tf.matmul(y, first), second)
            return result

        def heads(y: Tensor) -> Tensor:
            split = tf.reshape(y, (tf.shape(y)[0], tf.shape(y)[1], HEADS, SIZE // HEADS))
            return tf.transpose(split, (0, 2, 1, 3))

        query, key, value = (heads(dense(x, part)) for part in TUNED[:3])
        looks = tf.matmul(query, key, transpose_b=True) * (SIZE // HEADS) ** -0.5
        looks += (1 - mask)[:, None, None, :] * -1e9
        seen = tf.transpose(tf.matmul(tf.nn.softmax(looks), value), (0, 2, 1, 3))
        x = self._norm(
            x + dense(tf.reshape(seen, tf.shape(x)), TUNED[3]), f"{name}.attention.output.LayerNorm"
        )
        bent = tf.nn.gelu(dense(x, TUNED[4]), approximate=False)
        return self._norm(x + dense(bent, TUNED[5]), f"{name}.output.LayerNorm")

    def _norm(self, x: Tensor, name: str) -> Tensor:
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        x = (x - mean) * tf.math.rsqrt(variance + 1e-12)
        return x * self._known[f"{name}.weight"] + self._known[f"{name}.bias"]


def mean(x: Tensor, mask: Tensor) -> Tensor:
    """The mean of the vectors that count."""
    return tf.reduce_sum(x * mask[..., None], 1) / tf.reduce_sum(mask, 1, keepdims=True)


class QuestionHeads:
    """Which label each question has, from a text's two means; thrown away after learning."""

    STEEPNESS = 5.0
    """The means have length 1; this makes room for sure answers."""
    SMOOTH = 0.05
    """Share of a label that the others get, so that none is learnt as certain."""

    def __init__(
        self, names: Mapping[str, Sequence[str]], weights: Mapping[str, float], random: np.random.Generator
    ) -> None:
        """One head a question; `weights` says how much each counts."""
        self._heads = [
            (_small(random, 2 * SIZE, len(labels)), _small(random, len(labels)), weights[question])
            for question, labels in names.items()
        ]

    @property
    def variables(self) -> list[Tensor]:
        """What is learnt."""
        return [variable for matrix, bias, _ in self._heads for variable in (matrix, bias)]

    def loss(self, last: Tensor, middle: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
        """How far the labels are missed."""
        means = [tf.math.l2_normalize(mean(x, mask), -1) for x in (last, middle)]
        features = self.STEEPNESS * tf.nn.dropout(tf.concat(means, -1), 0.1)
        total = 0.0
        for place, (matrix, bias, weight) in enumerate(self._heads):
            wanted, count = labels[:, place], int(bias.shape[0])
            sure = tf.one_hot(tf.maximum(wanted, 0), count) * (1 - self.SMOOTH) + self.SMOOTH / count
            missed = tf.nn.softmax_cross_entropy_with_logits(sure, tf.matmul(features, matrix) + bias)
            counts = tf.cast(wanted >= 0, tf.float32)
            total += weight * tf.reduce_sum(missed * counts) / tf.cast(tf.shape(labels)[0], tf.float32)
        return total


class ToldHeads:
    """What a message tells; `assistant.told_classifier` computes the same without TensorFlow."""

    def __init__(self, slots: int, values: int, items: int, random: np.random.Generator) -> None:
        """Begin with small numbers, and with facts that are seldom told."""
        self.weights = {
            "slot": _small(random, slots, KEY_SIZE),
            "sense": _small(random, len(SENSES), KEY_SIZE),
            "value": _small(random, values, KEY_SIZE),
            "inner": _small(random, 2 * SIZE + 3 * KEY_SIZE, INNER_SIZE, size=0.04),
            "inner_bias": _small(random, INNER_SIZE),
            "outer": _small(random, INNER_SIZE, 1, size=0.1),
            "outer_bias": _small(random, 1),
            "look": _small(random, items, SIZE, size=0.05),
            "found": _small(random, items, SIZE),
            "found_bias": tf.Variable(np.full(items, -4, np.float32)),
        }

    @property
    def variables(self) -> list[Tensor]:
        """What is learnt."""
        return list(self.weights.values())

    def facts_loss(self, last: Tensor, mask: Tensor, facts: Tensor, known: Tensor) -> Tensor:
        """How far the facts are missed, a message; one that is told counts three times."""
        looks = tf.einsum("btd,kd->bkt", last, self.weights["look"]) + (1 - mask)[:, None, :] * -1e9
        found = tf.einsum("btd,kd->btk", tf.nn.dropout(last, DROPPED), self.weights["found"])
        found = tf.einsum("bkt,btk->bk", tf.nn.softmax(looks), found) + self.weights["found_bias"]
        missed = tf.nn.sigmoid_cross_entropy_with_logits(facts, found) * known * (1 + 2 * facts)
        return tf.reduce_sum(missed) / tf.cast(tf.shape(facts)[0], tf.float32)

    def mentions_loss(
        self, last: Tensor, mask: Tensor, whose: Tensor, spans: Tensor, keys: Tensor, told: Tensor
    ) -> Tensor:
        """How far it is missed which mentions are told. `keys`: slot, sense and value of each."""
        value = tf.where(tf.random.uniform(tf.shape(whose)) < DROPPED, 0, keys[:, 2])  # some it has not seen
        parts = (
            tf.nn.dropout(mean(tf.gather(last, whose), spans), DROPPED),
            tf.nn.dropout(tf.gather(mean(last, mask), whose), DROPPED),
            tf.gather(self.weights["slot"], keys[:, 0]),
            tf.gather(self.weights["sense"], keys[:, 1]),
            tf.gather(self.weights["value"], value),
        )
        inner = tf.matmul(tf.concat(parts, -1), self.weights["inner"]) + self.weights["inner_bias"]
        inner = tf.nn.dropout(tf.nn.gelu(inner, approximate=False), DROPPED)
        found = (tf.matmul(inner, self.weights["outer"]) + self.weights["outer_bias"])[:, 0]
        missed = tf.nn.sigmoid_cross_entropy_with_logits(told * 0.96 + 0.02, found)
        return tf.reduce_sum(missed) / (tf.cast(tf.shape(told)[0], tf.float32) + 1)


def _small(random: np.random.Generator, *shape: int, size: float = 0.02) -> Tensor:
    return tf.Variable(random.normal(0, size, shape).astype(np.float32))


def padded(rows: Sequence[Numbers]) -> tuple[Numbers, Numbers]:
    """Rows of different lengths as one array, and which places count."""
    longest = max(len(row) for row in rows)
    filled = np.zeros((len(rows), longest, *rows[0].shape[1:]), rows[0].dtype)
    mask = np.zeros((len(rows), longest), np.float32)
    for place, row in enumerate(rows):
        filled[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return filled, mask
