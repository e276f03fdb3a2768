"""Run benchmarks by name, or all of them; exit with 1 if one misses its bar."""

from __future__ import annotations

import importlib
import json
import platform
import sys
from dataclasses import asdict

NAMES = ("startup", "training", "paper")


def main(names: list[str]) -> int:
    """Measure, print one JSON object, tell whether all bars were met."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        print(f"No benchmark is called {unknown[0]!r}: {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    report = {}
    for name in names or NAMES:
        found = importlib.import_module(f"benchmarks.{name}").measure()
        report[name] = {**asdict(found), "passed": found.passed}
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    print(json.dumps({"machine": machine, "benchmarks": report}, indent=2))
    return 0 if all(entry["passed"] for entry in report.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
