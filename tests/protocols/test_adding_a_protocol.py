"""The page that shows how a protocol is added shows what is there."""

import re
from pathlib import Path

from collector.protocols import plausible

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-protocol.md").read_text(encoding="utf-8")


def test_the_example_is_the_module_itself() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert code == Path(plausible.__file__).read_text(encoding="utf-8")


def test_the_vector_is_one_of_the_module() -> None:
    (vector,) = re.findall(r"^ *```json\n *(.*?)\n *```$", PAGE, re.MULTILINE)
    assert vector in (ROOT / "tests" / "protocols" / "plausible" / "events.jsonl").read_text(encoding="utf-8").split(
        "\n"
    )


def test_every_file_that_the_page_names_exists() -> None:
    named = {name for name in re.findall(r"`([\w/.-]+\.(?:py|md))`", PAGE) if "/" in name}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
