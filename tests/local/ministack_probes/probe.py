"""The functions of the probe template. What they see goes to RECORD_FOLDER, one JSON line for each sighting."""

import json
import os
import time
from pathlib import Path
from typing import Any


def record(name: str, sighting: Any) -> None:
    with Path(os.environ["RECORD_FOLDER"], name).open("a") as file:
        file.write(json.dumps(sighting) + "\n")


def echo(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    claims = event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims")
    seen = {"route": event["routeKey"], "path": event.get("pathParameters"), "claims": claims, "pid": os.getpid()}
    return {"statusCode": 200, "body": json.dumps(seen)}


def on_records(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Each record's `behaviour` says what to do with it: ok, report, crash or slow."""
    failures = []
    for item in event["Records"]:
        image = item["dynamodb"]["NewImage"]
        record("records", {"id": image["id"]["S"], "event": item["eventName"], "batch_size": len(event["Records"])})
        behaviour = image["behaviour"]["S"]
        if behaviour == "crash":
            raise RuntimeError("asked to crash")
        if behaviour == "slow":
            time.sleep(2)
        if behaviour == "report":
            failures.append({"itemIdentifier": item["dynamodb"]["SequenceNumber"]})
    return {"batchItemFailures": failures}


def on_event(event: dict[str, Any], _context: Any) -> None:
    record("events", {"pid": os.getpid(), "event": event})
    asked = event.get("detail", event)
    time.sleep(asked.get("seconds", 0))
    if asked.get("crash"):
        raise RuntimeError("asked to crash")


def sleep(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    import greeting  # type: ignore[import-not-found] # comes from the layer

    time.sleep(event["seconds"])
    if "say" in event:
        print(event["say"])
    return {"pid": os.getpid(), "layer_file": greeting.__file__}
