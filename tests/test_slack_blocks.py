"""What is said on Slack keeps Slack's limits, whatever it is; and the app is allowed what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.exceptions import RasaException
from slack_api import EVENT_SCOPES, METHODS, Mistake, check_blocks, check_markup, escaped

from actions.turn import button
from assistant.channels.slack import WORDS, SlackChannel
from assistant.channels.slack_blocks import (
    BLOCKS_LIMIT,
    TEXT_LIMIT,
    answered,
    messages,
    parts,
    spoken,
    written,
)
from assistant.channels.turns import LAST_RESORT
from assistant.run import channels_on
from spotwise.knowledge import load_knowledge
from spotwise.lookup import packed

ROOT = Path(__file__).parent.parent
RESPONSES = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["responses"]
MANIFEST = yaml.safe_load((ROOT / "deploy" / "slack-manifest.yml").read_text(encoding="utf-8"))
KNOWLEDGE = load_knowledge()


# ------------------------------------------------------------------ all that can be said
def said() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every message of the domain, each way it can be said, and the longest that the actions say."""
    for name, variations in RESPONSES.items():
        for number, variation in enumerate(variations):
            always = {part: value for part, value in variation.items() if part != "condition"}
            says = TemplatedNaturalLanguageGenerator({name: [always]})
            yield f"{name}[{number}]", says.generate_from_slots(name, {"question_style": None}, "slack") or {}
    causes = [button(cause) for cause in KNOWLEDGE.causes]
    yield "a button for each cause", {"text": "These are they.", "buttons": causes}
    for number, text in enumerate(packed(fact.text for fact in KNOWLEDGE.facts)):
        yield f"facts {number}", {"text": text}
    for cause in KNOWLEDGE.causes:
        yield cause.id, {"text": "\n".join([cause.name, cause.what, cause.why_it_bleeds, cause.self_care])}
    for source in KNOWLEDGE.sources:
        yield source.id, {"text": f"{source.title}. {source.link}"}
    yield "the last resort", {"text": LAST_RESORT}


SAID = dict(said())


@pytest.mark.parametrize("name", SAID)
def test_slack_takes_all_that_can_be_said(name: str) -> None:
    message = SAID[name]
    buttons = message.get("buttons") or []
    blocks = messages(message["text"], buttons)
    for some in blocks:
        check_blocks(some)
    shown = [block for some in blocks for block in some]
    pressable = [e for block in shown if block["type"] == "actions" for e in block["elements"]]
    assert [(e["text"]["text"], e["value"]) for e in pressable] == [
        (b["title"], b["payload"]) for b in buttons
    ]
    assert all(len(block["elements"]) <= 5 for block in shown if block["type"] == "actions")
    assert plain(spoken(shown)) == message["text"].strip()


@pytest.mark.parametrize("name", SAID)
def test_nothing_that_is_said_has_marks_of_format(name: str) -> None:
    text = re.sub(r"https?://\S+", "", SAID[name]["text"])
    assert not re.search(r"[*_~`<>]|^\s*>", text)


def plain(text: str) -> str:
    """A text as Slack shows it."""
    shown = re.sub(r"<(https?://[^<>|\s]+)>", r"\1", text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_links_can_be_followed() -> None:
    ((block,),) = messages("See https://example.org/a_b?x=1&y=2. (https://example.org)")
    assert block["text"]["text"] == ("See <https://example.org/a_b?x=1&amp;y=2>. (<https://example.org>)")


@pytest.mark.parametrize("text", ["<!channel>", "<@U012AB3CD>", "<#C0>", "a < b && b > c", "&lt;!here&gt;"])
def test_what_looks_like_markup_stays_text(text: str) -> None:
    ((block,),) = messages(text)
    check_blocks([block])
    assert plain(block["text"]["text"]) == text
    assert block["text"]["verbatim"] is True  # so that @here and #general are not made links either


# ------------------------------------------------------------------ limits
@given(st.text(max_size=9_000), st.integers(0, 120))
def test_any_text_keeps_the_limits(text: str, buttons: int) -> None:
    offered = [{"title": f"Button {n} " + "x" * n, "payload": f"/{n}"} for n in range(buttons)]
    for some in messages(text, offered):
        check_blocks(some)


@given(
    st.lists(
        st.sampled_from(["One. ", "Two words! ", "a\n", "b\n\n", "& ", "<", "x" * 400, "https://a.b/c "])
    )
)
def test_a_long_text_is_parted_and_nothing_is_lost(words: list[str]) -> None:
    text = "".join(words)
    found = parts(text, 300)
    assert all(len(part) <= 300 for part in found)
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)


def test_a_long_text_is_parted_after_sentences() -> None:
    sentence = "This is one sentence of many. "
    found = parts(sentence * 500)
    assert len(found) > 4
    assert all(part.endswith("many.") and TEXT_LIMIT - 100 < len(part) <= TEXT_LIMIT for part in found)


def test_a_short_text_is_not_parted() -> None:
    assert parts("First.\n\nSecond.\nThird.") == ["First.\n\nSecond.\nThird."]
    assert parts(" \n ") == []


def test_buttons_come_last_in_rows_of_five() -> None:
    buttons = [{"title": str(n), "payload": f"/{n}"} for n in range(12)]
    *texts, last = messages("One. " * 1_000, buttons)
    assert [[block["type"] for block in some] for some in texts] == [["section"]]
    assert [len(block.get("elements", [])) for block in last] == [0, 5, 5, 2]


def test_more_buttons_than_fit_in_one_message() -> None:
    buttons = [{"title": str(n), "payload": f"/{n}"} for n in range(5 * BLOCKS_LIMIT + 1)]
    both = messages("Which?", buttons)
    assert [len(some) for some in both] == [BLOCKS_LIMIT, 2]


def test_a_button_that_is_too_long_still_works() -> None:
    ((_, row),) = messages("Which?", [{"title": "y" * 100, "payload": "/" + "x" * 3_000}])
    (element,) = row["elements"]
    assert element["text"]["text"] == "y" * 74 + "\N{HORIZONTAL ELLIPSIS}"
    assert element["value"] == "y" * 100


def test_the_chosen_answer_takes_the_place_of_the_buttons() -> None:
    ((text, row),) = messages("Which?", [{"title": "This", "payload": "/x"}])
    blocks = answered([{"block_id": "b", **text}, row], "You chose: <This>")
    check_blocks(blocks)
    assert plain(spoken(blocks)) == "Which?\nYou chose: <This>"
    assert [block["type"] for block in blocks] == ["section", "section"]


@pytest.mark.parametrize("blocks", [None, "x", {}, [], [None, 7, "x"], [{"type": "actions"}]])
def test_a_message_without_blocks_is_left_as_it_is(blocks: Any) -> None:
    assert answered(blocks, "You chose") == []


# ------------------------------------------------------------------ what people write
@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("I bleed", "I bleed"),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt;", "&lt;"),
        ("<@U012AB3CD> hello <!here> <#C024BE7LR|general>", "  hello    "),
        ("see <https://example.org/a|example.org> or <http://b.org>", "see example.org or http://b.org"),
        ("<mailto:me@example.org|me@example.org> <tel:112|112>", "me@example.org 112"),
        ("I am *not* _pregnant_, ~maybe~ `no`", "I am not pregnant, maybe no"),
        ("about ~2 weeks, 2*3*4 and snake_case_word", "about ~2 weeks, 2*3*4 and snake_case_word"),
        ("* one\n* two", "* one\n* two"),
        ('/describe_spotting{"pain":"none"}', '/describe_spotting{"pain":"none"}'),
    ],
)
def test_markup_of_slack_is_taken_off(sent: str, text: str) -> None:
    assert written(sent) == text


@given(st.text())
def test_plain_text_comes_as_it_was_written(text: str) -> None:
    text = re.sub(r"[*_~`]", "", text)
    assert written(escaped(text)) == text


def test_odd_markup_is_quick_to_read() -> None:
    for odd in ("*a " * 20_000, "<" * 20_000, "<a|" * 20_000, "<@" * 20_000, "`" * 20_000):
        assert isinstance(written(odd), str)


# ------------------------------------------------------------------ the stand-in is strict
@pytest.mark.parametrize(
    "blocks",
    [
        [],
        "{",
        [{"type": "section"}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "<!channel>"}}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "a & b"}}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}}],
        [{"type": "section", "text": {"type": "plain_text", "text": "x"}}] * 51,
        [{"type": "actions", "elements": []}],
        [{"type": "marquee"}],
    ],
    ids=range(11),
)
def test_the_stand_in_refuses_what_slack_does(blocks: Any) -> None:
    with pytest.raises(Mistake):
        check_blocks(blocks)


@pytest.mark.parametrize(
    "change",
    [{"value": ""}, {"value": "x" * 2_001}, {"text": {"type": "mrkdwn", "text": "x"}}, {"url": 7}, {}],
)
def test_the_stand_in_refuses_odd_buttons(change: dict[str, Any]) -> None:
    ((text, row),) = messages("Which?", [{"title": "x", "payload": "/x"}, {"title": "y", "payload": "/y"}])
    row["elements"][1] = {**row["elements"][0], **change}  # the same action_id twice, if nothing else
    with pytest.raises(Mistake):
        check_blocks([text, row])


# ------------------------------------------------------------------ the app and its settings
def code() -> str:
    return "".join(path.read_text() for path in (ROOT / "assistant" / "channels").glob("slack*.py"))


def test_the_manifest_allows_what_the_code_does_and_no_more() -> None:
    called = set(re.findall(r'"((?:chat|conversations|users|views|auth|files)\.\w+)"', code()))
    assert called == set(METHODS)
    events = set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
    assert events == set(EVENT_SCOPES)
    needed = {scope for _, _, scope in METHODS.values()} | set(EVENT_SCOPES.values()) | {"commands"}
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == needed
    assert list(MANIFEST["oauth_config"]["scopes"]) == ["bot"]


def test_the_manifest_can_be_pasted() -> None:
    """The lengths and fields that Slack's reference of manifests asks for."""
    assert set(MANIFEST) == {"_metadata", "display_information", "features", "oauth_config", "settings"}
    about, features, settings = (MANIFEST[name] for name in ("display_information", "features", "settings"))
    assert len(about["name"]) <= 35 and len(about["description"]) <= 140
    assert 174 <= len(about["long_description"]) <= 4_000
    assert re.fullmatch(r"#[0-9a-f]{6}", about["background_color"])
    assert re.fullmatch(r"[a-z0-9._-]{1,80}", features["bot_user"]["display_name"])
    assert features["app_home"] == {
        "home_tab_enabled": False,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }
    (command,) = features["slash_commands"]
    assert command["command"] == "/spotwise"
    urls = [
        command["url"],
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
    ]
    assert set(urls) == {"https://spotwise.example.org/webhooks/slack/webhook"}
    assert settings["interactivity"]["is_enabled"] and not settings["socket_mode_enabled"]
    assert SlackChannel.name() == "slack"  # the part of the address in the middle


def test_the_channel_is_off_without_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = yaml.safe_load((ROOT / "credentials.yml").read_text())
    path = "assistant.channels.slack.SlackChannel"
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(name, "")
    assert path not in channels_on(channels)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    assert path not in channels_on(channels)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "s")
    assert "xoxb-1" not in json.dumps(channels_on(channels)[path])


@pytest.mark.parametrize("given_", [None, {}, {"bot_token": "x"}, {"bot_token": "x", "signing_secret": " "}])
def test_there_is_no_channel_without_token_and_secret(given_: dict[str, Any] | None) -> None:
    with pytest.raises(RasaException):
        SlackChannel.from_credentials(given_)


def test_the_words_of_the_channel_are_in_the_domain() -> None:
    assert set(WORDS) <= set(RESPONSES)
    assert "{choice}" in RESPONSES["utter_chosen"][0]["text"]
    for name in WORDS:
        check_markup(RESPONSES[name][0]["text"])


def test_the_notice_tells_nothing_about_health() -> None:
    notice = RESPONSES["utter_notice"][0]["text"].lower()
    assert not re.search(r"bleed|blood|sex|vagina|pain|emergency|doctor|health|spotting", notice)
