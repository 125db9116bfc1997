"""Runs of several kinds with one start of the ranks: `python ranks_case.py FOLDER KIND:STEP ...`.

Each kind goes on from what is in its folder. It ends at the step, or is run to its end at step 0; the states at the
end are printed as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import emfem as em
from tests.checkpoints import resume_case

if __name__ == "__main__":
    folder, *chosen = sys.argv[1:]
    states: dict[str, Any] = {}
    for each in chosen:
        kind, _, step = each.partition(":")
        em.write.print_root(each)  # of a run that hangs or fails, the last line is its name
        try:
            states[kind] = resume_case.run(kind, Path(folder, kind), every=1e9, at=int(step), action=sys.exit)
        except SystemExit:
            continue
    em.write.print_root(json.dumps(states))
