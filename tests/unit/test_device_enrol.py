"""Fetching the certificate: the code counts once, so nothing that can be known before is found out after it."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from awsiot import mqtt5_client_builder

from parking_blocker import enrol as program
from parking_blocker.connection import Endpoint
from parking_blocker.enrol import Claim, Files, NotEnrolled, enrol

MADE = SimpleNamespace(private_key="the key", certificate_pem="the certificate")


class Broker:
    """Stands for AWS IoT and the connection to it; counts the codes that it was sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.codes: list[str] = []
        self.says_goodbye = True
        self.answer: Exception | None = None
        monkeypatch.setattr(mqtt5_client_builder, "mtls_from_path", self._client)
        monkeypatch.setattr(program, "_registered", self._register)

    def _client(self, **asked: Any) -> SimpleNamespace:
        def stop() -> None:
            if self.says_goodbye:
                asked["on_lifecycle_stopped"](None)

        return SimpleNamespace(start=lambda: asked["on_lifecycle_connection_success"](None), stop=stop)

    def _register(self, _: object, __: str, ___: str, code: str) -> tuple[SimpleNamespace, str]:
        self.codes.append(code)
        if self.answer:
            raise self.answer
        return MADE, "the secret"


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    return Broker(monkeypatch)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "own").mkdir()
    return Files(*(tmp_path / "own" / name for name in ("certificate.pem", "private_key.pem", "offline_secret")))


def fetch(files: Files) -> None:
    claim = Claim(Path("claim.crt"), Path("claim.key"), "template")
    enrol(Endpoint("localhost", 8883, Path("ca.pem")), claim, "blocker-1", "CODE", files)


def left(files: Files) -> list[str]:
    return sorted(file.name for file in files.key.parent.iterdir())


def test_the_three_files_are_there_for_their_owner_only_and_on_the_disk(
    broker: Broker, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    fetch(files)
    assert [file.read_text() for file in (files.key, files.offline_secret, files.certificate)] == [
        "the key",
        "the secret",
        "the certificate",
    ]
    assert {file.stat().st_mode & 0o777 for file in files.key.parent.iterdir()} == {0o600}
    assert len(left(files)) == 3
    assert synced[-1] == files.key.parent.name, "the names are on the disk as well"
    with pytest.raises(NotEnrolled, match="is there already"):
        fetch(files)
    assert broker.codes == ["CODE"]


def test_a_folder_that_cannot_be_written_costs_no_code(broker: Broker, files: Files) -> None:
    missing = Files(files.certificate, files.key, files.key.parent / "nowhere" / "offline_secret")
    with pytest.raises(NotEnrolled, match="nowhere"):
        fetch(missing)
    assert (broker.codes, left(files)) == ([], [])


@pytest.mark.parametrize("fails_at", range(1, 5))
def test_a_disk_that_fails_in_the_middle_leaves_nothing_that_a_further_run_would_stumble_over(
    broker: Broker, files: Files, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """Three files and their folder are flushed, and any of it may fail."""
    flushes: list[int] = []

    def fail(descriptor: int) -> None:
        flushes.append(descriptor)
        if len(flushes) == fails_at:
            raise OSError("the card is worn")

    with monkeypatch.context() as worn:
        worn.setattr(os, "fsync", fail)
        with pytest.raises(NotEnrolled, match="the card is worn"):
            fetch(files)
    assert left(files) == []
    fetch(files)
    assert len(left(files)) == 3


def test_who_is_refused_finds_nothing_left(broker: Broker, files: Files) -> None:
    broker.answer = NotEnrolled("registered as somebody else")
    with pytest.raises(NotEnrolled, match="somebody else"):
        fetch(files)
    assert left(files) == []


def test_an_answer_is_not_lost_to_a_goodbye_that_nobody_hears(
    broker: Broker, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.says_goodbye = False
    monkeypatch.setattr(program, "ANSWER_SECONDS_MAX", 0.01)
    fetch(files)
    assert len(left(files)) == 3


def test_the_program_says_why_and_ends_with_1(
    broker: Broker, files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files.certificate.write_text("of before")
    names = {"ca": "ca.pem", "claim-certificate": "c", "claim-key": "k", "template": "t", "blocker-id": "blocker-1"}
    names |= {"endpoint": "localhost", "key": str(files.key), "offline-secret": str(files.offline_secret)}
    arguments = [part for name, value in names.items() for part in (f"--{name}", value)]
    monkeypatch.setattr("sys.argv", ["parking-blocker-enrol", *arguments, "--certificate", str(files.certificate)])
    monkeypatch.setattr("sys.stdin", SimpleNamespace(readline=lambda: "CODE\n"))
    assert program.main() == 1
    assert "is there already" in capsys.readouterr().err
    assert files.certificate.read_text() == "of before"
