"""What the blocker was told for a stay and what it said: all of it, however late, and in the receipt."""

from dataclasses import replace
from datetime import timedelta

import pytest

from parking.domain.blocker import Command, CommandStatus, Occupancy, Position, RejectReason, Result
from parking.domain.evidence import FIRST_KEPT, LAST_KEPT, NOTHING_TOLD, Evidence
from parking.domain.ids import CommandId
from parking.domain.receipt import Receipt, receipt_of
from parking.domain.reservation import EndReason, Reservation, ReservationStatus
from parking.services import bookings
from reservations.receipt_page import receipt_page
from reservations.schemas import ReceiptOut
from tests.builders import NOW, a_command
from tests.unit.world import ANNA, BORIS, World, at

RAISED, LOWERED = Position.RAISED, Position.LOWERED
S = CommandStatus


def told(world: World) -> Command:
    """The newest command."""
    if world.blocker.command is None:
        pytest.fail("the blocker was told nothing")
    return world.blocker.command


def guarding(world: World) -> tuple[Reservation, Command]:
    """A paid stay of Anna's, and the RAISE that the device has not answered yet."""
    stay = world.booked(ANNA)
    world.device_reports(44)
    world.tick(45)
    return stay, told(world)


def answers(world: World, command: Command, now: float, result: Result, reason: RejectReason | None = None) -> None:
    """The device tells what it made of this command."""
    position = command.position if result is Result.DONE else LOWERED
    world.device_reports(now, position, command_id=command.command_id, result=result, reason=reason)


def evidence(world: World, stay: Reservation, command: Command) -> Evidence:
    """What the stay knows of a command."""
    return next(one for one in world.stored(stay).evidence.entries if one.command_id == command.command_id)


def receipt(world: World, stay: Reservation, now: float) -> Receipt:
    """The receipt of the stay, which is cancelled if it is not over."""
    if world.stored(stay).reason is None:
        bookings.call_off(world.store, stay.user_id, stay.reservation_id, at(now))
    found = receipt_of(world.stored(stay), [])
    if found is None:
        pytest.fail("no receipt")
    return found


def test_a_stay_knows_what_was_asked_for_it_before_the_device_has_answered(world: World) -> None:
    stay, command = guarding(world)
    one = evidence(world, stay, command)
    assert (one.position, one.asked_at, one.status) == (RAISED, at(45), S.PENDING)
    assert (one.ended_at, one.answer, one.reason, one.answered_at, one.late) == (None, None, None, None, False)


def test_a_command_is_sent_with_the_same_id_until_it_times_out_and_the_next_try_has_another(world: World) -> None:
    stay, first = guarding(world)
    for now in (45.2, 46, 46.9):
        world.reconcile(now)
        sent = world.shadows.desired(world.spot.blocker_id)
        assert sent is not None
        assert (sent.command_id, sent.expires_at) == (first.command_id, first.expires_at)
    world.tick(47)
    assert told(world).command_id != first.command_id
    assert [(one.command_id, one.status) for one in world.stored(stay).evidence.entries] == [
        (first.command_id, S.TIMED_OUT),
        (told(world).command_id, S.PENDING),
    ]


def test_a_late_answer_counts_also_when_the_next_command_is_on_its_way(world: World) -> None:
    stay, first = guarding(world)
    world.tick(47)
    answers(world, first, 47.5, Result.DONE)
    one = evidence(world, stay, first)
    assert (one.status, one.answer, one.ended_at, one.answered_at, one.late) == (
        S.SUCCEEDED,
        Result.DONE,
        at(47.5),
        at(47.5),
        True,
    )
    assert told(world).status is S.PENDING
    page = receipt_page(receipt(world, stay, 48))
    assert "SUCCEEDED 2026-12-01 10:47 CET, late" in page


def test_a_stay_begins_with_the_late_answer_of_a_command_that_others_have_followed(world: World) -> None:
    """Else a driver who is parked would count as one whom we could not let in, and park for nothing."""
    stay, command = guarding(world)
    answers(world, command, 46, Result.DONE)
    bookings.arrive(world.store, ANNA, stay.reservation_id, at(58))
    world.reconcile(58)
    first = told(world)
    world.tick(60)
    assert told(world).command_id != first.command_id
    answers(world, first, 60.5, Result.DONE)
    assert (world.stored(stay).status, world.stored(stay).arrived_at) == (ReservationStatus.ACTIVE, at(60.5))


@pytest.mark.parametrize("reason", RejectReason)
def test_a_refusal_is_kept_with_its_reason_and_shown(world: World, reason: RejectReason) -> None:
    stay, command = guarding(world)
    answers(world, command, 45.2, Result.REJECTED, reason)
    one = evidence(world, stay, command)
    assert (one.status, one.answer, one.reason, one.answered_at) == (S.REJECTED, Result.REJECTED, reason, at(45.2))
    sealed = receipt(world, stay, 50)
    [shown] = ReceiptOut.of(sealed).model_dump(mode="json")["blocker_evidence"]
    assert (shown["status"], shown["answer"], shown["reason"]) == ("REJECTED", "REJECTED", reason)
    assert (shown["asked_at"], shown["reported_at"]) == ("2026-12-01T09:45:00Z", "2026-12-01T09:45:12Z")
    assert f"REJECTED {reason} 2026-12-01 10:45 CET" in receipt_page(sealed)


def test_what_a_superseded_command_did_is_evidence_and_changes_nothing(world: World) -> None:
    stay, command = guarding(world)
    bookings.call_off(world.store, ANNA, stay.reservation_id, at(45.2))
    world.reconcile(45.2)
    before = world.stored(stay)
    assert evidence(world, stay, command).status is S.SUPERSEDED
    answers(world, command, 45.5, Result.DONE)
    one = evidence(world, stay, command)
    assert (one.status, one.ended_at, one.answer, one.answered_at) == (S.SUPERSEDED, at(45.2), Result.DONE, at(45.5))
    after = world.stored(stay)
    assert replace(after, evidence=before.evidence, version=before.version) == before
    assert (after.status, after.reason) == (ReservationStatus.CANCELLED, EndReason.CANCELLED_BY_DRIVER)
    assert "SUPERSEDED, answered DONE 2026-12-01 10:45 CET" in receipt_page(receipt(world, stay, 50))


def test_a_command_without_an_answer_says_so(world: World) -> None:
    stay, command = guarding(world)
    bookings.call_off(world.store, ANNA, stay.reservation_id, at(46))
    assert "PENDING, no answer" in receipt_page(receipt(world, stay, 46))
    world.reconcile(50)
    assert evidence(world, stay, command).status is S.TIMED_OUT
    assert "TIMED_OUT, no answer" in receipt_page(receipt(world, stay, 50))


def test_evidence_outlives_many_commands_for_other_stays(world: World) -> None:
    first = world.active(ANNA, 60, 180)
    bookings.leave(world.store, ANNA, first.reservation_id, at(100))
    kept = world.stored(first).evidence
    assert [one.position for one in kept.entries] == [LOWERED]
    second = world.booked(BORIS, 120, 240, now=101)
    for minute in range(106, 140):
        world.device_reports(minute, LOWERED, Occupancy.VACANT)
        world.tick(minute)
        command = told(world)
        if command.answer is None:
            answers(world, command, minute + 0.2, Result.REJECTED, RejectReason.MANUAL_OVERRIDE)
    assert world.stored(first).evidence == kept
    assert first.reservation_id not in {one.reservation_id for one in world.blocker.commands}
    refusals = [one for one in world.stored(second).evidence.entries if one.status is S.REJECTED]
    assert len(refusals) > len(world.blocker.history)


def test_of_very_many_commands_the_first_and_the_last_are_kept_and_the_others_counted() -> None:
    commands = [
        a_command(command_id=f"cmd_{n}", created_at=NOW + timedelta(minutes=n)) for n in range(FIRST_KEPT + LAST_KEPT)
    ]
    log = NOTHING_TOLD
    for command in commands:
        log = log.recording([command])
    assert [one.command_id for one in log.entries] == [command.command_id for command in commands]
    assert log.left_out == 0
    log = log.recording([a_command(command_id="cmd_more")]).recording([a_command(command_id="cmd_last")])
    assert len(log.entries) == FIRST_KEPT + LAST_KEPT
    assert log.left_out == 2
    assert [one.command_id for one in log.entries[:FIRST_KEPT]] == [one.command_id for one in commands[:FIRST_KEPT]]
    assert log.entries[-1].command_id == "cmd_last"
    brought_up_to_date = log.recording([a_command(command_id="cmd_last", status=S.SUCCEEDED)])
    assert brought_up_to_date.left_out == 2
    assert brought_up_to_date.entries[-1].status is S.SUCCEEDED


def test_the_page_says_how_many_commands_are_not_on_it(world: World) -> None:
    stay, command = guarding(world)
    sealed = receipt(world, stay, 46)
    many = sealed.reservation.evidence
    for n in range(60):
        many = many.recording([replace(command, command_id=CommandId(f"cmd_{n}"))])
    page = receipt_page(replace(sealed, reservation=replace(sealed.reservation, evidence=many)))
    assert "21 more" in page
    assert page.count("RAISED asked") == FIRST_KEPT + LAST_KEPT
