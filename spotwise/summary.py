"""The words for a short summary that a person can show to a doctor: only what they told, nothing more."""

from __future__ import annotations

from collections.abc import Mapping

from spotwise.conditions import Facts, number_of, values_of
from spotwise.content import Knowledge, Level
from spotwise.triage import GATE

TITLES: Mapping[str, str] = {
    "person": "Who it is about",
    "age_group": "Age",
    "age": "Age in years",
    "bleeding_status": "Bleeding now",
    "hours_since_sex": "Began, in hours ago",
    "bleeding_amount": "How much",
    "pain": "Pain",
    "danger_signs": "Danger signs",
    "temperature": "Temperature in degrees C",
    "pregnancy": "Pregnant",
    "pregnancy_weeks": "Weeks pregnant",
    "pregnancy_showing": "Bump or baby's moves",
    "periods": "Periods",
    "episode_count": "How many times in 6 months",
    "symptoms": "Other signs",
    "details": "More that was told",
    "contraception": "Birth control and hormones",
    "medical_history": "Health before this",
    "circumstances": "When it happened",
    "consent": "The sex was wanted",
    "declined": "Rather not say",
}
"""The line of each fact, in the order of the summary."""

ANYWHERE: Mapping[str, str] = {"none": "none of those asked", "unsure": "not sure", "undisclosed": "not said"}

VALUES: Mapping[str, Mapping[str, str]] = {
    "declined": {"danger_signs": "danger signs", "bleeding_amount": "how much blood", "pain": "pain"},
    "person": {"self": "me", "other": "somebody else"},
    "age_group": {
        "under_13": "under 13",
        "13_15": "13 to 15",
        "16_17": "16 or 17",
        "18_24": "18 to 24",
        "25_39": "25 to 39",
        "40_54": "40 to 54",
        "55_plus": "55 or over",
    },
    "bleeding_status": {
        "stopped": "stopped",
        "ongoing_under_24h": "still going on, under 24 hours",
        "over_24h": "going on for over 24 hours",
    },
    "bleeding_amount": {
        "spotting": "spots only",
        "light": "light, a liner is enough",
        "like_period": "like a period",
        "heavy": "heavy, a pad in 1 to 2 hours",
        "very_heavy": "very heavy, a pad an hour or more",
    },
    "pain": {
        "none": "none",
        "entrance_sore": "sore at the entrance",
        "cramps": "cramps",
        "deep_during_sex": "deep inside during sex",
        "pelvic_ongoing": "low in the tummy, still there",
        "severe": "very bad",
    },
    "danger_signs": {
        "soaking_pads": "soaks a pad an hour",
        "large_clots": "large clots",
        "fainting": "fainted or felt faint",
        "severe_pain": "very bad pain",
        "one_sided_pain": "pain on one side",
        "shoulder_tip_pain": "pain at the tip of the shoulder",
        "fever": "fever or shivers",
        "not_slowing_with_pressure": "pressure does not slow it",
        "gaping_cut_or_swelling": "deep cut or fast swelling",
        "bulge_or_gush": "a bulge or a gush",
    },
    "pregnancy": {"no": "no", "possible": "could be", "yes": "yes"},
    "pregnancy_showing": {"no": "no", "yes": "yes"},
    "periods": {
        "menstruating": "still coming",
        "stopped_under_12m": "none of late, but under 12 months",
        "postmenopausal": "stopped for good, or for 12 months",
        "none_by_contraception": "none, from birth control",
    },
    "episode_count": {
        "first_time": "the first time",
        "second": "the second time",
        "three_or_more": "three times or more",
        "every_time": "each time I have sex",
    },
    "symptoms": {
        "dryness": "dryness",
        "itch_or_burning": "itch or burning",
        "unusual_discharge": "new discharge",
        "bad_smell": "bad smell",
        "sore_or_ulcer": "a sore",
        "lump": "a lump",
        "stings_to_pee": "stings to pee",
        "pain_during_sex": "sex hurts",
        "bleeding_between_periods": "bleeding between periods",
        "missed_or_late_period": "missed or late period",
        "heavy_or_long_periods": "heavy or long periods",
        "skin_patches": "skin patches",
        "weight_loss": "weight loss",
        "tiredness": "tired a lot",
        "blood_in_urine": "blood in pee",
        "blood_from_back_passage": "blood from the back passage",
    },
    "contraception": {
        "none": "none",
        "condoms": "condoms",
        "combined_pill": "combined pill",
        "progestogen_pill": "progestogen-only pill",
        "implant": "implant",
        "injection": "injection",
        "patch_or_ring": "patch or ring",
        "hormonal_coil": "hormonal coil",
        "copper_coil": "copper coil",
        "hrt": "hormones for menopause (HRT)",
        "testosterone": "testosterone",
        "new_in_3_months": "began or changed in the last 3 months",
        "missed_doses": "missed doses",
        "coil_threads_changed": "coil threads gone or changed",
    },
    "medical_history": {
        "blood_thinner": "takes a blood thinner",
        "bleeding_disorder": "blood that is slow to clot",
        "tamoxifen": "takes or took tamoxifen",
        "weak_immune_system": "weak immune system",
        "recent_birth": "birth in the last 12 weeks",
        "recent_procedure": "procedure, abortion, miscarriage or new coil in the last 6 weeks",
        "hysterectomy": "womb taken out",
        "ovaries_removed": "ovaries taken out",
        "breastfeeding": "breastfeeding",
        "abnormal_screening": "cervical screening was not clear",
        "overdue_screening": "cervical screening is late or was never done",
        "known_polyp": "known polyp",
        "known_ectropion": "known ectropion",
        "known_fibroids": "known fibroids",
        "known_endometriosis": "known endometriosis",
        "cancer_history": "cancer in the past or now",
        "prolapse_or_pessary": "prolapse or a pessary",
        "diabetes_or_pcos": "diabetes or PCOS",
        "fgm": "female genital cutting (FGM)",
        "seen_and_unchanged": "seen by a clinician, cause named, same since then",
    },
    "circumstances": {
        "first_intercourse": "first time having sex",
        "rough_sex": "rough sex",
        "little_lubrication": "not very wet",
        "toy_or_object": "a toy or object",
        "fingers": "fingers",
        "long_gap": "a long time since the last sex",
        "anal_sex": "anal sex",
        "object_left_inside": "something may be left inside",
        "sharp_object": "a sharp object",
        "new_partner": "new partner",
        "no_condom": "no condom",
        "partner_sti": "partner has an STI",
        "period_due": "period due",
        "period_just_ended": "period just over",
        "mid_cycle": "mid-month",
    },
    "consent": {"wanted": "yes", "unwanted": "no"},
    "details": {
        "very_unwell": "very unwell",
        "breathless": "short of breath",
        "head_injury": "head injury",
        "bleeds_elsewhere": "bleeds or bruises in other places",
        "cannot_pee": "cannot pee",
        "hard_to_pee": "hard to pee",
        "visible_cut": "a cut that can be seen or felt",
        "heavy_from_back_passage": "heavy bleeding from the back passage",
        "more_than_streaks": "more than streaks from the back passage",
        "severe_pain_during_sex": "very bad pain during sex",
        "waters_or_movements": "waters broke, baby moves less, or a low placenta",
        "in_danger": "not safe now",
        "choked_or_drugged": "choked, hit on the head or maybe drugged",
        "injured": "hurt in an assault",
        "pressured": "put under pressure",
        "afraid": "afraid",
        "self_harm": "thoughts of self-harm",
        "worried": "worried",
        "test_positive": "positive pregnancy test",
        "test_unclear": "pregnancy test not clear",
        "test_negative": "negative pregnancy test",
        "no_test_today": "no pregnancy test to be had today",
        "wants_emergency_contraception": "needs the morning-after pill or coil",
        "nausea_or_sore_breasts": "feels sick or has sore breasts",
        "gynae_cancer": "cancer of the womb, cervix, vagina or vulva, or rays for it",
        "cancer_elsewhere": "cancer in another part of the body",
        "hysterectomy_recent": "womb taken out in the last 3 months",
        "procedure_in_12_weeks": "a procedure 6 to 12 weeks ago",
        "some_coil": "a coil",
        "surgical_vagina": "vagina made by surgery",
        "not_examined": "seen before, but no one has looked inside",
        "treated_still_bleeding": "treated for an infection, still bleeds 6 weeks on",
        "long_standing_itch": "itch for a long time",
        "several_partners": "more than one partner this year",
        "recent_antibiotics": "antibiotics of late",
        "easy_bruising": "bruises with ease",
        "smoker": "smokes",
        "painful_periods": "painful periods",
        "pain_on_pooing": "hurts to poo",
        "back_pain": "back pain",
        "bloating": "bloated most days",
        "swollen_leg": "one swollen leg",
        "discharge_thick_white": "thick white discharge",
        "discharge_fishy": "discharge smells of fish",
        "discharge_green_yellow": "green or yellow discharge",
        "bright_red": "bright red blood",
        "dark_or_brown": "dark or brown blood",
        "blood_from_skin": "blood from the outer skin",
        "blood_on_partner_only": "blood only in the condom or on the partner",
    },
}

LEVELS_IN_WORDS: Mapping[Level, str] = {
    "emergency": "get emergency care now",
    "same_day": "be seen today",
    "soon": "be seen in the next few days, within 2 weeks",
    "routine": "book a routine visit",
    "self_care": "watch it for 24 hours, and bring it up at a routine visit",
}

FROM_THE_PERSON = (
    "For a doctor or nurse: bleeding after sex. "
    "This is only what was told in a chat. No one has examined the person."
)
ADVICE = "Spotwise, a chatbot, gave this advice by fixed rules: {level}."
REASON = "Why: {because}."
QUESTIONS = (
    "You could ask at the visit:",
    "What may have caused it?",
    "Do I need tests, or a look at my cervix?",
    "Is my cervical screening up to date?",
    "What can I do about it?",
    "When can I have sex again?",
    "When should I come back?",
)
"""What to ask at the visit."""


def told(facts: Facts) -> list[str]:
    """What the person told, one line for each fact."""
    lines = ((title, in_words(facts, slot)) for slot, title in TITLES.items())
    return [f"{title}: {words}" for title, words in lines if words]


def in_words(facts: Facts, slot: str) -> str:
    """The value of one fact as words; empty where it was not told."""
    number = number_of(facts, slot)
    if number is not None:
        return f"{number:g}"
    known = {**ANYWHERE, **VALUES.get(slot, {})}
    return ", ".join(known.get(value, value.replace("_", " ")) for value in values_of(facts, slot))


def advised(level: Level | None, reasons: tuple[str, ...], knowledge: Knowledge) -> list[str]:
    """The advice that was given and the person's own facts that led to it."""
    if level is None:
        return []
    becauses = (knowledge.rule(id).because for id in reasons if id != GATE)
    why = [REASON.format(because=because) for because in dict.fromkeys(becauses) if because]
    return [ADVICE.format(level=LEVELS_IN_WORDS[level]), *why]


def summarise(facts: Facts, level: Level | None, reasons: tuple[str, ...], knowledge: Knowledge) -> list[str]:
    """The summary as a few messages; none where nothing was told."""
    lines = told(facts)
    if not lines:
        return []
    advice = "\n".join(advised(level, reasons, knowledge))
    messages = (FROM_THE_PERSON, "\n".join(lines), advice, "\n- ".join(QUESTIONS))
    return [message for message in messages if message]
