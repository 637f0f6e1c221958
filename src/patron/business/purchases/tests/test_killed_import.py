"""`kill -9` in mid-import, then the same file again: the same totals as if nothing had been."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum

from patron.business.purchases.models import Purchase, PurchaseLine
from patron.core.activities.models import Activity
from patron.kernel.actor import SYSTEM
from patron.kernel.intake.contract import importers
from patron.kernel.intake.engine import import_file
from patron.kernel.intake.errors import RunBusy
from patron.kernel.intake.reports import Report
from patron.kernel.models import ImportRun

LINES, CHUNK = 12_000, 1_000
WORKER = """
import os, sys
import django
django.setup()
from datetime import UTC, datetime
from pathlib import Path
from django.conf import settings
from patron.kernel.actor import SYSTEM
from patron.kernel.intake.contract import importers
from patron.kernel.intake.engine import import_file
settings.IMPORT_DIRECTORY = Path(sys.argv[2])
object.__setattr__(importers.get("purchases"), "chunk_rows", int(sys.argv[3]))
import_file("purchases", Path(sys.argv[1]), actor=SYSTEM, now=datetime(2025, 6, 1, tzinfo=UTC))
"""


def _file(path: Path) -> Decimal:
    """Twelve thousand lines, three to a receipt; returns what they add up to."""
    with path.open("w", encoding="utf-8") as file:
        file.write("receipt_no,sold_at,customer_no,product_code,quantity,amount\n")
        for i in range(LINES):
            file.write(f"R{i // 3:06},2025-01-{1 + i * 28 // LINES:02} 10:00,M{i // 3 % 97},P{i % 50},1,{i % 100}.25\n")
    return sum((Decimal(i % 100) + Decimal("0.25") for i in range(LINES)), Decimal(0))


def _url() -> str:
    chosen = connection.settings_dict
    user, password = quote(str(chosen["USER"])), quote(str(chosen["PASSWORD"] or ""))
    port = f"&port={chosen['PORT']}" if chosen["PORT"] else ""
    return f"postgresql://{user}:{password}@/{chosen['NAME']}?host={quote(str(chosen['HOST']), safe='')}{port}"


@pytest.mark.django_db(transaction=True)
def test_an_import_killed_in_mid_work_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, imports = tmp_path / "till.csv", tmp_path / "imports"
    total = _file(path)
    environment = {
        **os.environ,
        "PATRON_DATABASE_URL": _url(),
        "DJANGO_SETTINGS_MODULE": "patron.config.settings",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), str(imports), str(CHUNK)], env=environment, stderr=subprocess.PIPE
    ) as worker:
        deadline = time.monotonic() + 60
        while not ImportRun.objects.filter(checkpoint__gte=2).exists():
            assert worker.poll() is None, worker.stderr.read().decode() if worker.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(worker.pid, signal.SIGKILL)
    run = ImportRun.objects.get()
    assert run.status == "running"
    assert 2 <= run.checkpoint < LINES // CHUNK
    assert PurchaseLine.objects.count() == run.rows_done

    monkeypatch.setattr(settings, "IMPORT_DIRECTORY", imports)
    object.__setattr__(importers.get("purchases"), "chunk_rows", CHUNK)
    try:
        report = _again(path)
    finally:
        object.__setattr__(importers.get("purchases"), "chunk_rows", 250_000)

    assert (report.status, report.resumed_from, report.added) == ("done", run.rows_done, LINES // 3)
    assert PurchaseLine.objects.count() == LINES
    assert Purchase.objects.count() == LINES // 3
    assert Purchase.objects.aggregate(Sum("net_amount"))["net_amount__sum"] == total
    assert Activity.objects.filter(kind="purchase.completed").count() == LINES // 3


def _again(path: Path) -> Report:
    """The killed process's lock goes with its connection, which the database may take a moment to notice."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return import_file("purchases", path, actor=SYSTEM, now=datetime(2025, 6, 1, tzinfo=UTC))
        except RunBusy:
            assert time.monotonic() < deadline
            time.sleep(0.1)
