"""Start the whole system: everything that does not wait for something else runs at the same time.

with running() as stack:            # free ports and a folder of its own: fits beside any `make up`
    driver = stack.driver(stack.users[0])
    assert driver.get("/wallet").json()["balance"] == 5000
"""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import httpx

from local import blockers, city, cloud, deployment
from local.drivers import Account
from local.errors import LocalError
from local.evidence import keep_function_logs
from local.ports import HOST, Ports
from local.processes import Processes, Stopped
from local.progress import Progress
from local.stack import Stack
from local.tools import STATE_FOLDER, emulator_python

STRIPE_SECRET = {"api_key": "sk_test_local", "webhook_secret": "whsec_local"}
WALLET_MINOR = 5000
START_SECONDS_MAX = 60
REPORT_SECONDS_MAX = 60
REPORT_POLL_SECONDS = 0.5  # each look is a search by Lambda, on the processor that the reports need too
# The widest search that the API offers.
SEARCH_RADIUS_M, SEARCH_LIMIT = 5000, 100
END_POSITIONS = ("LOWERED", "RAISED")
# Of an emulator that forgets them at its end: no secret of anybody's.
TEST_USERS = tuple(Account(f"driver.{letter}@example.com", f"Parking-2026-{letter}") for letter in "ab")


@contextmanager
def running(progress: Progress | None = None) -> Iterator[Stack]:
    """Start a system, give it to the body, and stop it; LocalError when it cannot start. Quiet without `progress`."""
    ports = Ports.free()
    folder = STATE_FOLDER / "stacks" / str(ports.aws)
    with supervised(ports, folder, progress or Progress.quiet()) as (stack, _processes):
        yield stack
    # Kept after a failure, because the logs in it say why.
    shutil.rmtree(folder)


@contextmanager
def supervised(ports: Ports, folder: Path, progress: Progress) -> Iterator[tuple[Stack, Processes]]:
    """`running`, with the processes for whoever watches them."""
    shutil.rmtree(folder / "blockers", ignore_errors=True)
    # The pool is left last: its threads end soon after the processes that they wait for.
    with ThreadPoolExecutor(8) as pool, Processes(folder / "logs") as processes:
        try:
            stack = _Startup(ports, folder, progress, processes, pool).run()
            yield stack, processes
        except Exception:
            keep_function_logs(cloud.endpoint_url(ports.aws), folder / "logs")
            raise


class _Startup:
    def __init__(
        self, ports: Ports, folder: Path, progress: Progress, processes: Processes, pool: ThreadPoolExecutor
    ) -> None:
        self._ports = ports
        self._folder = folder
        self._progress = progress
        self._processes = processes
        self._pool = pool
        self._aws = cloud.endpoint_url(ports.aws)
        self._stripe = f"http://{HOST}:{ports.stripe}"

    def run(self) -> Stack:
        with deployment.only_build(self._processes):
            _all(self._pool.submit(self._build), self._pool.submit(self._start_emulators))
            with self._progress.step("sam deploy"):
                outputs = deployment.deploy(self._processes, self._ports.aws, self._stripe)
        tallinn = city.load()
        stack = Stack(
            api_url=f"{self._aws}/_aws/execute-api/{outputs['ApiId']}/$default",
            aws_endpoint_url=self._aws,
            region=cloud.REGION,
            stack_name=cloud.STACK_NAME,
            user_pool_id=outputs["UserPoolId"],
            user_pool_client_id=outputs["UserPoolClientId"],
            stripe_api_base=self._stripe,
            mqtt_host=blockers.MQTT_HOST,
            mqtt_port=self._ports.mqtt,
            lat=tallinn.latitude,
            lon=tallinn.longitude,
            simulator_url=f"http://{HOST}:{self._ports.simulator}",
            sns_record_url=f"http://{HOST}:{self._ports.sns_record}",
            users=TEST_USERS,
            outputs=outputs,
            folder=self._folder,
        )
        _all(
            self._pool.submit(self._open_wallets, stack),
            self._pool.submit(self._put_blockers_up, stack, tallinn.wishes),
        )
        self._wait_for_reports(stack, len(tallinn.wishes))
        return stack

    def _build(self) -> None:
        with self._progress.step("sam build"):
            deployment.build(self._processes, self._ports.aws)

    def _start_emulators(self) -> None:
        with self._progress.step("install the emulators"):
            python = emulator_python()
        with self._progress.step("start the emulators of AWS and Stripe"):
            ports = self._ports
            aws_ports = {"--port": ports.aws, "--mqtt-port": ports.mqtt, "--sns-record-port": ports.sns_record}
            aws = [python, "-m", "local.ministack", *chain.from_iterable(aws_ports.items())]
            stripe = [python, "-m", "local.stripe", "--port", ports.stripe]
            self._processes.start("MiniStack", aws, cloud.own_variables())
            self._processes.start("Stripe", stripe, cloud.own_variables())
            self._wait_for_answer(f"{self._aws}/_ministack/ready")
            self._wait_for_answer(f"{self._stripe}/_config/health")

    def _wait_for_answer(self, url: str) -> None:
        def answers() -> bool:
            try:
                return client.get(url).is_success
            except httpx.TransportError:
                return False

        with httpx.Client() as client:
            self._processes.wait_until(answers, url, timeout_seconds=START_SECONDS_MAX)

    def _open_wallets(self, stack: Stack) -> None:
        with self._progress.step("connect Stripe, sign up two drivers and fill their wallets"):
            secrets = stack.client("secretsmanager")
            secrets.put_secret_value(SecretId=stack.outputs["StripeSecretArn"], SecretString=json.dumps(STRIPE_SECRET))
            webhook = {"url": f"{stack.api_url}/stripe/webhook", "secret": STRIPE_SECRET["webhook_secret"]}
            httpx.post(f"{self._stripe}/_config/webhooks/backend", json=webhook).raise_for_status()
            for user in stack.users:
                self._processes.check()
                stack.deposit(stack.new_driver(user), WALLET_MINOR)

    def _wait_for_reports(self, stack: Stack, spots: int) -> None:
        driver = stack.driver(stack.users[0])
        map_of_city = f"/spots?lat={stack.lat}&lon={stack.lon}&radius_m={SEARCH_RADIUS_M}&limit={SEARCH_LIMIT}"

        def all_reported() -> bool:
            answer = driver.get(map_of_city)
            if not answer.is_success:
                raise LocalError(f"GET {map_of_city} answered {answer.status_code}: {answer.text}")
            blockers_seen = [spot["blocker"] for spot in answer.json()["items"]]
            reported = [seen for seen in blockers_seen if seen and seen["position"] in END_POSITIONS]
            return [seen["connectivity"] for seen in reported] == ["ONLINE"] * spots

        with self._progress.step("hear from every blocker"):
            self._processes.wait_until(
                all_reported,
                f"{spots} spots whose blockers have reported",
                timeout_seconds=REPORT_SECONDS_MAX,
                poll_seconds=REPORT_POLL_SECONDS,
            )

    def _put_blockers_up(self, stack: Stack, wishes: tuple[dict[str, Any], ...]) -> None:
        folder = self._folder / "blockers"
        with self._progress.step(f"provision {len(wishes)} spots"):
            blocker_ids = blockers.provision(
                self._processes, stack.outputs["ProvisionSpotFunctionName"], self._ports.aws, wishes, folder
            )
        with self._progress.step(f"connect {len(blocker_ids)} blockers"):
            blockers.simulate(self._processes, self._ports, blocker_ids, folder)


def _all(*futures: Future[None]) -> None:
    """Wait for all, or for the first error, which is raised."""
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in done:
        error = future.exception()
        if error is not None and not isinstance(error, Stopped):
            raise error
