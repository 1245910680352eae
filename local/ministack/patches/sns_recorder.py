"""What SNS published, for a test or the demo to read.

Gap: MiniStack accepts a push to a mobile endpoint and forgets it; nobody can see what a driver would have been sent.
Closed by: keeping every Publish that MiniStack accepted (after IAM), whoever called, and showing the list on a port
of its own:
    GET /_recorded[?topic_or_target=ARN]  ->  [{"target", "subject", "message", "message_structure", "recorded_at"}]
No longer needed when: test_ministack_messaging.py::test_without_the_patch_nothing_shows_what_was_published fails.
"""

import json
import os
import threading
import time
from collections import deque
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.ministack.modules import ministack

RECORDED_MAX = 10_000
PATH = "/_recorded"

type Parameters = dict[str, list[str]]

_recorded: deque[dict[str, str]] = deque(maxlen=RECORDED_MAX)


class RecordHandler(BaseHTTPRequestHandler):
    """Answers with the recorded publishes, oldest first."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        wanted = parse_qs(url.query).get("topic_or_target", [None])[0]
        found = [publish for publish in list(_recorded) if wanted in (None, publish["target"])]
        answer = json.dumps(found).encode()
        self.send_response(HTTPStatus.OK if url.path == PATH else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Reading the record is not news."""


def first(parameters: Parameters, *names: str) -> str:
    return next((parameters[name][0] for name in names if parameters.get(name)), "")


def apply() -> None:
    sns = ministack("services.sns")
    publish = sns._publish

    def publish_and_record(parameters: Parameters) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = publish(parameters)
        if status == HTTPStatus.OK:
            _recorded.append(
                {
                    "target": first(parameters, "TopicArn", "TargetArn", "PhoneNumber"),
                    "subject": first(parameters, "Subject"),
                    "message": first(parameters, "Message"),
                    "message_structure": first(parameters, "MessageStructure"),
                    "recorded_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                }
            )
        return status, headers, body

    sns._publish = publish_and_record
    server = ThreadingHTTPServer((os.environ["BIND_HOST"], int(os.environ["SNS_RECORD_PORT"])), RecordHandler)
    threading.Thread(target=server.serve_forever, name="sns-recorder", daemon=True).start()
