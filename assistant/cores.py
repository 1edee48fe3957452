"""Using every core while learning."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TypeVar

MANY = 500
"""Texts from which on it pays."""

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_threads(work: Callable[[Given], Made], items: Iterable[Given]) -> list[Made]:
    """Do the same with each item, for work that leaves Python's interpreter to others meanwhile."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(work, items))


def in_processes(work: Callable[[Given], Made], items: Iterable[Given], chunk: int) -> list[Made]:
    """The same for work in Python, in copies of this process: what is loaded here need not be loaded there.

    The items and what is made of them are sent to and fro, `chunk` at a time.
    """
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("fork")) as pool:
        return list(pool.map(work, items, chunksize=chunk))
