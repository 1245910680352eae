"""A hundred spots from a CSV: all rows are right or nothing is written, and the same file again changes nothing."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from operators.spots import ROWS_MAX, Json, Provision, Row, Wrong, carry_out, check, provisioner, read
from parking import wiring
from parking.adapters.entry_codes import DerivedEntryCodes
from parking.adapters.memory.iot import MemoryThings
from parking.adapters.memory.store import MemoryStore
from parking.bad_input import BadInput
from parking.domain.ids import BlockerId, SpotId
from parking.domain.tariff import Weekday
from parking.services.spots import spot_of
from spots.provision import handler

HEADER = "spot_id,name,address,latitude,longitude,time_zone,tariff.price_per_hour_minor,tariff.currency"
VIRU = 'viru-{n},"Viru {n}","Viru {n}, Tallinn",59.4366,24.7489,Europe/Tallinn,300,EUR'


CODES = DerivedEntryCodes({"present": "master"})


def csv_of(*rows: str, header: str = HEADER) -> list[Row]:
    return read(iter("\n".join([header, *rows, ""]).splitlines(keepends=True)))


def virus(number: int) -> list[str]:
    return [VIRU.format(n=n) for n in range(1, number + 1)]


class Context:
    """What the logger reads of Lambda's context."""

    function_name = "provision"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn"
    aws_request_id = "request"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    store, things = MemoryStore(), MemoryThings()
    monkeypatch.setattr(wiring, "store", lambda: store)
    monkeypatch.setattr(wiring, "things", lambda: things)
    monkeypatch.setattr(wiring, "entry_codes", lambda: CODES)
    return store


@pytest.fixture
def provision(store: MemoryStore) -> Provision:
    """The function itself, as a Lambda client would call it."""

    def ask(wish: Json) -> Json:
        try:
            return handler(json.loads(json.dumps(wish)), cast(LambdaContext, Context()))
        except BadInput as error:
            raise Wrong(str(error).split("; ")) from error

    return ask


def put(rows: list[Row], provision: Provision, folder: Path, *, codes: bool = False) -> dict[str, int]:
    would = check(rows, provision)
    carry_out(would["CREATE"] + would["CHANGE"], provision, folder, codes=codes)
    return {what: len(found) for what, found in would.items()}


def files(folder: Path) -> dict[str, int]:
    """What lies in a folder, with who may read it."""
    return {str(one.relative_to(folder)): one.stat().st_mode & 0o777 for one in folder.rglob("*") if one.is_file()}


def test_many_spots_come_onto_the_map_and_their_keys_into_files_of_the_owner(
    store: MemoryStore, provision: Provision, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets"
    assert put(csv_of(*virus(3)), provision, secrets) == {"CREATE": 3, "CHANGE": 0, "NOTHING": 0}
    assert spot_of(store, SpotId("viru-3")).address == "Viru 3, Tallinn"
    kept = files(secrets)
    keys = {name: mode for name, mode in kept.items() if not name.endswith("certificate.pem")}
    assert keys == {
        f"blocker-viru-{n}/{kind}": 0o600 for n in (1, 2, 3) for kind in ("private_key.pem", "offline_secret")
    }
    shared = secrets / "blocker-viru-3" / "offline_secret"
    assert shared.read_text() == CODES.secret_of(BlockerId("blocker-viru-3"))
    assert secrets.stat().st_mode & 0o777 == 0o700


def test_the_same_file_again_changes_nothing(store: MemoryStore, provision: Provision, tmp_path: Path) -> None:
    put(csv_of(*virus(3)), provision, tmp_path)
    spots, kept = [spot_of(store, SpotId(f"viru-{n}")) for n in (1, 2, 3)], files(tmp_path)
    assert put(csv_of(*virus(3)), provision, tmp_path) == {"CREATE": 0, "CHANGE": 0, "NOTHING": 3}
    assert [spot_of(store, SpotId(f"viru-{n}")) for n in (1, 2, 3)] == spots
    assert files(tmp_path) == kept


def test_a_changed_row_changes_its_spot_and_gives_no_key(
    store: MemoryStore, provision: Provision, tmp_path: Path
) -> None:
    put(csv_of(*virus(2)), provision, tmp_path / "first")
    dearer = [VIRU.format(n=1), VIRU.format(n=2).replace("300", "400")]
    assert put(csv_of(*dearer), provision, tmp_path / "second") == {"CREATE": 0, "CHANGE": 1, "NOTHING": 1}
    assert spot_of(store, SpotId("viru-2")).tariff.price_per_hour_minor == 400
    assert files(tmp_path / "second") == {}


def test_codes_are_kept_instead_of_keys(store: MemoryStore, provision: Provision, tmp_path: Path) -> None:
    put(csv_of(*virus(2)), provision, tmp_path, codes=True)
    assert files(tmp_path) == {f"blocker-viru-{n}.code": 0o600 for n in (1, 2)}
    assert len((tmp_path / "blocker-viru-1.code").read_text().strip()) == len("ABCD-EFGH-IJKL-MNOP")


def test_one_wrong_row_stops_all_and_every_problem_is_named(store: MemoryStore, provision: Provision) -> None:
    rows = csv_of(
        VIRU.format(n=1),
        VIRU.format(n=2).replace("59.4366", "north"),
        VIRU.format(n=3).replace("Europe/Tallinn", "Europe/Atlantis").replace("EUR", "euro"),
    )
    with pytest.raises(Wrong) as wrong:
        check(rows, provision)
    named = [problem.split(":")[:2] for problem in wrong.value.problems]
    assert named == [["line 3", " latitude"], ["line 4", " time_zone"], ["line 4", " tariff.currency"]]
    with pytest.raises(Exception, match="no such spot"):
        spot_of(store, SpotId("viru-1"))


def test_bands_are_json_and_an_empty_cell_leaves_its_field_out(
    store: MemoryStore, provision: Provision, tmp_path: Path
) -> None:
    night = {"name": "Night", "start_time": "20:00", "end_time": "08:00", "price_per_hour_minor": 0}
    cell = json.dumps([night]).replace('"', '""')
    put(
        csv_of(
            f'{VIRU.format(n=1)},"{cell}",,20',
            f"{VIRU.format(n=2)},,2000,",
            header=f"{HEADER},tariff.bands,tariff.daily_cap_minor,turnover_minutes",
        ),
        provision,
        tmp_path,
    )
    one, two = (spot_of(store, SpotId(f"viru-{n}")) for n in (1, 2))
    assert [(band.name, band.weekdays) for band in one.tariff.bands] == [("Night", frozenset(Weekday))]
    assert (one.tariff.daily_cap_minor, one.turnover_minutes) == (None, 20)
    assert (two.tariff.bands, two.tariff.daily_cap_minor, two.turnover_minutes) == ((), 2000, 10)


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    rows = csv_of(VIRU.format(n=1).replace("Viru 1,", "Viru 1\n,"), VIRU.format(n=2))
    assert [row.line for row in rows] == [3, 4]


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        ("name,address", ["a,b"], "does not name the columns"),
        ("spot_id,spot_id", ["a,b"], "does not name the columns"),
        ("spot_id,new_certificate", ["a,true"], "new_certificate: this is no column"),
        (HEADER, [], "there is no row"),
        (HEADER, ["viru-1,Viru 1"], "line 2: has not as many cells as the header"),
        (HEADER, [VIRU.format(n=1) + ",more"], "line 2: has not as many cells as the header"),
        (HEADER, virus(1) * 2, "line 3: spot_id: viru-1 is in line 2 already"),
        ("spot_id,tariff.bands", ["viru-1,[night]"], "line 2: tariff.bands: is no JSON"),
        (HEADER, virus(ROWS_MAX + 1), f"are more than {ROWS_MAX}"),
        (HEADER, ['viru-1,"Viru'], "line 2: unexpected end of data"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_the_line(header: str, rows: list[str], said: str) -> None:
    with pytest.raises(Wrong) as wrong:
        csv_of(*rows, header=header)
    assert any(said in problem for problem in wrong.value.problems), wrong.value.problems


def test_a_row_that_fails_half_way_is_named_and_the_others_go_on(provision: Provision, tmp_path: Path) -> None:
    def unlucky(wish: Json) -> Json:
        if wish["spot_id"] == "viru-2":
            raise Wrong(["no answer: of the test"])
        return provision(wish)

    with pytest.raises(Wrong) as wrong:
        carry_out(csv_of(*virus(3)), unlucky, tmp_path, codes=True)
    assert wrong.value.problems == ("line 3: no answer: of the test",)
    assert set(files(tmp_path)) == {"blocker-viru-1.code", "blocker-viru-3.code"}


def test_a_key_that_is_there_is_never_written_over(provision: Provision, tmp_path: Path) -> None:
    (tmp_path / "blocker-viru-1.code").write_text("of before")
    with pytest.raises(Wrong) as wrong:
        carry_out(csv_of(*virus(1)), provision, tmp_path, codes=True)
    assert "line 2: what blocker-viru-1 got is lost" in wrong.value.problems[0]
    assert (tmp_path / "blocker-viru-1.code").read_text() == "of before"


def test_nothing_secret_is_printed(provision: Provision, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(csv_of(*virus(2)), provision, tmp_path, codes=True)
    printed = capfd.readouterr()
    codes = [file.read_text().strip() for file in tmp_path.glob("*.code")]
    assert len(codes) == 2
    assert not any(code in printed.out + printed.err for code in codes)
    assert "2 of 2 done" in printed.err


def test_what_the_function_refuses_is_named_by_field() -> None:
    class Client:
        def invoke(self, **_: Any) -> Json:
            class Payload:
                @staticmethod
                def read() -> bytes:
                    return json.dumps({"errorMessage": "name: is missing; latitude: is wrong"}).encode()

            return {"FunctionError": "Unhandled", "Payload": Payload}

    with pytest.raises(Wrong) as wrong:
        provisioner(Client(), "f")({})
    assert wrong.value.problems == ("name: is missing", "latitude: is wrong")
