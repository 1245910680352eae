"""A keypad: digits and Enter, as serial keypads send them. A pipe stands for the line, and once a terminal."""

import asyncio
import os
import pty
import termios
import tty
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from parking_blocker.config import ConfigError, load_device
from parking_blocker.keypad import FORGETS_AFTER_SECONDS, LOOKS_AGAIN_AFTER_SECONDS, Keypad
from tests.unit.test_device_parts import DEVICE_TOML, write_config
from tests.unit.virtual_time import run

SECRET = "ab" * 32
REAL_SECONDS_MAX = 10.0

type Types = Callable[[str], Awaitable[None]]


def at_a_keypad(folder: Path, story: Callable[[Types], Awaitable[None]]) -> list[str]:
    """What is heard while somebody types, in virtual time; at the end the line is torn off."""
    heard: list[str] = []
    line = folder / "line"
    os.mkfifo(line)

    async def whole() -> None:
        Keypad(line, heard.append)
        with line.open("wb", buffering=0) as typing:

            async def types(keys: str) -> None:
                typing.write(keys.encode())
                for _ in range(100):  # a read takes 64 keys
                    await asyncio.sleep(0)

            await story(types)
        await asyncio.sleep(1)

    run(whole)
    return heard


@pytest.mark.parametrize(
    ("keys", "codes"),
    [
        (["12345678\r"], ["12345678"]),
        (["12345678#"], ["12345678"]),
        (["1234", "5678\n"], ["12345678"]),
        (["99*12345678\r\n"], ["12345678"]),
        (["ABCD#", "12 3456-78#", "\x00\x7f\r"], ["12345678"]),
        (["12345678#87654321#"], ["12345678", "87654321"]),
        (["1" * 1000 + "#"], ["1" * 9]),
        (["#\r\n"], []),
        (["1234"], []),
    ],
)
def test_what_is_typed_is_a_code_when_it_is_finished(tmp_path: Path, keys: list[str], codes: list[str]) -> None:
    async def story(types: Types) -> None:
        for some in keys:
            await types(some)

    assert at_a_keypad(tmp_path, story) == codes


def test_who_walks_away_in_the_middle_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    async def story(types: Types) -> None:
        await types("1234")
        await asyncio.sleep(FORGETS_AFTER_SECONDS + 1)
        await types("12345678#")

    assert at_a_keypad(tmp_path, story) == ["12345678"]


def test_a_terminal_sends_each_key_as_it_is_pressed() -> None:
    """In its usual mode a terminal would keep the keys until a newline, and # is none."""

    async def story() -> None:
        code: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        machine, person = pty.openpty()
        Keypad(Path(os.ttyname(person)), code.set_result)
        os.write(machine, b"12345678#")
        assert await asyncio.wait_for(code, REAL_SECONDS_MAX) == "12345678"
        os.close(person)
        os.close(machine)

    asyncio.run(story())


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message.split(":")[0] for record in caplog.records]


def test_a_keypad_that_is_missing_or_torn_off_is_said_once_and_comes_back_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    line, away = tmp_path / "line", tmp_path / "away"
    heard: list[str] = []

    async def type_and_tear_off(code: str) -> None:
        await asyncio.sleep(LOOKS_AGAIN_AFTER_SECONDS + 1)
        with line.open("wb", buffering=0) as typing:
            typing.write(f"{code}#99".encode())
            for _ in range(10):
                await asyncio.sleep(0)
        line.rename(away)
        await asyncio.sleep(5 * LOOKS_AGAIN_AFTER_SECONDS)

    async def story() -> None:
        Keypad(line, heard.append)
        await asyncio.sleep(5 * LOOKS_AGAIN_AFTER_SECONDS)
        assert said(caplog) == ["no keypad"]
        os.mkfifo(line)
        await type_and_tear_off("12345678")
        assert said(caplog) == ["no keypad", "the keypad is back", "no keypad"]
        away.rename(line)
        await type_and_tear_off("87654321")

    run(story)
    assert heard == ["12345678", "87654321"], "and half a code of before is forgotten"
    assert said(caplog) == ["no keypad", "the keypad is back", "no keypad", "the keypad is back", "no keypad"]


def test_a_terminal_that_fails_while_it_is_opened_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: int) -> None:
        raise termios.error(5, "Input/output error")

    async def story() -> None:
        machine, person = pty.openpty()
        with monkeypatch.context() as broken:
            broken.setattr(tty, "setraw", fail)
            Keypad(Path(os.ttyname(person)), lambda _: None)
        await asyncio.sleep(LOOKS_AGAIN_AFTER_SECONDS + 1)
        os.close(person)
        os.close(machine)

    run(story)
    assert said(caplog)[:2] == ["no keypad", "the keypad is back"]


def test_a_wake_up_for_nothing_does_not_lose_the_keypad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def nothing_there(_: int, __: int) -> bytes:
        raise BlockingIOError

    async def story(types: Types) -> None:
        with monkeypatch.context() as woken:
            woken.setattr(os, "read", nothing_there)
            await types("1")
        await types("2345678#")
        assert said(caplog) == []

    assert at_a_keypad(tmp_path, story) == ["12345678"]


def with_secret(folder: Path, content: str, mode: int = 0o640, keypad: str = 'keypad = "/dev/serial0"\n') -> Path:
    secret = folder / "offline_secret"
    secret.write_text(content)
    secret.chmod(mode)
    return write_config(folder, DEVICE_TOML + 'offline_secret = "offline_secret"\n' + keypad)


def test_the_secret_is_read_from_its_file_and_two_while_one_replaces_the_other(tmp_path: Path) -> None:
    config = load_device(with_secret(tmp_path, f"{SECRET} {'cd' * 32}\n"))
    assert (config.identity.offline_secrets, config.keypad) == ((SECRET, "cd" * 32), Path("/dev/serial0"))
    assert SECRET not in repr(config)


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (SECRET, 0o644, "everybody"),
        ("", 0o600, "no secret"),
        ("ab" * 31, 0o600, "no secret"),
        ("hello", 0o600, "no secret"),
    ],
)
def test_a_secret_that_others_may_read_or_that_is_none_is_refused(
    tmp_path: Path, content: str, mode: int, why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        load_device(with_secret(tmp_path, content, mode))


def test_a_keypad_without_a_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="keypad"):
        load_device(write_config(tmp_path, DEVICE_TOML + 'keypad = "/dev/serial0"\n'))
