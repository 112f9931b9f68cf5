"""``python -m pipeline COMMAND``: one sub-command a stage, named as the make targets.

The only place that prints, exits and handles errors. Exit status: 0 everything asked for is public and verified, or
rightly held; 2 a release or setting is wrong; 3 storage failed; 4 somebody else published other content meanwhile.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path

from pipeline.cli import COMMANDS, run
from pipeline.cli.console import Console
from pipeline.model.errors import DatelineError, ReleaseError


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    console = Console()
    try:
        outcome = run(options.command, options, dict(os.environ), console)
    except DatelineError as error:
        return _end(console, error)
    except KeyboardInterrupt:
        console.fault("stopped by the keyboard; what was finished stays, the next run goes on from there")
        console.fault("dateline: exit 130 (interrupted)")
        return 130
    except Exception as error:  # the last resort: a person gets a sentence, a developer the traceback on request
        if os.environ.get("DATELINE_DEBUG"):
            traceback.print_exc()
        console.fault(f"a fault of Dateline's own: {type(error).__name__}: {error}")
        console.fault("  hint: DATELINE_DEBUG=1 shows where; please report it")
        console.fault("dateline: exit 2 (release)")
        return 2
    if outcome is not None:
        console.fault(f"dateline: exit {outcome.status} ({outcome.kind})")
        return outcome.status
    return 0


def _end(console: Console, error: DatelineError) -> int:
    if isinstance(error, ReleaseError):
        for fault in error.faults:
            console.fault(str(fault))
    else:
        console.fault(f"{error}" + (f"\n  hint: {error.hint}" if error.hint else ""))
    console.fault(f"dateline: exit {error.status} ({error.kind})")
    return error.status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="see make help")
    parser.add_argument("--content", type=Path, default=Path("content"), help="folder of sources")
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder of what is made")
    parser.add_argument("--clock", type=Path, help="file with the instant that a whole publishing run goes by")
    parser.add_argument("--due", action="store_true", help="set what waits as it will be public at its instant")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("--from", dest="candidates", type=Path, help="file with slugs; without it, all releases")
        command.add_argument("--go-on", action="store_true", help="report releases at fault, but end with 0")
        command.add_argument("--told", action="store_true", help="say nothing of faults that were told in this run")
        command.add_argument("--dry-run", action="store_true", help="print the plan and its reasons, upload nothing")
        command.add_argument("--wait", default="", help="stay this long and lift what becomes due: 45s, 30m, 1h30m")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
