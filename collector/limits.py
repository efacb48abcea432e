"""Every limit of the collector: what one request may hold. What happens one past each is tested."""

WIRE_BYTES_MAX = 1_048_576
"""Bytes of a request body as sent; more is answered 413."""

INFLATED_BYTES_MAX = 4_194_304
"""Bytes of a request body after gzip is undone; more is answered 413. Bounds a gzip bomb."""

EVENTS_MAX = 2_500
"""Events of one request; more is answered 413. The batching SDKs assume that 2,500 pass."""

EVENT_CHARS_MAX = 65_536
"""Characters of one event's JSON; a longer one is rejected alone."""

JSON_DEPTH_MAX = 32
"""Levels of arrays and objects in a body; deeper is answered 400."""

TEXT_CHARS_MAX = 8_192
"""Characters of a text or key inside props, items, traits and other JSON columns; longer is cut with a warning."""

NUMBER_DIGITS_MAX = 400
"""Digits or decimal exponent of a number inside a JSON column; larger becomes null with a warning."""

PATH_CHARS_MAX = 2_048
"""Characters of the path; longer is answered 414."""

QUERY_CHARS_MAX = 16_384
"""Characters of the query; longer is answered 414."""

HEADER_BYTES_MAX = 65_536
"""Bytes of the request line and all headers together; the server answers more with 431 and nothing is kept."""

WARNINGS_MAX = 20
"""Warnings kept per event."""

REJECT_BODY_BYTES_MAX = 65_536
"""Bytes of a refused part that a reject keeps."""
