"""When a blocker reports, and what: its whole state, so that a report that is lost costs nothing."""

from dataclasses import replace
from datetime import datetime, timedelta

from parking_blocker import FIRMWARE
from parking_blocker.contract import Reported
from parking_blocker.machine import Action, Machine, Report


def heartbeat_due(machine: Machine, now: datetime) -> bool:
    """Whether the silence has lasted long enough."""
    last = machine.last_report
    return last is not None and now - last.at >= timedelta(seconds=machine.limits.heartbeat_seconds)


def with_report(
    machine: Machine, actions: tuple[Action, ...], now: datetime, report_now: bool
) -> tuple[Machine, tuple[Action, ...]]:
    """Report when it was asked for, and whenever anything but the time differs from the last report."""
    last = machine.last_report
    if not machine.online or not (report_now or last is None or _reported(machine, last.at) != last):
        return machine, actions
    reported = _reported(machine, now)
    return replace(machine, last_report=reported), (*actions, Report(reported))


def _reported(machine: Machine, now: datetime) -> Reported:
    outcome = machine.outcome
    readings = machine.readings
    return Reported(
        position=machine.position,
        occupancy=machine.occupancy,
        command_id=outcome.command_id if outcome else None,
        result=outcome.result if outcome else None,
        reason=outcome.reason if outcome else None,
        battery_percent=readings.battery_percent,
        tamper=readings.tamper,
        manual_override=readings.manual_override,
        opened_for=machine.entry.opened_for,
        opened_at=machine.entry.opened_at,
        firmware=FIRMWARE,
        at=now,
    )
