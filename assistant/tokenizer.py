"""Words, as spaCy's English rules split them. Rasa's SpacyTokenizer takes a whole model for it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import spacy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message


@lru_cache(maxsize=1)
def english() -> Any:
    """spaCy's English without anything learnt: its tokenizer."""
    return spacy.blank("en").tokenizer


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class EnglishTokenizer(Tokenizer):  # type: ignore[misc]  # Rasa's types are not seen
    """Splits messages into words."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What Rasa's tokenizers want to have: intents stay whole, words are not split further."""
        return {
            "intent_tokenization_flag": False,
            "intent_split_symbol": "_",
            "token_pattern": None,
            "prefix_separator_symbol": None,
        }

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """The words of one attribute of a message, with their places."""
        words = english()(message.get(attribute) or "")
        return [Token(word.text, word.idx) for word in words if word.text.strip()]
