"""Plain words out of what people type, and the phrase language of the lexicon."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotwise.spelling import Spelling
from spotwise.words import LONGEST, PhraseIndex, Phrases, found_in, normalise, phrase_pattern


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("   \n\t ", "."),
        ("I'm 20, can't stop", "i am 20 , can not stop"),
        ("I\u2019m 20", "i am 20"),
        ("DON'T", "do not"),
        ("dont", "do not"),
        ("we're", "we are"),
        ("it's been", "it is been"),
        ("thirty-five", "35"),
        ("twelve weeks", "12 weeks"),
        ("early fifties", "early 50 s"),
        ("half an hour", "0.5 hour"),
        ("an hour and a half", "1.5 hours"),
        ("a hundred", "100"),
        ("20F", "20 f"),
        ("1,5 cm", "1.5 cm"),
        ("one-sided", "1 sided"),
        ("\uff28\uff25\uff2c\uff2c\uff2f", "hello"),
        ("ﬁne", "fine"),
        ("a\x00b", "a b"),
        ("bleeding 😭😭", "bleeding"),
    ],
)
def test_text_becomes_plain_words(text: str, words: str) -> None:
    assert normalise(text).split() == words.split()


@given(st.text())
def test_words_are_lower_case_with_a_space_after_each(text: str) -> None:
    words = normalise(text)
    assert words.endswith(" ")
    assert words == " ".join(words.split()) + " "
    assert not any(c.isascii() and c.isupper() for c in words)


def test_only_the_first_part_of_a_very_long_text_is_read() -> None:
    assert "end" not in normalise("a " * LONGEST + "end").split()


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("feel* faint", "I feel faint", True),
        ("feel* faint", "feeling faint", True),
        ("feel* faint", "faint feeling", False),
        ("(pass|black)* out", "blacked out", True),
        ("(pass|black)* out", "passing out", True),
        ("(pass|black)* out", "going out", False),
        ("my? period", "period", True),
        ("my? period", "my period", True),
        ("period", "periods", False),
        ("N weeks", "12 weeks", True),
        ("N weeks", "1.5 weeks", True),
        ("N weeks", "some weeks", False),
        ("in YYYY", "in 2019", True),
        ("in YYYY", "in 1850", False),
        ("^ light $", "light.", True),
        ("^ light $", "a light bleed", False),
        ("light $", "it was light!", True),
        ("blood .. stool", "blood in my stool", True),
        ("blood .. stool", "blood stool", True),
        ("blood .. stool", "blood a b c d e stool", False),
        ("blood .. stool", "blood. stool", False),
        ("(a|b)? c", "c", True),
    ],
)
def test_phrase_language(phrase: str, text: str, found: bool) -> None:
    assert bool(phrase_pattern([phrase]).search(normalise(text))) is found


def test_a_gap_may_leave_out_the_word_no() -> None:
    words = normalise("the pain is not severe")
    assert phrase_pattern(["pain .. severe"]).search(words)
    assert not phrase_pattern(["pain .. severe"], across_no=False).search(words)


def test_any_of_several_phrases_is_found_from_the_start_of_a_word() -> None:
    pattern = phrase_pattern(["faint", "dizzy"])
    assert pattern.search("so dizzy ") and pattern.search("faint ")
    assert not pattern.search("unfaint ")


@pytest.mark.parametrize(
    "phrase", ["", "(a|b", "a)", "* a", "? a", "(a|)", "(a?|b)", "()", "a | b", "((a|b) c"]
)
def test_bad_phrases_are_refused(phrase: str) -> None:
    with pytest.raises(ValueError):
        phrase_pattern([phrase])


@given(st.text(alphabet="ab ()|*?.^$N", max_size=20))
def test_a_phrase_is_read_or_refused(phrase: str) -> None:
    try:
        pattern = phrase_pattern([phrase])
    except ValueError:
        return
    pattern.search("a b a b ")


_PHRASES = ["a b", "(ab|ba)* b", "a? b", "(a|b)? ab", "a .. ba", "((a b)|ba)* a", "^ ab $", "N a", "N", "b*"]


@given(
    st.lists(st.sampled_from([*_PHRASES, "$", "^ $"]), min_size=1, max_size=4),
    st.lists(st.sampled_from(["a", "b", "ab", "ba", "aba", "1", ".", "no"])),
)
def test_looked_for_one_by_one_phrases_are_found_as_by_one_pattern(
    phrases: list[str], words: list[str]
) -> None:
    text = "".join(f"{word} " for word in words)
    kind = Phrases(phrases)
    found = found_in(text, PhraseIndex([kind]).possible(text).get(kind, []))
    together = [match.span() for match in phrase_pattern(phrases).finditer(text)]
    assert [span for span in found if span[0] < span[1]] == [span for span in together if span[0] < span[1]]
    assert bool(found) == bool(together)


def test_the_index_leaves_out_phrases_whose_words_are_missing() -> None:
    kinds = [Phrases(["a lot of blood", "(pass|black)* out"]), Phrases(["N"]), Phrases(["my? cramps"])]
    index = PhraseIndex(kinds)
    assert index.possible("passed out ") == {kinds[0]: kinds[0].patterns[1:], kinds[1]: kinds[1].patterns}
    assert [*index.possible("out of my cramps ")] == kinds[1:]
    assert [*index.possible("blood ")] == kinds[1:2]
    assert index.possible("a lot of blood ")[kinds[0]] == kinds[0].patterns[:1]


def test_spelling_puts_slips_right_and_leaves_other_words() -> None:
    english = ["breeding", "itchy", "snapped"]
    spelling = Spelling({"preg": "pregnant"}, ["bleeding", "pregnan*", "discharge", "itch*"], english)
    assert spelling.right("preg") == "pregnant"
    assert spelling.right("bleding") == "bleeding"
    assert spelling.right("dishcarge") == "discharge"
    assert spelling.right("bleeding") == "bleeding"
    assert spelling.right("pregnancies") == "pregnancies"
    assert spelling.right("itcy") == "itchy"
    assert spelling.right("dischrage") == spelling.right("dischatge") == "discharge"
    assert spelling.right("disxhrage") == "discharge"  # a long word may hold two slips
    assert spelling.right("blxxdnng") == "blxxdnng"
    assert spelling.right("breeding") == "breeding"  # an English word
    assert spelling.right("blood") == "blood"


def test_words_with_digits_for_letters_are_written_out() -> None:
    spelling = Spelling({"b4": "before", "2day": "today", "preg": "pregnant"}, ["bleeding"])
    assert spelling.without_digits("B4 lunch 2day, not b42 or 20f") == "before lunch today, not b42 or 20f"
    assert spelling.mended("bleding b4") == "bleeding before"
    assert Spelling({}, ["bleeding"]).without_digits("b4") == "b4"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tempriture", "temperature"),
        ("servical", "cervical"),
        ("frist", "first"),
        ("becose", "because"),
        ("blod", "blood"),
        ("crampin", "cramping"),
        ("hospitl", "hospital"),
        ("tomato", "tomato"),
    ],
)
def test_the_commoner_word_and_the_one_that_sounds_alike_is_meant(typed: str, meant: str) -> None:
    common = {
        "become": 20,
        "because": 900,
        "first": 700,
        "frisk": 1,
        "blood": 9000,
        "bold": 1,
        "cervical": 40,
    }
    common |= {"surgical": 50, "temperature": 300, "cramping": 40, "cramps": 90, "hospital": 100}
    assert Spelling({}, [], [], common).right(typed) == meant


def test_of_two_words_that_are_as_near_neither_is_taken() -> None:
    assert Spelling({}, [], [], {"lamp": 5, "limp": 5}).right("lomp") == "lomp"
    assert Spelling({}, ["tired", "tied"]).right("tierd") == "tired"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bleedingfor", "bleeding for"),
        ("sexlast", "sex last"),
        ("bleedingaftersex", "bleeding after sex"),
        ("itstopped", "it stopped"),
        ("soakin", "soaking"),  # not "soak in"
        ("bleedng", "bleeding"),  # a plain slip goes first
        ("ibeforeno", "ibeforeno"),  # two small words are chance
        ("sexfri", "sexfri"),  # neither an English word nor a very common one
    ],
)
def test_words_run_together_are_parted(typed: str, meant: str) -> None:
    english = ["bleeding", "sex", "last", "for", "after", "soaking", "stopped", "before"]
    common = dict.fromkeys([*english, "in", "no", "it", "soak"], 100) | {"fri": 30}
    assert Spelling({}, [], english, common).right(typed) == meant


def test_a_text_is_mended_where_it_is_misspelt_and_nowhere_else() -> None:
    spelling = Spelling({"cant": "can not", "loads": "lots"}, ["bleeding"], ["loads", "of"], {"stop": 9})
    assert (
        spelling.mended("BLEDING loads, can't \U0001f937 (stopp) 3x!")
        == "bleeding loads, can't \U0001f937 (stop) 3x!"
    )


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=30))
def test_spelling_takes_any_word(word: str) -> None:
    assert isinstance(Spelling({}, ["bleeding"], [], {"after": 300, "sex": 300}).right(word), str)
