"""Every script in the README runs as it is written, but for a shorter time."""

import re
from pathlib import Path
from typing import Any

import emfem as em

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def small() -> em.mesh.Domain:
    """The domain that a script which begins in the middle is about."""
    return em.mesh.notched_strip(length=20.0, width=10.0, notch_depth=3.0, notch_width=3.0, size=1.8)


def test_there_are_scripts():
    assert len(SCRIPTS) >= 3


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: next(iter(script.splitlines())))
def test_script(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "meshes").symlink_to(ROOT / "meshes")
    for each in [SCRIPTS[0], script] if "em.results.open" in script else [script]:  # results of the first script
        shorter = re.sub(r"until=[\d.]+", "until=0.5", each)
        names: dict[str, Any] = {} if each.startswith("import") else {"em": em, "domain": small()}
        exec(compile(shorter, "README.md", "exec"), names)
    made = [path for path in tmp_path.rglob("*") if path.suffix in (".png", ".csv", ".bp")]
    assert made or "results/" not in script
