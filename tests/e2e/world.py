"""What an end-to-end test does with the running system: act as a driver, move a car, let a schedule run, read a log."""

import base64
import json
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import httpx

from local import city
from local.drivers import Account, Driver
from local.stack import Stack
from local.waiting import wait_until
from parking.domain.spot import Location

WAIT_SECONDS_MAX = 20
AT_ONCE = 12  # what two cores serve without a queue that hides a race
PASSWORD = "Parking-2026-e2e"

type Json = dict[str, Any]


def eventually[T](look: Callable[[], T | None], what: str) -> T:
    """Look until there is something to see, and return it; LocalError after the deadline."""
    seen: list[T] = []

    def found() -> bool:
        value = look()
        if value:
            seen.append(value)
        return bool(value)

    wait_until(found, what, timeout_seconds=WAIT_SECONDS_MAX)
    return seen[0]


def at_once[T](tasks: Iterable[Callable[[], T]]) -> list[T]:
    """The results of tasks that start together, as many as there are."""
    tasks = list(tasks)
    gate = threading.Barrier(len(tasks))

    def started(task: Callable[[], T]) -> T:
        gate.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(started, tasks))


def utc(instant: datetime) -> str:
    """An instant as the API speaks it, cut to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """An instant that the API spoke."""
    return datetime.fromisoformat(text)


def expect(status: int, response: httpx.Response) -> Json:
    """The answer's body, if the answer has this status."""
    assert response.status_code == status, f"{response.request.method} {response.request.url}: {response.text}"
    body: Json = response.json() if response.content else {}
    return body


def _location(wish: Json) -> Location:
    return Location(wish["latitude"], wish["longitude"])


def base64url(text: str) -> bytes:
    """The bytes of a part of a JSON Web Token, whose padding is left out."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Spot:
    """A spot that belongs to one test, with a simulated blocker."""

    spot_id: str

    @property
    def blocker_id(self) -> str:
        return f"blocker-{self.spot_id}"


@dataclass
class World:
    """The running system. `drivers` are all that the session made, for what must hold of each at the end."""

    stack: Stack
    drivers: list[Driver] = field(default_factory=list)
    secrets_seen: set[str] = field(default_factory=set)
    made_by_hand: set[str] = field(default_factory=set)
    """Stripe's objects that a test made behind the backend's back: the reconciliation reports them rightly."""
    emails: set[str] = field(default_factory=set)
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        usual = [wish for wish in city.load().wishes if wish["idle_position"] == "LOWERED"]
        # Those that sell short stays last, so that they are left for the tests that need them.
        self._free_spots = sorted(usual, key=lambda wish: -wish["tariff"]["minimum_minutes"])

    # -- who and where

    def spot(self, minimum_minutes: int = 60) -> Spot:
        """A spot that no other test uses: idles LOWERED, and sells stays as short as that."""
        wish = next(wish for wish in self._free_spots if wish["tariff"]["minimum_minutes"] <= minimum_minutes)
        self._free_spots.remove(wish)
        return Spot(wish["spot_id"])

    def spot_near(self, other: Spot) -> Spot:
        """The nearest spot to another one that no other test uses."""
        wishes = {wish["spot_id"]: wish for wish in city.load().wishes}

        def metres(wish: Json) -> float:
            return _location(wish).distance_m(_location(wishes[other.spot_id]))

        wish = min(self._free_spots, key=metres)
        self._free_spots.remove(wish)
        return Spot(wish["spot_id"])

    def spot_without_machine(self) -> Spot:
        """A new spot whose blocker was provisioned and never connected: it can be booked for later only."""
        wish = city.load().wishes[0] | {"spot_id": f"paper-{uuid.uuid4().hex[:12]}", "idle_position": "LOWERED"}
        answer, failed = self.invoke("ProvisionSpot", wish)
        assert not failed, answer
        return Spot(wish["spot_id"])

    def driver(self, wallet_minor: int = 0) -> Driver:
        """A new driver, with money from a real deposit."""
        account = Account(f"{uuid.uuid4().hex}@example.com", PASSWORD)
        self.emails.add(account.email)
        driver = self.stack.new_driver(account)
        if wallet_minor:
            self.stack.deposit(driver, wallet_minor)
        self.drivers.append(driver)
        return driver

    def many_drivers(self, count: int) -> list[Driver]:
        """New drivers without money."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda _: self.driver(), range(count)))

    # -- functions that no driver reaches

    @cached_property
    def functions(self) -> dict[str, str]:
        """The names of the functions by the template's names."""
        return self._resources("AWS::Lambda::Function")

    @cached_property
    def roles(self) -> dict[str, str]:
        """The names of the roles by the template's names."""
        return self._resources("AWS::IAM::Role")

    @cached_property
    def queues(self) -> dict[str, str]:
        """The addresses of the queues by the template's names."""
        return self._resources("AWS::SQS::Queue")

    def failed(self) -> dict[str, list[str]]:
        """What waits in failure queues, by the template's names; queues that are empty are left out."""
        sqs = self.stack.client("sqs")
        found = {
            name: [
                one["Body"] for one in sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages", [])
            ]
            for name, address in self.queues.items()
        }
        return {name: bodies for name, bodies in found.items() if bodies}

    @cached_property
    def tables(self) -> dict[str, str]:
        """The names of the tables by the template's names."""
        return self._resources("AWS::DynamoDB::Table")

    def items(self, table: str) -> list[Json]:
        """Every item of a table that the template names so: who judges may scan, the system may not."""
        pages = self.stack.client("dynamodb").get_paginator("scan").paginate(TableName=self.tables[table])
        return [item for page in pages for item in page["Items"]]

    def tables_as_text(self) -> dict[str, str]:
        """Everything that each table holds, by the template's names."""
        return {table: "\n".join(json.dumps(item, default=str) for item in self.items(table)) for table in self.tables}

    def _resources(self, kind: str) -> dict[str, str]:
        pages = self.stack.client("cloudformation").get_paginator("list_stack_resources")
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.stack.stack_name)
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == kind
        }

    @cached_property
    def _lambda(self) -> Any:
        return self.stack.client("lambda")

    def invoke(self, function: str, event: Json) -> tuple[Json, bool]:
        """The answer of a function that the template names so, and whether it is an error."""
        answer = self._lambda.invoke(FunctionName=self.functions[function], Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read()), "FunctionError" in answer

    def tick(self, schedule: str, at: datetime) -> Json:
        """Run a scheduled function as EventBridge would at that time."""
        event = {"source": "aws.events", "detail-type": "Scheduled Event", "id": uuid.uuid4().hex, "time": utc(at)}
        answer, failed = self.invoke(schedule, event)
        assert not failed, answer
        return answer

    def request_at(
        self,
        at: datetime,
        driver: Driver,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        of: str = "Reservations",
    ) -> Json:
        """A driver's request of an API function as if API Gateway had taken it at that time: status and body."""
        claims = json.loads(base64url(driver.access_token.split(".")[1]))
        headers = {"content-type": "application/json", "idempotency-key": uuid.uuid4().hex}
        context = {
            "http": {"method": method, "path": path},
            "requestId": uuid.uuid4().hex,
            "stage": "$default",
            "timeEpoch": int(at.timestamp() * 1000),
            "authorizer": {"jwt": {"claims": claims, "scopes": []}},
        }
        event = {"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": headers, "requestContext": context}
        answer, failed = self.invoke(f"{of}Api", event | {"body": json.dumps(body), "isBase64Encoded": False})
        assert not failed, answer
        return {"status": answer["statusCode"], "body": json.loads(answer["body"])}

    def reconcile(self, since: datetime, until: datetime) -> Json:
        """The report of the nightly comparison with Stripe, invoked by an operator for a period."""
        event = {"time": utc(until), "since": utc(since), "until": utc(until)}
        report, failed = self.invoke("PaymentsReconcile", event)
        assert not failed, report
        return report

    # -- the street

    @cached_property
    def _street(self) -> httpx.Client:
        return httpx.Client(base_url=self.stack.simulator_url, timeout=15)

    def machine(self, spot: Spot) -> Json:
        """What the device itself knows."""
        return expect(200, self._street.get(f"/blockers/{spot.blocker_id}"))

    def put_car(self, spot: Spot, *, present: bool) -> None:
        """Drive a car onto the spot, or away."""
        expect(200, self._street.put(f"/blockers/{spot.blocker_id}/car", json={"present": present}))

    def put_network(self, spot: Spot, *, online: bool) -> None:
        """Break the device's connection without goodbye, or connect it again."""
        expect(200, self._street.put(f"/blockers/{spot.blocker_id}/network", json={"online": online}))

    def type_code(self, spot: Spot, code: str) -> str:
        """Type a code at the barrier: what the device makes of it."""
        seen = expect(200, self._street.put(f"/blockers/{spot.blocker_id}/code", json={"code": code}))
        return str([entry["detail"] for entry in seen["journal"] if entry["what"] == "code"][-1])

    def await_machine(self, spot: Spot, position: str) -> None:
        """Until the device itself stands at the position."""
        eventually(lambda: self.machine(spot)["position"] == position, f"{spot.blocker_id} to be {position}")

    def shadow(self, spot: Spot) -> Json:
        """The named shadow's state."""
        answer = self.stack.client("iot-data").get_thing_shadow(thingName=spot.blocker_id, shadowName="barrier")
        state: Json = json.loads(answer["payload"].read())["state"]
        return state

    def report_again_at(self, spot: Spot, at: datetime) -> None:
        """What the device last said, as if it said it at that time: so that it is fresh for who travels in time."""
        answer = self.stack.client("iot-data").get_thing_shadow(thingName=spot.blocker_id, shadowName="barrier")
        document = json.loads(answer["payload"].read())
        said = {name: {"timestamp": int(at.timestamp())} for name in document["state"]["reported"]}
        current = {
            "state": document["state"],
            "metadata": {"reported": said},
            "version": document["version"] + 1,
        }
        event = {"blocker_id": spot.blocker_id, "current": current, "received_at_ms": int(at.timestamp() * 1000)}
        heard, failed = self.invoke("BlockersOnShadowUpdate", event)
        assert not failed, heard

    def report_for_a_command(self, spot: Spot, at: datetime) -> None:
        """The same where the device is to be commanded afterwards: the shadow comes to the version of the report."""
        self.report_again_at(spot, at)
        same = {"state": {"reported": {"position": self.shadow(spot)["reported"]["position"]}}}
        self.stack.client("iot-data").update_thing_shadow(
            thingName=spot.blocker_id, shadowName="barrier", payload=json.dumps(same).encode()
        )

    # -- logs

    def log(self, function: str) -> list[str]:
        """Every log line of a function."""
        return self._lines(self.log_group(function))

    def log_group(self, function: str) -> str:
        """The log group of a function that the template names so."""
        return f"/aws/lambda/{self.stack.stack_name}/{function}"

    def logs(self) -> dict[str, list[str]]:
        """Every log line of everything, by log group."""
        pages = self.stack.client("logs").get_paginator("describe_log_groups").paginate()
        names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
        return {name: self._lines(name) for name in names}

    def _lines(self, group: str) -> list[str]:
        pages = self.stack.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]
