"""Learns what the sentence encoder has to know beyond English: `assistant/encoder_tuning.npz` (`make tune`).

The encoder was made for sentences of every kind. Here it learns, by small changes to its upper layers
(low-rank adaptation: two thin matrices beside each large one), to tell apart what matters in this
conversation. Learnt together: the intents, the danger signs and the answers, as `assistant.linear` will do
from its vectors; and, for `assistant.told_classifier`, which facts a message tells.

It takes about a quarter of an hour on two cores, and needs TensorFlow, which comes with Rasa. What it makes
is kept in the repository, so that training the model (`make train`) stays a matter of a minute. It need not
be made anew for every new example; it should be when many were added.
"""
