"""``make check``: read every release, render nothing."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.build.stages import warnings
from pipeline.cli.console import Console, count
from pipeline.cli.newsroom import unfilled
from pipeline.model.errors import Fault, ReleaseError, SettingError, printable
from pipeline.publish.link_check import check_links
from pipeline.publish.sources import read_sources, sample_faults, warn_outdated_translations
from pipeline.typography.messages import FALLBACK, FOLDER, Messages

FORMATS = ("text", "github", "json")


def add_arguments(parser: ArgumentParser) -> None:
    """Add what make passes on: STRICT, LINKS and FORMAT."""
    parser.add_argument("--STRICT", dest="strict", action="store_true", help="warnings are errors")
    parser.add_argument(
        "--LINKS", dest="links", action="store_true", help="ask whether the links of the releases answer"
    )
    parser.add_argument("--format", default="", help=", ".join(FORMATS))


def run(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Report all faults and warnings of newsroom, releases and rendered files, and the languages that lack messages."""
    form = options.format or FORMATS[0]
    if form not in FORMATS:
        raise SettingError(
            f"FORMAT: unknown: {printable(form[:40])}", "write FORMAT=github or FORMAT=json, or leave it out"
        )
    findings = _Findings(form, strict=options.strict)
    slugs = context.state.slugs()
    for fault in unfilled(context.state.newsroom_file):
        findings.fault(fault.as_warning())
    try:
        off = context.newsroom.warnings_off
        refused = read_sources(context, slugs, findings, {})
        samples = sample_faults(context)
    except ReleaseError as error:  # of newsroom.toml, without which no release can be read
        if form == "text":
            raise
        for fault in error.faults:
            findings.fault(fault)
        findings.conclude(0, 0)
        return exit_status(ReleaseError)
    for fault in (*samples, *warnings(context.state, slugs)):
        findings.fault(fault)
    warn_outdated_translations(context, findings)
    for language in _languages(context) if "untranslated" not in off else ():
        _warn_untranslated(language, context.newsroom.time_zone, findings)
    if options.links:
        for fault in check_links(context, findings):
            if fault.name not in off:
                findings.fault(fault.as_warning())
    findings.conclude(len(slugs), len(refused))
    return exit_status(ReleaseError) if refused or samples or (options.strict and findings.warnings) else None


class _Findings(Console):
    """Prints faults and all warnings as they come; for a program that reads JSON, all at the end."""

    def __init__(self, form: str, *, strict: bool) -> None:
        super().__init__()
        self.warnings = 0
        self._form, self._strict = form, strict
        self._faults: list[Fault] = []

    def fault(self, text: str | Fault) -> None:
        fault = text if isinstance(text, Fault) else Fault("", 0, text)
        self.warnings += fault.severity == "warning"
        fault = fault.as_error() if self._strict else fault
        if self._form == "text":
            self.error(str(text) if text is not fault and isinstance(text, str) else str(fault))
        elif self._form == "github":
            self.line(workflow_command(fault))
        self._faults.append(fault)

    def conclude(self, checked: int, refused: int) -> None:
        """Print the counts, or the JSON document."""
        if self._form != "json":
            self.line(f"{count(checked, 'release')} checked, {refused or 'none'} refused")
            if self._strict and self.warnings:
                self.error(f"{count(self.warnings, 'warning')}, and STRICT=1 allows none")
            return
        faults = [
            {"file": each.source, "line": each.line, "severity": each.severity, "name": each.name}
            | {"message": each.message, "hint": each.hint}
            for each in self._faults
        ]
        document = {"checked": checked, "refused": refused, "warnings": self.warnings, "faults": faults}
        self.line(json.dumps(document, ensure_ascii=False, indent=1))


def workflow_command(fault: Fault) -> str:
    """Return a fault as GitHub Actions reads it: an annotation of the line."""
    title = _escaped(fault.name or "release", ":,")
    place = f"file={_escaped(fault.source, ':,')}," + (f"line={fault.line}," if fault.line else "")
    said = fault.message + (f"\nhint: {fault.hint}" if fault.hint else "")
    return f"::{fault.severity} {place if fault.source else ''}title={title}::{_escaped(said)}"


def _escaped(text: str, more: str = "") -> str:
    """Escape what would end a property or the command."""
    return "".join(f"%{ord(sign):02X}" if sign in f"%\r\n{more}" else sign for sign in text)


def _languages(context: CommandContext) -> list[str]:
    """Return the languages of the newsroom and of its releases, each file of messages once."""
    tags = [context.newsroom.language, *context.newsroom.languages]
    tags += [summary.entry.language for summary in context.state.summaries().values()]
    return sorted({Messages(tag, context.newsroom.time_zone).file for tag in tags})


def _warn_untranslated(language: str, time_zone: str, console: Console) -> None:
    if lacking := Messages(language, time_zone).lacking:
        file = FOLDER / f"{language}.toml"
        what = f"lacks {', '.join(lacking)}" if file.is_file() else "does not exist"
        hint = f"copy {FALLBACK}.toml to {file.name} and translate what is in quotes"
        shown = str(file.relative_to(FOLDER.parent.parent))
        console.fault(Fault(shown, 0, f"{what}; English is used instead", hint, "untranslated").as_warning())
