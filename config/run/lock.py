"""Remake requirements/app.txt and dev.txt from their .in files with uv: `make lock`.

The locks hold for every platform and for Python 3.11 and newer, carry a hash per wheel and no
address of a package index. `make lock` keeps pins that still fit; UPGRADE=1 raises them all.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OPTIONS = [
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-build",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--no-annotate",
]
NO_UV = "uv is missing: pip install uv (only `make lock` needs it). 缺少 uv：pip install uv（仅 make lock 需要）。"


def lock(folder: Path) -> None:
    """Write both locks; what is tested is pinned exactly as what is run."""
    uv = shutil.which("uv")
    if uv is None:
        sys.exit(NO_UV)
    upgrade = ["--upgrade"] if os.environ.get("UPGRADE") else []
    for name, constraints in (("app", []), ("dev", ["--constraints=app.txt"])):
        command = [uv, "pip", "compile", *OPTIONS, *upgrade, *constraints]
        command += [f"--output-file={name}.txt", f"{name}.in"]
        if subprocess.run(command, cwd=folder, check=False).returncode != 0:
            sys.exit(f"requirements/{name}.in could not be resolved. 依赖无法解析。")


if __name__ == "__main__":
    lock(Path(__file__).resolve().parents[2] / "requirements")
