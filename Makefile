# The interpreter is the system's: PyGObject comes from the distribution, and a python3 that is earlier on PATH lacks it.
PYTHON := /usr/bin/python3
unexport PYTHONPATH PYTHONHOME PYTHONSAFEPATH
export PYTHONNOUSERSITE := 1

IMPORTS := import gi, pydbus, psutil, yaml, structlog, jinja2
PACKAGES := python3-gi python3-pydbus python3-psutil python3-yaml python3-structlog python3-jinja2

VENV := .venv
HAS_TEST_TOOLS = $(PYTHON) -c 'import ensurepip' && for tool in $(TEST_TOOLS); do \
	command -v $$tool >/dev/null || { echo "$$tool is missing"; exit 1; }; done
TEST_TOOLS := dbus-daemon systemd-analyze openssl
TEST_PACKAGES := python3-venv dbus-daemon systemd openssl
ifeq ($(shell id -u),0)
# Only root can boot the real node of tests/node.
TEST_TOOLS += debootstrap systemd-nspawn ip ssh
TEST_PACKAGES += debootstrap debian-archive-keyring systemd-container iproute2 openssh-client
# Real readers of reports. Who is not root may lack them: the tests that need one say so.
TEST_TOOLS += prove /usr/lib/nagios/plugins/negate
TEST_PACKAGES += perl monitoring-plugins-basic
# Makers and readers of packages, of man pages and of completions.
TEST_TOOLS += dpkg-buildpackage dh dh_python3 lintian rpmbuild rpmlint man mandoc zsh fish pipx
TEST_PACKAGES += build-essential debhelper dh-python lintian rpm rpmlint man-db mandoc zsh fish pipx
# A name server and file systems to look at.
TEST_TOOLS += dnsmasq mkfs.btrfs mkfs.xfs
TEST_PACKAGES += dnsmasq-base btrfs-progs xfsprogs
# Ubuntu has no package of it, only a snap.
ifneq ($(shell . /etc/os-release 2>/dev/null && echo $$ID),ubuntu)
TEST_TOOLS += chromium
TEST_PACKAGES += chromium fonts-dejavu-core
endif
endif
# More readers, of packages that would start a server if they were installed: they are only unpacked, below VENV.
UNPACKED := prometheus prometheus-node-exporter

# nodecheck looks for its checks below /usr/share and /etc; with another PREFIX it has to be told with --checks.
PREFIX ?= /usr
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc)
LIB := $(PREFIX)/lib/nodecheck
UNITS := nodecheck.service nodecheck.timer nodecheck@.service nodecheck@.timer \
	nodecheck@deep.timer.d/schedule.conf nodecheck@quick.service.d/tags.conf
# Made from the code, by .packaging/manpages.py and .packaging/completions.py; where zsh looks is the distribution's choice.
ZSH := zsh/$(if $(wildcard /etc/debian_version),vendor-completions,site-functions)
MADE := man/man1/nodecheck.1 man/man5/nodecheck.yaml.5 man/man5/nodecheck-checks.5 \
	bash-completion/completions/nodecheck $(ZSH)/_nodecheck fish/vendor_completions.d/nodecheck.fish
MODULES = $(wildcard $(foreach folder,nodecheck nodecheck/* nodecheck/*/*,$(folder)/*.py)) $(wildcard nodecheck/cli/*.md)

# -I: the caller's environment cannot change what runs. -B: nothing is ever written below $(PREFIX). -S: what else is
# installed for Python is not looked through, which takes a third of the time that Python itself takes to start.
define LAUNCHER
#!$(PYTHON) -ISB
import os
import sys

sys.path.insert(0, "$(LIB)")
if os.path.isdir("/usr/lib/python3/dist-packages"):  # of Debian and Ubuntu, for each version of Python
    sys.path.append("/usr/lib/python3/dist-packages")
else:
    import site

    site.main()
from nodecheck.__main__ import main

sys.exit(main())
endef
export LAUNCHER

# $(call need,TEST,PACKAGES): if TEST fails, install PACKAGES as root or through sudo, or say what is missing.
define need
@( $(1) ) >/dev/null 2>&1 || { \
	root=env; [ "$$(id -u)" = 0 ] || root="sudo env"; \
	if ! command -v apt-get >/dev/null || ! command -v $${root% env} >/dev/null; then \
		echo "Missing here. Install these as root (the names are Debian's): $(2)"; exit 1; fi; \
	apt="$$root DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -y -q -o DPkg::Lock::Timeout=120"; \
	install="$$apt install --no-install-recommends $(2)"; \
	{ $$install || { $$apt update && $$install; }; } && ( $(1) ); } >&2
endef

.DELETE_ON_ERROR:
.PHONY: help run setup test lint bench install uninstall clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

# 1 is also how Python ends on a traceback, so --version first tells a program that cannot start from a warning.
run: setup ## check this host with the checks of this checkout; more arguments in ARGS="..."
	@$(PYTHON) -m nodecheck --version >/dev/null
	@$(PYTHON) -m nodecheck run --checks checks.d $(ARGS); code=$$?; \
	echo "nodecheck run ended with $$code" >&2; test $$code -le 3

setup: ## install the distribution packages that nodecheck needs, if they are missing
	$(call need,$(PYTHON) -c '$(IMPORTS)',$(PACKAGES))
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("nodecheck needs Python 3.11: $(PYTHON) is older")'

$(VENV)/stamp: pyproject.toml | setup
	$(call need,$(HAS_TEST_TOOLS),$(TEST_PACKAGES))
	$(PYTHON) -m venv --clear --system-site-packages $(VENV)
	@$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("$<", "rb"))["dependency-groups"]["dev"], sep="\n")' \
		>$(VENV)/dev.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(VENV)/dev.txt
	@get="apt-get -q download $(UNPACKED)"; mkdir $(VENV)/unpacked && cd $(VENV)/unpacked && \
	{ $$get || { apt-get -q update && $$get; }; } >/dev/null 2>&1 && \
	printf '%s\n' *.deb | xargs -I{} dpkg-deb -x {} . && rm *.deb || \
	echo "$(UNPACKED) cannot be had here: the tests that need them say so"
	@touch $@

test: $(VENV)/stamp ## run the tests, the real nodes too when root; only some with ARGS="tests/checks -k port"
	$(VENV)/bin/python -m pytest $(or $(ARGS),--cov -m "not cluster")
ifeq ($(ARGS),)
	$(VENV)/bin/python -m pytest -m cluster
endif

lint: $(VENV)/stamp ## look for errors without running: ruff, mypy, import-linter, ansible-lint, systemd-analyze
	$(VENV)/bin/python -m ruff check
	$(VENV)/bin/python -m ruff format --check
	$(VENV)/bin/python -m mypy
	$(VENV)/bin/python $(VENV)/bin/lint-imports
	cd ansible && $(abspath $(VENV))/bin/python -m ansiblelint --strict
	@command -v systemd-analyze >/dev/null || { echo "no systemd-analyze here: the units were not verified"; exit 0; }; \
	units=$$(mktemp -d) && trap 'rm -r "$$units"' EXIT && for unit in $(UNITS); do \
		file="$$units/$$(echo "$$unit" | sed 's|@\.\([a-z]*\)$$|@quick.\1|')"; \
		mkdir -p "$${file%/*}" && sed 's|^ExecStart=/usr/bin/nodecheck|ExecStart=/bin/true|' "systemd/$$unit" >"$$file"; done && \
	cp "$$units/nodecheck@quick.timer" "$$units/nodecheck@deep.timer" && cp "$$units/nodecheck@quick.service" "$$units/nodecheck@deep.service" && \
	said=$$(systemd-analyze verify --man=no "$$units"/nodecheck.* "$$units"/nodecheck@*.service "$$units"/nodecheck@*.timer 2>&1); code=$$?; \
	case "$$code$$said" in 0) ;; *nodecheck*|[1-9]*) echo "$$said" >&2; exit 1;; esac; \
	said=$$(systemd-analyze security --offline=true --threshold=50 "$$units/nodecheck.service"); code=$$?; \
	echo "$$said" | tail -n 1; exit $$code

bench: $(VENV)/stamp ## measure the speed, side by side with goss
	$(call need,command -v hyperfine,hyperfine)
	$(VENV)/bin/python -m tests.bench $(ARGS)

install: ## install below PREFIX=/usr; for a package, DESTDIR= goes before it
	umask 022; set -e; \
	rm -rf "$(DESTDIR)$(LIB)" "$(DESTDIR)$(PREFIX)/share/nodecheck/checks.d"; \
	for file in $(MODULES); do install -D -m 644 "$$file" "$(DESTDIR)$(LIB)/$$file"; done; \
	$(PYTHON) -I -m compileall -q --invalidation-mode timestamp -s "$(DESTDIR)" -p / "$(DESTDIR)$(LIB)"; \
	install -d -m 755 "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/lib/systemd/system"; \
	printf '%s\n' "$$LAUNCHER" >"$(DESTDIR)$(PREFIX)/bin/nodecheck"; \
	chmod 755 "$(DESTDIR)$(PREFIX)/bin/nodecheck"; \
	install -D -m 644 -t "$(DESTDIR)$(PREFIX)/share/nodecheck/checks.d" checks.d/*.yaml; \
	sed -i '1s|schema=/usr/|schema=$(PREFIX)/|' "$(DESTDIR)$(PREFIX)"/share/nodecheck/checks.d/*.yaml; \
	$(PYTHON) -B -m nodecheck schema >"$(DESTDIR)$(PREFIX)/share/nodecheck/nodecheck.schema.json"; \
	chmod 644 "$(DESTDIR)$(PREFIX)/share/nodecheck/nodecheck.schema.json"; \
	for unit in $(UNITS); do \
		install -D -m 644 "systemd/$$unit" "$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit"; \
		sed -i 's|^ExecStart=/usr/|ExecStart=$(PREFIX)/|' "$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit"; done; \
	for example in systemd/examples/*; do \
		install -D -m 644 "$$example" "$(DESTDIR)$(PREFIX)/share/nodecheck/examples/$${example##*/}"; done; \
	install -D -m 644 -t "$(DESTDIR)$(PREFIX)/lib/systemd/catalog" systemd/nodecheck.catalog; \
	made=$$(mktemp -d); trap 'rm -r "$$made"' EXIT; \
	for maker in manpages completions; do PYTHONPATH=. $(PYTHON) -B .packaging/$$maker.py "$$made"; done; \
	for file in $(MADE); do install -D -m 644 "$$made/$${file##*/}" "$(DESTDIR)$(PREFIX)/share/$$file"; done; \
	[ "$(DESTDIR)" ] || journalctl --update-catalog 2>/dev/null || true
ifneq ($(SYSCONFDIR),)
	install -d -m 755 "$(DESTDIR)$(SYSCONFDIR)/nodecheck" "$(DESTDIR)$(SYSCONFDIR)/nodecheck/checks.d"
endif

uninstall: ## remove what install has put there; what you wrote below /etc stays, and what was remembered
ifeq ($(DESTDIR),)
	@systemctl disable --quiet --now nodecheck.timer nodecheck@quick.timer nodecheck@deep.timer 2>/dev/null || true
endif
	rm -rf "$(DESTDIR)$(LIB)" "$(DESTDIR)$(PREFIX)/share/nodecheck" "$(DESTDIR)$(PREFIX)/bin/nodecheck"
	rm -f $(addprefix "$(DESTDIR)$(PREFIX)"/lib/systemd/system/,$(UNITS)) "$(DESTDIR)$(PREFIX)"/lib/systemd/catalog/nodecheck.catalog
	rm -f $(addprefix "$(DESTDIR)$(PREFIX)"/share/,$(MADE))
	for folder in $(patsubst %/,%,$(filter-out ./,$(dir $(UNITS)))); do \
		rmdir "$(DESTDIR)$(PREFIX)/lib/systemd/system/$$folder" 2>/dev/null || true; done
ifneq ($(SYSCONFDIR),)
	for folder in nodecheck/checks.d nodecheck; do \
		rmdir --ignore-fail-on-non-empty "$(DESTDIR)$(SYSCONFDIR)/$$folder" 2>/dev/null || true; done
endif

clean: ## remove what the other targets have made in the checkout
	rm -rf $(VENV) build dist *.egg-info htmlcov .coverage .coverage.* .*_cache .hypothesis
	for folder in nodecheck tests; do find $$folder -name __pycache__ -prune -exec rm -r {} +; done

include .packaging/packages.mk
