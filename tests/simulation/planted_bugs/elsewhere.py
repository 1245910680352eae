"""Planted where only a unit test looks."""

from tests.simulation.planting import Planted

_BLOCKER = "parking.domain.blocker"
_CARDS = "parking.services.card_payments"
_REFUNDS = "parking.services.refunds"
_WALLETS = "parking.services.wallets"
_SCHEDULES = "parking.services.schedules"
_SWEEPING = "parking.services.sweeping"

ELSEWHERE = (
    Planted("one phone's failure keeps the driver's others waiting", "parking.services.notifications:knock",
            "failures.append(failure)", "raise failure",
            "tests/unit/test_notifying.py::"
            "test_one_phones_failure_keeps_no_other_waiting_and_is_raised_for_the_retry"),
    Planted("a push after the end of the stay", "parking.services.push_messages:message_of",
            "if manner.useful_until:", "if False:",
            "tests/unit/test_notifying.py::"
            "test_what_is_said_of_the_end_is_urgent_and_not_delivered_after_it"),
    Planted("a changed tariff keeps its version", "parking.services.spots:_updated",
            "stored.tariff.version if same_price else stored.tariff.version + 1", "stored.tariff.version",
            "tests/unit/test_spots.py::"
            "test_a_changed_tariff_gets_the_next_version_and_another_change_does_not"),
    Planted("what is disputed is refunded too", "parking.domain.payment:Payment.refundable_minor",
            "if not self.charged or (self.dispute and self.dispute.status is not DisputeStatus.WON):",
            "if not self.charged:",
            "tests/unit/test_disputes.py::test_a_disputed_stay_that_is_cancelled_gives_nothing_back"),
    Planted("an overstay has no cap", "parking.domain.tariff:OverstayTerms.quote",
            "min(uncapped, self.cap_minor)", "uncapped",
            "tests/unit/test_overstays.py::test_an_overstay_costs_twice_the_hour_by_started_steps_up_to_a_day_of_it"),
    Planted("a dispute does not touch the wallet", "parking.services.disputes:_opened",
            "taken = min(wallet.balance_minor, shown.amount_minor)", "taken = 0",
            "tests/unit/test_disputes.py::test_a_disputed_deposit_is_taken_out_of_the_wallet_until_it_is_decided"),
    Planted("a webhook is acknowledged before the commit", f"{_CARDS}:settle",
            "return until_committed(attempt)",
            "try:\n        return until_committed(attempt)\n    except Exception:\n        return None",
            "tests/unit/test_acknowledging.py::test_an_event_whose_fact_is_not_committed_is_not_acknowledged"),
    Planted("a saved card is charged before its intent is stored", f"{_CARDS}:charge",
            "payment if payment.intent_id else settle(store, intent, now)", "payment",
            "tests/unit/test_money_crashes.py::"
            "test_a_saved_card_charged_right_before_a_dead_week_is_given_back_not_called_cancelled"),
    Planted("a card is forgotten here before Stripe lets go of it", "parking.services.payment_methods:remove_card",
            "cards.detach(payment_method_id)\n",
            "store.commit(_existing(store, user_id).without(payment_method_id))\n"
            "    cards.detach(payment_method_id)\n",
            "tests/unit/test_money_crashes_elsewhere.py::"
            "test_a_card_whose_removal_dies_anywhere_pays_only_while_it_is_saved"),
    Planted("a receipt's line changes with what becomes of its refund", "parking.domain.receipt:_story",
            '"Refund, on its way to the card"', 'f"Refund {refund.status}"',
            "tests/unit/test_money_properties.py::"
            "test_after_any_day_the_books_fit_and_every_charge_has_one_fact"),
    Planted("a refund is asked for again although Stripe has forgotten its key", f"{_REFUNDS}:_at_stripe",
            "if now - refund.requested_at < KEYS_LIVE_FOR:", "if True:",
            "tests/unit/test_settling.py::"
            "test_after_its_key_expired_a_refund_is_looked_for_before_it_is_asked_for_again"),
    Planted("money that the ledger says too much of is no difference", "parking.services.reconciling:_compare_ledger",
            "if ours != theirs:", "if ours < theirs:",
            "tests/unit/test_comparing_books.py::test_what_the_ledger_says_and_stripe_does_not_is_reported"),
    Planted("the day's limit forgets the forms that are open", f"{_WALLETS}:check_deposit",
            " - _open_minor(store, wallet, now)", "",
            "tests/unit/test_deposits.py::test_forms_that_are_open_count_for_the_day_until_they_are_given_up"),
    Planted("an overstay that no card pays is forgotten", f"{_CARDS}:_without_money",
            "return after, [wallet.owing(debt), notices.debt(reservation, debt, now)], [reservation]",
            "return after, [], []",
            "tests/unit/test_overstays.py::test_a_card_that_does_not_pay_off_session_leaves_a_debt"),
    Planted("what the index still names is done again", f"{_SCHEDULES}:_sweep",
            "return is_due(reservation.due, step, now) and handle(reservation)", "return handle(reservation)",
            "tests/unit/test_sweeping.py::test_what_the_index_still_names_is_left_alone"),
    Planted("a run that outlives its time", f"{_SWEEPING}:_outcome", "if not pace.keep_going():", "if False:",
            "tests/unit/test_sweeping.py::test_nothing_is_begun_when_the_time_is_over_and_what_is_left_is_counted"),
    Planted("neighbours at one spot fail each other", f"{_SWEEPING}:sweep",
            "if isinstance(outcome, Busy)}", "if False}",
            "tests/unit/test_sweeping.py::"
            "test_who_lost_every_race_to_the_neighbours_goes_once_more_when_they_are_done"),
    Planted("a lost blocker is commanded over and over", f"{_BLOCKER}:_needs_command",
            "if command.status is CommandStatus.TIMED_OUT and wanted.reported_after is None", "if False",
            "tests/unit/test_check_health.py::test_a_silent_blocker_is_not_commanded_over_and_over"),
    Planted("the free time of a day begins right after a stay", "parking.domain.calendar:Calendar.free_within",
            "open_from = max(open_from, claim.blocked_until)", "open_from = max(open_from, claim.stay.ends_at)",
            "tests/unit/test_spots.py::test_the_free_time_of_a_day_leaves_out_the_past_and_what_is_taken"),
    Planted("one code lets a whole batch of machines in", "parking.domain.enrolment:Enrolment.admit",
            "if self.admitted_certificate_id not in (None, certificate_id):", "if False:",
            "tests/unit/test_certificates.py::test_a_device_with_the_code_gets_its_certificate_once"),
    Planted("a certificate is cut off before the new one is proven", "parking.domain.enrolment:Enrolment.proven",
            "self.connected_with != self.next_certificate_id", "False",
            "tests/unit/test_certificates.py::test_both_certificates_connect_until_the_new_one_is_proven"),
    Planted("who moves overlooks a neighbour of the next day", "parking.services.neighbours:days_with_neighbours",
            "claim.blocked_until + step", "claim.blocked_until",
            "tests/unit/test_displaced.py::test_who_moves_late_hears_of_a_neighbour_who_comes_after_midnight"),
    Planted("RESYNC believes what it knew, not what the shadow holds", "parking.services.operating:_anew",
            "shadow_version=min(blocker.shadow_version, document.version - 1)",
            "shadow_version=blocker.shadow_version",
            "tests/unit/test_operating.py::test_resync_hears_a_shadow_that_was_deleted_and_counts_from_one_again"),
    Planted("a command that was set aside is forgotten as an instant", f"{_BLOCKER}:Blocker.no_earlier",
            "if self.commands:", "if self.command:",
            "tests/unit/test_operating.py::test_resync_that_comes_late_does_not_turn_the_blockers_time_back"),
)  # fmt: skip
"""What the simulated drivers do not look at, do too seldom, or what the schedule heals in time; a unit test sees it."""
