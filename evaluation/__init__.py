"""How well messages are understood: measured on sets of messages that nothing was trained on.

make evaluate     # measures, writes results/evaluation.json and docs/evaluation.md
make compare      # the same messages through Rasa's default pipeline; its section of the document
make misses       # takes what is understood by now off the lists of known misses
"""

from pathlib import Path

import assistant

assistant.silence_libraries()

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
MODEL = ROOT / "models" / "spotwise.tar.gz"
