"""Keys and codes on an operator's disk: for their owner's eyes only, and never over what is there already."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CERTIFICATE, KEY, OFFLINE_SECRET = "certificate.pem", "private_key.pem", "offline_secret"


def keep_certificate(provisioned: Mapping[str, Any], folder: Path) -> None:
    """The certificate, key and offline secret that ProvisionSpot answered, in a folder of the blocker's own."""
    own = folder / provisioned["blocker_id"]
    own.mkdir(parents=True, mode=0o700)
    (own / CERTIFICATE).write_text(provisioned["certificate_pem"])
    write_secret(own / KEY, provisioned["private_key"])
    write_secret(own / OFFLINE_SECRET, provisioned["offline_secret"])


def write_secret(file: Path, text: str) -> None:
    """A new file that only its owner reads. Raises FileExistsError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
