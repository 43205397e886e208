"""What a definition file looks at, and why, is told from the file itself."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import pytest

from nodecheck.cli.explain_pack import pages
from nodecheck.definitions.errors import DefinitionError

if TYPE_CHECKING:
    from commandline import Cli

CHECKOUT = pathlib.Path(__file__).parents[2]
SHIPPED = sorted((CHECKOUT / "checks.d").glob("*.yaml"))
WEB = """\
# yaml-language-server: $schema=/usr/share/nodecheck/nodecheck.schema.json
# The web server of this host. Without it nobody
# sees anything.
- name: Web
  hosts: web:&all
  tags: [web, quick]
  when: facts.web.used
  checks:
    # It answers on every address.
    - name: nginx takes connections on {{ item }}
      needs: nginx.service is healthy
      port: {port: "{{ item }}", process: nginx, connect: true}
      loop: [80, 443]
      severity: warning
      remedy: |-
        ss -ltnp
        journalctl -u nginx.service -n 50
      docs: https://nginx.org/en/docs/

    # What all of nginx needs.
    - block:
        - name: nginx.service is healthy
          unit: {name: nginx.service}
      when: facts.web.installed
"""
PAGE = """\
# web

This is what `{path}` looks at.

The web server of this host. Without it nobody sees anything.

## Web

* for hosts: web:&all
* tags: web, quick

### nginx takes connections on {{ item }}

It answers on every address.

* port: {port: "{{ item }}", process: nginx, connect: true}
* for each of: [80, 443]
* only when: facts.web.used
* needs: nginx.service is healthy
* severity: warning
* docs: <https://nginx.org/en/docs/>
* remedy:

```sh
ss -ltnp
journalctl -u nginx.service -n 50
```

What all of nginx needs.

### nginx.service is healthy

* unit: {name: nginx.service}
* only when: facts.web.used, facts.web.installed
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "30-web.yaml").write_text(WEB)
    (tmp_path / "40-none.yaml").symlink_to("/dev/null")
    return tmp_path


@pytest.mark.parametrize("name", ["web", "30-web.yaml"])
def test_a_pack_is_explained_from_its_comments_and_its_checks(folder: pathlib.Path, name: str) -> None:
    expected = PAGE.replace("{path}", f"{folder}/30-web.yaml")
    assert expected.splitlines() == list(pages(name, [str(folder)]))


def test_all_packs_are_listed_with_what_their_files_begin_with(folder: pathlib.Path) -> None:
    assert "| web | The web server of this host |" in list(pages("", [str(folder)]))


def test_a_pack_that_is_not_there_is_refused_with_the_one_that_was_meant(folder: pathlib.Path) -> None:
    with pytest.raises(DefinitionError, match=r"there is no pack 'wep'\n  did you mean web\?"):
        pages("wep", [str(folder)])


def test_a_file_that_cannot_be_read_is_told_with_its_place(folder: pathlib.Path) -> None:
    (folder / "30-web.yaml").write_text("- name: [\n")
    with pytest.raises(DefinitionError, match=r"30-web\.yaml:2:1"):
        pages("web", [str(folder)])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_each_shipped_file_says_what_it_is_for_and_tells_all_its_checks(path: pathlib.Path) -> None:
    name = path.stem.partition("-")[2]
    page = list(pages(name, [str(path.parent)]))
    checks = [line for line in path.read_text().splitlines() if line.lstrip().startswith("- name:")]

    assert page[4] not in ("", f"## {name}")
    assert len(checks) == sum(line.startswith(("## ", "### ")) for line in page)


def test_a_pack_is_shown_in_a_terminal_with_its_commands_whole(cli: Cli) -> None:
    (cli.folder / "30-web.yaml").write_text(WEB)
    said = cli("explain", "--pack", "web", "--checks", ".", COLUMNS="60")

    assert (said.returncode, said.stderr) == (0, "")
    assert "\n  journalctl -u nginx.service -n 50\n" in said.stdout
    assert "\nnginx takes connections on {{ item }}\n" in said.stdout


def test_a_pack_and_a_type_do_not_go_together(cli: Cli) -> None:
    assert cli("explain", "unit", "--pack", "web").returncode == 3
