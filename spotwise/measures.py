"""Numbers and times in normalised words: ages, temperatures, pads an hour, clots, weeks, "since Tuesday".

Everything here is arithmetic on what the person wrote; which fact follows from a number is a clinical
threshold and stands beside it with its rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_DAYS_IN = {
    "second": 1 / 86400, "minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "night": 1.0,
    "week": 7.0, "fortnight": 14.0, "month": 30.4, "year": 365.0,
}  # fmt: skip
_WORDS_FOR_DAYS = {
    "the day before yesterday": 2.0, "yesterday morning": 1.1, "yesterday evening": 0.6,
    "yesterday night": 0.6,
    "yesterday afternoon": 0.8, "yesterday": 1.0, "last night": 0.5, "this morning": 0.3,
    "this afternoon": 0.2,
    "this evening": 0.1, "tonight": 0.1, "today": 0.3, "just now": 0.0, "earlier": 0.2, "last weekend": 4.0,
    "at the weekend": 2.0, "over the weekend": 2.0, "the weekend": 2.0, "last week": 7.0,
    "the other day": 3.0,
    "last month": 30.0, "last year": 365.0, "ages ago": 400.0, "years ago": 1000.0, "a while ago": 100.0,
    "recently": 14.0, "this week": 3.0, "this month": 15.0, "the other week": 14.0, "the other night": 3.0,
}  # fmt: skip
_SEASONS = {"spring": (4, 15), "summer": (7, 15), "autumn": (10, 15), "fall": (10, 15), "winter": (1, 15),
            "christmas": (12, 25), "easter": (4, 10), "new year": (1, 1)}  # fmt: skip

_AMOUNT = (
    r"(?P<n>\d+(?:\.\d+)?|an?|few|a few|several|a couple|the last)(?: or \d+| to \d+| - \d+)? "
    r"(?:of |full |whole |good |solid )?"
)
_LENGTH = re.compile(
    r"(?<!\S)(?P<before>(?:over|more than|since|for|about|under|less than|nearly|past|last"
    r"|within|in|at|every|each|per) )*"
    rf"{_AMOUNT}(?P<unit>second|minute|hour|day|night|week|fortnight|month|year)s?"
    r"(?= (?P<after>ago|old|postpartum|post|pregnant|back|later|since|after|now|gone|along"
    r"|before|late|early|overdue)\b)?(?!\S)"
)
_WORD_TIME = re.compile(r"(?<!\S)(?:" + "|".join(sorted(_WORDS_FOR_DAYS, key=len, reverse=True)) + r")(?!\S)")
_WEEKDAY = re.compile(
    r"(?<!\S)(?P<now>(?:now|today is|it(?: i)?s(?: now)?|here i am(?: on| it is)?|is now) "
    rf")?(?P<last>last |this |on |since |)(?P<day>{'|'.join(DAY_NAMES)})(?!\S)"
)
_MONTH = re.compile(
    r"(?<!\S)(?P<how>in|last|since|back in|this|of|from) (?:early |mid |late |about "
    rf")?(?P<month>{'|'.join(MONTH_NAMES)})(?!\S)"
)
_SEASON = re.compile(
    r"(?<!\S)(?P<how>last|in the|this|since|over the|since last|at|over) "
    rf"(?P<season>{'|'.join(_SEASONS)})(?!\S)"
)
_IN_A_SEASON = 50.0
"""Days since the middle of a season, in which it is not over."""
_YEAR = re.compile(r"(?<!\S)(?:in|since) (?P<year>(?:19|20)\d\d)(?!\S)")


_TIME_PUT_RIGHT = re.compile(
    r"(?<!\S)(?:no (?:hang on|wait)|sorry i mean|i mean|i meant|make that|or rather) "
)
"""Between two times, of which the second is meant: "six weeks, no wait, four months"."""


@dataclass(frozen=True)
class Time:
    """A length of time or a moment in the past, and where it stands in the words."""

    start: int
    end: int
    days: float
    """How many days long, or how many days ago."""
    about: str = ""
    """The word after it that tells what it is: ago, old, pregnant, postpartum, gone, late …"""
    before: str = ""
    """The words just before it: over, since, for, less than …"""


def times(words: str, now: datetime) -> list[Time]:
    """Every time in the words, in order. Weekdays and months are counted back from `now`."""
    found = [_length(match) for match in _LENGTH.finditer(words)]
    found += [Time(m.start(), m.end(), _WORDS_FOR_DAYS[m[0]], "ago") for m in _WORD_TIME.finditer(words)]
    found += _weekdays(words, now.date())
    for match in _MONTH.finditer(words):
        month = MONTH_NAMES.index(match["month"]) + 1
        found.append(
            Time(match.start(), match.end(), _days_since(now.date(), month, 15), "ago", match["how"])
        )
    for match in _SEASON.finditer(words):
        days = _days_since(now.date(), *_SEASONS[match["season"]])
        if "last" in match["how"] and days < _IN_A_SEASON:
            days += 365.0  # "last autumn", said in the autumn
        found.append(Time(match.start(), match.end(), days, "ago"))
    for match in _YEAR.finditer(words):
        found.append(
            Time(match.start(), match.end(), max(0.0, (now.year - int(match["year"])) * 365.0), "ago")
        )
    found.sort(key=lambda time: time.start)
    put_right = {
        first.start
        for first, second in pairwise(found)
        if first.end <= second.start and _TIME_PUT_RIGHT.search(words, first.end, second.start)
    }
    return [time for time in found if time.start not in put_right]


def _length(match: re.Match[str]) -> Time:
    number = {
        "a": 1.0,
        "an": 1.0,
        "few": 3.0,
        "a few": 3.0,
        "several": 4.0,
        "a couple": 2.0,
        "the last": 1.0,
    }.get(match["n"])
    days = (float(match["n"]) if number is None else number) * _DAYS_IN[match["unit"]]
    return Time(match.start(), match.end(), days, match["after"] or "", (match["before"] or "").strip())


def _weekdays(words: str, today: date) -> list[Time]:
    """Weekdays as days ago. A weekday told as today ("it's now Sunday") counts instead of the clock's."""
    matches = list(_WEEKDAY.finditer(words))
    told_today = next((DAY_NAMES.index(m["day"]) for m in reversed(matches) if m["now"]), today.weekday())
    return [
        Time(
            m.start(), m.end(), float((told_today - DAY_NAMES.index(m["day"])) % 7), "ago", m["last"].strip()
        )
        for m in matches
        if not m["now"]
    ]


def _days_since(today: date, month: int, day: int) -> float:
    """Days since the latest such day of the year."""
    latest = date(today.year, month, day)
    if latest > today + timedelta(days=14):  # "in May" said on the 10th of May is this month
        latest = date(today.year - 1, month, day)
    return float(max(0, (today - latest).days))


# --- Age, temperature, pregnancy ------------------------------------------------------------------

_NOT_A_LENGTH = (
    r"(?! (?:weeks?|days?|months?|hours?|minutes?|seconds?|times?|pads?|tampons?|cm|mm|mg"
    r"|percent|%|°|st|kg|/|\+|w|d|c|f c)(?!\S))"
)
_AFTER_AGE = (
    r"(?= (?:[.,!?;)(]|and|but|in|now|here|f|y|years|year|yrs?|with|female|so|next|this|just"
    r"|a|uk|us|from|who|he|she|my|btw|-|if|on|yo)(?!\S)|\s*$)"
)
_AGES = [
    re.compile(pattern)
    for pattern in (
        (
            r"(?<!\S)(?:i am(?: only| just| still)?|she is(?: only| just| still)?"
            r"|(?:wife|daughter|girlfriend|sister|partner) is|age|aged|age is"
            r"|(?:have )?just turned|turned|am|(?<!it is )nearly|(?<!it is )almost|im|i be|she) "
            rf"(?P<age>\d{{1,3}}){_NOT_A_LENGTH}{_AFTER_AGE}"
        ),
        r"(?<!\S)turned (?P<age>\d{2}) (?:last|yesterday|today|a week|on)(?!\S)(?<!when i turned \d\d)",
        (
            r"(?<!\S)(?P<age>\d{1,3}) (?:years? old|years? of age|years? young|y o|y / o|yr old|- "
            r"year - old|year - old|year old (?:woman|girl|female|daughter|widow|lady))(?! (?:son"
            r"|baby|boy|kid|toddler|child|car|coil))(?! and an? \d)"
        ),
        r"(?<!\S)(?:i|she) (?:have|has) (?P<age>\d{2}) (?:years?|yrs?)(?! (?:of|with|together|on|since))",
        r"(?<!\S)(?P<age>\d{2}) (?:f|female|woman|btw|nb|afab|enby|ftm)(?!\S)",
        (
            rf"(?<!\S)(?:i am|she is|i meant|meant to say) (?P<age>\d{{2}}){_NOT_A_LENGTH}(?! - \d| "
            r"(?:and a half|stone|kg|kilos|cm|pads?|tampons?|percent|%|of|or \d))(?!\S)"
        ),
        r"(?<!\S)(?:f|female|woman) (?:/ )?(?P<age>\d{2})(?!\S)",
        r"(?:^|[.,!] |hi |hiya |hello )am (?P<age>\d{2})(?= (?:[.,!]|n|and|with)|$)",
        r"(?<!\S)(?:at )?my age (?:of|is) (?P<age>\d{2})(?!\S)",
        r"(?<!\S)(?:i am|i have|have|i) (?:only |just )*turned (?P<age>\d{2})(?!\S)(?<!when i turned \d\d)",
        (
            r"(?<!\S)i am (?:only |just |still |now |about |already |barely )+(?P<age>\d{2})"
            r"(?= (?:and|but|[.,!]|so)|$)"
        ),
        r"(?:^|[.,!] |hi |hey )(?P<age>[1-7]\d) from (?=[a-z])",
        r"(?<!\S)(?P<age>\d{2}) here(?!\S)",
        r"(?<!\S)me(?: being)? (?P<age>\d{2})(?= (?:[,.!]|and|with))",
        r"(?<!\S)(?:nonbinary|non binary|enby|trans (?:man|guy|masc)) ,? ?(?P<age>\d{2})(?!\S)",
        r"(?<!\S)(?:widow|woman|lady|girl|person|wife|daughter|mother|patient) of (?P<age>\d{1,2})(?!\S)",
        (
            r"(?<!\S)(?:i|wife|daughter|girlfriend|sister|mother|mum|mom|law|partner|friend)(?: ,)? "
            r"who (?:am|is) (?P<age>\d{1,2})(?!\S)"
        ),
        r"(?<!\S)my (?P<age>\d{2}) (?:st|nd|rd|th)(?!\S)",
        r"(?<!\S)(?:are|were|we) both (?P<age>\d{2})(?!\S)",
        r"(?:^|[.] )at (?P<age>\d{2}) ,",
        (
            r"(?<!\S)(?:wife|daughter|girlfriend|sister|partner) (?:\( )?(?P<age>\d{1,2})(?= (?:\)|,"
            r"|is|has|was|and))"
        ),
        r"(?<!\S)(?:at|being) (?P<age>\d{2}) (?:i|now|years)(?!\S)",
    )
]
_AGE_ALONE = re.compile(
    r"(?:^|[,.!?;(] |(?<=[a-z] ): )(?P<age>[1-9]\d)(?:\.5)? "
    r"(?:years? (?=[,.!?;)]|$|and )|(?=[,.!?;)]|$|and |with |btw ))"
)
"""A number between commas, where nothing else was asked."""
_TOO_YOUNG = re.compile(
    r"(?:i will be|i am going to be|turning|turn|will be turning|nearly|almost) (?P<age>\d{2})(?!\S)"
)
_NOT_YET = re.compile(
    r"(?<!\S)(?P<who>i|she) (?:will be|am going to be|is going to be|am turning|is turning|turn|turns|be) "
    r"(?P<age>\d{2}) "
    r"(?:(?:in|on|next|soon|tomorrow|this)(?!\S))"
)
"""An age that is still to come."""
_BORN_IN = re.compile(r"(?:^|(?<!\S)i (?:was|am) |[,.] )born in (?P<year>19[2-9]\d|20[01]\d)(?!\S)")
_BARE_AGE = re.compile(
    rf"(?<!\S)(?<!year )(?<!yr )(?<!grade )(?P<age>\d{{1,3}})(?:\.5)?{_NOT_A_LENGTH}(?! - \d| s )(?!\S)"
)
_DECADE = re.compile(r"(?<!\S)(?P<part>early|mid|late)? ?(?P<tens>[1-9]0) s(?!\S)")
_BANDS = (
    (13, "under_13"),
    (16, "13_15"),
    (18, "16_17"),
    (25, "18_24"),
    (40, "25_39"),
    (55, "40_54"),
    (999, "55_plus"),
)
_RANGE = re.compile(r"(?<!\S)(?P<low>\d{1,2}) (?:-|to|or|/|and) (?P<high>\d{1,2})(?!\S)")
_UNDER = re.compile(r"(?<!\S)(?:under|below|younger than|less than|not yet) (?P<age>\d{1,2})(?!\S)")
_OVER = re.compile(
    r"(?<!\S)(?:over|above|older than|more than|past) (?P<age>\d{1,2})(?!\S)"
    r"|(?<!\S)(?P<plus>\d{2}) (?:\+|plus|or over|or older|and over|and up)(?!\S)"
)


_CHILDS_AGE = re.compile(
    r"(?<!\S)(?:(?:kids?|children|boys|girls|sons|daughters|teens|teenagers) (?:[,(] |- |aged "
    r"|who are |are |of )*(?:\d+ (?:, |and )+)?"
    r"|(?:have|got|has|had|with|and) an? |\d{1,2} (?:and|,) |son (?:is |of |aged |, )?)\d+$"
)
"""Up to a number: the age of a child the person has."""
_MY_CHILD = re.compile(r"(?<!\S)(?:my|our) \d+$")
"""The same, where the person writes for herself: "my 6 year old"."""


_AGE_THEN = re.compile(
    r"(?<!\S)(?:till|until|before|when|by the time) (?:i am|she is) \d+$"
    r"|(?<!\S)(?:her|his|their) (?:\w+ )?(?:sister|brother|friend|cousin|mate) (?:, )?(?:who )?(?:is )?\d+$"
)
"""An age of another time, or of somebody else: "no smear till I'm 25", "her little sister, who's 12"."""
_BIG_AGE = re.compile(r"(?<!\S)the big (?P<tens>[3-8]) (?:oh|o|0)(?!\S)")
_AGE_NOW = re.compile(
    r"(?<!\S)(?<!it is )(?<!its )(?:(?:now|so|and) )*(?P<age>[1-9]\d) (?:years old )?now(?!\S)"
    r"|(?<!\S)now (?P<too>[1-9]\d)(?= [.,!]|$)"
)
"""An age beside an earlier one: "since I was 52, now 58"."""
_AGE_OF_OTHER = re.compile(
    r"(?<!\S)(?:she is|she"
    r"|(?<!her )(?<!her little )(?<!her younger )(?<!her big )(?<!her older )(?<!her baby )"
    r"(?:wife|daughter|little girl|girlfriend|partner|mum|mom|mother|gran|nan|sister|friend)"
    r"(?: ,)?(?: who)?(?: is| s))(?: only| just)? "
    rf"(?P<age>\d{{1,3}}){_NOT_A_LENGTH}{_AFTER_AGE}"
)


_AGE_PUT_RIGHT = re.compile(
    r"[^.!?;]{0,25}?(?<!\S)(?:sorry|oops|i mean|i meant|no wait|make that|typo)(?: [a-z,]+){0,3}? "
    r"(?P<age>\d\d)(?!\S)(?! (?:weeks?|days?|months?|hours?|minutes?|years? (?!old)))"
)
"""After an age: "46, sorry, I mean 36"."""


def is_age_put_right(words: str, age: int) -> bool:
    """Whether this age was told in place of another: what was meant is beyond doubt."""
    return any(
        int(match["age"]) == age
        for number in re.finditer(r"(?<!\S)\d\d ", words)
        if (match := _AGE_PUT_RIGHT.match(words, number.end() - 1))
    )


def age(words: str, asked: str | None, of_other: bool = False) -> int | None:
    """The person's age in whole years, where it is told.

    `asked` is the slot of the question just asked; `of_other`: not the writer's age is meant.
    """
    hers = _AGE_OF_OTHER.search(words) if of_other else None
    if hers and 4 <= int(hers["age"]) <= 110:
        return int(hers["age"])
    told_now = _AGE_NOW.search(words)
    if told_now and re.search(r"(?<!\S)\d\d (?!now)", words):
        return int(told_now["age"] or told_now["too"])
    big = _BIG_AGE.search(words)
    if big:
        return 10 * int(big["tens"])
    soon = _TOO_YOUNG.search(words)
    if asked == "age_group" and soon:
        return int(soon["age"]) - 1
    for pattern in [*_AGES, _AGE_ALONE] if asked in (None, "age_group") else _AGES:
        for match in pattern.finditer(words):
            before = words[: match.end("age")]
            of_child = _CHILDS_AGE.search(before) or (not of_other and _MY_CHILD.search(before))
            if 4 <= int(match["age"]) <= 110 and not of_child and not _AGE_THEN.search(before):
                put_right = _AGE_PUT_RIGHT.match(words, match.end("age"))
                return int((put_right or match)["age"])
    bare = _BARE_AGE.search(words) if asked == "age_group" else None
    return int(bare["age"]) if bare and 4 <= int(bare["age"]) <= 110 else None


def age_by_birth(words: str, year: int, of_other: bool = False) -> int | None:
    """The age that follows from a birthday: "I turn 13 in May", "born in 1951".

    `year`: the one it is now; `of_other`: not the writer's age is meant.
    """
    soon, born = _NOT_YET.search(words), _BORN_IN.search(words)
    if soon and of_other == (soon["who"] == "she"):
        return int(soon["age"]) - 1
    return year - int(born["year"]) if born and not of_other else None


def age_range(words: str) -> str | None:
    """The age group of an age told as a range: "25-39", "under 13", "over 55"."""
    match = _RANGE.search(words)
    if match:
        low, high = age_band(int(match["low"])), age_band(int(match["high"]))
        return low if low == high else None
    match = _UNDER.search(words)
    if match:
        return age_band(int(match["age"]) - 1)
    match = _OVER.search(words)
    return age_band(int(match["age"] or match["plus"])) if match else None


def age_from_decade(words: str, asked: bool) -> int | None:
    """A rough age from "in my early fifties"; the middle of what is meant."""
    match = _DECADE.search(words)
    if not match or not (
        asked or re.search(r"\b(?:in|my|her) (?:my |her )?(?:early |mid |late )?\d0 s", words)
    ):
        return None
    if re.search(r"(?:was|took|used|back|when) .{0,20}\d0 s", words):
        return None
    return int(match["tens"]) + {"early": 2, "mid": 5, "late": 8}.get(match["part"] or "", 5)


def age_band(years: int) -> str:
    """The contract's age group of an age in whole years."""
    return next(band for limit, band in _BANDS if years < limit)


_TEMPERATURE = re.compile(
    r"(?<!\S)(?P<n>\d{2,3}(?:\.\d+)?)(?: °| degrees?)?(?: (?P<unit>c|f|celsius|fahrenheit"
    r"|degrees))?(?! (?:weeks?|days?|years?|hours?|minutes?|months?|%))(?!\S)"
)


_FEVER_WORDS = re.compile(
    r"temperature|(?<!\S)temps? |fever|burning up|thermometer|degrees|°|celsius|fahrenheit|shiver|hot"
    r"|measured|ear thing|under (?:my|the) (?:arm|tongue)|running an? "
)
_NOT_A_HEAT = re.compile(
    r" (?:cm|mm|kg|kilos?|lbs?|stone|pounds?|%|percent|mg|mls?|inch|inches|in|miles?|km|times|out|/|to|-|\+"
    r"|w|d)(?!\S)"
)
_WEATHER = re.compile(r"outside|outdoors|weather|in the (?:shade|sun|room|office|car|kitchen)|oven")
_FAHRENHEIT = 100
_NO_HEAT = re.compile(r"(?<!\S)(?:bmi|weigh\w*|waist|pregnan\w*|gestation|cd|inr|dose|hb|iron) ")
_HEAT_LONG_AGO = re.compile(
    r" ?(?:(?!now |today |still |like |same |as )[^\s.!?;,]+ ){0,5}?"
    r"(?:last (?:year|month|winter|summer|spring|autumn|christmas)"
    rf"|in (?:the )?(?:spring|summer|autumn|winter|{'|'.join(MONTH_NAMES)})|years ago) "
    r"| ?with (?:the |a |my )?(?:flu|covid|cold|tonsillitis|virus) "
    r"(?:the week before last|last (?:week|month)|(?:\d+|a|an|few) (?:days?|weeks?|months?|fortnight) ago) "
)
"""After a temperature that is told of another illness: "39 with the flu last winter"."""
_OWN_AGE = re.compile(r"(?<!\S)(?:i am|she is|age|aged) (?:only |just |now )?$")


_MINE = re.compile(r"(?<!\S)(?:mine (?:is|was|s|has been)|not me ,? ?(?:mine is|i am|i was)) ")
"""Before it somebody else's was told: "his fever is 39, mine is normal"."""
_DECIMAL = re.compile(r"\d\.\d")
_TAKEN_BACK = re.compile(r"(?<!\S)(?:cancel|scrap|ignore|forget|delete|not|never) (?:the |that |my )?$")
"""Before a temperature that is not so: "36.8, not 38.6"."""


def temperature(words: str, asked: bool, *, long_ago: bool = False) -> float | None:
    """A body temperature in degrees Celsius; Fahrenheit is converted. Only numbers a body can have.

    `long_ago`: also one of another illness, "39 with the flu last winter".
    """
    mine = _MINE.search(words)
    if mine and (_FEVER_WORDS.search(words[: mine.start()]) or _DECIMAL.search(words[: mine.start()])):
        words = f"temperature {words[mine.end() :]}"
    found = []
    for match in _TEMPERATURE.finditer(words):
        number = float(match["n"])
        before, after = (
            words[max(0, match.start() - 40) : match.start()],
            words[match.end() : match.end() + 25],
        )
        near = any(_FEVER_WORDS.search(part) for part in (before, match[0], after))
        near = near or (number >= _FAHRENHEIT and "shaking" in after)
        exact, of_me = "." in match["n"], _OWN_AGE.search(before)  # "I'm 38.4" is no age
        of_a_body = exact and not _NO_HEAT.search(before)
        if not (match["unit"] or near or of_a_body or (exact and asked)) or (of_me and not exact):
            continue
        if not long_ago and (_HEAT_LONG_AGO.match(words, match.end()) or _TAKEN_BACK.search(before)):
            continue
        if _WEATHER.search(after) or (not match["unit"] and _NOT_A_HEAT.match(f" {after.lstrip()}")):
            continue
        if 34 <= number <= 43 and (match["unit"] or "c")[0] != "f":
            found.append(number)
        elif 94 <= number <= 109:
            found.append(round((number - 32) / 1.8, 1))
    return max(found, default=None)  # the safe one where two are told


_DAYS_TOO = r"(?: (?:\+|and)? ?\d d(?:ays?)?| \+ \d)?"
_WEEKS = [
    re.compile(
        r"^(?:hi|hello|hey|so|i am|she is|im|,|\.| )*(?P<n>\d{1,2}) weeks?(?= [,.] | and (?:spot"
        r"|bleed)| here)"
    ),
    re.compile(
        r"(?<!\S)(?:i am|she is) (?:now )?(?P<n>\d{1,2}) weeks? "
        r"(?:(?:and|with|but) (?!(?:a|\d) )|(?:now|today)(?= (?:[.,!?]|and)|\s*$)|(?=[.,!?] |$))"
    ),
    re.compile(
        rf"(?<!\S)(?<!late )(?<!not )(?P<n>\d{{1,2}})(?: \+ \d)? (?:weeks?|w){_DAYS_TOO}"
        r"(?: (?:or so|maybe|now|about))*"
        r" (?:pregnant|gone(?! (?:quiet|without|by|since|silent))|along|gestation|preg\w*"
        r"|with (?:my|our|baby|twins|#))"
    ),
    re.compile(
        rf"(?<!\S)(?:pregnant|expecting|up the duff) (?:[^\s.!?;]+ ){{0,5}}?(?P<n>\d{{1,2}})(?: \+ \d)? "
        rf"(?:weeks?|w)(?!\S){_DAYS_TOO}(?! (?:ago|old|since))"
    ),
    re.compile(r"(?<!\S)by (?:my |the )?dates (?:[^\s.!?;]+ ){0,5}?(?P<n>\d{1,2}) weeks?(?!\S)"),
    re.compile(r"(?<!\S)(?:i am|she is) (?P<n>\d{1,2}) weeks? again(?!\S)"),
    re.compile(r"(?<!\S)(?:belly|pregnancy) of (?P<n>\d{1,2}) weeks?(?!\S)"),
    re.compile(r"(?<!\S)week (?P<n>\d{1,2}) (?:of (?:my |her |the |this )?pregnancy|pregnant)(?!\S)"),
    re.compile(r"(?<!\S)(?P<n>\d{1,2}) \+ [0-6](?! (?:\d|hours?|years?))(?!\S)"),
    re.compile(r"(?<!\S)(?P<n>\d{1,2}) w(?:k|ks|eeks?)? [0-6] d(?!\S)(?! (?:old|ago|late|post))"),
    re.compile(r"(?<!\S)(?P<n>\d{1,2}) weeks? \+ [0-6] days?(?! (?:old|ago|late|post|since|after))"),
]
_WEEKS_BY_THEMSELVES = [
    re.compile(
        r"(?:^|[.!?;] |(?<!\S)(?:i am|she is) )(?P<n>[4-9]|[1-4]\d) weeks? "
        r"(?:today|tomorrow|exactly|on \w+day)(?! (?:since|after|late|post))"
    ),
    re.compile(
        r"(?<!\S)(?:i am|(?:she|wife|girlfriend|daughter|sister) is) (?P<n>[4-9]|[1-4]\d) weeks "
        r"(?:and |[,.;!]|$)"
    ),
]
_COUNTS_FROM_ELSE = re.compile(
    r"birth|born|deliver|section|had (?:him|her|them|my|our|the)|surgery|operat|procedure|miscarr|terminat"
    r"|abortion|fitted|late|old"
)
"""Something else than the last period that weeks may be counted from."""
_LIKELY_WEEKS = [
    re.compile(r"(?<!\S)(?P<n>\d{1,2}) weeks? (?:today|yesterday|tomorrow|on \w+day)"),
    re.compile(r"(?<!\S)(?P<n>\d{1,2}) weeks? (?:and )?[1-6] days?(?! ago)"),
]
_ASKED_WEEKS = re.compile(
    r"(?<!\S)(?P<n>\d{1,2})(?: \+ \d)?(?: (?:weeks?|w)(?!\S)(?! old)| ?$| [,.!]| (?:or|and|-|to) )"
)
_NOT_BUT = re.compile(
    r"(?<!\S)not \d{1,2} (?:weeks? )?(?:, |but |it is |- |(?:the |my )?\w+ (?:said|says|has me at) )+(?=\d)"
)
"""A number that is put right: "not 6 weeks, 16"."""
_MONTHS = re.compile(
    r"(?<!\S)(?<!look )(?<!look like )(?<!looked )(?<!looking )"
    r"(?P<n>\d(?:\.5)?) months? (?:pregnant|gone(?! (?:quiet|without|by|since|silent))|along|preg\w*)"
    r"|(?:pregnant|expecting|carrying) (?:[^\s.!?;]+ ){0,4}?(?P<m>\d) months?(?! (?:ago|old))"
    r"|(?<!\S)(?:in )?(?:my )?(?P<ordinal>\w+|\d \w\w) month of (?:my |the )?pregnancy"
    r"|(?<!\S)in (?:my|her) (?P<late>fourth|fifth|sixth|seventh|eighth|ninth|[4-9] th) month"
    r"(?! (?:of|on|at|with|in|as|here|back) )"
)
_ASKED_MONTHS = re.compile(r"(?<!\S)(?P<n>\d(?:\.5)?) months?(?! ago)")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_WEEKS_IN_A_MONTH = 4.35
_BABY = re.compile(
    r"(?:baby|son|daughter|newborn|he|she|twins) (?:is|are|was|were|turned|just turned) "
    r"(?:about |only |nearly |now )?$"
)
_EARLIER = re.compile(
    r"(?:(?:lost|miscarr\w*|bled|terminat\w*) (?:[^\s.!?;]+ ){0,6}?at |(?:was|gave birth|born) (?:at )?)$"
)
_OF_A_PREGNANCY = re.compile(r"gone|along|preg")
_PREGNANCY_WORDS = re.compile(r"pregnan|scan|midwife|baby is|baby has gone quiet|bump|due date|up the duff")


FULL_TERM = 40
"""Weeks of a pregnancy at the due date."""
_DUE_IN = re.compile(
    r"(?:coming|due|expected|expecting|arriving|arrives|born|birth)(?: date)?(?: is)? in (?P<n>\d{1,2}"
    r"|an?) (?P<unit>week|month|fortnight)s?(?!\S)"
)
_EXPECTS = re.compile(r"baby|pregnan|twins|due date|expecting|(?:i am|she is|we are) due in")


def weeks_until_due(words: str) -> int | None:
    """Whole weeks until a baby is due, where that is told."""
    match = _DUE_IN.search(words)
    if match is None or "period" in words or not _EXPECTS.search(words):
        return None
    number = int(match["n"]) if match["n"].isdigit() else 1
    return round(number * {"week": 1, "fortnight": 2, "month": 4.35}[match["unit"]])


_NOW_PREGNANT = re.compile(
    r"(?<!\S)(?:i am|she is) (?:now )?(?:pregnant|\d{1,2} weeks?(?! (?:ago|post|old)))"
)


def is_pregnant_now(words: str) -> bool:
    """Whether a pregnancy is told as of now, whatever is told of an earlier one."""
    return _NOW_PREGNANT.search(words) is not None


def weeks_pregnant(words: str, asked: bool) -> int | None:
    """Whole weeks of the pregnancy, from weeks or months. `asked`: the question was about it."""
    words = _NOT_BUT.sub("", words)
    until_due = weeks_until_due(words)
    if until_due is not None:
        return max(1, FULL_TERM - until_due)
    patterns = _WEEKS + (_LIKELY_WEEKS if asked or _PREGNANCY_WORDS.search(words) else [])
    if not _COUNTS_FROM_ELSE.search(words):
        patterns = [*patterns, *_WEEKS_BY_THEMSELVES]
    told = [
        int(match["n"])
        for pattern in patterns
        for match in pattern.finditer(words)
        if 1 <= int(match["n"]) <= 45 and not _is_of_a_baby_or_earlier(words, match)
    ]
    if told:
        return max(told)  # the safe reading where two are told
    match = _MONTHS.search(words)
    if match:
        return _weeks_of_months(match)
    if not asked:
        return None
    match = _ASKED_WEEKS.search(words)
    fewest = 1 if match and "w" in match[0] else 3  # a bare "one" is a word ("never missed one")
    if match and fewest <= int(match["n"]) <= 45 and not re.search(r"weeks? (?:late|ago)", words):
        return int(match["n"])
    match = _ASKED_MONTHS.search(words)
    return round(float(match["n"]) * _WEEKS_IN_A_MONTH) if match else None


def _is_of_a_baby_or_earlier(words: str, match: re.Match[str]) -> bool:
    """Whether weeks are the age of a baby, or of a pregnancy that ended."""
    before = words[: match.start()]
    of_a_baby = _BABY.search(before) and not _OF_A_PREGNANCY.search(match[0])
    return bool(of_a_baby or _EARLIER.search(before))


def _weeks_of_months(match: re.Match[str]) -> int | None:
    ordinal = (match["ordinal"] or match["late"] or "").strip()
    if ordinal:
        months = (
            _ORDINALS.index(ordinal) + 1
            if ordinal in _ORDINALS
            else int(ordinal[0])
            if ordinal[0].isdigit()
            else 0
        )
        return round((months - 0.5) * _WEEKS_IN_A_MONTH) if months else None
    return round(float(match["n"] or match["m"]) * _WEEKS_IN_A_MONTH)


# --- Blood ------------------------------------------------------------------------------------

_COUNT = r"(?P<pads>\d+(?:\.\d+)?(?! (?:am|pm|hours?|weeks?|years?|days?) )|an?|my|few|several)"
_PADS = [
    re.compile(
        rf"(?<!\S){_COUNT} (?:[^\s.!?;\d]+ ){{0,4}}?(?:pads?|tampons?) (?:[^\s.!?;\d]+ "
        r"){0,3}?(?:every|per|each|/) (?P<unit>hours?)(?! and a half)"
    ),
    re.compile(r"(?<!\S)an? (?:bath )?towel an (?P<unit>hour)"),
    re.compile(r"(?:every|each) (?P<unit>hour) (?:(?!and |or )[^\s.!?;\d]+ ){0,6}?(?:pads?|tampons?)"),
    re.compile(
        r"(?<!\S)(?:(?:pads?|tampons?) (?:[^\s.!?;\d]+ ){0,3}?(?P<unit>hour)ly"
        r"|hourly (?:[^\s.!?;\d]+ ){0,2}?(?:pads?|tampons?))"
    ),
    re.compile(
        rf"(?<!\S){_COUNT} (?:[^\s.!?;\d]+ ){{0,4}}?(?:pads?|tampons?|liners?)"
        r" (?:(?!(?:hours?|then|stopped) )[^\s.!?;\d]+ ){0,5}?"
        r"(?P<hours>\d+(?:\.\d+)?|an?|the last|the past)(?: or \d+| of)? "
        r"(?P<unit>hours?|minutes?|days?)"
    ),
    re.compile(
        rf"(?<!\S){_COUNT} (?:[^\s.!?;\d]+ ){{0,4}}?(?:pads?|tampons?) (?:[^\s.!?;\d]+ "
        r"){0,3}?an (?P<unit>hours?)"
    ),
    re.compile(
        r"(?:pads?|tampons?) (?:[^\s.!?;\d]+ ){0,4}?(?:every|each|per) "
        r"(?P<hours>\d+(?:\.\d+)?)(?: (?:or|to|-) \d+(?:\.\d+)?| of)? (?P<unit>hours?|minutes?)"
    ),
    re.compile(
        r"(?:every|each) (?P<hours>\d+(?:\.\d+)?)(?: (?:or|to|-) \d+(?:\.\d+)?| of)? (?P<unit>hours?"
        r"|minutes?) (?:[^\s.!?;\d]+ ){0,6}?(?:pads?|tampons?)"
    ),
    re.compile(
        r"(?:pads?|tampons?) (?:[^\s!?;\d]+ ){0,4}?(?:(?:each|every|1) )*(?:lasts?|lasting) (?:me "
        r"|for |about |only |maybe |around )*"
        r"(?P<hours>\d+(?:\.\d+)?|an)(?: (?:or|to|-) \d+(?:\.\d+)?| of)? (?P<unit>hours?|minutes?)"
    ),
    re.compile(
        r"(?<!\S)(?P<hours>\d+(?:\.\d+)?) (?P<unit>hours?|minutes?) (?:per|a|each|for each) "
        r"(?:[^\s.!?;\d]+ )?(?:pads?|tampons?)"
    ),
]
_SINCE_MEAL = re.compile(
    r"(?P<pads>\d+) (?:[^\s.!?;\d]+ ){0,4}?(?:pads?|tampons?) (?:[^\s.!?;\d]+ ){0,4}?since "
    r"(?P<when>lunch|breakfast|dinner|tea|this morning|noon|midday|midnight|i got up|i woke "
    r"up|this afternoon|work)"
)
_NOT_FULL = re.compile(
    r"(?:hardly|barely|not|half|never|nothing) (?:[^\s.!?;]+ ){0,3}?(?:soak\w*|fill\w*|full)"
    r"|liner|just (?:to be|in case)|(?:check|look|held|hold|press)\w* (?:[^\s.!?;]+ ){0,3}?(?:pads?|tampons?)"
)


_EACH_HOUR = re.compile(r"(?<!\S)(?:an|every|per|each|/) (?:hour|\d)")
_DENIED = re.compile(
    r"(?<!\S)(?:not|never|than|no) (?:(?:say|said|mean|meant) )?(?:even |anything like |quite |about )*$"
)
"""Before an amount: "not a pad an hour", "less than a pad an hour"."""


_REPEATING = re.compile(
    r"\b(?:every|each|per|an?|/) (?:\d|hour|minute)"
    r"|(?:lasts|lasting|pads last|only last|minutes? per|hours? per) "
)
_SAID_NO = re.compile(r" ?\? (?:no|nope|nah|not|nothing|never) ")
_HOUR_OR_TWO = re.compile(
    r"(?:every|each|in|within) (?:(?:an |1 )?hour or 2|1 (?:or|to|-) 2 hours)"
    r"(?! (?:days?|pads?|tampons?) )(?!\S)"
)


def pads_per_hour(words: str) -> tuple[float, float] | None:
    """(pads or tampons soaked an hour, over how many hours), where both are told; None otherwise."""
    match = _SINCE_MEAL.search(words)
    if match and not _EACH_HOUR.search(match[0]):
        return int(match["pads"]) / 4, 4.0  # since a meal: taken as 4 hours
    for pattern in _PADS:
        match = pattern.search(words)
        if (
            not match
            or "liner" in match[0]
            or _DENIED.search(words[: match.start()])
            or _SAID_NO.match(words, match.end())
            or _NOT_FULL.search(words[max(0, match.start() - 30) : match.end()])
        ):
            continue
        groups = match.groupdict()
        pads = {"a": 1.0, "an": 1.0, "my": 1.0, "few": 3.0, "several": 4.0, None: 1.0}.get(groups.get("pads"))
        pads = float(groups["pads"]) if pads is None else pads
        pads += len(
            re.findall(r" and an? (?:\S+ )?(?:pad|tampon)", match[0])
        )  # "a tampon and a pad in an hour"
        if words[: match.start()].endswith("half "):
            pads /= 2
        told = groups.get("hours")
        hours = {"an": 1.0, "a": 1.0, "the last": 1.0, "the past": 1.0, None: 1.0}.get(told)
        hours = float(told) if hours is None and told else hours or 1.0
        unit = groups["unit"] or "hour"  # "hourly"
        if unit.startswith("minute"):
            hours /= 60
        elif unit.startswith("day"):
            hours *= 24
        if hours <= 0:
            continue
        around = words[match.start() : match.end() + len(" or 2 hours")]
        if hours == 1 and around.count("hour") == 1 and _HOUR_OR_TWO.search(around):
            hours = 1.5  # D04, which is one step below E01
        repeating = "hours" not in groups or bool(_REPEATING.search(match[0]))
        return pads / hours, 2.0 if repeating and told is None else hours if not repeating else max(
            hours, 2.0
        )
    return None


_SIZE = re.compile(
    r"(?<!\S)(?P<n>\d+(?:\.\d+)?)(?: or \d+| to \d+| - \d+)? ?(?P<unit>cm|cms|centimet\w+|mm"
    r"|millimet\w+|inch|inches|in|\")(?!\S)"
)


def clot_size(words: str) -> float | None:
    """The size of a blood clot in centimetres, where a number is told in a message about clots."""
    if not re.search(r"clot|lump|blob|chunk|jelly", words):
        return None
    sizes = []
    for match in _SIZE.finditer(words):
        factor = (
            2.54 if match["unit"].startswith(("in", '"')) else 0.1 if match["unit"].startswith("m") else 1.0
        )
        sizes.append(float(match["n"]) * factor)
    return max(sizes, default=None)


_BEYOND_ANY = 20
"""A pain of "12 out of 10" is a very bad one; more is no score."""
_PAIN_SCORE = re.compile(
    r"(?<!\S)(?P<n>\d{1,2}(?:\.5)?) (?:(?:out )?of|/|over) 10(?!\S)"
    r"(?! (?:would|recommend|do not recommend|sex|stars))"
    r"|(?<!\S)(?:pain|pains|cramps?|hurts|agony)(?: level| score)? "
    r"(?:of|at|is|was|about|like|a|an|around|now)"
    r" (?:an? |at |about |now )*(?P<bare>\d|10)(?= (?:[.,!;]|and|on|in|down|right|now|but)|\s*$)(?! in )"
)


def pain_score(words: str) -> int | None:
    """A pain score from 0 to 10."""
    match = _PAIN_SCORE.search(words)
    if not match:
        return None
    score = float(match["n"] or match["bare"])
    most = 10 if "/" in match[0] else _BEYOND_ANY  # "12/10" is a date
    return min(10, int(score)) if score <= most else None


_EACH_OF_SO_MANY = re.compile(
    r"(?<!\S)(?<!pain )(?<!pain is )(?P<n>[2-9]|1\d) (?:times )?out of (?P=n)(?!\S)(?! pain)"
    r"|(?<!\S)sex (?P<times>[2-9]|1\d) times .{0,60}? all (?P=times)(?!\S)"
)
"""As often as there was sex: "6 times out of 6"."""
_TIMES = re.compile(
    r"(?<!\S)(?<!done it )(?<!checked it )(?<!took it )(?<!measured it )(?P<n>\d{1,2}) "
    r"(?:or so |or \d+ |different |separate |- \d+ |to \d+ )?times?(?! "
    r"(?:a|per|each|every|as|the|more|older) )"
)
_ORDINAL = re.compile(
    r"(?<!\S)(?P<n>\d{1,2}) (?:st|nd|rd|th) (?:or \d{1,2} (?:st|nd|rd|th) )?"
    r"(?:time(?! (?:having|we had|i had|with) )|go|episode|occasion|occurrence|bleed)(?!\S)"
)


def each_time(words: str) -> bool:
    """Whether it happened as often as there was sex."""
    return _EACH_OF_SO_MANY.search(words) is not None


def episodes(words: str, asked: bool) -> int | None:
    """How often it has happened, as a number."""
    for pattern in (_ORDINAL, _TIMES):
        match = pattern.search(words)
        if match and int(match["n"]) >= 1 and (pattern is _TIMES or int(match["n"]) > 1):
            return int(match["n"])
    if asked:
        bare = re.match(
            (
                r"^(?:about|maybe|like|i think|just|only|so|,|\.| )*(?P<n>\d{1,2})(?: (?:[.,!]|or \d+|so "
                r"far|now|maybe|i think)| )*$"
            ),
            words,
        )
        if bare:
            return int(bare["n"])
    return None
