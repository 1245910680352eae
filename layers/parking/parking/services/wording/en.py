"""English: what is said where we do not speak the driver's language."""

from parking.domain.notification import NotificationKind as N
from parking.services.wording.language import Language, Words


def _plural(count: int) -> str:
    return "one" if count == 1 else "other"


ENGLISH = Language(
    tag="en",
    decimal_separator=".",
    group_separator=",",
    months=(
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    clock_of_another_day="{clock} on {day} {month}",
    plural=_plural,
    hours={"one": "hour", "other": "hours"},
    minutes={"one": "minute", "other": "minutes"},
    notices={
        N.PAYMENT_SUCCEEDED: Words("Payment received", "{amount:money} for {spot_name} until {ends_at:clock}."),
        N.DEPOSIT_SUCCEEDED: Words("Wallet topped up", "{amount:money} added; the wallet holds {balance:money}."),
        N.LATE_PAYMENT_REFUNDED: Words(
            "Payment refunded",
            "Your card paid {amount:money} when it was too late; all of it is on its way back to the card.",
        ),
        N.REFUNDED_TO_WALLET: Words(
            "Refund in your wallet",
            "Your bank did not take {amount:money} back onto the card, so the money is in your wallet.",
        ),
        N.OVERSTAY_CHARGED: Words(
            "Overstay",
            "Your car stayed at {spot_name} for {overstay_minutes:duration} after the end: {amount:money}.",
        ),
        N.OVERSTAY_DEBT: Words(
            "Overstay not paid",
            "{amount:money} for your overstay at {spot_name} could not be charged. Pay it in the app to reserve again.",
        ),
        N.RESERVATION_EXPIRED: Words(
            "Reservation expired", "The reservation of {spot_name} was not paid in time."
        ),
        N.RESERVATION_CANCELLED: Words(
            "Reservation cancelled", "The reservation of {spot_name} is cancelled. Refund: {amount:money}."
        ),
        N.RESERVATION_COMPLETED: Words(
            "Stay completed", "Your stay at {spot_name} ended at {ended_at:clock}. The receipt is ready."
        ),
        N.RESERVATION_NO_SHOW: Words(
            "You did not arrive", "Your time at {spot_name} ended at {ended_at:clock} without an arrival."
        ),
        N.STAY_ENDING_EXTENDABLE: Words(
            "Your stay ends soon",
            "Your stay at {spot_name} ends at {ends_at:clock}. You can extend it until {latest_ends_at:clock}.",
        ),
        N.STAY_ENDING_SPOT_TAKEN: Words(
            "Your stay ends soon",
            "Your stay at {spot_name} ends at {ends_at:clock}. "
            "Somebody else has the spot next, so it cannot be extended.",
        ),
        N.STAY_ENDING_LONGEST: Words(
            "Your stay ends soon",
            "Your stay at {spot_name} ends at {ends_at:clock}. It cannot be extended any further.",
        ),
        N.SPOT_TAKEN_NEXT: Words(
            "Please leave in time",
            "Your stay at {spot_name} ends at {ends_at:clock}, and somebody else has the spot next.",
        ),
        N.OVERSTAY_WARNING: Words(
            "Your time is over",
            "Your stay at {spot_name} ended at {ends_at:clock}, and your car is still there. Leave by "
            "{grace_ends_at:clock}; else each hour from {ends_at:clock} on costs {price_per_hour:money}, "
            "at most {cap:money}.",
        ),
        N.OVERSTAY_METERED: Words(
            "Your time is over",
            "Your stay at {spot_name} ended at {ends_at:clock}, and your car is still there. "
            "Each hour from {ends_at:clock} on costs {price_per_hour:money}, at most {cap:money}.",
        ),
        N.SPOT_STILL_OCCUPIED: Words(
            "Your spot is still occupied",
            "The car of the stay before yours still stands at {spot_name}; your stay is from {starts_at:clock}. "
            "If it is there at {offer_at:clock}, you may have another spot or your money back.",
        ),
        N.SPOT_OCCUPIED_MOVE_OFFERED: Words(
            "Your spot is occupied",
            "The car of the stay before yours still stands at {spot_name}. {other_spot_name} nearby is free "
            "for the same price; or take your {amount:money} back, and {credit:money} as a credit. Choose in the app.",
        ),
        N.SPOT_OCCUPIED_REFUND_OFFERED: Words(
            "Your spot is occupied",
            "The car of the stay before yours still stands at {spot_name}, and no equal spot nearby is free. "
            "Take your {amount:money} back in the app, and {credit:money} as a credit.",
        ),
        N.CREDIT_GRANTED: Words(
            "A credit for you",
            "We are sorry that {spot_name} was occupied: {amount:money} are in your wallet.",
        ),
        N.SPOT_OUT_OF_SERVICE: Words(
            "Your spot is out of service",
            "{spot_name} is out of service, and your stay is from {starts_at:clock}. Choose another spot for the same "
            "price in the app, or cancel free of charge. If you do neither, you get all your money back at "
            "{given_up_at:clock}.",
        ),
        N.GUARD_FAILED: Words(
            "Your spot is not guarded",
            "The barrier at {spot_name} could not be raised, so somebody may stand there. Come all the same, choose "
            "another spot in the app, or cancel free of charge until {ends_at:clock}.",
        ),
    },
)  # fmt: skip
