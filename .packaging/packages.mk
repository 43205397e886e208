# Included by the Makefile: what is given to others. All of it is made from one tree in build/, twice the same bytes.

VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' nodecheck/__init__.py)
SOURCES := nodecheck checks.d systemd .packaging Makefile pyproject.toml README.md CHANGELOG.md LICENSE
SDIST := dist/nodecheck-$(VERSION).tar.gz
TREE := build/nodecheck-$(VERSION)
# Of the latest commit; of a tree that is in no checkout, that of its changelog.
ifndef SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH := $(or $(shell git log -1 --format=%ct -- $(SOURCES) 2>/dev/null),$(shell stat -c %Y CHANGELOG.md))
endif
install deb rpm wheel dist $(SDIST): export SOURCE_DATE_EPOCH := $(SOURCE_DATE_EPOCH)
DEB := dist/nodecheck_$(VERSION)_all.deb
MAINTAINER := nodecheck maintainers <maintainers@nodecheck.invalid>
# --nodeps: on Debian the packages that it is built from have other names; `make setup` has brought them.
RPMBUILD = rpmbuild --quiet -bb --nodeps $(if $(wildcard /etc/debian_version),--load=.packaging/rpm/macros) \
	--define "_topdir $(CURDIR)/build/rpm" --define "_sourcedir $(CURDIR)/build/rpm" --define "_rpmdir $(CURDIR)/build/rpm" \
	--define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" \
	--define "_buildhost reproducible" --define "use_source_date_epoch_as_buildtime 1" \
	--define "clamp_mtime_to_source_date_epoch 1" $(RPMFLAGS)
NORMAL := --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --format=gnu

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
	cd "$(TREE)" && "$(abspath $(VENV))/bin/python" -m build --no-isolation --sdist --outdir .. >../sdist.log 2>&1 || { cat ../sdist.log; exit 1; }
	tar -xOzf build/$(notdir $(SDIST)) nodecheck-$(VERSION)/PKG-INFO >"$(TREE)/PKG-INFO"
	rm -r build/$(notdir $(SDIST)) "$(TREE)"/nodecheck.egg-info
	tar $(NORMAL) -C build -c nodecheck-$(VERSION) | gzip -9n >$(SDIST)

wheel: $(SDIST) ## make what pip and pipx install, in dist/: a wheel, and the source that it is made from
	$(VENV)/bin/python -m build --no-isolation --wheel --outdir dist "$(TREE)" >build/wheel.log 2>&1 || { cat build/wheel.log; exit 1; }

rpm: setup $(SDIST) ## make the package for Fedora, in dist/; with pydbus beside it: RPMFLAGS="--with pydbus"
	$(call need,command -v rpmbuild,rpm)
	rm -rf build/rpm && mkdir -p build/rpm && cp $(SDIST) build/rpm/
	sed "s|@VERSION@|$(VERSION)|; s|@DATE@|$$(LC_ALL=C date -u -d @$(SOURCE_DATE_EPOCH) '+%a %b %d %Y')|" \
		.packaging/rpm/nodecheck.spec >build/rpm/nodecheck.spec
ifneq ($(findstring --with pydbus,$(RPMFLAGS)),)
	$(VENV)/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
		--dest build/rpm --requirement .packaging/rpm/pydbus.txt
endif
	$(RPMBUILD) build/rpm/nodecheck.spec >build/rpm.log 2>&1 || { cat build/rpm.log; exit 1; }
	cp build/rpm/*.rpm dist/

dist: ## make all packages and SHA256SUMS, in dist/; twice the same bytes
	rm -rf dist
	$(MAKE) wheel
	$(MAKE) deb
	if command -v rpmbuild >/dev/null; then $(MAKE) rpm; else echo "no rpmbuild here: no rpm was made"; fi
	cd dist && sha256sum * >SHA256SUMS && cat SHA256SUMS
