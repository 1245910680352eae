"""The end of an invocation's log, said by the worker instead of guessed by the clock.

Gap: after each answer MiniStack waits up to 50 ms for log lines, so that an invocation that logs nothing costs 50 ms
more.
Closed by: the worker writes a marker line to its log after the handler has returned; MiniStack reads up to the
marker. No wait and no line that lands in the next invocation's log.
No longer needed when: test_ministack_lambda.py::test_without_the_patch_a_silent_invocation_waits_for_logs fails.
"""

import queue
import time
from typing import Any

from local.ministack.modules import ministack

MARKER = "__end_of_invocation_log__"
ANSWER_SENT = '"trace": traceback.format_exc()}) + "\\n")\n        _real_stdout.flush()'
ANSWER_SENT_AND_MARKED = ANSWER_SENT + f'\n        sys.stderr.write("{MARKER}\\n")\n        sys.stderr.flush()'
# Only a worker that died lets this pass: it never wrote its marker.
WAIT_MAX_SECONDS = 0.25


def apply() -> None:
    runtime = ministack("core.lambda_runtime")
    if runtime._PYTHON_WORKER_SCRIPT.count(ANSWER_SENT) != 1:
        raise RuntimeError("log_marker: MiniStack's worker script has changed; see whether the patch is still needed")
    runtime._PYTHON_WORKER_SCRIPT = runtime._PYTHON_WORKER_SCRIPT.replace(ANSWER_SENT, ANSWER_SENT_AND_MARKED)

    def drain_to_marker(worker: Any) -> str:
        lines: list[str] = []
        deadline = time.monotonic() + WAIT_MAX_SECONDS
        while (left_seconds := deadline - time.monotonic()) > 0:
            try:
                line = worker._stderr_queue.get(timeout=left_seconds)
            except queue.Empty:
                break
            if line.endswith(MARKER):
                if unfinished := line.removesuffix(MARKER):
                    lines.append(unfinished)
                break
            lines.append(line)
        return "\n".join(lines)

    runtime.Worker._drain_stderr_bounded = drain_to_marker
