"""/etc/nodecheck/nodecheck.yaml: groups, variables and the budget."""

import pathlib

import pytest

from nodecheck.definitions.errors import DefinitionError
from nodecheck.definitions.settings import Settings, read_settings
from nodecheck.definitions.variables import plain
from nodecheck.definitions.yamlfile import Value

DEFAULTS = Settings([], {}, 30.0)


def read(path: pathlib.Path, text: str) -> Settings:
    (path / "nodecheck.yaml").write_text(text)
    return read_settings(str(path / "nodecheck.yaml"))


def variables(settings: Settings) -> dict[str, object]:
    return {name: plain(value) if isinstance(value, Value) else value for name, value in settings.variables.items()}


def test_settings_are_read(tmp_path: pathlib.Path) -> None:
    found = read(tmp_path, 'groups: [storage, gpu]\nvars: {port: 22, url: "http://x:{{ port }}"}\nbudget: 1m\n')

    expected = ["storage", "gpu"], {"port": 22, "url": "http://x:22"}, 60.0
    assert expected == (found.groups, variables(found), found.budget)


@pytest.mark.parametrize("text", ["", "# budget: 10s\n", "---\n", "{}\n", "groups:\nvars:\nbudget:\n"])
def test_settings_that_say_nothing_are_the_defaults(text: str, tmp_path: pathlib.Path) -> None:
    expected = DEFAULTS
    assert expected == read(tmp_path, text)


def test_no_settings_are_the_defaults(tmp_path: pathlib.Path) -> None:
    expected = DEFAULTS
    assert expected == read_settings(str(tmp_path / "missing.yaml"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[storage]", "1:1: the settings are a mapping, not a list"),
        ("group: [storage]", "1:1: there is no setting 'group'\n.*\n.*\n  did you mean groups\\?"),
        ("groups: storage", "1:9: groups is a list of names"),
        ("groups: [1]", "1:9: groups is a list of names"),
        ("groups: ['a:b']", "1:10: 'a:b' is no name for a group"),
        ("groups: ['!a']", "is no name for a group"),
        ("groups: ['']", "is no name for a group"),
        ("vars: [a]", "1:7: vars is a mapping, not a list"),
        ("vars: {facts: 1}", "1:8: the variable 'facts' is what nodecheck found out"),
        ("vars: {a b: 1}", "1:8: 'a b' is no name for a variable"),
        ('vars: {a: "{{ nobody }}"}', "1:11: the variable 'nobody' is not defined"),
        ("budget: 30", "1:9: budget is a time with its unit.* not '30'\n.*\n.*\n  did you mean 30s\\?"),
        ("budget: [30s]", "1:9: budget is a time with its unit.* not a list"),
        ("budget: 0s", "1:9: budget is too short"),
        ("budget: 500ms", "1:9: budget is too short for any run"),
        ("budget: 999999999999999d", "1:9: budget is too long"),
        ("budget: 30s\nbudget: 60s", "2:1: the key 'budget' stands here a second time"),
        ("budget: [", "2:1: not YAML: a value is missing here"),
    ],
)
def test_mistakes_in_settings_have_their_place(text: str, said: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(DefinitionError, match=said):
        read(tmp_path, text)


def test_all_mistakes_in_settings_are_said_at_once(tmp_path: pathlib.Path) -> None:
    with pytest.raises(DefinitionError) as raised:
        read(tmp_path, "groups: x\nvars: y\nbudget: z\noutputs: w\n")

    expected = [1, 2, 3, 4]
    assert expected == [mistake.mark.line for mistake in raised.value.mistakes if mistake.mark]


@pytest.mark.parametrize("kind", ["a link to nowhere", "a directory"])
def test_settings_that_are_there_and_cannot_be_read_are_not_passed_over(kind: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "nodecheck.yaml"
    path.mkdir() if kind == "a directory" else path.symlink_to("nowhere")

    with pytest.raises(DefinitionError, match=f"{path} cannot be read"):
        read_settings(str(path))
