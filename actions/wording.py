"""The few words that join what comes from `knowledge/`. All else people read is there or in domain.yml."""

# The assessment
FITS = "This can fit with: {name}."
BECAUSE = "I list it because {because}."
ALSO_BECAUSE = "On top of that, {because}."
FIT_LIST = "This can fit with:"
LESS_LIKELY = "Less likely, but the reason to be checked: {name}."
LESS_LIKELY_LIST = "Less likely, but the reason to be checked:"
MOSTLY_NOT_CANCER = "Most people who bleed after sex do not have cancer. It still needs a check."
FIRST_AT_HOME = "What can help if it is the first of these: {self_care}"

# Causes
IN_THE_ARTICLE = "The article we started from names these:"
BEYOND_THE_ARTICLE = "It can also come from these:"
AFTER_MENOPAUSE = "Blood after the menopause always needs a check, even a small spot."
ASK_ABOUT_ONE = "You can ask me about each of them."
CALLED = "Doctors call it: {medical_name}."
KINDS = "It can be one of these:"
DOCTOR_MAY = "What a doctor may do: {next_steps} {treatment}"
AT_HOME = "What you can do: {self_care}"
HOW_SOON = "How soon, if it is this and there is no danger sign: {typical_urgency}"
FOR_YOU = "By what you told me, this is how soon for you:"
ONLY_AN_EXAM = "I can't say if this is your cause. Only an exam can show that."
SOURCES_OF_IT = "Where this is from:"
NOT_REVIEWED = "No clinician has reviewed this yet."
ALSO_NAMED = "You named more than one. Which one is next?"

# Topics
FOR_THIS_CAUSE = "If the cause is this: {name}."

# About the assistant
WHY_I_ASK = "I ask so that nothing urgent is missed, and to see which causes fit. You can skip any question."
NOTHING_TOLD = "You have not told me about the bleeding yet, so there is nothing to sum up."
YOURS_TO_SHOW = "You can show this to a doctor or nurse. You choose what to show."
THE_ARTICLE = "It all starts from one article: {source}"
YEAR = "Year: {year}."
LEANS_ON = "Most of the rest is from these:"
PARTLY_READ = "Of most of them, only a part was read. The full page may say more."
CHECKED_SINCE = "Each text was checked against its sources on {day} or later."
NO_REVIEW_OF_TOOL = "No clinician, such as a doctor or nurse, has reviewed this tool yet."
