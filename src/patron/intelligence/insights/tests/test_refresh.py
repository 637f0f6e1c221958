"""The refresh from end to end: when it works, when it rests, and after something went wrong."""

import json
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from patron.core.accounts.rules import Role
from patron.core.accounts.testing import actor_in
from patron.core.customers.models import Insight, InsightRun
from patron.core.customers.operations import insights as publishing
from patron.core.customers.testing import CHAN, WANG, make_customer
from patron.intelligence.insights.jobs import refresh_hourly, refresh_insights
from patron.intelligence.insights.models import ModelParameters
from patron.intelligence.insights.operations import change_model_parameters, request_refresh
from patron.intelligence.insights.queries import (
    get_freshness,
    get_model_settings,
    get_parameter_history,
    latest_runs,
)
from patron.intelligence.insights.refresh import refresh
from patron.intelligence.insights.tests.subprocesses import environment, wait_for_step
from patron.intelligence.warehouse.errors import RefreshRunning
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.store import Store
from patron.intelligence.warehouse.testing import NOON, sell
from patron.kernel.errors import InvalidInput, PermissionRefused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_queue() -> None:
    """The queue's tables are not Django's: what committed tests leave there stays."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs CASCADE")


ANALYST = actor_in(Role.ANALYST)


def test_insights_are_published_with_reason_and_run(house: Path) -> None:
    chan, wang = make_customer(CHAN), make_customer(WANG)
    sell(chan, "90.00", days_ago=3)
    sell(wang, "10.00", days_ago=1)

    report = refresh(now=NOON)

    assert (report.mode, report.reason, report.mined, report.as_of) == (
        "full", "the first version", True, date(2026, 3, 2),
    )  # fmt: skip
    assert [(model.model, model.added) for model in report.models] == [("value", 2), ("lifecycle", 2)]
    value = Insight.objects.get(customer=chan, model="value")
    assert (value.label, value.score, value.rank) == ("A", Decimal("90.0000"), 1)
    assert value.facts["vip"] is True
    assert (value.facts["recency_days"], value.facts["frequency"], value.facts["share"]) == (3, 1, 0.9)
    before = (value.facts["previous_label"], value.facts["previous_vip"], value.facts["movement"])
    assert before == ("A", True, "stayed")
    assert value.reason_code == "vip"
    assert value.reason.startswith("Rank 1 of 2")
    stage = Insight.objects.get(customer=wang, model="lifecycle")
    assert (stage.label, stage.score, stage.rank) == ("new", Decimal("10.0000"), None)
    assert (stage.facts["days_since_last"], stage.facts["at_risk"]) == (1, False)
    run = latest_runs()["value"]
    assert (run.metrics["vip_count"], run.parameters["vip_share"], run.rows) == (1, 0.2, 2)


def test_nothing_new_ends_after_a_look(house: Path) -> None:
    sell(make_customer(), "1.00")
    refresh(now=NOON)

    report = refresh(now=NOON + timedelta(hours=1))

    assert (report.mode, report.rows_read, report.mined, report.models) == ("unchanged", 0, False, ())
    assert report.version == 1
    assert InsightRun.objects.count() == 2
    freshness = get_freshness()
    assert freshness is not None
    assert freshness.checked_at == NOON + timedelta(hours=1)
    assert freshness.age_seconds(NOON + timedelta(hours=3)) == 7200


@pytest.mark.slow
def test_nothing_new_loads_neither_models_nor_warehouse_engine(house: Path) -> None:
    sell(make_customer(), "1.00")
    refresh(now=NOON)
    program = (
        "import django, json, sys; django.setup()\n"
        "from datetime import datetime; from patron.intelligence.insights.refresh import refresh\n"
        f"report = refresh(now=datetime.fromisoformat('{NOON.isoformat()}'))\n"
        "print(json.dumps([report.mode, [m for m in sys.modules if m.endswith(('.insights.mine', '.loading'))\n"
        "  and m.startswith('patron.intelligence')]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(house), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["unchanged", []]


def test_a_new_day_mines_again_without_reading_again(house: Path) -> None:
    chan = make_customer()
    sell(chan, "1.00")
    refresh(now=NOON)

    report = refresh(now=NOON + timedelta(days=1))

    assert (report.mode, report.rows_read, report.mined, report.version) == ("unchanged", 0, True, 2)
    assert [(model.changed, model.unchanged) for model in report.models] == [(1, 0), (1, 0)]
    assert Insight.objects.get(model="value").facts["recency_days"] == 1


def test_a_new_purchase_changes_only_those_whom_it_concerns(house: Path) -> None:
    chan, wang = make_customer(CHAN), make_customer(WANG)
    sell(chan, "100.00", days_ago=2)
    sell(wang, "100.00", days_ago=3)
    refresh(now=NOON)
    sell(wang, "1.00", days_ago=3)

    report = refresh(now=NOON)

    assert (report.mode, report.rows_read) == ("incremental", 2)
    lifecycle = report.models[1]
    assert (lifecycle.model, lifecycle.changed, lifecycle.unchanged) == ("lifecycle", 1, 1)


def test_what_was_not_published_before_a_crash_is_published_next_time(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(make_customer(), "1.00")
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_UPDATE", "SELECT 1/0")
        with pytest.raises(Exception, match="division by zero"):
            refresh(now=NOON)
    assert not Insight.objects.exists()

    report = refresh(now=NOON)

    assert (report.mode, report.mined) == ("unchanged", False)
    assert Insight.objects.count() == 2


def test_changed_parameters_are_used_and_told(house: Path) -> None:
    for character in (CHAN, WANG):
        sell(make_customer(character), "50.00")
    refresh(now=NOON)

    change_model_parameters(actor=ANALYST, now=NOON, model="value", parameters={"vip_share": 1, "window_days": 365})
    report = refresh(now=NOON)

    assert (report.mode, report.mined) == ("unchanged", True)
    assert [insight.facts["vip"] for insight in Insight.objects.filter(model="value")] == [True, True]
    assert latest_runs()["value"].parameters["vip_share"] == 1.0
    assert [row.parameters for row in get_parameter_history("value")] == [{"vip_share": 1.0}]
    assert ProcrastinateJob.objects.filter(task_name="insights.refresh", status="todo").count() == 1


def test_the_settings_of_a_model_say_what_was_changed() -> None:
    change_model_parameters(actor=ANALYST, now=NOON, model="lifecycle", parameters={"new_days": 30})

    settings = {model.name: model for model in get_model_settings()}

    assert set(settings) >= {"value", "lifecycle"}
    assert settings["value"].last_change is None
    changed = [each for each in settings["lifecycle"].parameters if each.is_changed]
    assert [(each.name, each.value, each.default, each.minimum) for each in changed] == [("new_days", 30, 60, 1)]
    assert settings["lifecycle"].last_change == ModelParameters.objects.get()


@pytest.mark.parametrize(
    ("model", "parameters", "words"),
    [
        ("horoscope", {}, "no model"),
        ("value", {"luck": 1}, "luck"),
        ("value", {"vip_share": 2}, "at most 1"),
        ("value", {"vip_share": "much"}, "vip_share"),
        ("value", {"window_days": 3.5}, "window_days"),
        ("value", {"class_b_share": 0.5}, "class_b_share"),
        ("lifecycle", {"new_days": True}, "new_days"),
    ],
)
def test_parameters_that_do_not_hold_change_nothing(model: str, parameters: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        change_model_parameters(actor=ANALYST, now=NOON, model=model, parameters=parameters)  # type: ignore[arg-type]
    assert not ModelParameters.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_a_cashier_may_neither_change_parameters_nor_ask_for_a_refresh() -> None:
    cashier = actor_in(Role.CASHIER)
    with pytest.raises(PermissionRefused):
        change_model_parameters(actor=cashier, now=NOON, model="value", parameters={})
    with pytest.raises(PermissionRefused):
        request_refresh(actor=cashier, now=NOON)
    assert not ModelParameters.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_asking_twice_queues_one_refresh() -> None:
    request_refresh(actor=ANALYST, now=NOON)
    request_refresh(actor=ANALYST, now=NOON)
    assert ProcrastinateJob.objects.filter(task_name="insights.refresh").count() == 1


def test_the_job_refreshes_and_gives_way_to_a_running_one(house: Path) -> None:
    sell(make_customer(), "1.00")
    with Store(house).locked():
        refresh_insights()
    assert get_freshness() is None
    refresh_hourly(timestamp=0)
    assert get_freshness() is not None


def test_the_command_line_says_that_one_is_running(house: Path) -> None:
    with Store(house).locked(), pytest.raises(RefreshRunning, match="already running"):
        refresh(now=NOON)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["purchase_lines", "mine", "publish value", "publish lifecycle"])
def test_killed_at_any_step_the_next_run_gives_the_same_totals(house: Path, step: str) -> None:
    customers = [make_customer(CHAN), make_customer(WANG)]
    for n in range(60):
        sell(customers[n % 2], f"{n}.25", "1.00", days_ago=n)
    if step == "mine":
        refresh(now=NOON)  # killed over an older version as well as over none
        sell(customers[0], "500.00")
    killed = wait_for_step(house, NOON, step)
    killed.kill()
    killed.wait()
    report = refresh(now=NOON)

    lines = 120 + (1 if step == "mine" else 0)
    total = sum(Decimal(n) + Decimal("1.25") for n in range(60)) + (500 if step == "mine" else 0)
    assert report.totals["purchase_lines"]["count"] == str(lines)
    assert open_warehouse(house).rows("SELECT count(*), sum(net_amount) FROM purchase_lines") == [(lines, total)]
    assert Insight.objects.filter(model="value").count() == Insight.objects.filter(model="lifecycle").count() == 2
    assert sum(insight.score or 0 for insight in Insight.objects.filter(model="value")) == total
    named = set(Store(house).current().files())
    on_disk = {str(path.relative_to(house)) for path in (house / "parts").rglob("*.parquet")}
    assert named <= on_disk
    assert not (house / "work").exists()
