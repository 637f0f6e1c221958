from pathlib import Path

from patron.kernel.intake.encodings import detect
from patron.kernel.intake.inspecting import inspect


def test_a_large_utf8_file_is_utf8_wherever_its_sample_is_cut(tmp_path: Path) -> None:
    for shift in range(3):
        file = tmp_path / f"{shift}.csv"
        file.write_text("a" * shift + "id,姓名\n" + "1,陳大文王美玲\n" * 600_000, encoding="utf-8")
        facts = inspect(file)
        assert facts.size > 8 << 20
        assert (detect(facts.sample).encoding, detect(facts.sample).sure, facts.tidy) == ("utf-8", True, True)
