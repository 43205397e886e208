"""`make dist` makes packages that are whole, the same each time, and clean by the linters of their distributions."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from packages import CHECKOUT, EPOCH, copy_to, make
from readers import find

from nodecheck import __version__, checks

DEB = f"nodecheck_{__version__}_all.deb"
RPM = f"nodecheck-{__version__}-1.noarch.rpm"
SDIST = f"nodecheck-{__version__}.tar.gz"
WHEEL = f"nodecheck-{__version__}-py3-none-any.whl"
PYTHON = "/usr/bin/python3"
MEGABYTE = 1_000_000
QUIET = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}


def said(*command: object) -> str:
    """Run a command that ends well; return what it printed."""
    ended = subprocess.run(
        list(map(str, command)), env=QUIET, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A copy of the checkout with all that `make dist` makes, and the package that brings pydbus."""
    for program in ("dpkg-buildpackage", "dh_python3", "rpmbuild"):
        find(program)
    copy = copy_to(tmp_path_factory.mktemp("dist"))
    make(copy, "rpm", "RPMFLAGS=--with pydbus")
    shutil.copytree(copy / "dist", copy / "with-pydbus")
    make(copy, "dist")
    return copy


@pytest.fixture(scope="module")
def dist(folder: pathlib.Path) -> pathlib.Path:
    return folder / "dist"


def test_all_are_there_with_their_sums(dist: pathlib.Path) -> None:
    lines = [line.split() for line in (dist / "SHA256SUMS").read_text().splitlines()]
    assert sorted([DEB, RPM, SDIST, WHEEL]) == sorted(name for _, name in lines)
    assert [name for sum_, name in lines if sum_ != hashlib.sha256((dist / name).read_bytes()).hexdigest()] == []


def test_its_source_alone_gives_the_same_bytes_elsewhere(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    said("tar", "-xf", dist / SDIST, "-C", tmp_path)
    again = make(tmp_path / SDIST.removesuffix(".tar.gz"), "dist")
    assert (dist / "SHA256SUMS").read_text() == (again / "SHA256SUMS").read_text()


def test_the_date_of_a_source_that_is_no_checkout_is_its_own(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    said("tar", "-xf", dist / SDIST, "-C", tmp_path)
    tree = tmp_path / SDIST.removesuffix(".tar.gz")
    (tree / "show.mk").write_text("include Makefile\nshow:\n\t@echo $(SOURCE_DATE_EPOCH)\n")
    assert said("make", "-s", "-C", tree, "-f", "show.mk", "show").strip() == EPOCH


def test_lintian_has_nothing_to_say(dist: pathlib.Path) -> None:
    options = ["--allow-root", "--no-cfg", "--display-info", "--pedantic", "--fail-on", "error,warning,info,pedantic"]
    assert said(find("lintian"), *options, dist / DEB) == ""


def test_rpmlint_has_nothing_to_say(folder: pathlib.Path) -> None:
    packages = [folder / "dist" / RPM, *(folder / "with-pydbus").glob("*.rpm"), folder / "build/rpm/nodecheck.spec"]
    told = said(find("rpmlint"), "-c", CHECKOUT / ".packaging/rpm/rpmlint.toml", *packages)
    assert "0 errors, 0 warnings" in told, told


def test_the_package_for_debian_is_small_and_brings_no_compiled_module(dist: pathlib.Path) -> None:
    files = [line.split()[5] for line in said("dpkg-deb", "--contents", dist / DEB).splitlines()]
    assert (dist / DEB).stat().st_size < MEGABYTE
    assert [file for file in files if "__pycache__" in file] == []
    assert [
        path
        for path in (
            "usr/bin/nodecheck", "usr/share/nodecheck/nodecheck.schema.json", "etc/nodecheck/nodecheck.yaml",
            "usr/lib/systemd/system/nodecheck.timer", "usr/lib/systemd/catalog/nodecheck.catalog",
            "usr/share/man/man1/nodecheck.1.gz", "usr/share/man/man5/nodecheck-checks.5.gz",
            "usr/share/bash-completion/completions/nodecheck", "usr/share/zsh/vendor-completions/_nodecheck",
            "usr/share/fish/vendor_completions.d/nodecheck.fish",
        )
        if f"./{path}" not in files
    ] == []  # fmt: skip


def test_the_package_for_debian_depends_on_what_the_makefile_sets_up(dist: pathlib.Path) -> None:
    packages = re.search("^PACKAGES := (.*)$", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    assert packages is not None
    depends = said("dpkg-deb", "--field", dist / DEB, "Depends").strip().split(", ")
    assert {"python3:any (>= 3.11~)", *packages[1].split()} == set(depends)
    assert said("dpkg-deb", "--field", dist / DEB, "Recommends").strip() == "python3-grpcio"


def test_pip_brings_the_shipped_checks_and_they_are_found(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    python = environment(tmp_path / "seeing", dist, "--system-site-packages")
    told = said(python.parent / "nodecheck", "list", "--where")
    shipped = sorted(path.name for path in (CHECKOUT / "checks.d").iterdir())
    assert [f"{tmp_path}/seeing/share/nodecheck/checks.d/{name}" for name in shipped] == [
        line.split()[0] for line in told.splitlines() if line.startswith("/") and "/etc/nodecheck/" not in line
    ]
    assert said(python.parent / "nodecheck", "--version") == f"nodecheck {__version__}\n"


def test_pipx_installs_it_by_the_words_of_the_readme(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    command = "pipx install --system-site-packages ./dist/nodecheck-*.whl"
    assert f"make wheel\n{command}\n" in (CHECKOUT / "README.md").read_text()
    find("pipx")
    places = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin"), "PIPX_MAN_DIR": str(tmp_path)}
    ended = subprocess.run(
        command,
        shell=True,
        cwd=dist.parent,
        env=QUIET | places,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = said(tmp_path / "bin/nodecheck", "list", "--where")
    assert f"{tmp_path}/pipx/venvs/nodecheck/share/nodecheck/checks.d/00-host.yaml" in told


def test_what_doctor_says_where_pygobject_is_missing_is_what_helps(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    python = environment(tmp_path / "blind", dist)
    told = doctor(python)
    assert re.search("!!  PyGObject is missing", told)
    command = told.partition("what is missing is installed by: ")[2].strip()
    installs, _, lets_in = command.partition(" && ")
    assert re.fullmatch(r"(sudo )?apt-get install (python3-[a-z0-9]+ ?)+", installs)
    assert "python3-gi" in installs.split()

    said(*lets_in.split())

    assert re.search("ok  PyGObject [0-9]", doctor(python))


def test_doctor_tells_who_came_by_pipx_to_go_that_way_again(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    command = doctor(environment(tmp_path / "pipx/venvs/nodecheck", dist)).strip().rpartition(" && ")[2]
    assert command == "pipx install --force --python /usr/bin/python3 --system-site-packages nodecheck"


def environment(path: pathlib.Path, dist: pathlib.Path, *options: str) -> pathlib.Path:
    """Install the wheel into an environment of its own, without what it depends on; return its Python."""
    said(PYTHON, "-m", "venv", *options, path)
    said(path / "bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", dist / WHEEL)
    return path / "bin/python"


def doctor(python: pathlib.Path) -> str:
    """Return what doctor says there; how well all else is does not matter."""
    command = [str(python.parent / "nodecheck"), "doctor"]
    return subprocess.run(command, env=QUIET, capture_output=True, text=True, timeout=60, check=False).stdout


def test_the_package_for_fedora_is_installed_runs_and_leaves_nothing(
    folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    rpm = [find("rpm"), "--root", tmp_path]
    said(*rpm, "--initdb")
    # Its dependencies and the shell of its scripts are Fedora's: none of them is in this root.
    said(*rpm, "--install", "--nodeps", "--noscripts", *(folder / "with-pydbus").glob("*.rpm"))
    said(*rpm, "--verify", "--nodeps", "nodecheck", "nodecheck-pydbus")
    launcher = (tmp_path / "usr/bin/nodecheck").read_text().replace('"/usr/lib', f'"{tmp_path}/usr/lib')
    told = said(PYTHON, "-ISBc", launcher.replace("sys.exit(main())", "import pydbus; print(pydbus.__file__)"))
    assert told == f"{tmp_path}/usr/lib/nodecheck/pydbus/__init__.py\n"
    assert said(PYTHON, "-ISBc", launcher, "--version") == f"nodecheck {__version__}\n"
    licence = tmp_path / "usr/share/licenses/nodecheck-pydbus-0.6.0/LICENSE"
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in licence.read_text()

    said(*rpm, "--erase", "--noscripts", "--nodeps", "nodecheck", "nodecheck-pydbus")
    left = [path for path in tmp_path.rglob("*nodecheck*") if not path.is_relative_to(tmp_path / "var/lib/rpm")]
    assert left == []


def test_its_compiled_modules_count(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    rpm = [find("rpm"), "--root", tmp_path]
    said(*rpm, "--initdb")
    said(*rpm, "--install", "--nodeps", "--noscripts", folder / "dist" / RPM)
    source = tmp_path / "usr/lib/nodecheck/nodecheck/__main__.py"
    (compiled,) = source.parent.glob("__pycache__/__main__.*.pyc")
    assert int.from_bytes(compiled.read_bytes()[8:12], "little") == int(source.stat().st_mtime) == int(EPOCH)
    assert os.path.getsize(source) == int.from_bytes(compiled.read_bytes()[12:16], "little")


def test_every_check_type_is_in_the_wheel(dist: pathlib.Path) -> None:
    listed = said(PYTHON, "-m", "zipfile", "--list", dist / WHEEL)
    assert [name for name in checks.names() if f"nodecheck/checks/{name}.py" not in listed] == []
