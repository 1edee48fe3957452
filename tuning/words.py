"""Write the words that a slip may be meant for, commonest first: `knowledge/common.txt`."""

from __future__ import annotations

from collections import Counter

from assistant.fact_classifier import examples_in
from evaluation import sets
from spotwise.knowledge import DEFAULT_FOLDER
from spotwise.lexicon import lines_of
from spotwise.words import normalise

FILE = DEFAULT_FOLDER / "common.txt"
LEAST = 3
"""Examples that have to hold an English word."""
LEAST_OF_OTHERS = 10
"""The same for any other word, as a medicine's name or slang: less could be a slip."""
_HEADER = (
    "# Words of the examples, each after how many of them hold it: what a misspelt word may be meant for.",
    "# Written by `make tune`.",
)


def common_words() -> dict[str, int]:
    """The words of all examples that are common enough, with how many examples hold each."""
    examples = examples_in(DEFAULT_FOLDER)
    texts = {message["text"] for message in examples.messages} | {each.text for each in sets.training()}
    texts.update(
        *examples.signs.values(), *(some for each in examples.answers.values() for some in each.values())
    )
    counts = Counter(word for text in texts for word in set(normalise(text).split()) if word.isalpha())
    english = frozenset(lines_of(DEFAULT_FOLDER / "english.txt"))
    return {
        word: times
        for word, times in counts.items()
        if len(word) > 1 and times >= (LEAST if word in english else LEAST_OF_OTHERS)
    }


if __name__ == "__main__":
    common = common_words()
    commonest_first = sorted(common.items(), key=lambda each: (-each[1], each[0]))
    lines = [f"{times} {word}" for word, times in commonest_first]
    FILE.write_text("\n".join([*_HEADER, *lines]) + "\n", encoding="utf-8")
    print(f"{len(common)} common words written to {FILE.name}")
