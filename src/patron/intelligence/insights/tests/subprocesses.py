"""A refresh in a process of its own, that can be killed where one wants."""

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from django.db import connection

_PROGRAM = """
import sys, time
from datetime import datetime
import django
django.setup()
from patron.intelligence.insights.refresh import refresh

def tell(step, done, of):
    if step == sys.argv[2]:
        print("there", flush=True)
        time.sleep(60)

refresh(now=datetime.fromisoformat(sys.argv[1]), progress=tell)
print("passed", flush=True)
"""


def environment(house: Path) -> dict[str, str]:
    """What a process needs to work on the test database and the warehouse `house`."""
    given = connection.settings_dict
    url = f"postgresql://{given['USER']}@/{given['NAME']}?host={quote(given['HOST'], safe='')}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "patron.config.settings",
        "PATRON_DATABASE_URL": url,
        "PATRON_WAREHOUSE": str(house),
        "PATRON_TIME_ZONE": "Asia/Hong_Kong",
        "PATRON_CURRENCY": "HKD",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }


def wait_for_step(house: Path, now: datetime, step: str) -> subprocess.Popen[str]:
    """A refresh that has come to `step` and waits there."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, now.isoformat(), step],
        env=environment(house),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    assert said == "there", f"the refresh did not come to {step!r}"
    process.stdout.close()
    return process
