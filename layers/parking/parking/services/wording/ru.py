"""Russian. Counts stand where the nominative is right, because only that has plural forms here."""

from parking.domain.notification import NotificationKind as N
from parking.services.wording.language import Language, Words


def _plural(count: int) -> str:
    if count % 100 in range(11, 15):
        return "many"
    return {1: "one", 2: "few", 3: "few", 4: "few"}.get(count % 10, "many")


RUSSIAN = Language(
    tag="ru",
    decimal_separator=",",
    group_separator="\N{NO-BREAK SPACE}",
    months=(
        "января", "февраля", "марта", "апреля", "мая", "июня",
        "июля", "августа", "сентября", "октября", "ноября", "декабря",
    ),
    clock_of_another_day="{clock} {day} {month}",
    plural=_plural,
    hours={"one": "час", "few": "часа", "many": "часов"},
    minutes={"one": "минута", "few": "минуты", "many": "минут"},
    notices={
        N.PAYMENT_SUCCEEDED: Words("Оплата получена", "{amount:money} за место «{spot_name}» до {ends_at:clock}."),
        N.DEPOSIT_SUCCEEDED: Words("Кошелёк пополнен", "Зачислено {amount:money}; в кошельке {balance:money}."),
        N.LATE_PAYMENT_REFUNDED: Words(
            "Платёж возвращён",
            "{amount:money} поступили с карты слишком поздно; вся сумма возвращается на карту.",
        ),
        N.REFUNDED_TO_WALLET: Words(
            "Возврат в кошелёк",
            "Банк не принял возврат {amount:money} на карту, поэтому деньги в вашем кошельке.",
        ),
        N.OVERSTAY_CHARGED: Words(
            "Стоянка после окончания",
            "Машина осталась на месте «{spot_name}» после окончания стоянки. "
            "Лишнее время: {overstay_minutes:duration}, к оплате {amount:money}.",
        ),
        N.OVERSTAY_DEBT: Words(
            "Лишнее время не оплачено",
            "Не удалось списать {amount:money} за лишнее время на месте «{spot_name}». "
            "Оплатите в приложении, чтобы бронировать снова.",
        ),
        N.RESERVATION_EXPIRED: Words(
            "Бронь истекла", "Бронь места «{spot_name}» не была оплачена вовремя."
        ),
        N.RESERVATION_CANCELLED: Words(
            "Бронь отменена", "Бронь места «{spot_name}» отменена. Возврат: {amount:money}."
        ),
        N.RESERVATION_COMPLETED: Words(
            "Стоянка завершена", "Стоянка на месте «{spot_name}» закончилась в {ended_at:clock}. Чек готов."
        ),
        N.RESERVATION_NO_SHOW: Words(
            "Вы не приехали", "Ваше время на месте «{spot_name}» закончилось в {ended_at:clock}, а вы не приехали."
        ),
        N.STAY_ENDING_EXTENDABLE: Words(
            "Стоянка скоро закончится",
            "Стоянка на месте «{spot_name}» закончится в {ends_at:clock}. "
            "Её можно продлить до {latest_ends_at:clock}.",
        ),
        N.STAY_ENDING_SPOT_TAKEN: Words(
            "Стоянка скоро закончится",
            "Стоянка на месте «{spot_name}» закончится в {ends_at:clock}. "
            "Следующим место займёт другой водитель, поэтому продлить её нельзя.",
        ),
        N.STAY_ENDING_LONGEST: Words(
            "Стоянка скоро закончится",
            "Стоянка на месте «{spot_name}» закончится в {ends_at:clock}. Продлить её больше нельзя.",
        ),
    },
)  # fmt: skip
