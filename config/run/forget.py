"""Delete the data of a local checkout, so that `make run` starts anew: `make demo-reset`."""

import shutil
import sys
from pathlib import Path

from config.run import environment

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = "Only the checkout's own SQLite database is deleted. 只清除本目录自带的 SQLite 数据。"


def forget(root: Path, database: str, files: Path) -> None:
    """Delete db.sqlite3 and files/ of `root`; exit if the settings name other places."""
    if Path(database) != root / "db.sqlite3" or files != root / "files":
        sys.exit(ELSEWHERE)
    for name in ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm"):
        (root / name).unlink(missing_ok=True)
    shutil.rmtree(files, ignore_errors=True)


if __name__ == "__main__":
    environment.ensure(ROOT / ".env")
    from config import settings

    forget(ROOT, str(settings.DATABASES["default"]["NAME"]), settings.FILES_ROOT)
