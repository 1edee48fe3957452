"""Spotwise: calm, rule-based information about bleeding after sex.

The package holds the reasoning in plain Python: conditions, knowledge, triage and causes.
It knows nothing about Rasa; the folders `assistant/` and `actions/` join the two.
"""
