"""What a record masks, rule by rule, and what it leaves."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.node import secrets
from nodecheck.node.secrets import mask, mask_arguments
from nodecheck.node.unobserved import MASK

KEY = "-----BEGIN RSA PRIVATE KEY-----"
END = "-----END RSA PRIVATE KEY-----"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"

# Of each rule: texts with ### where the secret is.
SECRETS: dict[str, list[tuple[str, str]]] = {
    "private key": [(f"{KEY}###{END} x", "\nMIIE\nabc=\n"), (f"{KEY}###", "\ncut off")],
    "JSON web token": [("x ### y", TOKEN), ("dial ###", TOKEN)],
    "bootstrap token": [
        ("kubeadm join 10.0.0.1:6443 ###", "abcdef.0123456789abcdef"),
        ("x=###,y", "abcdef.0123456789abcdef"),
    ],
    "AWS key": [("x ### y", "AKIAIOSFODNN7EXAMPLE"), ("id=###", "ASIAIOSFODNN7EXAMPLE")],
    "token of a service": [("clone ###", "ghp_0123456789abcdefghij"), ("x ### y", "glpat-0123456789abcdef")],
    "URL": [
        ("http://user:###@host:80/x", "p@ss"),
        ("--dsn=postgres://a:###@h/db", "p/w"),
        ("amqp://:###@h", "x"),
        ("https://a:###@h/x?y", "p:q"),
    ],
    "header": [
        ("curl -H 'Authorization: Basic ###'", "dXNlcjpwYXNz"),
        ("Authorization: ###", "abc"),
        ("cookie: ###", "a=b; c=d"),
    ],
    "bearer": [("x Bearer ### y", "abc.def"), ("bearer ###", "abc")],
    "option=": [
        ("x --token=### --y", "abc"),
        ("x --admin-password=### y", "abc"),
        ("java -Dkey.storePassword=### -x", "abc"),
        ("x --api-key=###", "abc"),
        ("x --API_KEY=###", "a=b"),
        ("x --client-secret=### y", "'a b'"),
    ],
    "option": [
        ("x --token ### y", "abc"),
        ("x --password ### y", "abc"),
        ("x -password ### y", "abc"),
        ("x --apikey ###", "abc"),
        ("x --pass ### y", "abc"),
        ("redis-server --requirepass ### y", "abc"),
        ("x --passphrase ### y", '"a b"'),
    ],
    "NAME=": [
        ("env DB_PASSWORD=### y", "abc"),
        ("AWS_SECRET_ACCESS_KEY=### x", "a/b+c"),
        ("GITHUB_TOKEN=###", "abc"),
        ("token=### x", "abc"),
        ("docker run -e MYSQL_ROOT_PASSWORD=### x", "abc"),
    ],
    "name:": [
        ("X-Auth-Token: ###", "abc"),
        ('{"password": ###, "user": "x"}', '"a b"'),
        ("password: ### x", "abc"),
        ("{'api_key': ###}", "'abc'"),
    ],
    "pass:": [("openssl rsa -passin pass:### -in x", "abc")],
    "mysql -p": [
        ("mysql -uroot -p### db", "abc"),
        ("/usr/bin/mysqldump -h x -p###", "abc"),
        ("mariadb-admin -p### ping", "abc"),
    ],
    "sshpass -p": [
        ("sshpass -p ### ssh x", "abc"),
        ("sshpass -p### ssh x", "abc"),
        ("redis-cli -h x -a ### ping", "abc"),
        ("ldapsearch -x -w ### y", "abc"),
    ],
    "curl -u": [
        ("curl -u bob:### http://x", "abc"),
        ("curl -s --user bob:### x", "a:b"),
        ("wget --user=bob:###", "abc"),
    ],
}

STAYS = [
    "--tls-private-key-file=/x --token-auth-file=/y --password-file /z",
    "--use-service-account-credentials=true --enable-bootstrap-token-auth=true",
    "--authentication-token-webhook=true --token-ttl 24h --secret-name foo",
    "--service-account-signing-key-file=/etc/kubernetes/pki/sa.key --root-ca-file=/x",
    "--discovery-token-ca-cert-hash sha256:0123456789abcdef",
    "--password --verbose",
    "mysql -u root -p",
    "mysqld --port=3306 -P 3306 --pid-file=/run/mysqld.pid",
    "docker run --user 1000:1000 -p 80:80 image",
    "ps -p 100; ssh -p 22 host",
    "http://10.0.0.1:2379/a@b",
    "--etcd-servers=https://127.0.0.1:2379,https://10.0.0.1:2379",
    "git@github.com:a/b",
    "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
    "/usr/bin/dbus-daemon --system --address=systemd: --nofork",
    "nginx: master process /usr/sbin/nginx -g daemon on;",
    "Startup finished: serving 3 tokens per second",
    "kube-system.coredns",
    "0::/kubepods/burstable/pod0123",
    "4711\n",
    "--bypass on",
    "passwd root",
]


@pytest.mark.parametrize(
    ("rule", "text", "secret"), [(rule, text, secret) for rule, of in SECRETS.items() for text, secret in of]
)
def test_a_secret_is_masked_and_nothing_else(rule: str, text: str, secret: str) -> None:
    assert text.replace("###", MASK) == mask(text.replace("###", secret))


def test_each_rule_has_its_examples_and_is_documented() -> None:
    assert [rule.name for rule in secrets.RULES] == list(SECRETS)
    assert [name for name in SECRETS if f"  {name} " not in secrets.table()] == []


@pytest.mark.parametrize("text", STAYS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert (mask(text), " ".join(mask_arguments(text.split(" ")))) == (text, text)


@pytest.mark.parametrize(
    ("arguments", "masked"),
    [
        (["x", "--password", "a b", "y"], ["x", "--password", MASK, "y"]),
        (["x", "--password=a b", "y"], ["x", f"--password={MASK}", "y"]),
        (["x", "--token", "a'b", "y"], ["x", "--token", MASK, "y"]),
        (["env", "DB_PASSWORD=a b", "y"], ["env", f"DB_PASSWORD={MASK}", "y"]),
        (["mysql", "-pa b", "db"], ["mysql", f"-p{MASK}", "db"]),
        (["sshpass", "-p", "a b", "ssh"], ["sshpass", "-p", MASK, "ssh"]),
        (["curl", "-u", "a:b c", "x"], ["curl", "-u", f"a:{MASK}", "x"]),
        (["curl", "-H", "Authorization: Bearer a", "x"], ["curl", "-H", f"Authorization: Bearer {MASK}", "x"]),
        (["curl", "-d", '{"password": "a b"}', "x"], ["curl", "-d", f'{{"password": {MASK}}}', "x"]),
        (["sh", "-c", "mysql -pab --password 'c d' e"], ["sh", "-c", f"mysql -p{MASK} --password {MASK} e"]),
        (["x", "--password", ""], ["x", "--password", ""]),
        (["x", "--password"], ["x", "--password"]),
        ([], [""]),
    ],
)
def test_an_argument_is_masked_whole(arguments: list[str], masked: list[str]) -> None:
    assert masked == mask_arguments(arguments)


WORDS = st.lists(
    st.sampled_from(
        ["--token", "--password=", "-p", "mysql", "curl", "-u", "a:b", "http://a:b@c", "Bearer", "Authorization:", "x",
         "pass:", KEY, END, TOKEN, "'", '"', "=", ":", "PASSWORD=", "password:", MASK, "--", "true", "\n"]
    ),
    max_size=8,
)  # fmt: skip


@given(WORDS.map(" ".join) | st.text(max_size=40))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert mask(text) == mask(mask(text))


@given(WORDS)
def test_a_masked_command_line_is_not_changed_when_it_is_recorded(arguments: list[str]) -> None:
    once = " ".join(mask_arguments(arguments))
    assert [word for word in mask(once).split(" ") if word not in once.split(" ") and MASK not in word] == []


@pytest.mark.parametrize(
    "part", ["a", "-", "a.-", "mysql ", "curl -u", "a:", "token", "token=", "eyJ", "://", "=", "\0", KEY]
)
def test_a_command_line_of_any_length_is_masked_soon(part: str) -> None:
    text = (part * (1 << 16))[: 1 << 16]
    started = time.process_time()
    mask(text)
    mask_arguments(text.split(" "))
    assert time.process_time() - started < 10  # what is quadratic takes minutes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("echo password=x; exit 1", "echo password=<masked>; exit 1"),
        ("a --token x&&b|c --token=y&", "a --token <masked>&&b|c --token=<masked>&"),
        ("a --password 'x;y'; b", "a --password <masked>; b"),
        ('a --password="x;y"; b', "a --password=<masked>; b"),
        (r"a --password=x\;y; b", "a --password=<masked>; b"),
        ('a "password=x;y" && b', 'a "password=<masked> && b'),
        ("password=x;y # it", "password=<masked> # it"),
        ("cat <<E\npassword=x;y\nE", "cat <<E\npassword=<masked>\nE"),
        ('a "$(b "password=x;y")"', 'a "$(b "password=<masked>'),
        ("a 'password=x;y", "a 'password=<masked>"),
    ],
)
def test_a_command_of_the_shell_is_masked_by_itself_where_that_is_sure(text: str, expected: str) -> None:
    assert secrets.mask_shell(text) == expected == mask(expected)


@given(st.text("ab=;&|'\"\\\n #$(", max_size=20))
def test_no_text_for_the_shell_is_too_odd_to_be_shown(text: str) -> None:
    assert secrets.mask_shell(text) == text


def test_a_long_text_for_the_shell_is_masked_in_time() -> None:
    before = time.monotonic()
    for sign in ("'", '"', ";", "a", "\\"):
        secrets.mask_shell(sign * 65_536)
    assert time.monotonic() - before < 2
