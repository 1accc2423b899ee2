"""Make the virtual environment and install one lock into it: `python3 config/run/install.py app`.

Runs under whatever `python3` the machine has, so it must parse on old versions to be able to say
that they are too old. Only locked wheels with known hashes are installed; nothing is built.
Without a network: `PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels make run` (docs/deploy.md).
"""

import pathlib
import subprocess
import sys

FLOOR = (3, 11)
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOO_OLD = "Python {0[0]}.{0[1]} or newer is needed, this is {1[0]}.{1[1]}; set PYTHON. 需要 Python {0[0]}.{0[1]} 或更高版本，请用 PYTHON 指定。"
NO_VENV = "Python's venv module is missing: apt install python3-venv. 缺少 venv 模块，请先安装 python3-venv。"
NOT_INSTALLED = "The packages could not be installed; without a network see docs/deploy.md. 依赖包安装失败；离线安装见 docs/deploy.md。"


def obstacle(version, has_venv):
    """Say in one line why this Python will not do, or nothing."""
    if tuple(version[:2]) < FLOOR:
        return TOO_OLD.format(FLOOR, version)
    if not has_venv:
        return NO_VENV
    return ""


def has_venv():
    """Tell whether `python -m venv` can give the environment a pip (Debian ships that apart)."""
    try:
        import ensurepip
        import venv
    except ImportError:
        return False
    return bool(ensurepip and venv)


def works(python):
    """Tell whether the environment is there and its interpreter still runs and has pip."""
    try:
        return subprocess.call([str(python), "-c", "import pip"], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def install(lock):
    """Install requirements/<lock>.txt into .venv and leave the stamp that make compares."""
    venv = ROOT / ".venv"
    python = venv / "bin" / "python"
    if not works(python):
        if subprocess.call([sys.executable, "-m", "venv", "--clear", str(venv)]) != 0:
            return NO_VENV
    requirements = ROOT / "requirements" / (lock + ".txt")
    print("Installing {}. 正在安装依赖包。".format(requirements.relative_to(ROOT)), flush=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--require-hashes", "--only-binary=:all:", "--requirement", str(requirements)]
    if subprocess.call(pip) != 0:
        return NOT_INSTALLED
    (venv / lock).touch()
    return ""


if __name__ == "__main__":
    reason = obstacle(sys.version_info, has_venv()) or install(sys.argv[1])
    if reason:
        sys.exit(reason)
