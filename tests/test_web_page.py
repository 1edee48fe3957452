"""The web page in a real browser, with the assistant behind it: on a phone, at a desk, and in trouble."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import Web
from playwright.sync_api import Browser, Route, expect
from web import DESK, HARMLESS, LEVELS, PHONE, SMALL, Restartable, Visitor, browser, call, visiting

from assistant.channels.passes import conversation_behind
from assistant.webpage import EXIT_TO, MESSAGE_LIMIT, WebPage, read

ROOT = Path(__file__).parent.parent
DOMAIN = read(ROOT / "domain.yml")["responses"]
WORDS = read(ROOT / "assistant" / "web" / "words.yml")
SUMMED_UP = {
    "emergency": "Get emergency care now.",
    "same_day": "Be seen today.",
    "soon": "Be seen in the next few days, within 2 weeks.",
    "routine": "Book a routine visit.",
    "self_care": "Watch it for 24 hours, and bring it up at a routine visit.",
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser; each visitor has a profile of their own in it."""
    with browser() as found:
        yield found


@pytest.fixture
def visitor(chromium: Browser, web: Web) -> Iterator[Visitor]:
    """Somebody with a phone, at the page."""
    with visiting(chromium, web.url) as somebody:
        yield somebody.open()


def said_without_facts(name: str) -> list[str]:
    """The lines of a response where nothing is known."""
    text = next(v["text"] for v in DOMAIN[name] if "condition" not in v)
    return [line.removeprefix("- ") for line in text.strip().splitlines()]


HOLDS_ALWAYS = [
    line
    for name in ("utter_what_to_do", "utter_criteria", "utter_limits")
    for line in said_without_facts(name)
]


def turns(url: str, visitor: Visitor) -> list[dict[str, Any]]:
    """The conversation as the server has it."""
    found: list[dict[str, Any]] = call(url, "history", {"id": visitor.id()}).json()["turns"]
    return found


# ------------------------------------------------------------------ before and without the server
def test_the_page_is_there_while_the_model_loads_and_after_a_kill(
    chromium: Browser, restartable: Restartable
) -> None:
    restartable.start()
    with visiting(chromium, restartable.url) as visitor:
        visitor.page.goto(restartable.url)
        expect(visitor.page.get_by_text("You are not alone with this")).to_be_visible()
        visitor.page.get_by_role("button", name="Yes, ask me").tap()
        expect(visitor.page.get_by_text(WORDS["starting"])).to_be_visible()
        visitor.page.locator("textarea").fill("half a thought")
        for line in HOLDS_ALWAYS:
            assert line in visitor.shown()
        assert visitor.violations() == []
        visitor.settle()  # half a minute later, the message arrives by itself
        assert visitor.asked() == "danger_signs"
        assert visitor.page.locator("textarea").input_value() == "half a thought"
        expect(visitor.page.locator(".notice")).to_be_hidden()

        restartable.kill()
        visitor.send("none of these")
        expect(visitor.page.get_by_text(WORDS["down"])).to_be_visible()
        expect(visitor.page.get_by_text(WORDS["not_sent"])).to_be_visible()
        for line in HOLDS_ALWAYS:
            assert line in visitor.shown()
        visitor.page.locator("textarea").fill("still writing")
        assert visitor.violations() == []
        restartable.start()
        visitor.settle()
        assert visitor.asked() == "pregnancy"
        assert visitor.page.locator("textarea").input_value() == "still writing"
        assert [turn["you"] for turn in turns(restartable.url, visitor)] == ["Yes, ask me", "none of these"]


@pytest.mark.parametrize("level", ["soon", "emergency"])
def test_the_card_is_whole_without_the_action_server(
    chromium: Browser, restartable: Restartable, level: str
) -> None:
    restartable.ready()
    with visiting(chromium, restartable.url) as visitor:
        visitor.open().begin()
        visitor.answer_all(LEVELS[level])
        card = visitor.card.inner_text()
        assert SUMMED_UP[level] in card
        for line in said_without_facts("utter_criteria"):
            assert line in card
        if level == "soon":
            assert visitor.card.locator(".bar").count() >= 3
        assert "not working" not in visitor.shown()


def test_there_are_words_without_javascript(chromium: Browser, web: Web) -> None:
    with visiting(chromium, web.url, java_script_enabled=False) as visitor:
        visitor.page.goto(web.url)
        for line in HOLDS_ALWAYS:
            expect(visitor.page.get_by_text(line, exact=True)).to_be_visible()


# ------------------------------------------------------------------ whole conversations
@pytest.mark.parametrize("level", LEVELS)
def test_each_level_is_reached_with_one_thumb(chromium: Browser, web: Web, level: str) -> None:
    with visiting(chromium, web.url) as visitor:
        visitor.open().begin()
        visitor.answer_all(LEVELS[level])
        card = visitor.card
        assert level in card.get_attribute("class").split()
        expect(card.locator("h2")).to_have_text(SUMMED_UP[level])
        expect(card.locator("header .level svg")).to_be_visible()
        expect(card.locator("header .level")).to_have_text(WORDS[f"{level}_level"])
        for heading in ("what_to_do", "why", "criteria"):
            expect(card.get_by_role("heading", name=WORDS[heading])).to_be_visible()
        for name in ("utter_criteria", "utter_limits"):
            for line in said_without_facts(name):
                assert line in card.inner_text()
        assert card.locator("a[href='tel:112']").count() > 0
        assert (card.locator(".call").count() == 3) == (level == "emergency")
        bars = card.locator(".bar")
        assert (bars.count() == 0) == (level == "emergency")
        for bar in bars.all():
            assert re.search(r"fits .*, [1-5] of 5", bar.get_attribute("aria-label") or "")
        assert visitor.violations() == []
        assert visitor.fits_the_width()


def test_a_conversation_at_a_desk_in_own_words(chromium: Browser, web: Web) -> None:
    typed = {
        "danger_signs": "no, nothing like that",
        "pregnancy": "no, the test was negative",
        "bleeding_amount": "just a few drops",
        "bleeding_status": "it stopped after an hour",
        "pain": "no pain at all",
        "consent": "yes I wanted it and I feel safe",
        "age_group": "I am 31",
        "periods": "I have regular periods",
        "episode_count": "this has happened four times now",
        "symptoms": "nothing else",
        "contraception": "we use condoms",
        "medical_history": "none of those",
        "circumstances": "nothing special",
    }
    with visiting(chromium, web.url, **DESK) as visitor:
        visitor.open().write("hi, I have been bleeding after sex")
        while not visitor.card.count():
            visitor.write(typed.pop(str(visitor.asked())))
        expect(visitor.card.locator("h2")).to_have_text(SUMMED_UP["soon"])
        expect(visitor.page.get_by_text("You are not alone.").first).to_be_visible()
        assert visitor.violations() == []


def test_a_conversation_by_keyboard_alone(chromium: Browser, web: Web) -> None:
    with visiting(chromium, web.url, **DESK) as visitor:
        visitor.open()

        def focused() -> str:
            script = "document.activeElement.shadowRoot?.activeElement?.innerText.trim() ?? ''"
            return str(visitor.page.evaluate(script))

        def go_to(name: str) -> None:
            for _ in range(120):
                visitor.page.keyboard.press("Tab")
                if focused() == name:
                    return
            raise AssertionError(f"{name!r} can't be reached with Tab")

        go_to("Yes, ask me")
        visitor.page.keyboard.press("Enter")
        visitor.settle()
        while not visitor.card.count():
            asked = str(visitor.asked())
            answer = {**HARMLESS, "symptoms": ("Dryness", "Late period")}[asked]
            titles = [answer] if isinstance(answer, str) else [*answer, "Go on"]
            for title in titles:
                go_to(title)
                visitor.page.keyboard.press("Space")
            visitor.settle()
            assert visitor.page.evaluate("document.activeElement.localName") == "spotwise-chat"
        go_to(WORDS["print"])
        go_to(WORDS["exit"]) if focused() != WORDS["exit"] else None


def test_what_is_asked_shows_how_far_it_is(visitor: Visitor) -> None:
    visitor.begin()
    bar = visitor.page.locator("progress")
    seen = []
    while not visitor.card.count():
        words = visitor.page.locator(".progress").inner_text()
        seen.append(int(re.search(r"Question (\d+) of about (\d+)", words)[1]))
        assert bar.get_attribute("aria-label") == words
        answer = HARMLESS[str(visitor.asked())]
        visitor.tap(*([answer] if isinstance(answer, str) else answer))
    assert seen == list(range(1, len(seen) + 1)) and len(seen) >= 12
    expect(bar).to_be_hidden()


def test_amounts_are_drawn_and_named(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer_all(until="bleeding_amount")
    drawn = visitor.offered.locator("button:has(svg.amount)")
    assert [words.strip() for words in drawn.all_inner_texts()] == [
        "A few spots",
        "Light: a liner",
        "Like a period",
        "Heavy: 1 to 2 hours",
        "Very heavy",
    ]
    drawings = {button.locator("svg").inner_html() for button in drawn.all()}
    assert len(drawings) == 5
    assert visitor.violations() == []


# ------------------------------------------------------------------ changing an answer
def test_an_earlier_answer_is_changed_by_tapping_it(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer_all({"episode_count": "3 times or more"})
    expect(visitor.card.locator("h2")).to_have_text(SUMMED_UP["soon"])
    visitor.page.get_by_role("button", name="3 times or more").and_(visitor.page.locator(".change")).tap()
    assert visitor.violations() == []
    visitor.page.locator(".changing").get_by_role("button", name="First time", exact=True).tap()
    visitor.settle()
    expect(visitor.card.locator("h2")).to_have_text(SUMMED_UP["routine"])
    assert "You corrected an answer, so my advice has changed." in visitor.shown()
    assert visitor.page.locator("article.card").count() == 2


def test_answers_of_several_are_changed_one_by_one(visitor: Visitor, web: Web) -> None:
    visitor.begin()
    visitor.answer_all({"symptoms": ("Dryness", "Itch or burning")}, until="contraception")
    visitor.page.locator(".change", has_text="Dryness, Itch or burning").tap()
    changing = visitor.page.locator(".changing")
    pressed = changing.locator("[aria-pressed=true]")
    assert pressed.all_inner_texts() == ["Dryness", "Itch or burning"]
    changing.get_by_role("button", name="Itch or burning").tap()
    changing.get_by_role("button", name="Sex hurts").tap()
    changing.get_by_role("button", name=WORDS["save_change"]).tap()
    visitor.settle()
    assert visitor.asked() == "contraception"
    noted = turns(web.url, visitor)[-1]["told"]["symptoms"]
    assert set(noted) == {"dryness", "pain_during_sex"}


def test_an_emergency_that_was_a_mistake_is_taken_back_by_tapping_it(visitor: Visitor) -> None:
    visitor.begin()
    visitor.tap("Soaking pads")
    assert visitor.card.count() == 1
    visitor.page.reload()
    visitor.card.wait_for()
    visitor.settle()
    visitor.page.locator(".change", has_text="Soaking pads").tap()
    visitor.page.locator(".changing").get_by_role("button", name="None of these", exact=True).tap()
    visitor.settle()
    assert visitor.asked() == "pregnancy"


def test_an_answer_that_was_left_as_it_is_stays(visitor: Visitor, web: Web) -> None:
    visitor.begin()
    visitor.answer_all(until="bleeding_amount")
    before = len(turns(web.url, visitor))
    change = visitor.page.locator(".change").last
    change.tap()
    visitor.page.get_by_role("button", name=WORDS["cancel"]).tap()
    expect(visitor.page.locator(".changing")).to_have_count(0)
    expect(change).to_be_focused()
    assert len(turns(web.url, visitor)) == before


# ------------------------------------------------------------------ whose conversation it is
def test_a_reload_keeps_the_conversation_in_the_tab_only(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer_all(until="bleeding_amount")
    before = visitor.shown()
    visitor.page.reload()
    expect(visitor.page.get_by_text("How much blood do you see?")).to_be_visible()
    visitor.settle()
    assert "None of these" in visitor.shown() and visitor.asked() == "bleeding_amount"
    assert visitor.page.locator(".change").count() == 2
    assert before.count("Are you pregnant") == visitor.shown().count("Are you pregnant") == 1
    visitor.tap("Like a period")
    assert visitor.asked() == "bleeding_status"
    kept = visitor.page.evaluate("[Object.keys(sessionStorage), Object.keys(localStorage), document.cookie]")
    assert kept == [["spotwise"], [], ""]
    assert visitor.context.cookies() == []


def test_two_tabs_are_two_people(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer_all(until="bleeding_amount")
    other = Visitor.__new__(Visitor)
    other.__dict__.update(visitor.__dict__)
    other.page = visitor.context.new_page()
    other.open()
    assert "None of these" not in other.shown()
    other.begin()
    assert other.asked() == "danger_signs" and visitor.asked() == "bleeding_amount"
    assert other.id() != visitor.id()


def test_deleting_deletes_on_the_server(visitor: Visitor, web: Web) -> None:
    visitor.begin()
    visitor.write("I fainted at Alexandra's place")
    id = visitor.id()
    sender = conversation_behind(id, (web.folder / "var" / "account.key").read_bytes())
    assert len(web.assistant.tracker(str(sender))["events"]) > 5
    visitor.page.get_by_role("button", name=WORDS["delete"]).tap()
    assert visitor.violations() == []
    visitor.page.get_by_role("button", name=WORDS["delete_yes"]).tap()
    expect(visitor.page.locator(".log").get_by_text(WORDS["deleted"])).to_be_visible()
    assert "Alexandra" not in visitor.page.content() + visitor.shown()
    assert visitor.id() is None
    assert call(web.url, "history", {"id": id}).status_code == 410
    events = web.assistant.tracker(str(sender))["events"]
    assert "Alexandra" not in json.dumps(events)
    visitor.begin()
    assert visitor.id() not in (None, id)


def test_deleting_in_words_clears_the_screen(visitor: Visitor, web: Web) -> None:
    visitor.write("it happened after sex with my partner Alex")
    id = visitor.id()
    visitor.write("delete my data")
    visitor.tap("Yes, forget it")
    assert "I have forgotten what you told me" in visitor.shown() and "Alex" not in visitor.shown()
    assert call(web.url, "history", {"id": id}).status_code == 410
    visitor.write("hello")
    assert visitor.id() != id and "Spotwise" in visitor.shown()


@pytest.mark.parametrize("way", ["button", "escape"])
def test_the_quick_exit_leaves_nothing_behind(chromium: Browser, web: Web, way: str) -> None:
    with visiting(chromium, web.url) as visitor:
        visitor.context.route(EXIT_TO, lambda route: route.fulfill(body="<title>Weather</title>"))
        visitor.page.goto("about:blank")
        visitor.open().begin()
        visitor.write("I fainted")
        id = visitor.id()
        with visitor.page.expect_request(re.compile("delete")):
            if way == "button":
                visitor.page.get_by_role("button", name=WORDS["exit"]).tap()
            else:
                visitor.page.keyboard.press("Escape")
                visitor.page.keyboard.press("Escape")
        visitor.page.wait_for_url(EXIT_TO)
        assert visitor.elsewhere == [EXIT_TO]
        visitor.elsewhere.clear()
        assert call(web.url, "history", {"id": id}).status_code == 410
        visitor.page.go_back()
        assert visitor.page.url == "about:blank"  # the page is no step of the history any more
        visitor.open()
        assert visitor.id() is None and "fainted" not in visitor.shown()


def test_one_escape_does_not_leave(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name=WORDS["emergency"], exact=True).tap()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    visitor.begin()
    assert visitor.asked() == "danger_signs"


# ------------------------------------------------------------------ trouble on the way
def test_an_answer_that_got_lost_is_not_asked_for_twice(visitor: Visitor, web: Web) -> None:
    lost = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch())  # the server hears it, the browser never knows
            route.abort()

    visitor.begin()
    visitor.page.route("**/webhooks/web/message", lose)
    visitor.write("none of these")
    assert len(lost) == 1 and visitor.asked() == "pregnancy"
    assert [turn["you"] for turn in turns(web.url, visitor)] == ["Yes, ask me", "none of these"]
    assert visitor.shown().count("Are you pregnant") == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500, "body": "boom"},
        {"status": 502, "body": "<h1>Bad gateway</h1>"},
        {"status": 200, "body": "no JSON at all"},
    ],
    ids=["500", "502", "garbage"],
)
def test_a_broken_answer_is_asked_for_again(visitor: Visitor, answer: dict[str, Any]) -> None:
    visitor.begin()
    visitor.page.route("**/webhooks/web/message", lambda route: route.fulfill(**answer), times=1)
    visitor.send("none of these")
    expect(visitor.page.locator(".notice")).to_contain_text(WORDS["down"])
    assert HOLDS_ALWAYS[0] in visitor.shown()
    visitor.page.get_by_role("button", name=WORDS["try_now"]).tap()
    visitor.settle()
    assert visitor.asked() == "pregnancy"


def test_an_empty_answer_is_no_silence(visitor: Visitor) -> None:
    visitor.page.route("**/webhooks/web/message", lambda route: route.fulfill(json={"messages": []}))
    visitor.write("hello?")
    assert WORDS["no_answer"] in visitor.shown()
    for line in HOLDS_ALWAYS:
        assert line in visitor.shown()


def test_a_slow_line_shows_that_something_happens(visitor: Visitor) -> None:
    line = visitor.context.new_cdp_session(visitor.page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 8_000, "downloadThroughput": 2_000, "uploadThroughput": 2_000}
    line.send("Network.emulateNetworkConditions", slow)
    visitor.page.get_by_role("button", name="Yes, ask me").tap()
    expect(visitor.page.locator(".typing")).to_be_visible()
    expect(visitor.page.get_by_text(WORDS["slow"])).to_be_visible(timeout=20_000)
    line.send("Network.emulateNetworkConditions", {**slow, "latency": 300, "downloadThroughput": -1})
    visitor.settle()
    assert visitor.asked() == "danger_signs"
    assert visitor.page.locator("li.own").count() == 1


def test_what_is_written_meanwhile_is_kept_in_order(visitor: Visitor, web: Web) -> None:
    visitor.context.set_offline(True)
    visitor.send("I bleed after sex")
    expect(visitor.page.get_by_text(WORDS["down"])).to_be_visible()
    visitor.send("none of these")
    visitor.send("no, I am not pregnant")
    visitor.context.set_offline(False)
    visitor.settle()
    assert [turn["you"] for turn in turns(web.url, visitor)] == [
        "I bleed after sex",
        "none of these",
        "no, I am not pregnant",
    ]
    assert visitor.asked() == "bleeding_amount"


def test_a_message_that_is_too_long_is_not_lost(visitor: Visitor) -> None:
    text = "I bleed. " * 250
    visitor.send(text)
    expect(visitor.page.locator("#too-long")).to_be_visible()
    assert str(len(text) - MESSAGE_LIMIT) in visitor.page.locator("#too-long").inner_text()
    assert visitor.page.locator("textarea").input_value() == text
    assert visitor.violations() == []
    assert visitor.page.locator("li.own").count() == 0
    visitor.page.locator("textarea").fill("x" * MESSAGE_LIMIT)
    expect(visitor.page.locator("#too-long")).to_be_hidden()


def test_a_conversation_that_the_server_does_not_know_goes_on_anew(visitor: Visitor) -> None:
    visitor.begin()
    forged = "A" * 43 + "." + "0" * 32
    visitor.page.evaluate(f"sessionStorage.setItem('spotwise', '{forged}')")
    visitor.write("I bleed after sex")
    assert visitor.asked() == "danger_signs"
    assert visitor.id() != forged


# ------------------------------------------------------------------ hostile text
HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    "<a href=\"javascript:document.title='owned'\">x</a> javascript:alert(1) https://evil.example/x"
    "</span><svg onload=alert(1)> &lt;b&gt; {{7*7}} ${7*7}"
)


def test_hostile_words_of_the_person_stay_words(visitor: Visitor) -> None:
    visitor.write(HOSTILE)
    visitor.page.reload()
    expect(visitor.page.locator("li.own .words").first).to_have_text(HOSTILE)
    assert visitor.page.locator("li.own .bubble :not(span)").count() == 0
    assert visitor.page.title() == "Spotwise"


def test_hostile_words_of_the_server_stay_words(visitor: Visitor) -> None:
    known = "https://www.nhs.uk/conditions/vaginal-dryness/"
    looks_known = (
        "https://www.nhs.uk.evil.example/x https://evil.example/?www.nhs.uk http://www.nhs.uk@evil.example/"
    )
    buttons = [{"title": "<b>bold</b>", "payload": "/greet"}]
    reply = {
        "messages": [{"text": f"{HOSTILE} {looks_known} {known}.", "buttons": buttons, "question": None}]
    }
    visitor.page.route("**/webhooks/web/message", lambda route: route.fulfill(json=reply))
    visitor.write("hello")
    said = visitor.page.locator("li.theirs").last
    assert HOSTILE in said.inner_text()
    links = said.locator("a")
    assert [link.get_attribute("href") for link in links.all()] == [known]
    assert links.get_attribute("rel") == "noopener noreferrer"
    assert said.locator("img, script, svg, b").count() == 0
    assert visitor.offered.inner_text() == "<b>bold</b>"
    assert visitor.page.title() == "Spotwise"


def test_the_policy_of_the_page_lets_nothing_in(visitor: Visitor, web: Web) -> None:
    policy = requests.get(web.url, timeout=10).headers["content-security-policy"]
    assert "unsafe" not in policy and "*" not in policy and "default-src 'none'" in policy
    script = """async () => {
      const seen = [];
      addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective));
      const script = document.createElement('script');
      const made = (name) => Object.assign(document.createElement(name), { src: 'https://evil.example/' });
      const attempts = [
        () => { script.append('document.title = "owned"'); document.body.append(script); },
        () => { document.body.innerHTML += '<b>owned</b>'; },
        () => { document.body.setAttribute('style', 'color: red'); },
        () => { document.body.append(made('img')); },
        () => { document.body.append(made('iframe')); },
        () => fetch('https://evil.example/'),
      ];
      for (const attempt of attempts) { try { await attempt(); } catch { } }
      await new Promise((done) => setTimeout(done, 300));
      return seen;
    }"""
    seen = set(visitor.page.evaluate(script))
    assert {"style-src-attr", "img-src", "frame-src", "connect-src"} <= seen
    assert "require-trusted-types-for" in seen
    assert visitor.page.title() == "Spotwise"
    visitor.elsewhere.clear()


# ------------------------------------------------------------------ for everybody
DARK = {"color_scheme": "dark"}
FORCED = {"forced_colors": "active"}


@pytest.mark.parametrize(
    ("screen", "look"),
    [(PHONE, {}), (PHONE, DARK), (PHONE, FORCED), (SMALL, {}), (DESK, {}), (DESK, DARK)],
    ids=["phone", "dark phone", "phone in the system's colours", "small phone", "desk", "dark desk"],
)
def test_every_screen_is_for_everybody(
    chromium: Browser, web: Web, screen: dict[str, Any], look: dict[str, Any]
) -> None:
    with visiting(chromium, web.url, **{**screen, **look}) as visitor:
        visitor.open()

        def check(where: str) -> None:
            assert visitor.violations() == [], where
            assert visitor.fits_the_width(), where

        check("hello")
        visitor.begin()
        check("a question")
        visitor.offered.get_by_role("button", name="Fever or shivers").click()
        check("several answers")
        visitor.offered.get_by_role("button", name="None of these").click()
        visitor.settle()
        visitor.page.get_by_role("button", name=WORDS["emergency"], exact=True).click()
        check("help")
        visitor.page.get_by_role("button", name=WORDS["close_help"]).click()
        visitor.page.get_by_role("button", name=WORDS["delete"]).click()
        check("deleting")
        visitor.page.get_by_role("button", name=WORDS["delete_no"]).click()
        visitor.page.locator(".change").last.click()
        check("changing")
        visitor.page.locator(".changing").get_by_role("button", name=WORDS["cancel"]).click()
        visitor.write("I soak a pad every hour")
        visitor.page.locator(".note summary").last.click()
        check("the assessment")
        moving = "document.querySelector('spotwise-chat').shadowRoot.getAnimations().length"
        assert visitor.page.evaluate(moving) == 0


@pytest.mark.parametrize("screen", [PHONE, SMALL], ids=["phone", "small"])
def test_everything_that_can_be_tapped_is_large_enough(
    chromium: Browser, web: Web, screen: dict[str, Any]
) -> None:
    with visiting(chromium, web.url, **screen) as visitor:
        visitor.open().begin()
        buttons = [
            *visitor.offered.locator("button:visible").all(),
            *visitor.page.locator(".top button").all(),
        ]
        boxes = [button.bounding_box() or {} for button in buttons]
        assert len(boxes) >= 13
        assert all(box["width"] >= 44 and box["height"] >= 44 for box in boxes)
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= screen["viewport"]["width"] for box in boxes)


def test_zoomed_in_twice_at_a_small_desk_all_can_be_reached(chromium: Browser, web: Web) -> None:
    zoomed = {"viewport": {"width": 640, "height": 360}, "is_mobile": False}
    with visiting(chromium, web.url, **zoomed) as visitor:
        visitor.open().begin()
        assert visitor.fits_the_width()
        visitor.answer_all(LEVELS["emergency"])
        visitor.card.get_by_role("button", name=WORDS["print"]).scroll_into_view_if_needed()
        expect(visitor.card.get_by_role("button", name=WORDS["print"])).to_be_in_viewport()
        expect(visitor.page.get_by_role("button", name=WORDS["exit"])).to_be_in_viewport()
        assert visitor.violations() == []


def test_a_screen_reader_is_told_and_the_focus_stays(visitor: Visitor) -> None:
    page = visitor.page
    used = visitor.offered.get_by_role("button", name="Yes, ask me")
    used.focus()
    page.keyboard.press("Enter")
    live = page.locator("[aria-live=polite]")
    expect(live).to_contain_text("do any of these fit right now?")
    expect(live).to_contain_text("Soaking pads")
    visitor.settle()
    pressed = page.locator(".used button.chosen")
    expect(pressed).to_be_focused()
    expect(pressed).to_have_attribute("aria-disabled", "true")
    expect(pressed).to_have_attribute("tabindex", "-1")
    expect(pressed).to_contain_text("Yes, ask me")
    expect(live).to_be_empty()
    visitor.page.locator("textarea").focus()
    visitor.write("I fainted")
    expect(page.locator("textarea")).to_be_focused()
    expect(page.locator("[role=alert]")).to_contain_text("Get emergency care now.")
    expect(page.locator(".log")).not_to_have_attribute("aria-live", "polite")


def test_it_reads_from_right_to_left(chromium: Browser, web: Web) -> None:
    with visiting(chromium, web.url) as visitor:
        visitor.open()
        visitor.page.evaluate("document.documentElement.dir = 'rtl'")
        visitor.begin()
        own = visitor.page.locator("li.own .bubble").last.bounding_box() or {}
        theirs = visitor.page.locator("li.theirs .bubble").last.bounding_box() or {}
        assert own["x"] < 60 and theirs["x"] + theirs["width"] > 330
        assert visitor.fits_the_width()
        assert visitor.violations() == []


# ------------------------------------------------------------------ on paper
def test_the_assessment_is_printed_alone_with_the_note(visitor: Visitor) -> None:
    visitor.write("I soak a pad every hour")
    page = visitor.page
    page.evaluate("window.print = () => { window.printed = true; dispatchEvent(new Event('beforeprint')); }")
    visitor.card.get_by_role("button", name=WORDS["print"]).tap()
    assert page.evaluate("window.printed")
    page.emulate_media(media="print")
    expect(visitor.card.locator("h2")).to_be_visible()
    expect(visitor.card.get_by_text("For a doctor or nurse: bleeding after sex.")).to_be_visible()
    expect(visitor.card.get_by_text("Danger signs: soaks a pad an hour")).to_be_visible()
    for hidden in (".top", ".composer", "li.own", "li.theirs", ".keep"):
        assert not any(one.is_visible() for one in page.locator(hidden).all()), hidden
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(visitor.card.get_by_text("For a doctor or nurse: bleeding after sex.")).to_be_hidden()
    assert len(page.pdf()) > 10_000


def test_the_copy_is_a_clean_page(visitor: Visitor, tmp_path: Path) -> None:
    visitor.write("I soak a pad every hour")
    with visitor.page.expect_download() as download:
        visitor.card.get_by_role("button", name=WORDS["save"]).tap()
    assert download.value.suggested_filename == "note.html"
    saved = tmp_path / "note.html"
    download.value.save_as(saved)
    text = saved.read_text(encoding="utf-8")
    assert "<script" not in text and "http" not in text
    other = visitor.context.new_page()
    other.goto(saved.as_uri())
    words = other.locator("body").inner_text()
    for part in (
        SUMMED_UP["emergency"],
        "soaks a pad an hour",
        "You could ask at the visit:",
        "put nothing in",
    ):
        assert part in words
    visitor.elsewhere.clear()


# ------------------------------------------------------------------ on the site of somebody else
def embed(web: Web, body: str = "") -> bytes:
    """A page of a clinic."""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        "<title>Clinic</title><style>p { color: lime } button { display: none }</style>"
        f"<main><h1>Clinic</h1>{body}</main><script src='{web.url}/spotwise-chat.js' defer></script></html>"
    ).encode()


def test_a_clinic_embeds_it_with_one_tag(chromium: Browser, web: Web) -> None:
    web.pages["/"] = embed(web)
    with visiting(chromium, web.clinic) as visitor:
        page = visitor.page
        page.goto(web.clinic)
        page.get_by_role("button", name=WORDS["open"]).tap()
        expect(page.locator("textarea")).to_be_focused()
        visitor.begin()
        assert visitor.asked() == "danger_signs"
        assert visitor.violations() == []
        visitor.answer_all(LEVELS["emergency"])
        expect(visitor.card.locator("h2")).to_have_text(SUMMED_UP["emergency"])
        page.get_by_role("button", name=WORDS["close"]).tap()
        expect(page.get_by_role("button", name=WORDS["open"])).to_be_focused()
        assert {"/".join(address.split("/")[:3]) for address in visitor.elsewhere} == {web.url}
        visitor.elsewhere.clear()


def test_a_clinic_has_a_place_for_it(chromium: Browser, web: Web) -> None:
    web.pages["/place"] = embed(web, "<spotwise-chat></spotwise-chat>")
    with visiting(chromium, web.clinic, **DESK) as visitor:
        visitor.page.goto(f"{web.clinic}/place")
        visitor.page.locator("textarea").wait_for()
        visitor.begin()
        visitor.page.reload()
        expect(visitor.page.get_by_text("do any of these fit right now?")).to_be_visible()
        assert visitor.page.locator("spotwise-chat").count() == 1
        assert visitor.violations() == []
        visitor.elsewhere.clear()


def test_a_site_that_is_not_listed_is_refused(chromium: Browser, web: Web) -> None:
    web.pages["/"] = embed(web)
    stranger = web.clinic.replace("127.0.0.1", "localhost")  # another origin for the browser
    with visiting(chromium, stranger) as visitor:
        visitor.page.goto(stranger)
        visitor.page.get_by_role("button", name=WORDS["open"]).tap()
        visitor.send("I bleed after sex")
        # Without leave, a browser does not even say why: for the widget, the server can't be reached.
        expect(visitor.page.get_by_text(WORDS["down"])).to_be_visible()
        for line in HOLDS_ALWAYS:
            assert line in visitor.shown()
        assert visitor.id() is None
        visitor.elsewhere.clear()


# ------------------------------------------------------------------ what it weighs
def test_the_page_is_light(web: Web) -> None:
    sent = 0
    for path in WebPage({}).files:
        response = requests.get(web.url + path, headers={"accept-encoding": "gzip"}, stream=True, timeout=10)
        assert response.headers["content-encoding"] == "gzip"
        sent += len(response.raw.read(decode_content=False))
    assert 10_000 < sent < 40_000
