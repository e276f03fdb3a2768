"""`iic` and `python -m iiccli`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. `--version` alone is answered without loading anything."""
    if sys.argv[1:] == ["--version"]:
        from iiccli import __version__

        print(f"iic {__version__}")
        return
    from iiccli.cli import signals

    code = 0
    with signals.Taken() as signals.current:  # loading takes a moment, in which Ctrl-C may come
        from iiccli.cli.app import run

        code = run()
    sys.exit(signals.current.code or code)


if __name__ == "__main__":
    main()
