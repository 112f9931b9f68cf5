"""``make doctor``: test the storage and report its guarantees."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.cli.console import Console
from pipeline.model.errors import StorageError
from pipeline.publish.fetch import start_embedded
from pipeline.publish.guarantees import examine, is_needed, is_safe
from pipeline.storage.doctor.findings import GUARANTEES, NEEDED, Finding, Findings, find_secure_address


def run(context: CommandContext, _options: Namespace, console: Console) -> ExitStatus | None:
    """Test what the storage does, and report which guarantees Dateline can give there and which it cannot."""
    start_embedded(context)
    findings = examine(context, lambda number, total: console.progress(number, total, "tested"))
    given = [guarantee for guarantee in GUARANTEES if guarantee != "check" or context.newsroom.signs]
    if context.newsroom.signs:
        findings = Findings(findings.when, (*findings.all, find_secure_address(context.destination.printed_url)))
    rows = [(_grade(context, finding), finding.what, finding.result, finding.means) for finding in findings.all]
    console.table([("", "what", "finding", "what it means"), *rows])
    for title, is_given in (("can guarantee", True), ("cannot guarantee", False)):
        guarantees = [guarantee for guarantee in given if (not findings.against(guarantee)) == is_given]
        if guarantees:
            console.line()
            console.heading(f"At {context.destination.address} Dateline {title}:")
        for guarantee in guarantees:
            why = ", ".join(finding.what for finding in findings.against(guarantee))
            console.line(f"  {GUARANTEES[guarantee]}" + (f" (because of: {why})" if why else ""))
    remedies = dict.fromkeys(finding.remedy for finding in findings.all if finding.against and finding.remedy)
    if remedies:
        console.line()
        console.heading("What to do:")
    for remedy in remedies:
        console.line(f"  {remedy}")
    return None if is_safe(context, findings) else exit_status(StorageError)


def _grade(context: CommandContext, finding: Finding) -> str:
    is_unsafe = any(guarantee in NEEDED and is_needed(context, guarantee) for guarantee in finding.against)
    return "unsafe" if is_unsafe else "lacks" if finding.against else "ok"
