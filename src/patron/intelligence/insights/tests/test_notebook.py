"""The example notebook runs from top to bottom on a small warehouse, and is kept without its results."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from patron.intelligence.insights.mine import mine
from patron.intelligence.warehouse.store import Store
from patron.intelligence.warehouse.testing_files import AS_OF, generated, published

NOTEBOOK = Path(__file__).parents[5] / "docs" / "notebooks" / "first-look.ipynb"


@pytest.fixture
def notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    root = tmp_path / "warehouse"
    manifest = published(root, generated(seed=20260302))
    found = mine(Store(root), manifest, as_of=AS_OF, currency="HKD", parameters={}, work=tmp_path, engine="duckdb")
    Store(root).publish(replace(manifest, version=2, marts=found.marts, facts={"as_of": AS_OF.isoformat()}))
    return root


def test_it_is_kept_without_results(notebook: Any) -> None:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:zmq", "ignore::DeprecationWarning:jupyter_client")
def test_it_runs_from_top_to_bottom(
    notebook: Any, warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATRON_WAREHOUSE", str(warehouse))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")

    NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()

    said = {cell.source.split("\n")[-1]: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    assert all(output.output_type == "execute_result" for outputs in said.values() for output in outputs), said
    assert "warehouse version 2 as of 2026-03-02" in said["warehouse"][0].data["text/plain"]
    tiers = next(outputs for source, outputs in said.items() if source.startswith("by_tier"))
    assert "gold" in tiers[0].data["text/plain"]
