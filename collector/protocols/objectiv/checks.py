"""The taxonomy compiled into tables, and events checked against them: some microseconds each.

Every type of context is a bit. A type's ancestors, and what it needs, are sets of bits, so that "everything that is
needed is present" is one operation however deep the hierarchy is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.protocols.objectiv.properties import Complaint, compile_property
from collector.protocols.objectiv.reasons import ObjectivReason
from landing.taxonomy import Taxonomy, base_taxonomy

FUTURE_TOLERATED_MS = 300_000
"""How far an event may be ahead of its transport time."""

_FINDINGS_MAX = 10
"""Contexts are looked at until this much is wrong: one event could otherwise be answered with megabytes."""

_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_EVERY_EVENT = dict.fromkeys(("id", "time", "location_stack", "global_contexts")).keys()
_NEEDED = dict.fromkeys(("_type", *_EVERY_EVENT)).keys()
"""In the order in which what is missing is told."""
_LISTS = (("location_stack", "AbstractLocationContext"), ("global_contexts", "AbstractGlobalContext"))

_EXACT = {
    "InteractiveEvent": ("RootLocationContext", "PathContext"),
    "PressEvent": ("PressableContext",),
    "InputChangeEvent": ("InputContext",),
    "MediaEvent": ("MediaPlayerContext",),
}
"""What the newer collector asks of exactly these types, and not of those below them; any event needs an application."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with an event.

    Attributes:
        reason: Its code.
        info: What exactly, for people.
        data: The event or the context at fault.
    """

    reason: ObjectivReason
    info: str
    data: object


@dataclass(slots=True)
class Checked:
    """What checking found out.

    Attributes:
        findings: Empty for a valid event.
        types: The event's type after its ancestors.
        first: The first context of each type.
        warnings: Rules of the newer collector that the event breaks, as `code:field`.
    """

    findings: list[Finding] = field(default_factory=list)
    types: tuple[str, ...] = ()
    first: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Context:
    """A type of contexts: its own and its ancestors' bits, the bits it needs, its properties."""

    bits: int
    needs: int
    texts: tuple[str, ...]
    others: tuple[tuple[str, bool, Complaint], ...]


@dataclass(frozen=True, slots=True)
class _Event:
    """A type of events. `lenient_needs` is what the newer collector asks; None for types that it does not know."""

    types: tuple[str, ...]
    needs: int
    lenient_needs: int | None
    properties: tuple[tuple[str, bool, Complaint], ...]


class Checker:
    """A taxonomy, ready to check events.

    Args:
        taxonomy: The base with its extensions.
        takes_either: What only the newer collector took is taken too.
    """

    def __init__(self, taxonomy: Taxonomy, *, takes_either: bool) -> None:
        self._bit = {name: 1 << number for number, name in enumerate(taxonomy.contexts)}
        self._contexts = {name: self._context(taxonomy, name) for name in taxonomy.contexts}
        self._events = {name: self._event(taxonomy, name) for name in taxonomy.events}
        self._kinds = {kind: self._bit[kind] for _, kind in _LISTS}
        self._takes_either = takes_either
        self._is_id = (_UUID if takes_either else _UUID4).fullmatch

    def bits(self, names: Sequence[str]) -> int:
        """Contexts that are added later, to be counted as present."""
        found = 0
        for name in names:
            found |= self._contexts[name].bits
        return found

    def check(self, event: dict[str, Any], *, transport_ms: float, added: int = 0) -> Checked:
        """Check one event.

        Args:
            event: As sent.
            transport_ms: When it was sent, by the clock that `time` is by.
            added: Bits of contexts that the collector adds.
        """
        checked = Checked()
        findings = checked.findings
        self._check_basics(event, transport_ms, findings)
        present = added
        needs = 0
        for key, kind in _LISTS:
            contexts = event.get(key)
            if isinstance(contexts, list):
                there, needed = self._check_contexts(contexts, key, self._kinds[kind], checked)
                present |= there
                needs |= needed
        name = event.get("_type")
        rules = self._events.get(name) if isinstance(name, str) else None
        if rules is None:
            if "_type" in event:
                findings.insert(0, Finding(ObjectivReason.UNKNOWN_EVENT_TYPE, f"unknown event {name!r:.200}", event))
            return checked
        checked.types = rules.types
        for key, is_optional, complain in rules.properties:
            _check_property(event, key, complain, is_optional=is_optional, findings=findings)
        missing = (needs | rules.needs) & ~present
        if missing and not (
            self._takes_either and rules.lenient_needs is not None and not rules.lenient_needs & ~present
        ):
            names = ", ".join(each for each, bit in self._bit.items() if bit & missing)
            findings.append(Finding(ObjectivReason.MISSING_CONTEXT, f"{name} needs {names}", event))
        if not findings:
            checked.warnings = broken_newer_rules(event)
        return checked

    def _check_basics(self, event: dict[str, Any], transport_ms: float, findings: list[Finding]) -> None:
        if not event.keys() >= _NEEDED:
            findings.extend(
                Finding(ObjectivReason.MISSING_PROPERTY, f"{key} is missing", event)
                for key in _NEEDED
                if key not in event
            )
        for key, _ in _LISTS:
            if not isinstance(event.get(key, []), list):
                findings.append(Finding(ObjectivReason.WRONG_PROPERTY, f"{key} is no array", event))
        event_id, time_ms = event.get("id"), event.get("time")
        if "id" in event and not (isinstance(event_id, str) and self._is_id(event_id)):
            findings.append(Finding(ObjectivReason.INVALID_ID, "id is no UUID of version 4 in lower case", event))
        if "time" not in event:
            return
        if isinstance(time_ms, bool) or not isinstance(time_ms, (int, float)):
            findings.append(Finding(ObjectivReason.INVALID_TIME, "time is no number", event))
        elif time_ms > transport_ms + FUTURE_TOLERATED_MS:
            findings.append(Finding(ObjectivReason.TIME_IN_FUTURE, "time is after the transport time", event))

    def _check_contexts(self, contexts: list[Any], key: str, kind: int, checked: Checked) -> tuple[int, int]:
        """Check a list of contexts; returns the bits of what is there and of what that needs."""
        present = needs = 0
        findings, first, known = checked.findings, checked.first, self._contexts
        for context in contexts:
            if len(findings) >= _FINDINGS_MAX:
                break
            try:
                name = context["_type"]
                rules = known[name]
            except (KeyError, TypeError):  # no object, or of no type that there is
                name = context.get("_type") if isinstance(context, dict) else None
                info = f"unknown context {name!r:.200} in {key}"
                findings.append(Finding(ObjectivReason.UNKNOWN_CONTEXT_TYPE, info, context))
                continue
            if not rules.bits & kind:
                findings.append(Finding(ObjectivReason.MISPLACED_CONTEXT, f"{name} does not belong in {key}", context))
            for text in rules.texts:
                if type(context.get(text)) is not str:
                    reason = ObjectivReason.WRONG_PROPERTY if text in context else ObjectivReason.MISSING_PROPERTY
                    words = "is no string" if text in context else "is missing"
                    findings.append(Finding(reason, f"{text} of {name} {words}", context))
            for other, is_optional, complain in rules.others:
                _check_property(context, other, complain, is_optional=is_optional, findings=findings)
            first.setdefault(name, context)
            present |= rules.bits
            needs |= rules.needs
        return present, needs

    def _context(self, taxonomy: Taxonomy, name: str) -> _Context:
        bits = needs = 0
        for ancestor in taxonomy.lineage("contexts", name):
            bits |= self._bit[ancestor]
            for required in taxonomy.contexts[ancestor].requires:
                needs |= self._bit[required]
        texts: list[str] = []
        others: list[tuple[str, bool, Complaint]] = []
        for key, schema in taxonomy.properties("contexts", name).items():
            if schema == {"type": "string"}:
                texts.append(key)
            else:
                others.append((key, schema.get("optional", False), compile_property(schema)))
        return _Context(bits, needs, tuple(texts), tuple(others))

    def _event(self, taxonomy: Taxonomy, name: str) -> _Event:
        types = taxonomy.lineage("events", name)
        needs = 0
        for ancestor in types:
            for required in taxonomy.events[ancestor].requires:
                needs |= self._bit[required]
        lenient = None
        if name in base_taxonomy().events:
            lenient = 0
            for required in ("ApplicationContext", *_EXACT.get(name, ())):
                lenient |= self._bit[required]
        properties = tuple(
            (key, schema.get("optional", False), compile_property(schema))
            for key, schema in taxonomy.properties("events", name).items()
            if key not in _EVERY_EVENT
        )
        return _Event(types, needs, lenient, properties)


def _check_property(
    holder: dict[str, Any], key: str, complain: Complaint, *, is_optional: bool, findings: list[Finding]
) -> None:
    value = holder.get(key)
    if value is None and is_optional:
        return
    if key not in holder:
        info = f"{key} of {holder.get('_type')} is missing"
        findings.append(Finding(ObjectivReason.MISSING_PROPERTY, info, holder))
        return
    complaint = complain(value)
    if complaint is not None:
        info = f"{key} of {holder.get('_type')} {complaint}"
        findings.append(Finding(ObjectivReason.WRONG_PROPERTY, info, holder))


def broken_newer_rules(event: dict[str, Any]) -> list[str]:
    """What only the newer collector asks of a valid event, as `code:field`: no reason to lose the event."""
    warnings = []
    name, stack, contexts = event["_type"], event["location_stack"], event["global_contexts"]
    # What differs in its type does not repeat, and comparing types alone is quicker.
    if len({each["_type"] for each in stack}) < len(stack) > len({(each["_type"], each["id"]) for each in stack}):
        warnings.append("repeated_context:location_stack")
    if len({each["_type"] for each in contexts}) < len(contexts):
        keys = {
            (each["_type"], each["id"], each["value"] if each["_type"] == "InputValueContext" else None)
            for each in contexts
        }
        if len(keys) < len(contexts):
            warnings.append("repeated_context:global_contexts")
    if name == "InteractiveEvent" and stack and stack[0]["_type"] != "RootLocationContext":
        warnings.append("root_not_first:location_stack")
    elif name == "InputChangeEvent":
        inputs = [*(each for each in stack if each["_type"] == "InputContext")]
        inputs += [each for each in contexts if each["_type"] == "InputValueContext"]
        if len({each["id"] for each in inputs}) > 1:
            warnings.append("ids_differ:input_contexts")
    return warnings
