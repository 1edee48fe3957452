"""Reading a YAML file so that every fault in it can be told with its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

Step = str | int
YamlPath = tuple[Step, ...]
"""Where something stands in a file: ("rules", 3, "when")."""


@dataclass(frozen=True, order=True)
class Fault:
    """Something wrong in a file, told as `knowledge/rules.yml:123: E05: ...`."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """The fault in the form that editors can jump to."""
        return f"{self.file}:{self.line}: {self.message}"


@dataclass
class Document:
    """The data of a file, the line of everything in it, and what is wrong with it."""

    name: str
    data: Any = None
    lines: dict[YamlPath, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    at_fault: set[YamlPath] = field(default_factory=set)

    def line(self, path: YamlPath) -> int:
        """The line of an entry, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fault(self, path: YamlPath, message: str) -> None:
        """Note something wrong at a place in the file; its entry, such as ("rules", 3), is then at fault."""
        self.at_fault.add(path[:2])
        self.faults.append(Fault(self.name, self.line(path), message))


class _Loader(yaml.SafeLoader):
    """A SafeLoader that leaves an impossible date such as 2026-13-45 as text, to be told as a fault."""

    def construct_date(self, node: yaml.ScalarNode) -> object:
        """A date; or the text itself, where the calendar has no such day."""
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError:
            return self.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_date)


def read_yaml(path: Path) -> Document:
    """Read a file; what is wrong with its YAML is noted in the document, whose data is then None."""
    document = Document(f"{path.parent.name}/{path.name}")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        document.fault((), "there is no such file")
    except (OSError, UnicodeDecodeError) as error:
        document.fault((), f"cannot be read: {error}")
    else:
        _parse(text, document)
    return document


def _parse(text: str, document: Document) -> None:
    """Fill a document from YAML text."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            document.fault((), "the file is empty")
            return
        document.data = loader.construct_document(node)
        _note_lines(loader, node, (), document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        document.faults.append(
            Fault(document.name, line, f"not valid YAML: {error.problem or error.context}")
        )
    except yaml.YAMLError as error:
        document.fault((), f"not valid YAML: {' '.join(str(error).split())}")


def _note_lines(loader: _Loader, node: yaml.Node, path: YamlPath, document: Document) -> None:
    """Note the line of everything below a node; keys given twice, and keys that are not text, are faults."""
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node)
            below = (*path, key)
            first = document.lines.get(below)
            document.lines[below] = key_node.start_mark.line + 1
            if first is not None:
                document.fault(below, f"the key '{key}' is given twice, first in line {first}")
            if not isinstance(key, str):
                document.fault(below, f"put quotes around '{key_node.value}', else it is {_kind(key)}")
            _note_lines(loader, value_node, below, document)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            place = (*path, index)
            document.lines[place] = item.start_mark.line + 1
            _note_lines(loader, item, place, document)


def _kind(value: object) -> str:
    """What YAML made of a word, for people."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, date):
        return "a date"
    return "a number" if isinstance(value, (int, float)) else "nothing"
