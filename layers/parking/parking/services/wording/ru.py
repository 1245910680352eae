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
        N.SPOT_TAKEN_NEXT: Words(
            "Пожалуйста, уезжайте вовремя",
            "Стоянка на месте «{spot_name}» закончится в {ends_at:clock}, следующим место займёт другой водитель.",
        ),
        N.OVERSTAY_WARNING: Words(
            "Ваше время закончилось",
            "Стоянка на месте «{spot_name}» закончилась в {ends_at:clock}, а машина ещё на месте. Уезжайте до "
            "{grace_ends_at:clock}, иначе всё время после окончания стоит {price_per_hour:money} в час, "
            "но не больше {cap:money}.",
        ),
        N.OVERSTAY_METERED: Words(
            "Ваше время закончилось",
            "Стоянка на месте «{spot_name}» закончилась в {ends_at:clock}, а машина ещё на месте. Всё время после "
            "окончания стоит {price_per_hour:money} в час, но не больше {cap:money}.",
        ),
        N.SPOT_STILL_OCCUPIED: Words(
            "Ваше место ещё занято",
            "На месте «{spot_name}» ещё стоит машина предыдущей стоянки; ваша стоянка с {starts_at:clock}. "
            "Если машина будет там в {offer_at:clock}, вы сможете взять другое место или вернуть деньги.",
        ),
        N.SPOT_OCCUPIED_MOVE_OFFERED: Words(
            "Ваше место занято",
            "На месте «{spot_name}» всё ещё стоит машина предыдущей стоянки. Рядом по той же цене свободно место "
            "«{other_spot_name}»; или верните {amount:money} и получите бонус {credit:money}. Выберите в приложении.",
        ),
        N.SPOT_OCCUPIED_REFUND_OFFERED: Words(
            "Ваше место занято",
            "На месте «{spot_name}» всё ещё стоит машина предыдущей стоянки, и равного места рядом нет. "
            "Верните в приложении {amount:money} и получите бонус {credit:money}.",
        ),
        N.CREDIT_GRANTED: Words(
            "Бонус для вас",
            "Нам жаль, что место «{spot_name}» было занято: {amount:money} теперь в вашем кошельке.",
        ),
        N.SPOT_OUT_OF_SERVICE: Words(
            "Ваше место закрыто",
            "Место «{spot_name}» временно закрыто, а ваша стоянка с {starts_at:clock}. Выберите в приложении другое "
            "место по той же цене или отмените бронь бесплатно. Если ничего не выбрать, все деньги вернутся в "
            "{given_up_at:clock}.",
        ),
        N.GUARD_FAILED: Words(
            "Ваше место не охраняется",
            "Барьер на месте «{spot_name}» не поднялся, и место может быть занято. Приезжайте всё равно, выберите "
            "другое место в приложении или отмените бронь бесплатно до {ends_at:clock}.",
        ),
    },
)  # fmt: skip
