# Included by the Makefile: what is given to others. All of it is made from one tree in build/, twice the same bytes.

VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' nodecheck/__init__.py)
# Of the latest commit; in a tree that is no checkout, of its changelog.
export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),$(shell stat -c %Y CHANGELOG.md))

SOURCES := nodecheck checks.d systemd .packaging Makefile pyproject.toml README.md CHANGELOG.md LICENSE
TREE := build/nodecheck-$(VERSION)
DEB := dist/nodecheck_$(VERSION)_all.deb
MAINTAINER := nodecheck maintainers <maintainers@nodecheck.invalid>
NORMAL := --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --format=gnu

.PHONY: tree deb rpm sdist wheel dist

tree:
	rm -rf "$(TREE)" && mkdir -p "$(TREE)" dist
	find $(SOURCES) -type f ! -path '*/__pycache__/*' ! -path '*/.*_cache/*' -exec cp --parents -t "$(TREE)" {} +
	chmod -R u=rwX,go=rX "$(TREE)"

deb: setup tree ## make the package for Debian and Ubuntu, in dist/
	$(call need,command -v dpkg-buildpackage && command -v dh && command -v dh_python3,build-essential debhelper dh-python)
	cp -r .packaging/debian "$(TREE)/debian"
	printf '%s\n' 'nodecheck ($(VERSION)) unstable; urgency=medium' '' \
		'  * What is new is told in changelog.gz beside this file: CHANGELOG.md of nodecheck.' '' \
		" -- $(MAINTAINER)  $$(date -u -R -d @$(SOURCE_DATE_EPOCH))" >"$(TREE)/debian/changelog"
	cd "$(TREE)" && dpkg-buildpackage --build=binary --no-sign --no-check-builddeps >../deb.log 2>&1 || { cat ../deb.log; exit 1; }
	mv "build/$(notdir $(DEB))" dist/
