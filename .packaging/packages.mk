# Included by the Makefile: what is given to others. All of it is made from one tree in build/, twice the same bytes.

VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' nodecheck/__init__.py)
# Of the latest commit; in a tree that is no checkout, of its changelog.
export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),$(shell stat -c %Y CHANGELOG.md))

SOURCES := nodecheck checks.d systemd .packaging Makefile pyproject.toml README.md CHANGELOG.md LICENSE
TREE := build/nodecheck-$(VERSION)
DEB := dist/nodecheck_$(VERSION)_all.deb
MAINTAINER := nodecheck maintainers <maintainers@nodecheck.invalid>
NORMAL := --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --format=gnu

SDIST := dist/nodecheck-$(VERSION).tar.gz

.PHONY: tree deb rpm wheel dist

tree:
	rm -rf "$(TREE)" && mkdir -p "$(TREE)" dist
	find $(SOURCES) -type f ! -path '*/__pycache__/*' ! -path '*/.*_cache/*' -exec cp --parents -t "$(TREE)" {} +
	chmod -R u=rwX,go=rX "$(TREE)"

deb: setup tree ## make the package for Debian and Ubuntu, in dist/
	$(call need,command -v dpkg-buildpackage && command -v dh && command -v dh_python3,build-essential debhelper dh-python)
	cp -r .packaging/debian "$(TREE)/debian"
	printf '%s\n' 'nodecheck ($(VERSION)) unstable; urgency=medium' '' \
		'  * What is new is told in changelog.gz, beside this file.' '' \
		" -- $(MAINTAINER)  $$(date -u -R -d @$(SOURCE_DATE_EPOCH))" >"$(TREE)/debian/changelog"
	cd "$(TREE)" && dpkg-buildpackage --build=binary --no-sign --no-check-builddeps >../deb.log 2>&1 || { cat ../deb.log; exit 1; }
	mv "build/$(notdir $(DEB))" dist/

# setuptools leaves out what others make their packages from, and writes the time of now.
$(SDIST): $(VENV)/stamp tree
	cd "$(TREE)" && "$(CURDIR)/$(VENV)/bin/python" -m build --sdist --outdir .. >../sdist.log 2>&1 || { cat ../sdist.log; exit 1; }
	tar -xOzf build/$(notdir $(SDIST)) nodecheck-$(VERSION)/PKG-INFO >"$(TREE)/PKG-INFO"
	rm -r build/$(notdir $(SDIST)) "$(TREE)"/nodecheck.egg-info
	tar $(NORMAL) -C build -c nodecheck-$(VERSION) | gzip -9n >$(SDIST)

wheel: $(SDIST) ## make what pip and pipx install, in dist/: a wheel, and the source that it is made from
	$(VENV)/bin/python -m build --wheel --outdir dist "$(TREE)" >build/wheel.log 2>&1 || { cat build/wheel.log; exit 1; }
