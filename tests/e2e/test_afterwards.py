"""What must hold after all the other tests: the books balance, every right sufficed, and no log tells a secret."""

import re

from local.startup import STRIPE_SECRET
from tests.e2e.stays import balance, everything
from tests.e2e.world import World

ASKED_FOR = ("BadInput", "NotFound: There is no such blocker")
"""What tests made fail on purpose: operators' bad input."""
SECRETS = re.compile(
    r"sk_(test|live)_|whsec_|_secret_\w{8}|PRIVATE KEY|\b4242\s?4242\s?4242\s?4242\b|\b4000000000000\d{3}\b|\beyJ\w+\.eyJ\w+"
)


def test_every_ledger_balances(world: World) -> None:
    transactions = 0
    for driver in world.drivers:
        ledger = everything(driver, "/wallet/transactions")
        for transaction in ledger:
            assert sum(entry["amount"] for entry in transaction["entries"]) == 0, transaction
            wallet = sum(entry["amount"] for entry in transaction["entries"] if entry["account"] == "wallet")
            assert wallet == transaction["amount"], transaction
        assert balance(driver) == sum(transaction["amount"] for transaction in ledger) >= 0
        transactions += len(ledger)
    assert transactions > len(world.drivers) / 2, "hardly any money moved: this proves nothing"


def test_every_payment_has_its_transactions(world: World) -> None:
    for driver in world.drivers:
        amounts: dict[str, list[int]] = {}
        for transaction in everything(driver, "/wallet/transactions"):
            amounts.setdefault(transaction["payment_id"], []).append(transaction["amount"])
        for payment in everything(driver, "/payments"):
            sign = 1 if payment["purpose"] == "DEPOSIT" else -1
            paid = [sign * payment["amount"]] if payment["status"] in ("SUCCEEDED", "REFUNDED") else []
            refunded = [payment["refunded_amount"]] if payment["refunded_amount"] else []
            assert sorted(amounts.pop(payment["payment_id"], [])) == sorted(paid + refunded), payment
        assert amounts == {}


def test_each_driver_was_told_once_of_each_thing(world: World) -> None:
    for driver in world.drivers:
        told = [
            (notice["kind"], notice["data"].get("payment_id") or sorted(notice["data"].items()))
            for notice in everything(driver, "/notifications")
        ]
        assert len(told) == len({str(one) for one in told}), told


def test_every_function_ran_and_none_failed_without_being_asked_to(world: World) -> None:
    functions = [name for name, physical in world.resources.items() if f"-{name}-" in physical and is_function(name)]
    logs = {name: world.log(name) for name in functions}
    assert len(functions) >= 15
    assert [name for name, lines in logs.items() if not lines] == []
    errors = [
        f"{name}: {line[:2000]}"
        for name, lines in logs.items()
        for line in lines
        if re.search(r'"level": ?"(ERROR|CRITICAL)"|\[ERROR\]|Traceback|Task timed out', line)
        and not any(asked in line for asked in ASKED_FOR)
    ]
    assert errors == []


def test_every_role_and_policy_sufficed(world: World) -> None:
    refused = [
        f"{group}: {line[:500]}"
        for group, lines in world.logs().items()
        for line in lines
        if "AccessDenied" in line or "not authorized" in line
    ]
    assert refused == []


def test_nothing_waits_in_a_failure_queue(world: World) -> None:
    sqs = world.stack.client("sqs")
    queues = [name for name in world.resources if name.endswith("FailuresQueue")]
    assert len(queues) == 4
    for name in queues:
        found = sqs.receive_message(QueueUrl=world.resources[name], MaxNumberOfMessages=10)
        assert found.get("Messages", []) == [], name


def test_no_log_tells_a_secret(world: World) -> None:
    seen = world.secrets_seen | set(STRIPE_SECRET.values()) | {driver.access_token for driver in world.drivers}
    for group, lines in world.logs().items():
        text = "\n".join(lines)
        assert SECRETS.search(text) is None, f"{group}: {SECRETS.search(text)}"
        assert [secret[:12] for secret in seen if secret in text] == [], group


def is_function(name: str) -> bool:
    return not name.endswith(("LogGroup", "Role", "Queue", "Policy", "Rule", "Permission", "Table", "Layer", "Topic"))
