"""Layers unpacked once.

Gap: every new worker process unpacks all of its function's layers again, tens of megabytes each time.
Closed by: unpacking each layer once per content into a shared folder of the private TMPDIR and pointing workers there
through the variable that MiniStack's own worker reads. Bytecode written by the first worker serves the others.
No longer needed when: test_ministack_lambda.py::test_without_the_patch_every_worker_has_its_own_copy_of_a_layer
fails.
"""

import hashlib
import io
import os
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

from local.ministack.modules import ministack

_unpacking = threading.Lock()


def unpacked(content: bytes) -> Path:
    """The folder that holds a layer's content, unpacked now or earlier."""
    folder = Path(tempfile.gettempdir(), "layers", hashlib.sha256(content).hexdigest())
    with _unpacking:
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                archive.extractall(partial)
            partial.rename(folder)
    return folder


def apply() -> None:
    lambda_svc = ministack("services.lambda_svc")
    worker_class = ministack("core.lambda_runtime").Worker
    spawn = worker_class._spawn

    def spawn_with_shared_layers(worker: Any) -> None:
        configuration = worker.config
        contents = [lambda_svc._resolve_layer_zip(layer) for layer in configuration.get("Layers", [])]
        folders = [str(unpacked(content)) for content in contents if content]
        variables = configuration.get("Environment", {}).get("Variables", {})
        if folders:
            variables = {**variables, "_LAMBDA_LAYERS_DIRS": os.pathsep.join(folders)}
        worker.config = {**configuration, "Layers": [], "Environment": {"Variables": variables}}
        try:
            spawn(worker)
        finally:
            worker.config = configuration

    worker_class._spawn = spawn_with_shared_layers
