"""MiniStack for tests: started by the project's launcher, reached through boto3, seen through what probes recorded."""

import io
import json
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
from botocore.config import Config

from local.ports import HOST, Ports
from local.tools import ROOT, emulator_python

PROBES = Path(__file__).parent / "ministack_probes"
REGION = "eu-central-1"
PASSWORD = "Correct-horse-1"
START_TIMEOUT_SECONDS = 30


def eventually[T](read: Callable[[], T], accepted: Callable[[T], bool], timeout_seconds: float = 20) -> T:
    """What `read` gives as soon as it is accepted; at the deadline the last value, for the assertion to show."""
    deadline = time.monotonic() + timeout_seconds
    while not accepted(value := read()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@dataclass(frozen=True)
class Keys:
    """Credentials of a caller. These are the root's, which may do everything."""

    access_key_id: str = "test"
    secret_access_key: str = "test"


ROOT_KEYS = Keys()


@dataclass
class RunningMiniStack:
    """A launched MiniStack, and the outputs of the probe template once that is deployed."""

    ports: Ports
    record_folder: Path
    outputs: dict[str, str] = field(default_factory=dict)
    clients: dict[tuple[str, Keys], Any] = field(default_factory=dict, repr=False)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.ports.aws}"

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint}/_ministack/ready").is_success
        except httpx.TransportError:
            return False

    def client(self, service: Any, keys: Keys = ROOT_KEYS) -> Any:
        """A client that does not retry; one is made for each service and caller."""
        if (service, keys) not in self.clients:
            self.clients[service, keys] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=REGION,
                config=Config(retries={"total_max_attempts": 1}),
                aws_access_key_id=keys.access_key_id,
                aws_secret_access_key=keys.secret_access_key,
            )
        return self.clients[service, keys]

    def restricted_keys(self, action: str, resource: str) -> Keys:
        """Credentials of a new user who may do one thing."""
        iam, name = self.client("iam"), f"user-{uuid4().hex[:8]}"
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(key["AccessKeyId"], key["SecretAccessKey"])

    def recorded(self, name: str) -> list[Any]:
        path = self.record_folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def invoke(self, function_output: str, event: dict[str, Any]) -> Any:
        answer = self.client("lambda").invoke(FunctionName=self.outputs[function_output], Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def sign_up(self, email: str) -> None:
        cognito, client_id = self.client("cognito-idp"), self.outputs["PoolClientId"]
        attributes = [{"Name": "email", "Value": email}]
        cognito.sign_up(ClientId=client_id, Username=email, Password=PASSWORD, UserAttributes=attributes)
        cognito.confirm_sign_up(ClientId=client_id, Username=email, ConfirmationCode="123456")

    def log_in(self, email: str) -> dict[str, str]:
        """Cognito's AccessToken, IdToken and RefreshToken."""
        answer = self.client("cognito-idp").initiate_auth(
            ClientId=self.outputs["PoolClientId"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
        )
        tokens: dict[str, str] = answer["AuthenticationResult"]
        return tokens

    def call_api(self, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        api = f"{self.endpoint}/_aws/execute-api/{self.outputs['ApiId']}/$default"
        return httpx.request(method, api + path, headers=headers, timeout=START_TIMEOUT_SECONDS)

    def deploy(self, stack_name: str, template: str, **parameters: str) -> dict[str, str]:
        """Create or update a stack, wait for its end, and return its outputs."""
        cloudformation = self.client("cloudformation")
        names = {stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]}
        change = cloudformation.update_stack if stack_name in names else cloudformation.create_stack
        change(
            StackName=stack_name,
            TemplateBody=template,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        stack = eventually(
            lambda: cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0],
            lambda found: not found["StackStatus"].endswith("IN_PROGRESS"),
            timeout_seconds=START_TIMEOUT_SECONDS,
        )
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def deploy_probes(self) -> None:
        storage = self.client("s3")
        storage.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
        code = zipped({"probe.py": (PROBES / "probe.py").read_text()})
        storage.put_object(Bucket="code", Key="code.zip", Body=code)
        storage.put_object(Bucket="code", Key="layer.zip", Body=zipped({"python/greeting.py": "TEXT = 'hello'\n"}))
        template = (PROBES / "template.yaml").read_text()
        self.outputs = self.deploy("probes", template, CodeBucket="code", RecordFolder=str(self.record_folder))


def launch_command(ports: Ports, *left_off: str) -> list[str]:
    """The launcher's command line, to be run in the project root."""
    options = f"--port {ports.aws} --mqtt-port {ports.mqtt} --sns-record-port {ports.sns_record}".split()
    without = ["--without", *left_off] if left_off else []
    return [str(emulator_python()), "-m", "local.ministack", *options, *without]


@contextmanager
def launched(record_folder: Path, *left_off: str) -> Iterator[RunningMiniStack]:
    """A ready MiniStack without the named patches; it is ended with the block."""
    running = RunningMiniStack(Ports.free(), record_folder)
    log_path = record_folder / "ministack.log"
    with log_path.open("wb") as log:
        command = launch_command(running.ports, *left_off)
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        assert eventually(running.is_ready, bool, START_TIMEOUT_SECONDS), log_path.read_text()
        yield running
    finally:
        process.terminate()
        process.wait(timeout=10)
