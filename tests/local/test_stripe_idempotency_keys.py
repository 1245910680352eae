"""The rules of https://docs.stripe.com/api/idempotent_requests, without a server."""

from local.stripe.idempotency_keys import Answer, IdempotencyKeys

STORED = Answer(200, b"{}")


def test_a_new_key_is_executed() -> None:
    assert IdempotencyKeys().claim("sk_1", "key", "amount=1") == "new"


def test_a_key_in_flight_is_refused() -> None:
    keys = IdempotencyKeys()
    keys.claim("sk_1", "key", "amount=1")
    assert keys.claim("sk_1", "key", "amount=1") == "in_flight"


def test_an_answered_key_is_replayed_a_stored_500_included() -> None:
    for answer in (STORED, Answer(500, b'{"error": {}}')):
        keys = IdempotencyKeys()
        keys.claim("sk_1", "key", "amount=1")
        keys.keep("sk_1", "key", answer)
        assert keys.claim("sk_1", "key", "amount=1") == answer


def test_a_key_with_other_parameters_is_refused_whether_answered_or_not() -> None:
    keys = IdempotencyKeys()
    keys.claim("sk_1", "key", "amount=1")
    assert keys.claim("sk_1", "key", "amount=2") == "other_parameters"
    keys.keep("sk_1", "key", STORED)
    assert keys.claim("sk_1", "key", "amount=2") == "other_parameters"


def test_a_released_key_may_be_tried_again_with_other_parameters() -> None:
    keys = IdempotencyKeys()
    keys.claim("sk_1", "key", "amount=nonsense")
    keys.release("sk_1", "key")
    assert keys.claim("sk_1", "key", "amount=1") == "new"


def test_two_accounts_do_not_share_keys() -> None:
    keys = IdempotencyKeys()
    keys.claim("sk_1", "key", "amount=1")
    assert keys.claim("sk_2", "key", "amount=1") == "new"
