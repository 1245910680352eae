"""What drivers ask of the API, and the answer that the reference rules expect when nothing disturbs the request.

A creating request keeps its Idempotency-Key, so that it can be sent again, or sent again with another body.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass
