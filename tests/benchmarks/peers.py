"""What others would run: pandoc with typst or WeasyPrint for the formats, boto3 in threads or s5cmd for the upload."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.measure import VENV, Cost, run

_TYPST = "import sys, typst\nfor name in sys.argv[1:]: typst.compile(name, output=name[:-4] + '.pdf')"
_BOTO3 = """\
import os, sys, boto3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from botocore.config import Config
root, bucket, prefix = Path(sys.argv[1]), *sys.argv[2:]
s3 = boto3.client("s3", config=Config(max_pool_connections=8))
files = [path for path in root.rglob("*") if path.is_file()]
put = lambda path: s3.put_object(Bucket=bucket, Key=f"{prefix}{path.relative_to(root)}", Body=path.read_bytes())
with ThreadPoolExecutor(8) as pool:
    list(pool.map(put, files))
"""


def pandoc() -> str | None:
    """Return pandoc's path, Debian's or that of the package pypandoc-binary."""
    found = find_spec("pypandoc")
    packed = Path(found.origin).parent / "files" / "pandoc" if found and found.origin else None
    return str(packed) if packed and packed.is_file() else shutil.which("pandoc")


def documents(engine: str, sources: Sequence[Path], folder: Path) -> Cost | None:
    """Make HTML, DOCX and PDF of each of ``sources`` with pandoc; None where something is not installed.

    The Python package of typst compiles all files in one process: its program would start a process for each.
    """
    program, typst = pandoc(), shutil.which("typst")
    if not program or (engine == "typst" and not typst and not find_spec("typst")):
        return None
    weasyprint = VENV / "bin" / "weasyprint"
    lines = ["set -e"]
    typ = []
    for source in sources:
        base = folder / source.stem
        lines += [
            f"'{program}' -s '{source}' -o '{base}.html' --metadata title=x",
            f"'{program}' '{source}' -o '{base}.docx'",
        ]
        if engine == "weasyprint":
            lines.append(f"'{weasyprint}' -q '{base}.html' '{base}.pdf'")
        else:
            lines.append(f"'{program}' -s -t typst '{source}' -o '{base}.typ'")
            typ.append(f"{base}.typ")
            if typst:
                lines.append(f"'{typst}' compile '{base}.typ'")
    if typ and not typst:
        compiler = folder / "compile.py"
        compiler.write_text(_TYPST, "utf-8")
        lines.append(f"'{sys.executable}' '{compiler}' {' '.join(typ)}")
    script = folder / "run.sh"
    script.write_text("\n".join(lines) + "\n", "utf-8")
    cost = run(["sh", script], folder, {"PYTHONPATH": os.environ.get("PYTHONPATH", "")})
    missing = [source for source in sources if not (folder / f"{source.stem}.pdf").stat().st_size]
    assert not missing, missing
    return cost


def boto3(files: Path, bucket: str, prefix: str, environ: Mapping[str, str]) -> Cost:
    """Upload all files below ``files`` with eight threads; nothing is read back."""
    return run([sys.executable, "-c", _BOTO3, files, bucket, prefix], files.parent, environ)


def s5cmd(files: Path, bucket: str, prefix: str, environ: Mapping[str, str]) -> Cost | None:
    """Upload all files below ``files`` with s5cmd; None where it is not installed."""
    program = shutil.which("s5cmd")
    if not program:
        return None
    endpoint = environ["AWS_ENDPOINT_URL_S3"]
    command = [program, "--endpoint-url", endpoint, "--log", "error", "cp", f"{files}/", f"s3://{bucket}/{prefix}"]
    return run(command, files.parent, environ)
