"""Every script in the README runs as it is written, but for a shorter time."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_there_are_scripts():
    assert len(SCRIPTS) >= 3


def test_it_is_short():
    """The rest has pages of the site."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: next(iter(script.splitlines())))
def test_script(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shorter = re.sub(r"until=[\d.]+", "until=0.5", script)
    exec(compile(shorter, "README.md", "exec"), {})
    made = [path for path in tmp_path.rglob("*") if path.suffix in (".png", ".csv", ".bp")]
    assert made or "results/" not in script
