"""Cases with hostile values, keys and text: `python -m tests.fuzz.cases --cases 2000 --seed 1`.

Cases are those of `emfem new`, small, with one to three changes: other values, tables for values and values for
tables, keys of the schema that they lack, and damaged text. They are checked, and some of them built, but not run.
"""

from __future__ import annotations

import random
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any

from emfem.studies import templates
from emfem.studies.case import schema
from emfem.studies.validation import fields, walk
from tests.fuzz import command
from tests.fuzz.pool import Call

import tomli_w

Place = tuple[str | int, ...]

# Values as Python has them; `inf`, `nan` and `date` are names of fixtures.py.
VALUES = (
    *("0", "1", "-1", "0.5", "2.5", "True", "False", "1e308", "-1e308", "5e-324", "1e-300", "inf", "-inf", "nan"),
    *("10**9", "2**63", "10**400", "10**5000", "''", "' '", "'x' * 5000", "'left'", "'a\\0b'", "'film'", "'None'"),
    *("[]", "[[]]", "[[], []]", "{}", "[{}]", "[1]", "[1, 2]", "[1.0, 2.0, 3.0]", "['a', 'b']", "[[1, 2], [3]]"),
    *("{'x': 1}", "{'': 1}", "{'a.b': 2}", "{'#=': 'x'}", "date(2020, 1, 1)", "[date(2020, 1, 1)]", "[inf, nan]"),
    *("{'fixed': 1.0}", "{'fixed': 1.0, 'flux': 1.0}", "{'times': [], 'values': []}", "[[0, 0], [1, 1], [1, 0]]"),
    *("{'times': [0, 1], 'values': [1, 2]}", "{'times': ['0 s', '1 m'], 'values': [1, 'x'], 'between': 'x'}"),
    *("{'times': [1, 0], 'values': [1, 2]}", "{'times': 1, 'values': {}}", "{'times': [nan], 'values': [[]]}"),
    *("{'period': 1, 'duty': 0.5, 'level': 2}", "{'period': '1 s', 'duty': 2, 'level': []}", "{'level': 1}"),
    *("{'period': 0, 'duty': nan, 'level': '1 V', 'count': 1.5}", "{'fixed': {'level': {}}}", "[1e300] * 3"),
    *("nested(3, 1)", "nested(200, 1)", "nested(3000, 1)", "nested(3000, {})", "tabled(200, 1)", "tabled(3000, 1)"),
    *("[10**5] * 3", "[10**9, 2]", "[0, 4]", "[1.5, 2]", "[-4, 4]", "[True, True]", "list(range(10**5))"),
)
UNITS = (
    *("1 m", "1 um", "1um", "1*um", "1 s", "3 hours", "45 deg", "300 K", "20 degC", "1 V", "1 A", "1 eV", "1 MPa"),
    *("1 A/m2", "1 m2/s", "1e22/m3", "1 ohm m", "1 m/0", "1 /0", "1 m/m", "1e400 m", "1e-400 m", "1 %", "inf m"),
    *("nan m", "-1 um", "1", "1 um um", "1 furlong", "1 xyz", "1 m**2**2", "1 m^^2", "1 (m", "1 m)", "1 m**nan"),
    *("1 (deg**9)**9**9**9", "1 m**(9**9**9)", "1 m**999999", "1 m**-999999", "1 m**0.3333333", "1 ((((((m))))))"),
    *("1 " + "(" * 300 + "m" + ")" * 300, "1 " + "m*" * 3000 + "m", "1" * 5000 + " m", "1 m " + "#" * 100, "1 m;m"),
    *("1 m[0]", "1 __import__('os')", "1 m.real", "1 lambda: m", "1 m if m else s", "1 'm'", '1 "m"', "1 m\n", "1\tm"),
    *("1 m,2 m", "1 m to s", "1 m + 1 m", "1 m - m", "1 5 m", "1 dB", "1 dBm", "1 degF", "1 delta_degC", "1 μm", "1 Ω"),
    *("１ m", "1 pint", "1 inf", "1 nan", "1 e", "1 pi", "1 1e400", "1 m**1e400", "1 m/1e-320", "0x10 m", "1_0 m"),
)
# Changes of the text of a file.
INSERTED = (
    *("[", "]", "{", "}", '"', "'", "=", "#", ".", ",", "\n", "\\", "\x00", "\ufeff", "é", "[[", "]]", '"""', "'''"),
    *(
        "\n[film]\n",
        "\n[time.until.x]\na=1\n",
        '\n"#=" = 1\n',
        "\n[[film]]\n",
        "9" * 5000,
        "1e9999",
        "0x",
        "1979-05-27",
    ),
    *(
        "x = " + "[" * 2000,
        "x = " + "{a=" * 2000,
        "a." * 3000 + "b = 1",
        "[" + "a." * 3000 + "b]",
        "\r",
        "\u202e",
        "'#=\"x'",
    ),
)
TYPED = (
    *("time.until.x=3", "film.alloy=0", "film.mean=" + "1" * 5000, "film.mean='#=\"x'", "=1", "x", "film", "film.=1"),
    *(
        ".film=1",
        "film..mean=1",
        "'film'.mean=1",
        '"film.mean"=1',
        "film.mean=[[]]",
        "film=[[]]",
        "film={}",
        "domain=1",
    ),
    *("film.mean=" + "[" * 3000, "film.mean={a={b=1}}", "time=", "time.until=", "time.until=1 s", "until=1", "seed=1"),
    *("#=1", "a#b=1", "time.until=1 # 2", "time.until=1\nfilm.mean=2", "film.mean=\x00", "film.mean=inf", "[x]=1"),
    *("domain.cells=[1000000,1000000]", "domain.cells=4", "domain.size=1e-300", "domain.shape=''", "domain.shape=7"),
    *("a." * 3000 + "b=1", "film." + "x." * 500 + "y=1", "time.until=nan", "output.every=5e-324", "output.every=0"),
    *("film.mean.x.y=1", "film.field=1", "film.field.angle=1e9", "film.initial=0", "film.initial.seed=-1", "é=1"),
)


@cache
def originals() -> Mapping[str, dict[str, Any]]:
    """Return the cases of `emfem new`, with few cells."""
    return {name: _small(tomllib.loads(text)) for name, text in templates.texts().items()}


def _small(tables: dict[str, Any]) -> dict[str, Any]:
    domain = tables["domain"]
    cells = domain.get("cells")
    if cells is not None:
        domain["cells"] = [min(each, 6) for each in cells] if isinstance(cells, list) else cells
    return tables


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the places of all values in tables and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*place, key)
        yield from places(item, (*place, key))


def text_of(value: Any) -> str:
    """Return a value as the text of a call; hostile ones, of class `Raw`, as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {text_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return repr(value)


class Raw(str):
    """A value as text."""


def hostile(rng: random.Random) -> Raw:
    """Return a hostile value."""
    if rng.random() < 0.35:
        return Raw(repr(rng.choice(UNITS)))
    value = rng.choice(VALUES)
    if rng.random() < 0.1:
        value = rng.choice(("[{}]", "[{0}, {0}]", "{{'x': {}}}", "{{'fixed': {}}}", "{{'left': {}}}")).format(value)
    return Raw(value)


def changed(rng: random.Random, tables: dict[str, Any]) -> None:
    """Change one value of tables: replace, remove, rename or add it."""
    listed = list(places(tables))
    place = rng.choice(listed) if listed else ()
    holder: Any = tables
    for key in place[:-1]:
        holder = holder[key]
    action = rng.random()
    if isinstance(holder, Raw) or not place:
        return
    if action < 0.5:
        holder[place[-1]] = hostile(rng)
    elif action < 0.6:
        del holder[place[-1]]
    elif action < 0.65 and isinstance(holder, dict):
        holder[rng.choice(("", "x", "#=", 'a"b', "a.b", "é", "x" * 300, str(place[-1])[:-1]))] = holder.pop(place[-1])
    elif action < 0.7:
        other = rng.choice(listed)
        value: Any = tables
        for key in other:
            value = value[key]
        holder[place[-1]] = deepcopy(value)
    elif isinstance(holder, dict):
        names = fields(walk(schema(), (*place[:-1], "?"))[1])
        holder[rng.choice(names or ["x"])] = hostile(rng)


def damaged(rng: random.Random, text: str) -> str:
    """Return a text with something inserted, removed or cut off."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(text) + 1)
        action = rng.random()
        if action < 0.6:
            text = text[:at] + rng.choice(INSERTED) + text[at:]
        elif action < 0.8:
            text = text[:at] + text[at + rng.randrange(1, 20) :]
        elif action < 0.9:
            text = text[:at]
        else:
            text = text[:at] + text[rng.randrange(len(text) + 1) :]
    return text


def one(rng: random.Random) -> Call:
    """Return the call of one case."""
    name = rng.choice(sorted(originals()))
    tables = deepcopy(originals()[name])
    kind = rng.random()
    if kind < 0.2:
        return Call(f"read_case({damaged(rng, tomli_w.dumps(tables))!r})", f"text of {name}", nan_allowed=True)
    if kind < 0.4:
        typed = _typed(rng, tables)
        return Call(f"set_case({name!r}, {typed!r})", f"set in {name}", nan_allowed=True)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        changed(rng, tables)
    verb = "build_case" if rng.random() < 0.3 else "check_case"
    return Call(f"{verb}({text_of(tables)})", name, nan_allowed=True)


def _typed(rng: random.Random, tables: dict[str, Any]) -> list[str]:
    """Return texts KEY=VALUE."""
    if rng.random() < 0.3:
        return [rng.choice(TYPED)]
    place = rng.choice([each for each in places(tables) if not any(isinstance(key, int) for key in each)])
    key = ".".join(map(str, place)) + rng.choice(("", "", "", ".x", ".0", "."))
    value = rng.choice((*UNITS, *TYPED, *INSERTED, "0", "-1", "1e400", "inf", "nan", "[]", "{}", "[[]]", "true", ""))
    return [f"{key}={value}"]


def calls(seed: int) -> Iterator[Call]:
    """Yield calls without end."""
    rng = random.Random(f"cases {seed}")
    while True:
        yield one(rng)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 1 if there are findings."""
    return command.run(__doc__, "cases", calls, arguments)


if __name__ == "__main__":
    sys.exit(main())
