"""The Rasa edge: everything that knows Rasa and is not a rasa_sdk action.

Importing this package sets what each process of the assistant needs in its environment before Rasa and
TensorFlow are imported, so that no entry point can forget it: telemetry stays off, and people are not
shown the noise of old libraries.
"""

import os
import warnings

os.environ["RASA_TELEMETRY_ENABLED"] = "false"
# One worker: each holds a whole model, and conversations are locked in memory.
os.environ["SANIC_WORKERS"] = "1"
# Below WARNING, Rasa logs what people write.
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("LOG_LEVEL_LIBRARIES", "ERROR")
os.environ.setdefault("PYTHONWARNINGS", "ignore")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# The matrices of a message are small: a second thread would only wait, on the core of the next person.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def silence_libraries() -> None:
    """Hide the deprecation warnings of the libraries below Rasa; Rasa's own warnings stay."""
    import sanic.app  # noqa: F401 - importing it is what turns these warnings on

    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", message="You have defined synonyms")  # CauseExtractor knows them
