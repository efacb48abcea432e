"""YAML read together with the line of every key and item, so that a message can name the place."""

import re
from typing import Any, TypeAlias

import yaml

from landing.errors import Problem, SitesFileInvalid

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the top of a document."""

_NODES_MAX = 100_000
"""Aliases can make a small file stand for a huge document; no sites file comes near this."""

_DEPTH_MAX = 32

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


def read_yaml(text: str) -> tuple[Any, dict[Path, int]]:
    """The document and the line, from 1, of each path in it.

    Raises:
        SitesFileInvalid: not YAML, a key twice, a key that is no text, or a document beyond all measure.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        lines = _Lines()
        if node is not None:
            lines.walk(node, (), node.start_mark.line + 1)
        if lines.problems:
            raise SitesFileInvalid(lines.problems)
        document = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SitesFileInvalid([Problem(line, "", f"not YAML: {error.problem or error.context}")]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise SitesFileInvalid([Problem(1, "", f"not YAML: {error}")]) from None
    return document, lines.found


def spell(path: Path) -> str:
    """`sites.shop.secrets[0].hash`; a key with other characters is quoted in brackets."""
    spelled = ""
    for part in path:
        if isinstance(part, int):
            spelled += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            spelled += f".{part}" if spelled else part
        else:
            spelled += f'["{part}"]'
    return spelled


class _Lines:
    """Collects the line of each path, and what is wrong with the keys."""

    def __init__(self) -> None:
        self.found: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._nodes = 0

    def walk(self, node: yaml.Node, path: Path, line: int) -> None:
        self._nodes += 1
        if self._nodes > _NODES_MAX or len(path) > _DEPTH_MAX:
            raise ValueError("the document is too large or refers to itself")
        self.found.setdefault(path, line)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.walk(item, (*path, index), item.start_mark.line + 1)
        elif isinstance(node, yaml.MappingNode):
            self._walk_mapping(node, path)

    def _walk_mapping(self, node: yaml.MappingNode, path: Path) -> None:
        seen: set[str] = set()
        merged: list[yaml.Node] = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                merged.extend(value.value if isinstance(value, yaml.SequenceNode) else [value])
            elif key.tag != "tag:yaml.org,2002:str":
                shown = key.value if isinstance(key, yaml.ScalarNode) else "this"
                self.problems.append(Problem(line, spell(path), f"{shown!r} is no text as a key: put it in quotes"))
            elif key.value in seen:
                self.problems.append(Problem(line, spell((*path, key.value)), "this key stands here twice"))
            else:
                seen.add(key.value)
                self.walk(value, (*path, key.value), line)
        # What a merge brings is overridden by the mapping's own keys, so it comes last.
        for each in merged:
            if isinstance(each, yaml.MappingNode):
                self._walk_mapping(each, path)
