"""The catalogue of planted bugs. Each is one dropped or bent condition, as a tired colleague might leave it."""

from tests.simulation.planted_bugs.elsewhere import ELSEWHERE
from tests.simulation.planted_bugs.machines import HEALTH, MACHINES
from tests.simulation.planted_bugs.money import ACCOUNTS, MONEY
from tests.simulation.planted_bugs.notices import NOTICES
from tests.simulation.planted_bugs.stays import BOOKINGS, EXTENSIONS

PLANTED = (*BOOKINGS, *EXTENSIONS, *MONEY, *MACHINES, *HEALTH, *NOTICES, *ACCOUNTS, *ELSEWHERE)
