"""What schemathesis cannot know from the document; fuzz.toml names this file, and schemathesis imports it by itself.

An operation without parameters has one request, and 300 times the same one finds nothing. So it gets what no operation
knows, a query of odd names and values: it has to answer as if there were none.

A search takes a point or a box. Chance gives nearly always parts of both, and all that is seen of the map is a 400.
"""

from typing import Any

import schemathesis
from hypothesis import strategies as st

NAMES = st.from_regex(r"[a-z_]{1,20}", fullmatch=True)
UNKNOWN = st.dictionaries(NAMES, st.text(max_size=40), max_size=3)
POINT = {"lat", "lon"}
BOX = {"min_lat", "min_lon", "max_lat", "max_lon"}


@schemathesis.hook
def before_generate_query(context: Any, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The document's query, or an unknown one where there is nothing else to vary."""
    described = context.operation.definition.raw
    return strategy if described.get("parameters") or described.get("requestBody") else UNKNOWN


@schemathesis.hook
def map_case(_: Any, case: schemathesis.Case[Any]) -> schemathesis.Case[Any]:
    """The case, without the box if there is a point, where nothing in it is to be wrong."""
    if case.meta and case.meta.generation.mode.is_positive and case.query:
        unwanted = BOX if case.query.keys() >= POINT else POINT
        case.query = {name: value for name, value in case.query.items() if name not in unwanted}
    return case
