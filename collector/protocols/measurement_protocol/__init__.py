"""Google's Measurement Protocol, version 1; GA4's protocols for servers and browsers; and Webalytic's dialect.

One hit or event becomes one event of the contract or one reject. Answers do not depend on what hits are worth.
"""

from collector.protocols.measurement_protocol.endpoints import FAMILIES

__all__ = ["FAMILIES"]
