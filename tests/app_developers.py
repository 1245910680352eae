"""The program of docs/app-developers.md, as its reader puts it together."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "app-developers.md"


def first_reservation() -> str:
    """The Python pieces, one below the other."""
    return "\n\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE))
