"""``python -m pipeline COMMAND``: parse the arguments, run one command, turn errors into messages and exit codes.

Exit status: 0 what was asked for is done and verified, or scheduled; 2 a release or setting is wrong; 3 storage failed;
4 somebody else has published other content of the same release.
"""

from __future__ import annotations

from pipeline.start.quick_start import quick_start

with quick_start():
    import atexit
    import os
    import sys
    import threading
    from argparse import REMAINDER, ArgumentParser, HelpFormatter, Namespace
    from contextlib import suppress
    from functools import partial
    from pathlib import Path
    from typing import NoReturn

    from pipeline.cli import COMMANDS, add_arguments, run
    from pipeline.cli.console import Console
    from pipeline.model.errors import DatelineError, ReleaseError, hint_for

_Formatter = partial(HelpFormatter, width=100)


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    options = _options(arguments)
    console = Console()
    try:
        outcome = run(options, dict(os.environ), console)
    except DatelineError as error:
        return _end(console, error)
    except KeyboardInterrupt:
        console.fault("stopped; what is finished stays, and the next run continues from there")
        console.fault("dateline: exit 130 (interrupted)")
        return 130
    except OSError as error:
        if error.filename is None or os.environ.get("DATELINE_DEBUG"):
            return _end_of_ours(console, error)
        console.fault(f"{os.fsdecode(error.filename)}: {error.strerror}\n  hint: {hint_for(error)}")
        console.fault("dateline: exit 2 (release)")
        return 2
    except Exception as error:  # the last resort
        return _end_of_ours(console, error)
    if outcome is not None:
        console.fault(f"dateline: exit {outcome.status} ({outcome.kind})")
        return outcome.status
    return 0


def _end_of_ours(console: Console, error: Exception) -> int:
    """Report an error that nobody expected: a sentence for a person, and the traceback for a developer who asks."""
    if os.environ.get("DATELINE_DEBUG"):
        import traceback

        traceback.print_exc()
    console.fault(f"an error in Dateline itself: {type(error).__name__}: {error}")
    console.fault("  hint: please report it; with DATELINE_DEBUG=1 it shows where")
    console.fault("dateline: exit 2 (release)")
    return 2


def _end(console: Console, error: DatelineError) -> int:
    if isinstance(error, ReleaseError):
        for fault in error.faults:
            console.fault(str(fault))
    else:
        console.fault(f"{error}" + (f"\n  hint: {error.hint}" if error.hint else ""))
    console.fault(f"dateline: exit {error.status} ({error.kind})")
    return error.status


def _options(arguments: list[str]) -> Namespace:
    # argparse makes a formatter for each argument, and asks the terminal for its width, though nobody wants help.
    parser = ArgumentParser(prog="python -m pipeline", description="see make help", formatter_class=_Formatter)
    parser.add_argument("--content", type=Path, default=Path("content"), help="folder of sources")
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder of rendered files")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("rest", nargs=REMAINDER, help="options of the command; COMMAND --help shows them")
    options = parser.parse_args(arguments)
    own = ArgumentParser(prog=f"python -m pipeline {options.command}", formatter_class=_Formatter)
    add_arguments(options.command, own)
    return own.parse_args(options.rest, options)


def _leave(status: int) -> NoReturn:
    """End the process, and leave its memory to the system: Python would take everything apart, a seventh of a stage.

    What is registered to be done at the end is done. With threads, or under a profiler, the process ends as usual.
    """
    if threading.active_count() > 1 or sys.getprofile() or sys.gettrace():
        # Once an interrupt has passed through code made from a string, as a named tuple is when a library is imported,
        # Python ends by SIGINT whatever the status, although the interrupt was caught. Running such code forgets it.
        exec("")  # noqa: S102
        sys.exit(status)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # somebody reads no further
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    _leave(main(sys.argv[1:]))
