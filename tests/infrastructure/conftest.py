from __future__ import annotations

import pytest

from tests.infrastructure.expanded import Template, expand


@pytest.fixture(scope="session")
def template() -> Template:
    return expand()
