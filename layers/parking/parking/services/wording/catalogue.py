"""Which languages we speak, and which of them a driver understands."""

from collections.abc import Iterable

from parking.services.wording.en import ENGLISH
from parking.services.wording.language import Language
from parking.services.wording.ru import RUSSIAN

LANGUAGES = {language.tag: language for language in (ENGLISH, RUSSIAN)}


def language_for(wishes: Iterable[str | None]) -> Language:
    """The language of the first wish that we can meet, else English.

    A wish is a BCP 47 tag, looked up as RFC 4647 (3.4) says: ru-Cyrl-RU, then ru-Cyrl, then ru. Some write ru_RU.
    """
    for wish in wishes:
        subtags = (wish or "").lower().replace("_", "-").split("-")
        for length in range(len(subtags), 0, -1):
            if language := LANGUAGES.get("-".join(subtags[:length])):
                return language
    return ENGLISH
