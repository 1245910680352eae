"""What must hold of each driver's money and notices, as the driver sees them. A broken rule is one line."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from local.drivers import Driver
from tests.e2e.stays import balance, everything
from tests.e2e.world import Json

READ_AT_ONCE = 4
CHARGED = ("SUCCEEDED", "REFUND_PENDING", "PARTIALLY_REFUNDED", "REFUNDED")


@dataclass(frozen=True)
class Books:
    """What one driver sees of money and notices."""

    balance: int
    transactions: list[Json]
    payments: list[Json]
    notices: list[Json]


def read(drivers: Iterable[Driver]) -> list[Books]:
    """Those of each driver."""

    def read_one(driver: Driver) -> Books:
        lists = [everything(driver, path) for path in ("/wallet/transactions", "/payments", "/notifications")]
        return Books(balance(driver), *lists)

    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        return list(pool.map(read_one, drivers))


def violations(books: Books) -> Iterator[str]:
    """Every rule below."""
    yield from unbalanced(books)
    yield from ill_booked(books)
    yield from owed_wrongly(books)
    yield from told_twice(books)


def unbalanced(books: Books) -> Iterator[str]:
    """Each transaction adds up to zero, and the wallet is what its entries add up to, never below zero."""
    for transaction in books.transactions:
        if sum(entry["amount"] for entry in transaction["entries"]):
            yield f"does not add up to zero: {transaction}"
        wallet = sum(entry["amount"] for entry in transaction["entries"] if entry["account"] == "wallet")
        if wallet != transaction["amount"]:
            yield f"its amount is not what the wallet got: {transaction}"
    entries = sum(transaction["amount"] for transaction in books.transactions)
    if books.balance != entries or books.balance < 0:
        yield f"a wallet holds {books.balance}, its entries are {entries}"


def ill_booked(books: Books) -> Iterator[str]:
    """Each payment has the transactions that its state asks for, they moved what it moved, and no other is there."""
    found: dict[str, list[Json]] = {}
    for transaction in books.transactions:
        found.setdefault(transaction["payment_id"], []).append(transaction)
    for payment in books.payments:
        own = found.pop(payment["payment_id"], [])
        kinds = Counter(one["kind"] for one in own)
        expected = expected_kinds(payment)
        sent_back = kinds["CARD_REFUND"] - expected["CARD_REFUND"]
        if not 0 <= sent_back <= kinds["REFUND_TO_WALLET"]:
            yield f"more came back from the bank than was refunded to the wallet: {payment}"
        credited = kinds["CREDIT"]
        if credited > (payment["refunded_amount"] == payment["amount"]):
            yield f"a credit without a whole refund, or two: {payment}"
        if kinds != expected + Counter(CARD_REFUND=sent_back, CREDIT=credited):
            yield f"has the transactions {dict(kinds)}: {payment}"
        moved = sum(one["amount"] for one in own if one["kind"] != "CREDIT")
        if payment["dispute"] is None and moved != expected_in_wallet(payment):
            yield f"moved {moved} in the wallet: {payment}"
    yield from (f"belongs to no payment: {transaction}" for own in found.values() for transaction in own)


def expected_kinds(payment: Json) -> Counter[str]:
    """The records that a payment must have, but for a CARD_REFUND whose money the bank has sent back since."""
    kinds = Counter[str]()
    refunds = Counter(one["status"] for one in payment["refunds"])
    kinds.update(CARD_REFUND=refunds["SUCCEEDED"], REFUND_TO_WALLET=refunds["TO_WALLET"])
    if payment["purpose"] == "WITHDRAWAL":
        kinds.update(WITHDRAWAL=1)
    elif payment["status"] in CHARGED:
        by_card = "DEPOSIT" if payment["purpose"] == "DEPOSIT" else "CARD_PAYMENT"
        kinds[by_card if payment["method"] == "CARD" else "WALLET_PAYMENT"] += 1
        kinds.update(REFUND=len(payment["refunds"]))
        kinds["REFUND"] += payment["method"] == "WALLET" and payment["refunded_amount"] > 0
        kinds.update(DISPUTE=int(payment["dispute"] is not None), DISPUTE_WON=int(payment["dispute"] == "WON"))
    return +kinds


def expected_in_wallet(payment: Json) -> int:
    """What a payment that no bank disputes has added to the wallet."""
    returned: int = sum(one["amount"] for one in payment["refunds"] if one["status"] == "TO_WALLET")
    amount: int = payment["amount"]
    refunded: int = payment["refunded_amount"]
    match payment["purpose"], payment["method"]:
        case "WITHDRAWAL", _:
            return returned - amount
        case "DEPOSIT", _:
            return amount if payment["status"] in CHARGED else 0
        case _, "WALLET":
            return refunded - amount
        case _:
            return returned


def owed_wrongly(books: Books) -> Iterator[str]:
    """What is owed to cards is what refunds are on their way."""
    entries = [entry for transaction in books.transactions for entry in transaction["entries"]]
    owed = sum(entry["amount"] for entry in entries if entry["account"] == "refunds")
    refunds = [one for payment in books.payments for one in payment["refunds"] if one["status"] == "PENDING"]
    if owed != sum(one["amount"] for one in refunds):
        yield f"owes {owed} to cards, and these are on their way: {refunds}"


def told_twice(books: Books) -> Iterator[str]:
    """A driver is told once of each thing."""
    told = Counter((notice["kind"], str(sorted(notice["data"].items()))) for notice in books.notices)
    yield from (f"told {count} times: {kind} {data}" for (kind, data), count in told.items() if count > 1)
