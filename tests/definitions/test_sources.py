"""Where definitions come from, and who may have written them."""

import os
import pathlib

import pytest

from nodecheck.definitions import searchpath
from nodecheck.definitions.errors import DefinitionError
from nodecheck.definitions.sources import Definitions, read_definitions

ROOT = os.geteuid() == 0
STRANGER = 12345
needs_root = pytest.mark.skipif(not ROOT, reason="only root can give a file away, and only root has to distrust")


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        ("/usr/lib/nodecheck", "/usr"),  # make install, and the packages
        ("/home/me/nodecheck", "/usr"),  # a checkout
        ("/opt/pipx/venvs/nodecheck/lib/python3.13/site-packages", "/opt/pipx/venvs/nodecheck"),
        ("/home/me/.local/lib/python3.11/site-packages", "/home/me/.local"),
        ("/usr/local/lib/python3.11/dist-packages", "/usr/local"),  # pip of root on Debian
    ],
)
def test_the_shipped_definitions_are_those_that_came_with_the_modules(modules: str, expected: str) -> None:
    module = f"{modules}/nodecheck/definitions/searchpath.py"
    assert f"{expected}/share/nodecheck/checks.d" == searchpath.shipped_with(module)


def write(path: pathlib.Path, *names: str) -> str:
    """Write a definition file with one check for each name."""
    path.parent.mkdir(exist_ok=True)
    checks = "".join(f"    - {{name: {name}, system: {{}}}}\n" for name in names)
    path.write_text(f"- name: {path.stem}\n  hosts: all\n  checks:\n{checks}")
    return str(path)


def read(*paths: str | pathlib.Path) -> Definitions:
    return read_definitions([str(path) for path in paths], {}, {})


def names(definitions: Definitions) -> list[str]:
    return [check.name for play in definitions.plays for check in play.checks]


def refused(*paths: str | pathlib.Path) -> str:
    with pytest.raises(DefinitionError) as raised:
        read(*paths)
    return str(raised.value)


@pytest.fixture
def shipped(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(searchpath, "SHIPPED_CHECKS", str(tmp_path / "usr"))
    return tmp_path / "usr"


@pytest.fixture
def local(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(searchpath, "LOCAL_CHECKS", str(tmp_path / "etc"))
    return tmp_path / "etc"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root that nobody called by sudo."""
    for name in ("SUDO_UID", "SUDO_GID"):
        monkeypatch.delenv(name, raising=False)


class TestWhere:
    def test_files_of_both_places_are_read_by_name(self, shipped: pathlib.Path, local: pathlib.Path) -> None:
        write(shipped / "10-b.yaml", "B")
        write(local / "05-a.yaml", "A")
        write(local / "20-c.yml", "C")

        expected = ["A", "B", "C"]
        assert expected == names(read())

    def test_the_same_name_in_etc_replaces_the_shipped_file(self, shipped: pathlib.Path, local: pathlib.Path) -> None:
        write(shipped / "10-b.yaml", "Shipped")
        write(local / "10-b.yaml", "Mine")

        expected = ["Mine"], [str(local / "10-b.yaml")]
        assert expected == (names(read()), read().files)

    def test_a_link_to_dev_null_masks_a_shipped_file(self, shipped: pathlib.Path, local: pathlib.Path) -> None:
        write(shipped / "10-b.yaml", "B")
        write(shipped / "20-c.yaml", "C")
        local.mkdir()
        (local / "10-b.yaml").symlink_to("/dev/null")

        expected = ["C"]
        assert expected == names(read())

    def test_what_a_masked_file_would_have_defined_is_not_missed(
        self, shipped: pathlib.Path, local: pathlib.Path
    ) -> None:
        # Failed first: masking one of the shipped files made all the others useless.
        write(shipped / "10-b.yaml", "B")
        (shipped / "20-c.yaml").write_text(
            "- {name: P, hosts: all, checks: [{name: C, needs: B, process: {name: c}}]}\n"
        )
        local.mkdir()
        (local / "10-b.yaml").symlink_to("/dev/null")

        assert [check.name for play in read().plays for check in play.checks] == ["C"]

    def test_when_all_is_masked_nothing_is_left_to_check(self, shipped: pathlib.Path, local: pathlib.Path) -> None:
        write(shipped / "10-b.yaml", "B")
        local.mkdir()
        (local / "10-b.yaml").symlink_to("/dev/null")

        assert f"no definition file (*.yaml) in {shipped} or {local}" in refused()

    def test_no_directory_at_all_is_said(self, shipped: pathlib.Path, local: pathlib.Path) -> None:
        assert f"no definition file (*.yaml) in {shipped} or {local}" in refused()

    def test_an_empty_directory_is_said(self, tmp_path: pathlib.Path) -> None:
        assert f"no definition file (*.yaml) in {tmp_path}" in refused(tmp_path)

    def test_hidden_files_copies_and_readmes_are_no_definitions(self, tmp_path: pathlib.Path) -> None:
        write(tmp_path / "a.yaml", "A")
        for name in (".hidden.yaml", "a.yaml~", "a.yaml.bak", "README", ".#a.yaml"):
            (tmp_path / name).write_text("no: yaml: at: all")

        expected = ["A"]
        assert expected == names(read(tmp_path))

    def test_files_are_read_in_the_order_in_which_they_are_named(self, tmp_path: pathlib.Path) -> None:
        first, second = write(tmp_path / "z.yaml", "Z"), write(tmp_path / "a.yaml", "A")

        expected = ["Z", "A"]
        assert expected == names(read(first, second))

    def test_a_file_that_is_named_twice_is_read_once(self, tmp_path: pathlib.Path) -> None:
        path = write(tmp_path / "a.yaml", "A")
        (tmp_path / "link.yaml").symlink_to("a.yaml")

        expected = ["A"]
        assert expected == names(read(path, tmp_path, path, tmp_path / "link.yaml"))

    def test_a_file_is_read_whatever_its_name(self, tmp_path: pathlib.Path) -> None:
        expected = ["A"]
        assert expected == names(read(write(tmp_path / "definitions", "A")))

    def test_a_file_name_that_is_not_utf_8_has_a_digest_too(self, tmp_path: pathlib.Path) -> None:
        path = os.fsencode(tmp_path) + b"/caf\xe9.yaml"
        pathlib.Path(os.fsdecode(path)).write_text("- hosts: all\n  checks: [{name: A, system: {}}]\n")

        assert read(os.fsdecode(path)).digest().startswith("sha256:")

    def test_the_digest_tells_other_definitions_apart(self, tmp_path: pathlib.Path) -> None:
        path = write(tmp_path / "a.yaml", "A")
        before, again = read(path).digest(), read(path).digest()
        write(tmp_path / "a.yaml", "B")

        assert before == again
        assert before != read(path).digest()

    def test_a_name_may_not_stand_in_two_files(self, tmp_path: pathlib.Path) -> None:
        write(tmp_path / "a.yaml", "Docker is up")
        write(tmp_path / "b.yaml", "docker is up")

        said = refused(tmp_path)
        assert f"{tmp_path}/b.yaml:4:7: a second check is named 'docker is up', nearly as" in said
        assert f"the first is at {tmp_path}/a.yaml:4:7" in said

    def test_a_check_may_need_one_of_another_file(self, tmp_path: pathlib.Path) -> None:
        write(tmp_path / "a.yaml", "First")
        (tmp_path / "b.yaml").write_text("- hosts: all\n  checks: [{name: B, system: {}, needs: First}]\n")

        expected = ["First", "B"]
        assert expected == names(read(tmp_path))

    def test_a_need_of_a_check_with_mistakes_is_no_second_mistake(self, tmp_path: pathlib.Path) -> None:
        path = tmp_path / "a.yaml"
        path.write_text("- hosts: all\n  checks: [{name: A, unit: {}}, {name: B, system: {}, needs: A}]\n")

        said = refused(path)
        assert "unit needs the argument 'name'" in said
        assert "no check is named" not in said


@needs_root
@pytest.mark.usefixtures("alone")
class TestWhoWroteIt:
    def test_what_root_alone_may_write_is_read(self, tmp_path: pathlib.Path) -> None:
        expected = ["A"]
        assert expected == names(read(write(tmp_path / "a.yaml", "A")))

    @pytest.mark.parametrize("mode", [0o666, 0o646, 0o602])
    def test_what_everybody_may_write_is_refused(self, mode: int, tmp_path: pathlib.Path) -> None:
        path = write(tmp_path / "a.yaml", "A")
        pathlib.Path(path).chmod(mode)

        assert f"{path} may be written by others" in refused(path)
        assert f"chmod go-w {path}" in refused(path)

    def test_what_a_group_may_write_is_refused_unless_it_is_that_of_root(self, tmp_path: pathlib.Path) -> None:
        path = write(tmp_path / "a.yaml", "A")
        pathlib.Path(path).chmod(0o664)

        expected = ["A"]
        assert expected == names(read(path))
        os.chown(path, 0, STRANGER)
        assert f"{path} may be written by others (-rw-rw-r--)" in refused(path)

    def test_what_belongs_to_somebody_else_is_refused(self, tmp_path: pathlib.Path) -> None:
        path = write(tmp_path / "a.yaml", "A")
        os.chown(path, STRANGER, 0)

        assert f"{path} belongs to uid {STRANGER}, and nodecheck runs as root: refused" in refused(path)

    def test_whoever_called_sudo_may_bring_own_files(
        self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path / "home" / "a.yaml", "A")
        for owned in (path, os.path.dirname(path)):
            os.chown(owned, STRANGER, STRANGER)
            os.chmod(owned, 0o775)
        monkeypatch.setenv("SUDO_UID", str(STRANGER))
        monkeypatch.setenv("SUDO_GID", str(STRANGER))

        expected = ["A"]
        assert expected == names(read(path))

    def test_a_file_in_a_directory_of_somebody_else_is_refused(self, tmp_path: pathlib.Path) -> None:
        path = write(tmp_path / "theirs" / "a.yaml", "A")
        os.chown(tmp_path / "theirs", STRANGER, 0)

        assert f"the directory of {path} belongs to uid {STRANGER}" in refused(path)

    def test_a_file_in_a_directory_where_everybody_may_write_is_refused(self, tmp_path: pathlib.Path) -> None:
        path = write(tmp_path / "open" / "a.yaml", "A")
        (tmp_path / "open").chmod(0o777)

        assert f"the directory of {path} may be written by others (drwxrwxrwx)" in refused(path)

    def test_in_a_directory_such_as_tmp_nobody_can_replace_it(self, tmp_path: pathlib.Path) -> None:
        path = write(tmp_path / "sticky" / "a.yaml", "A")
        (tmp_path / "sticky").chmod(0o1777)

        expected = ["A"]
        assert expected == names(read(path))

    def test_the_file_behind_a_link_is_what_counts(self, tmp_path: pathlib.Path) -> None:
        path = write(tmp_path / "theirs" / "a.yaml", "A")
        os.chown(path, STRANGER, 0)
        (tmp_path / "link.yaml").symlink_to(path)

        assert f"link.yaml belongs to uid {STRANGER}" in refused(tmp_path / "link.yaml")
