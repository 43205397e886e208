"""What goss and NHC say of a value, said in the grammar of nodecheck: (expectation, value, verdict).

Only the facts are theirs. What has no like here is left out: semver, have-len, consist-of and equal of lists (their
order), gjson and have-key, ranges of node names, external commands, exabytes, counts such as 999k.
"""

from typing import Any

import pytest

from nodecheck.definitions.expectation import Expectation, Number, Size, Text

GROUPS = ("group1", "group2", "group3")
WORDS = ("foo", "bar", "moo")
LINES = ("foo bar", "moo cow")
SENTENCE = "this is a test"
KIB, MIB, GIB, TIB, PIB = (1 << power for power in (10, 20, 30, 40, 50))

# goss-org/goss: testdata/matching_basic.yaml
GOSS = [
    (Text, "this is a test", SENTENCE, True),
    (Text, "/^this/", SENTENCE, True),
    (Number, 42, 42, True),
    (Text, {"all": ["group1", "group2"]}, GROUPS, True),  # its list means: contains all of these
    (Text, ["group1", "group2"], GROUPS, True),  # ours: is any of these
    (Text, {"all": ["foo", "bar"]}, WORDS, True),
    (Text, "/^b/", WORDS, True),
    (Text, "/r$/", WORDS, True),
    (Text, {"all": ["/foo/", "/^m.*w$/", {"not": "/ftw/"}, {"not": "/^ERROR:/"}]}, LINES, True),
    (Text, "foo", LINES, False),  # its texts are found in a line, ours are a whole word
    (Text, {"not": "this is a failing test"}, SENTENCE, True),
    (Text, {"not": "/^foo/"}, SENTENCE, True),
    (Number, {"not": 43}, 42, True),
    (Text, {"not": {"all": ["group1", "group2", "group2", "group4"]}}, GROUPS, True),
    (Text, {"not": ["group1", "group2", "group2", "group4"]}, GROUPS, False),  # ours: is none of these
    (Text, {"not": {"all": ["fox", "box"]}}, WORDS, True),
    (Text, {"not": "/^x/"}, WORDS, True),
    (Text, {"not": {"all": ["/fox/", "/^t.*w$/", {"not": "/foo/"}, {"not": "/^foo/"}]}}, LINES, True),
]

# goss-org/goss: testdata/matching_basic_failing.yaml
GOSS_FAILING = [
    (Text, "this is a failing test", SENTENCE, False),
    (Text, "/^g/", "foo", False),
    (Text, "/x$/", "foo", False),
    (Text, "/x/", "foo", False),
    (Text, "/^foo/", SENTENCE, False),
    (Number, 43, 42, False),
    (Text, {"all": ["group1", "group2", "group2", "group4"]}, GROUPS, False),
    (Text, ["group1", "group2", "group2", "group4"], GROUPS, True),  # ours: is any of these
    (Text, {"all": ["fox", "box"]}, WORDS, False),
    (Text, "/^x/", WORDS, False),
    (Text, "/x$/", WORDS, False),
    (Text, [{"all": ["fox", "box"]}, {"all": ["fox", "bax"]}, "/^x/", "/x$/"], WORDS, False),
    (Text, "/fox/", LINES, False),
    (Text, "/^t.*w$/", LINES, False),
    (Text, {"not": "/foo/"}, LINES, False),
    (Text, {"not": "/^foo/"}, LINES, False),
    (Text, {"not": "this is a test"}, SENTENCE, False),
    (Text, {"not": "/^this/"}, SENTENCE, False),
    (Text, {"not": "/^f/"}, "foo", False),
    (Text, {"not": "/o$/"}, "foo", False),
    (Text, {"not": "/oo/"}, "foo", False),
    (Number, {"not": 42}, 42, False),
    (Number, {"not": {"all": [42, 42]}}, 42, False),
    (Text, {"not": {"all": ["group1", "group2", "group3"]}}, GROUPS, False),
    (Text, {"not": {"all": ["foo", "bar"]}}, WORDS, False),
    (Text, {"not": "/^b/"}, WORDS, False),
    (Text, {"not": "foo"}, WORDS, False),
    (Text, {"not": {"all": ["/foo/", "/^m.*w$/", {"not": "/ftw/"}, {"not": "/^ERROR:/"}]}}, LINES, False),
]

# goss-org/goss: testdata/matching_transformers.yaml
GOSS_TRANSFORMERS = [
    (Text, {"all": ["128", "/^1/", "/8$/", r"/\d{3}/"]}, "128", True),
    (Number, {"all": [128, 128.0, "<= 128", "> 120"]}, 128, True),
    (Number, {"all": [128.3, "<= 129", "> 120.2"]}, 128.3, True),
    (Text, {"all": ["/4./", "45"]}, ("45", "46", "47"), True),
    (Number, {"all": [">= 46", "<= 50"]}, 47, True),
    (Text, {"all": ["/^foo/", "/moo/", {"not": "this_doesnt_exist"}]}, ("foo bar", "15", "moo cow"), True),
    (Text, {"all": ["foo bar", "15", "moo cow"]}, ("foo bar", "15", "moo cow"), True),
    (Text, "cool", "cool", True),
    (Number, {"all": ["<= 250", ">= 20"]}, 40, True),
]

# goss-org/goss: testdata/matching_transformers_failing.yaml; {all: [">= 56", "<= 30"]} and {all: ["<= 20", ">= 50"]},
# which fail there, are refused here.
GOSS_TRANSFORMERS_FAILING = [
    (Text, "129", "128", False),
    (Text, "/^2/", "128", False),
    (Text, "/9$/", "128", False),
    (Text, r"/\s{3}/", "128", False),
    (Number, 129, 128, False),
    (Number, 129.1, 128, False),
    (Number, "<= 127", 128, False),
    (Number, "> 130", 128, False),
    (Number, 129.3, 128.3, False),
    (Number, "<= 127", 128.3, False),
    (Number, "> 130.2", 128.3, False),
    (Text, "/5./", ("45", "46", "47"), False),
    (Text, "55", ("45", "46", "47"), False),
    (Text, "/too/", ("foo bar", "15", "moo cow"), False),
    (Text, "not-cool", "cool", False),
    (Number, "<= 20", 40, False),
    (Number, ">= 50", 40, False),
]

# goss-org/goss: matchers/have_patterns_test.go
GOSS_PATTERNS = [
    (Text, "/nonexistent-pattern/", ("Banner /etc/issue.net", "LogLevel INFO"), False),
    (Text, "/nonexistent-pattern/", ("pam_faillock.so preauth",), False),
]

# goss-org/goss: resource/gomega_test.go, what each way to write means
GOSS_WRITTEN = [
    (Text, "foo", "foo", True),
    (Text, {"all": ["foo", "bar"]}, ("foo",), False),
    (Number, "> 1", 1, False),
    (Number, "> 1", 2, True),
    (Number, ">= 1", 1, True),
    (Number, "< 1", 1, False),
    (Number, "<= 1", 1, True),
    (Text, {"not": "foo"}, "foo", False),
    (Text, {"all": ["/^foo/", "foo"]}, "foo", True),
    (Text, ["foo", "foo"], "foo", True),
    (Text, {"not": {"all": ["/^foo/"]}}, "foo", False),
]

# mej/nhc: test/test_common.nhc; sizes there are counted in kB of 1024 bytes
NHC = [
    (Text, "/test/", "This is a test.", True),
    (Text, r"/\./", "some.hostname.com", True),
    (Text, r"/\./", "hostname", False),
    (Text, r"/example\.(com|net|org)$/", "host.example.com", True),
    (Text, "/(^| )1/", "1 2 3 4 5", True),
    (Text, "!= /node/", "somenode", False),
    (Text, "!= /gpu/", "bigmem01", True),
    (Text, "/^Testing$/", "Testing", True),
    (Text, "^Testing$", "Testing", False),  # without slashes it is a literal here, and lint says so
    (Text, "n*.*", "n0000.testbed", False),  # no globs here, and lint says so
    (Text, r"/^n.*\./", "n0000.testbed", True),
    (Text, r"/\*/", "some*glob", True),
    (Text, "*", "hostname", False),
    (Text, r"/\..xample\.com$/i", "host.example.com", True),
    (Text, "/1/", "1 2 3 4 5", True),
    (Text, "!= /^n00/", "n0001", False),
    (Text, "!= /^n11/", "n0001", True),
    (Size, "1023KiB", 1023 * KIB, True),
    (Size, "1023kB", 1023 * KIB, False),  # k is 1000, Ki is 1024 here
    (Size, "1023MiB", 1023 * MIB, True),
    (Size, "100GiB", 100 * GIB, True),
    (Size, "6TiB", 6 * TIB, True),
    (Size, "1PiB", PIB, True),
    (Size, "1024KiB", MIB, True),
    (Number, 999, 999, True),
]


@pytest.mark.parametrize(
    ("kind", "wanted", "observed", "verdict"),
    GOSS + GOSS_FAILING + GOSS_TRANSFORMERS + GOSS_TRANSFORMERS_FAILING + GOSS_PATTERNS + GOSS_WRITTEN + NHC,
)
def test_a_fact_of_another_tool_holds_here(kind: type[Expectation], wanted: Any, observed: Any, verdict: bool) -> None:
    assert verdict is kind(wanted).matches(observed)
