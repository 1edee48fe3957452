"""What the assistant says in Slack's Block Kit, within its limits, and what people write on Slack as text."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

TEXT_LIMIT = 3_000
"""Characters of a section's text, once it is escaped."""

LABEL_LIMIT = 75
"""Characters of a button's label."""

VALUE_LIMIT = 2_000
"""Characters of what a button sends."""

ROW = 5
"""Buttons of a row; Slack takes 25, but five still read well."""

SPOKEN_LIMIT = 4_000
"""Characters of the text that goes along with the blocks."""

BLOCKS_LIMIT = 10
"""Blocks of a message. Slack takes 50, but it also has a limit for them all that it does not tell."""

Block = dict[str, Any]
Button = dict[str, Any]

_ENDS = (r"\n\n", r"(?<=[.!?])[ \n]|(?<=[.!?][\"')])[ \n]", r"\n", r"\s")
"""Where a long text may be parted, best first: after a paragraph, a sentence, a line, a word."""

_LINK = re.compile(r"(https?://[^\s<>|]*[^\s<>|.,;:!?\"')\]])")


def messages(text: str, buttons: Sequence[Button] = ()) -> list[list[Block]]:
    """The blocks of each message that it takes to say this. The buttons come at the end."""
    sections = [section(part) for part in parts(text)]
    rows = [row(buttons[first : first + ROW], first) for first in range(0, len(buttons), ROW)]
    said: list[list[Block]] = [[block] for block in sections] or [[]]
    for block in rows:
        if len(said[-1]) == BLOCKS_LIMIT:
            said.append([])
        said[-1].append(block)
    return [blocks for blocks in said if blocks]


def section(text: str) -> Block:
    """A text. Nothing in it becomes a mention or a format; only links are links."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": escaped(text), "verbatim": True}}


def row(buttons: Sequence[Button], first: int) -> Block:
    """Buttons beside one another; `first` is the place of the first of them among all of the message."""
    return {"type": "actions", "elements": [_button(button, n) for n, button in enumerate(buttons, first)]}


def _button(button: Button, place: int) -> Block:
    """One button. Where its payload can't be sent, it sends its label, as if that was written."""
    label = str(button["title"])
    value = str(button.get("payload") or label)
    return {
        "type": "button",
        "action_id": f"answer_{place}",
        "text": {"type": "plain_text", "text": shortened(label, LABEL_LIMIT), "emoji": False},
        "value": value if len(value) <= VALUE_LIMIT else label[:VALUE_LIMIT],
    }


def answered(blocks: object, words: str) -> list[Block]:
    """A message's blocks with words in place of its buttons; none if it has no blocks to show."""
    kept = [
        block
        for block in (blocks if isinstance(blocks, list) else ())
        if isinstance(block, dict) and block.get("type") != "actions"
    ]
    return [*kept, section(words)] if kept else []


def spoken(blocks: Sequence[Block]) -> str:
    """The words of a message, for what shows no blocks: notifications and screen readers."""
    return "\n".join(
        str(block["text"].get("text", ""))
        for block in blocks
        if block.get("type") == "section" and isinstance(block.get("text"), dict)
    )[:SPOKEN_LIMIT]


# --- texts ---


def escaped(text: str) -> str:
    """A text that Slack shows as it is, with its links."""
    # Every second piece is a link.
    pieces = [html.escape(piece, quote=False) for piece in _LINK.split(text)]
    pieces[1::2] = [f"<{link}>" for link in pieces[1::2]]
    return "".join(pieces)


def parts(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """A text in parts that each fit, parted after a paragraph, a sentence, a line or a word."""
    found = []
    rest = text.strip()
    while len(escaped(rest)) > limit:
        end = _end(rest, limit)
        found.append(rest[:end].strip())
        rest = rest[end:].strip()
    return [part for part in (*found, rest) if part]


def _end(text: str, limit: int) -> int:
    """Where to part a text that is too long."""
    most = limit
    while len(escaped(text[:most])) > limit:
        most -= 1
    for pattern in _ENDS:
        ends = [found.start() for found in re.finditer(pattern, text[: most + 1])]
        if ends and ends[-1] > most // 4:
            return ends[-1]
    return most


def shortened(text: str, limit: int) -> str:
    """A text that fits on a label."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def written(text: str) -> str:
    """What a person wrote, without Slack's markup: links as they read, no mentions, no signs of format."""
    text = re.sub(r"<[@#!][^<>]*>", " ", text)
    text = re.sub(r"<(?:[^<>|]*\|)?([^<>]*)>", r"\1", text)
    text = re.sub(r"(?<!\w)([*_~`])(?=\S)([^\n]{0,200}?\S)\1(?!\w)", r"\2", text)
    return html.unescape(text)
