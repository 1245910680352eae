"""Whatever is sent: a problem document that names the field, never a failure of ours, never a word about our inside."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from local.drivers import Driver
from tests.e2e.malformed import Request, malformed, wellformed
from tests.e2e.openapi import Operation, operations
from tests.e2e.stays import balance, everything, now, paid, wish
from tests.e2e.world import Json, Spot, World, expect, instant, utc

OPERATIONS = {operation.name: operation for operation in operations()}
TOO_LARGE_BYTES = 17_000
HUGE_BYTES = 5_000_000
INSIDE = ("Traceback", 'File "', "/python/", "pydantic", "botocore", "dynamodb", "errorType", "Exception", "lambda")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def sender(world: World) -> Driver:
    """Nothing that this driver sends has an effect, so all requests may share the driver."""
    return world.driver(1000)


@pytest.fixture(scope="module")
def spot(world: World) -> Spot:
    """No request of these tests books anything that it does not cancel, so they share a spot too."""
    return world.spot()


def send(world: World, sender: Driver, request: Request) -> httpx.Response:
    headers = {"authorization": f"Bearer {sender.access_token}"}
    raw = [(name.encode(), value.encode()) for name, value in {**headers, **request.headers}.items()]
    url = world.stack.api_url + request.url
    return httpx.request(request.method, url, headers=raw, content=request.body, timeout=60)


def complaint(answer: httpx.Response, names: str | None, allowed: tuple[int, ...] = (400,)) -> str | None:
    """What is wrong with a refusal, or None."""
    if answer.status_code not in allowed:
        return f"{answer.status_code} {answer.text[:300]}"
    if answer.headers.get("content-type") != "application/problem+json":
        return f"content type {answer.headers.get('content-type')}: {answer.text[:200]}"
    if leaked := [word for word in INSIDE if word in answer.text]:
        return f"{leaked} in {answer.text[:300]}"
    problem: Json = answer.json()
    if missing := {"type", "title", "status", "detail", "code", "request_id"} - set(problem):
        return f"{missing} missing"
    fields = [error["field"].lower() for error in problem.get("errors") or []]
    if names is not None and not any(
        field == names.lower() or field.startswith(f"{names.lower()}.") for field in fields
    ):
        return f"names {fields}, not {names}"
    return None


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_each_thing_that_can_be_wrong_is_refused_by_its_name(
    world: World, sender: Driver, operation: Operation
) -> None:
    requests = list(malformed(operation))

    def complaint_about(request: Request) -> str | None:
        said = complaint(send(world, sender, request), request.names)
        return said and f"{request.what}: {said}"

    with ThreadPoolExecutor(4) as pool:
        complaints = [one for one in pool.map(complaint_about, requests) if one]
    assert complaints == []


@pytest.mark.parametrize("operation", [one for one in operations() if not one.is_public], ids=lambda one: one.name)
def test_what_the_document_allows_is_not_a_bad_request(world: World, sender: Driver, operation: Operation) -> None:
    """Else the test above would prove nothing: the request that it spoils is well formed."""
    answer = send(world, sender, wellformed(operation))
    if operation.path.endswith("/availability"):
        assert complaint(answer, "spot_id", (404,)) is None, answer.text
    elif operation.name == "DELETE /account":  # the sender's money keeps it open
        assert complaint(answer, None, (409,)) is None, answer.text
    elif answer.status_code == httpx.codes.NOT_FOUND:
        assert complaint(answer, None, (404,)) is None, answer.text
    else:
        assert answer.is_success, answer.text


@pytest.mark.parametrize("size", [TOO_LARGE_BYTES, HUGE_BYTES])
def test_a_body_that_is_too_large_is_refused(world: World, sender: Driver, size: int) -> None:
    for operation in OPERATIONS.values():
        if operation.fields:
            good = wellformed(operation)
            body = b'{"a": "' + b"a" * size + b'"}'
            request = Request("huge", "", good.method, good.path, headers=good.headers, body=body)
            said = complaint(send(world, sender, request), None, (413,))
            assert said is None, f"{operation.name}: {said}"


def test_a_query_parameter_that_comes_twice_is_no_failure(world: World, sender: Driver) -> None:
    for operation in OPERATIONS.values():
        if operation.method == "GET" and operation.in_place("query"):
            good = wellformed(operation)
            for parameter in operation.in_place("query"):
                twice = (*good.query, (parameter.name, "1"), (parameter.name, "x"))
                request = Request("twice", "", good.method, good.path, query=twice, headers=good.headers)
                status = send(world, sender, request).status_code
                assert status < httpx.codes.INTERNAL_SERVER_ERROR, f"{operation.name} {parameter.name}: {status}"


def test_what_is_no_route_is_not_found(sender: Driver) -> None:
    for path in (
        "/",
        "/nothing",
        "/reservations/",
        "/reservations/a/b/c",
        "/wallet/deposits/x",
        "/%ff",
        "/spots/a%00b",
    ):
        for method in ("GET", "POST", "PATCH", "OPTIONS", "TRACE"):
            status = sender.request(method, path).status_code
            assert httpx.codes.BAD_REQUEST <= status < httpx.codes.INTERNAL_SERVER_ERROR or (
                method == "OPTIONS" and status < httpx.codes.BAD_REQUEST
            ), f"{method} {path}: {status}"


# -- what no schema can say ---------------------------------------------------------------------------------------


def named(answer: httpx.Response, status: int = 400) -> list[str]:
    """The fields that a refusal names."""
    said = complaint(answer, None, (status,))
    assert said is None, said
    return [error["field"] for error in answer.json()["errors"]]


def test_a_stay_that_nobody_could_book_is_refused_by_the_field(spot: Spot, sender: Driver) -> None:
    begins = now() + HOUR
    for starts, ends, field in (
        (begins - 3 * HOUR, begins, "starts_at"),  # past
        (begins, begins - timedelta(minutes=30), "ends_at"),  # end before start
        (begins, begins, "ends_at"),
        (begins, begins + timedelta(minutes=14), "ends_at"),  # shorter than the tariff's minimum
        (begins, begins + timedelta(days=7, seconds=1), "ends_at"),  # longer than seven days
        (begins + timedelta(days=90), begins + timedelta(days=90) + HOUR, "starts_at"),  # too far ahead
    ):
        window = {"starts_at": utc(starts), "ends_at": utc(ends)}
        assert named(sender.post("/reservations", {"spot_id": spot.spot_id, **window})) == [field], window
        query = "&".join(f"{name}={value}" for name, value in window.items())
        assert named(sender.get(f"/spots/{spot.spot_id}/quote?{query}")) == [field], window
    assert named(sender.post("/reservations", {"spot_id": spot.spot_id, "ends_at": utc(now() - HOUR)})) == ["ends_at"]
    assert everything(sender, "/reservations") == []


def test_an_unknown_spot_is_not_found_by_its_field(sender: Driver) -> None:
    assert named(sender.post("/reservations", wish(Spot("no-such-spot"))), 404) == ["spot_id"]
    window = f"starts_at={utc(now() + HOUR)}&ends_at={utc(now() + 2 * HOUR)}"
    for path in ("", f"/availability?day={now().date()}", f"/quote?{window}"):
        assert named(sender.get(f"/spots/no-such-spot{path}"), 404) == ["spot_id"]


def test_a_window_of_the_search_is_checked(world: World, sender: Driver) -> None:
    place = f"/spots?lat={world.stack.lat}&lon={world.stack.lon}"
    starts, ends = now() + HOUR, now() + 2 * HOUR
    assert named(sender.get(f"{place}&starts_at={utc(starts)}")) == ["ends_at"]
    assert named(sender.get(f"{place}&ends_at={utc(ends)}")) == ["starts_at"]
    assert named(sender.get(f"{place}&starts_at={utc(ends)}&ends_at={utc(starts)}")) == ["ends_at"]
    assert named(sender.get(f"{place}&starts_at={utc(starts)}&ends_at={utc(starts + timedelta(days=8))}")) == [
        "ends_at"
    ]


@pytest.mark.parametrize("days", [-2, 93])
def test_a_day_that_nobody_could_book_is_refused(spot: Spot, sender: Driver, days: int) -> None:
    day = now().date() + timedelta(days=days)
    assert named(sender.get(f"/spots/{spot.spot_id}/availability?day={day}")) == ["day"]


def test_a_price_that_the_driver_did_not_see_is_refused_with_the_right_one(spot: Spot, sender: Driver) -> None:
    body = wish(spot, begins_in=HOUR)
    refused = expect(409, sender.post("/reservations", body | {"quoted_amount": 1}))
    assert refused["code"] == "price_changed"
    held = expect(201, sender.post("/reservations", body | {"quoted_amount": refused["amount"]}))
    expect(200, sender.post(f"/reservations/{held['reservation_id']}/cancellation"))


def test_an_extension_that_is_none_is_refused(spot: Spot, driver: Driver) -> None:
    stay = paid(driver, spot, begins_in=HOUR)
    path, money = f"/reservations/{stay['reservation_id']}", balance(driver)
    ends = instant(stay["ends_at"])
    for asked in (ends, ends - HOUR, now() - HOUR, ends + timedelta(minutes=1)):
        assert named(driver.post(f"{path}/extensions", {"ends_at": utc(asked)})) == ["ends_at"]
        assert named(driver.get(f"{path}/extension?ends_at={utc(asked)}")) == ["ends_at"]
    too_long = expect(409, driver.post(f"{path}/extensions", {"ends_at": utc(ends + timedelta(days=8))}))
    assert too_long["code"] == "extension_unavailable"
    unknown = {"reservation_id": stay["reservation_id"], "extension_id": "ext_unknown", "method": "WALLET"}
    assert named(driver.post("/payments", unknown), 404) == ["extension_id"]
    assert balance(driver) == money
