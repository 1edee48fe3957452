"""Numbers and times in people's words."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotwise import measures
from spotwise.words import normalise

NOW = datetime(2026, 11, 22, 12)
"""A Sunday."""


@pytest.mark.parametrize(
    ("text", "asked", "years"),
    [
        ("I'm 27", None, 27),
        ("27f", None, 27),
        ("I am thirty-five years old", None, 35),
        ("my wife is 31 and bleeding", None, 31),
        ("aged 58", None, 58),
        ("19", "age_group", 19),
        ("i'll be 16 next week", "age_group", 15),
        ("I'm 12 weeks pregnant", None, None),
        ("I have a 2 year old son", None, None),
        ("it is 3 cm", None, None),
        ("400", "age_group", None),
        ("seventeen and a half", "age_group", 17),
        ("F/22, bled 20 min", None, 22),
        ("hiya am 18 n scared", None, 18),
        ("blood again, at my age of 57", None, 57),
        ("I turned 17 last month", None, 17),
        ("when I turned 17 I started the pill", None, None),
        ("I'm only just 20 and they're regular", None, 20),
        ("hit the big five-oh last week", None, 50),
        ("hi, 39 from Perth", None, 39),
        ("me: 20, on the implant", None, 20),
        ("at 21:30, again", None, None),
        ("20 years with the same man", None, None),
        ("no smear till I'm 25", None, None),
        ("her little sister, who is 12, told me", None, None),
        ("my 6 year old has a cold", None, None),
    ],
)
def test_age(text: str, asked: str | None, years: int | None) -> None:
    assert measures.age(normalise(text), asked) == years


@pytest.mark.parametrize(
    ("years", "band"),
    [
        (12, "under_13"),
        (13, "13_15"),
        (15, "13_15"),
        (16, "16_17"),
        (18, "18_24"),
        (24, "18_24"),
        (25, "25_39"),
        (40, "40_54"),
        (54, "40_54"),
        (55, "55_plus"),
        (99, "55_plus"),
    ],
)
def test_age_groups_of_the_contract(years: int, band: str) -> None:
    assert measures.age_band(years) == band


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("25-39", "25_39"),
        ("under 13", "under_13"),
        ("over 55", "55_plus"),
        ("20 to 50", None),
        ("hello", None),
    ],
)
def test_age_told_as_a_range(text: str, band: str | None) -> None:
    assert measures.age_range(normalise(text)) == band


@pytest.mark.parametrize(("text", "years"), [("in my early fifties", 52), ("in my late 30s", 38)])
def test_age_told_as_a_decade(text: str, years: int) -> None:
    assert measures.age_from_decade(normalise(text), asked=True) == years


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("38.5", 38.5),
        ("my temperature is 39", 39.0),
        ("39 C", 39.0),
        ("101.5 F", 38.6),
        ("100.4 fahrenheit", 38.0),
        ("temperature of 36,8", 36.8),
        ("temperature for 38 weeks", None),
        ("it's 36.8, not 38.6", 36.8),
        ("burning up at 40", 40.0),
        ("cancel the 38.6, it's 36.8", 36.8),
        ("he has a temperature of 39, not me, I'm 36.6", 36.6),
        ("a fever of 200", None),
    ],
)
def test_temperature_in_celsius(text: str, degrees: float | None) -> None:
    assert measures.temperature(normalise(text), asked=True) == degrees


@pytest.mark.parametrize(
    ("text", "of_another_time"),
    [
        ("I had 39.5 with a flu in the spring", True),
        ("38.5 with the flu two weeks ago", True),
        ("my baby was born 3 weeks ago and I have 38.5", False),
        ("38.5 since Friday, as in the spring", False),
    ],
)
def test_a_temperature_of_another_illness(text: str, of_another_time: bool) -> None:
    now = measures.temperature(normalise(text), asked=False)
    assert (now is None) is of_another_time
    assert measures.temperature(normalise(text), asked=False, long_ago=True) is not None


@pytest.mark.parametrize(
    ("text", "of_other", "years"),
    [
        ("I turn 13 in May", False, 12),
        ("she'll be sixteen in May", True, 15),
        ("she'll be sixteen in May", False, None),
        ("born in 1951", False, 75),
    ],
)
def test_an_age_by_a_birthday(text: str, of_other: bool, years: int | None) -> None:
    assert measures.age_by_birth(normalise(text), NOW.year, of_other) == years


def test_a_number_of_weeks_that_is_put_right() -> None:
    assert measures.weeks_pregnant(normalise("not 6 weeks, 16!"), asked=True) == 16
    assert measures.weeks_pregnant(normalise("by bedtime I look five months gone"), asked=False) is None


def test_a_bare_number_is_no_temperature_where_none_was_asked_for() -> None:
    assert measures.temperature(normalise("I am 38 and bleeding"), asked=False) is None


@pytest.mark.parametrize(
    ("text", "asked", "weeks"),
    [
        ("12 weeks pregnant", False, 12),
        ("I'm pregnant, about 9 weeks", False, 9),
        ("20+3", False, 20),
        ("3 months pregnant", False, 13),
        ("8", True, 8),
        ("she's 24 weeks gone and spotting", False, 24),
        ("up the duff, 9 weeks", False, 9),
        ("28 weeks today, baby has gone quiet", False, 28),
        ("28 weeks today and there's blood when I wipe", False, 28),
        ("I'm due in March. 22 weeks today", False, 22),
        ("my baby is 10 weeks today", False, None),
        ("gave birth in june. 8 weeks today", False, None),
        ("coil fitted in june. 8 weeks on friday", False, None),
        ("I'm due in five weeks", False, 35),
        ("I'm due in 2 weeks, my period that is", False, None),
        ("she was 6 weeks old", False, None),
        ("my baby is 6 weeks old", False, None),
        ("bled 2 weeks ago", False, None),
        ("60 weeks pregnant", False, None),
    ],
)
def test_weeks_pregnant(text: str, asked: bool, weeks: int | None) -> None:
    assert measures.weeks_pregnant(normalise(text), asked) == weeks


@pytest.mark.parametrize(
    ("text", "an_hour"),
    [
        ("a pad every 30 minutes", 2.0),
        ("2 pads an hour", 2.0),
        ("changing my pad every 2 hours", 0.5),
        ("3 pads in 2 hours", 1.5),
        ("3 pads in 1 day", 0.125),
        ("every 4 hours I change my pad", 0.25),
        ("I wear a pad", None),
        ("just a liner every hour", None),
    ],
)
def test_pads_an_hour(text: str, an_hour: float | None) -> None:
    rate = measures.pads_per_hour(normalise(text))
    assert (rate[0] if rate else None) == (pytest.approx(an_hour) if an_hour else None)


@pytest.mark.parametrize(
    ("text", "centimetres"),
    [
        ("a clot of 5 cm", 5.0),
        ("clots about 30 mm", 3.0),
        ("a 2 inch clot", 5.08),
        ("clots of 1 cm and 4 cm", 4.0),
        ("a clot", None),
        ("I am 160 cm tall", None),
    ],
)
def test_clot_size(text: str, centimetres: float | None) -> None:
    size = measures.clot_size(normalise(text))
    assert size == (pytest.approx(centimetres) if centimetres else None)


@pytest.mark.parametrize(
    ("text", "score"), [("9/10", 9), ("3 out of 10", 3), ("ten out of ten", 10), ("12/10", None), ("9", None)]
)
def test_pain_score(text: str, score: int | None) -> None:
    assert measures.pain_score(normalise(text)) == score


@pytest.mark.parametrize(
    ("text", "asked", "count"),
    [("3 times", False, 3), ("the 2nd time", False, 2), ("4", True, 4), ("4", False, None)],
)
def test_episodes(text: str, asked: bool, count: int | None) -> None:
    assert measures.episodes(normalise(text), asked) == count


@pytest.mark.parametrize(
    ("text", "each"),
    [
        ("bled 6 times out of 6", True),
        ("bled six out of six", True),
        ("bled 2 times out of 6", False),
        ("we've had sex 4 times since May and I've bled all 4", True),
        ("we've had sex 4 times since May and I've bled twice", False),
    ],
)
def test_as_often_as_there_was_sex(text: str, each: bool) -> None:
    assert measures.each_time(normalise(text)) == each


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("for 3 days", 3.0),
        ("two weeks ago", 14.0),
        ("a fortnight ago", 14.0),
        ("a couple of hours ago", 2 / 24),
        ("yesterday", 1.0),
        ("since Tuesday", 5.0),
        ("last Friday", 2.0),
        ("on Sunday", 0.0),
        ("it's now Monday, since Friday", 3.0),
        ("since 2020", 6 * 365.0),
        ("in May", 191.0),
    ],
)
def test_times_as_days_before_now(text: str, days: float) -> None:
    (time,) = measures.times(normalise(text), NOW)
    assert time.days == pytest.approx(days)


@given(st.text(), st.datetimes(min_value=datetime(2000, 1, 31), max_value=datetime(2090, 1, 1)))
def test_times_are_found_in_order_and_never_lie_ahead(text: str, now: datetime) -> None:
    found = measures.times(normalise("since Tuesday and in May, " + text), now)
    assert found == sorted(found, key=lambda time: time.start)
    assert all(time.days >= 0 for time in found)


@given(st.floats(35, 42))
def test_celsius_and_fahrenheit_come_to_the_same(degrees: float) -> None:
    celsius = round(degrees, 1)
    fahrenheit = round(celsius * 1.8 + 32, 1)
    read = measures.temperature(normalise(f"temperature {fahrenheit} f"), asked=False)
    assert read == pytest.approx(celsius, abs=0.11)
