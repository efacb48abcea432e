"""What is not kept of what clients say in a query or a form: secrets, and visitors' full addresses."""

from collections.abc import Callable
from urllib.parse import unquote_plus

from collector.identity import truncated

_KEPT_OF: dict[str, Callable[[str], str]] = {
    "api_secret": lambda _: "",
    "uip": lambda address: truncated(address) or "",
    "ip": lambda address: truncated(address) or address,
    "context.ip": lambda address: truncated(address) or "",
}
"""By name of the parameter, what is kept of its value: GA4's secret, the addresses of the Measurement Protocol, of
Snowplow (the Measurement Protocol means a price by the same name) and of RudderStack's pixel."""


def kept_form(form: str) -> str:
    """A query or a form without secrets; of an address only the network is left. Everything else stays as sent."""
    return "&".join(map(_kept_pair, form.split("&")))


def _kept_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    keep = _KEPT_OF.get(unquote_plus(name) if "%" in name else name)
    if keep is None:
        return pair
    sent = unquote_plus(value)
    kept = keep(sent)
    return pair if kept == sent else f"{name}{equals}{kept}"
