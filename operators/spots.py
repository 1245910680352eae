"""`python -m operators.spots FILE --stack-name STACK --secrets FOLDER`: spots from a CSV (docs/operations/spots.md).

Each row goes through ProvisionSpot, twice: first to be checked, which writes nothing, and once all rows are right, to
be carried out. What is as it should be is left alone, so the same file again changes nothing.
"""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from operators.secrets import keep_certificate, write_secret

ROWS_MAX = 1_000  # what somebody can still look over before sending it
AT_ONCE = 4  # AWS IoT makes ten certificates a second for an account
ANSWER_SECONDS_MAX = 60
OURS = frozenset({"new_certificate", "registration_code", "check_only"})
AS_JSON = frozenset({"tariff.bands"})

type Json = dict[str, Any]
type Provision = Callable[[Json], Json]


class Wrong(Exception):
    """What cannot be done; one text per problem, each with its line where it has one."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Row:
    """A spot as it should be, and the line of the file that says so."""

    line: int
    wish: Json

    @property
    def spot_id(self) -> str:
        return str(self.wish.get("spot_id", ""))


def read(lines: Iterator[str]) -> list[Row]:
    """The rows of a CSV whose header names ProvisionSpot's fields, `tariff.price_per_hour_minor` and so on.

    An empty cell leaves its field out. Raises Wrong.
    """
    reader = csv.DictReader(lines, strict=True)
    rows: list[Row] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    try:
        header = reader.fieldnames or ()
        if "spot_id" not in header or len(set(header)) != len(header):
            raise Wrong(["the first line does not name the columns: spot_id, name, address, …, each once"])
        if ours := sorted(OURS & set(header)):
            raise Wrong([f"{', '.join(ours)}: this is no column, but how the whole file is sent"])
        for cells in reader:
            row = Row(reader.line_num, _wish(cells, reader.line_num, problems))
            if row.spot_id in seen:
                problems.append(f"line {row.line}: spot_id: {row.spot_id} is in line {seen[row.spot_id]} already")
            seen.setdefault(row.spot_id, row.line)
            rows.append(row)
    except csv.Error as error:
        problems.append(f"line {reader.reader.line_num}: {error}")
    if not rows and not problems:
        problems.append("there is no row")
    if len(rows) > ROWS_MAX:
        problems.append(f"{len(rows)} rows are more than {ROWS_MAX}: send the file in parts")
    if problems:
        raise Wrong(problems)
    return rows


def _wish(cells: Json, line: int, problems: list[str]) -> Json:
    wish: Json = {}
    if None in cells or None in cells.values():
        problems.append(f"line {line}: has not as many cells as the header")
        return wish
    for column, cell in cells.items():
        if not cell.strip():
            continue
        value: Any = cell.strip()
        if column in AS_JSON:
            try:
                value = json.loads(value)
            except json.JSONDecodeError as error:
                problems.append(f"line {line}: {column}: is no JSON: {error}")
                continue
        group, _, name = column.rpartition(".")
        (wish.setdefault(group, {}) if group else wish)[name] = value
    return wish


def check(rows: Sequence[Row], provision: Provision) -> dict[str, list[Row]]:
    """The rows by what they would do: CREATE, CHANGE, NOTHING. Nothing is written. Raises Wrong, with every problem."""
    would: dict[str, list[Row]] = {"CREATE": [], "CHANGE": [], "NOTHING": []}
    problems: list[str] = []
    for row, answer in _each(rows, provision, {"check_only": True}, "checked"):
        if isinstance(answer, Wrong):
            problems += [f"line {row.line}: {problem}" for problem in answer.problems]
        else:
            would[answer["would"]].append(row)
    if problems:
        raise Wrong(problems)
    return would


def carry_out(rows: Sequence[Row], provision: Provision, folder: Path, *, codes: bool) -> None:
    """Provision the rows, and keep what each new blocker got. Goes on after a failure; raises Wrong at the end."""
    problems: list[str] = []
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for row, answer in _each(rows, provision, {"registration_code": codes}, "done"):
        if isinstance(answer, Wrong):
            problems += [f"line {row.line}: {problem}" for problem in answer.problems]
            continue
        try:
            _keep(answer, folder)
        except OSError as error:
            problems.append(f"line {row.line}: what {answer['blocker_id']} got is lost, ask for another: {error}")
    if problems:
        raise Wrong(problems)


def _keep(answer: Json, folder: Path) -> None:
    if answer["private_key"]:
        keep_certificate(answer, folder)
    if answer["registration_code"]:
        write_secret(folder / f"{answer['blocker_id']}.code", answer["registration_code"] + "\n")


def _each(rows: Sequence[Row], provision: Provision, how: Json, done: str) -> Iterator[tuple[Row, Json | Wrong]]:
    """The rows in their order, each with its answer or what is wrong with it, and a line that says how far it is."""

    def ask(row: Row) -> Json | Wrong:
        try:
            return provision(row.wish | how)
        except Wrong as wrong:
            return wrong

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number, row, answer in zip(count(1), rows, pool.map(ask, rows), strict=False):
            sys.stderr.write(f"\r{number} of {len(rows)} {done}")
            yield row, answer
    sys.stderr.write("\n")


def provisioner(client: Any, function_name: str) -> Provision:
    """ProvisionSpot of a stack. It is asked once: a key that was answered and lost on the way is not answered again."""

    def provision(wish: Json) -> Json:
        try:
            answer = client.invoke(FunctionName=function_name, Payload=json.dumps(wish).encode())
            said: Json = json.loads(answer["Payload"].read())
        except (BotoCoreError, ClientError) as error:
            raise Wrong([f"no answer: {error}"]) from error
        if "FunctionError" in answer:
            raise Wrong(str(said.get("errorMessage", said)).split("; "))
        return said

    return provision


def main() -> int:
    """Read, check, carry out; 1 means that something is wrong, and says what."""
    parser = argparse.ArgumentParser(prog="operators.spots", description="Put the spots of a CSV on the map.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--secrets", type=Path, required=True, help="where keys and codes of new blockers are kept")
    parser.add_argument("--registration-codes", action="store_true", help="codes for the devices instead of keys")
    parser.add_argument("--check-only", action="store_true", help="say what would be done, and do nothing")
    told = parser.parse_args()
    config = Config(read_timeout=ANSWER_SECONDS_MAX, retries={"total_max_attempts": 1})
    try:
        with told.file.open(encoding="utf-8-sig", newline="") as lines:
            rows = read(lines)
        provision = provisioner(boto3.client("lambda", config=config), _function_name(told.stack_name))
        would = check(rows, provision)
        print(f"{len(would['CREATE'])} new, {len(would['CHANGE'])} changed, {len(would['NOTHING'])} as they should be")
        if not told.check_only:
            carry_out(would["CREATE"] + would["CHANGE"], provision, told.secrets, codes=told.registration_codes)
    except Wrong as wrong:
        print(*wrong.problems, sep="\n", file=sys.stderr)
        return 1
    except (OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _function_name(stack_name: str) -> str:
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        raise Wrong([f"{stack_name}: {error}"]) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    return str(outputs["ProvisionSpotFunctionName"])


if __name__ == "__main__":
    sys.exit(main())
