# The verbs of this repository: `make` lists those that most people need, `make help-all` all of them. Each makes what it needs:
# git, make and Python >= 3.11 suffice. `##` describes a verb for most people, `#:` any other.
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
READY := $(VENV)/.ready
PLANE := etcd kubernetes helm
OTHER_GROUPS := attacks browser chart gatekeeper kyverno plane faults patch patch_faults node prometheus image_tools
PATCH := buildkit copa trivy trivy_database
KYVERNO := $(PLANE) kyverno
NODE := $(PLANE) node coredns $(PATCH)

.PHONY: help help-all run test programs patch-programs check tools format lock pins clean dashboard-picture
.PHONY: unit server-versions chart plane gatekeeper kyverno faults attacks browser patch patch-faults node prometheus image-tools
.PHONY: figures load load-admission load-cluster load-growth load-kyverno load-peers load-page load-patch load-patch-memory
.PHONY: load-certificates load-cli load-node load-soak load-start

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

help-all: ## list every verb: groups of tests, measurements, releases
	@awk -F ':.*#[#:] ' '/^[a-z-]+:.*#[#:] / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUNTIME) ## the gate on examples/demo: one Pod refused, one admitted; serves until Ctrl-C (ONCE=1: ends at once; PORT=8443)
	@$(BIN)/python examples/demo/run.py --port $(or $(PORT),8443) $(if $(ONCE),--once)

test: check ## every check, and each group of tests that can run here; where CI is set, all of them
	@$(MAKE) --no-print-directory $(if $(CI),-j 2) unit programs patch-programs

# In CI two at a time: `programs` mostly wait, beside `unit` first (four minutes of CPU), then beside `patch-programs`. Each of
# these starts a BuildKit, which takes a core: never two of them at once. No test breaks where another one is busy.
programs: $(READY) # the groups that need more than Python, one after the other
	@$(if $(CI),$(MAKE) --no-print-directory tools server-versions)
	@if [ -n "$(CI)" ] || $(BIN)/python -m tools.build --is-built helm; then $(MAKE) --no-print-directory chart; \
	else echo "Left out: chart, as helm is not built here (2 minutes, once). To run it: make tools chart"; fi
	@if [ -n "$(CI)" ] || $(BIN)/python -m tools.build --is-built $(PLANE); then $(MAKE) --no-print-directory plane; \
	else echo "Left out: plane, as kube-apiserver is not built here (10 minutes, once). To run it: make tools plane"; fi
	@if [ -n "$(CI)" ] || $(BIN)/python -m tools.build --is-built $(KYVERNO); then $(MAKE) --no-print-directory kyverno; \
	else echo "Left out: kyverno, as Kyverno is not built here (16 minutes, once). To run it: make tools kyverno"; fi
	@if [ -n "$(CI)" ] || $(BIN)/python -m tools.build --is-built $(PLANE) gatekeeper; \
	then $(MAKE) --no-print-directory gatekeeper; \
	else echo "Left out: gatekeeper, as Gatekeeper is not built here (4 minutes, once). To run it: make tools gatekeeper"; fi
	@$(MAKE) --no-print-directory faults
	@$(MAKE) --no-print-directory attacks
	@if [ -n "$(CI)" ] || $(BIN)/python -m tools.debian --is-ready browser; then $(MAKE) --no-print-directory browser; \
	else echo "Left out: browser, as it needs Debian's Chromium, which root installs there. To run it there: make browser"; fi
	@if [ -n "$(CI)" ] || { $(BIN)/python -m tools.build --is-built $(PLANE) && $(BIN)/python -m tools.debian --is-ready prometheus; }; \
	then $(MAKE) --no-print-directory prometheus; \
	else echo "Left out: prometheus, as it needs root on Debian, and kube-apiserver, which is built once (10 minutes)." \
	  "To run it there: make tools prometheus"; fi

patch-programs: $(READY) # the groups that patch and build images, one after the other
	@$(if $(CI),$(MAKE) --no-print-directory tools)
	@if [ -n "$(CI)" ] || { $(BIN)/python -m tools.build --is-built $(PATCH) && $(BIN)/python -m tools.debian --is-ready patch; }; \
	then $(MAKE) --no-print-directory patch && $(MAKE) --no-print-directory patch-faults; \
	else echo "Left out: patch and patch-faults, as they need root on Debian, and Trivy, Copa and BuildKit, which are built once (10 minutes)." \
	  "To run them there: make tools patch patch-faults"; fi
	@if [ -n "$(CI)" ] || { $(BIN)/python -m tools.build --is-built $(NODE) && $(BIN)/python -m tools.debian --is-ready node; }; \
	then $(MAKE) --no-print-directory node; \
	else echo "Left out: node, as it needs root on Debian, and kube-apiserver and kubelet, which are built once (12 minutes)." \
	  "To run it there: make tools node"; fi

check: $(READY) ## format, lint, types, layering
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	MYPYPATH=examples/demo $(BIN)/mypy examples/demo
	$(BIN)/lint-imports --no-logo

unit: $(READY) #: the tests that need nothing else, with branch coverage (100 % of policy)
	$(BIN)/coverage erase
	$(BIN)/pytest $(addprefix --ignore=tests/,$(OTHER_GROUPS)) --cov --cov-report= $(ARGS)
	$(BIN)/coverage report --include='*/patchgate/policy/*' --fail-under=100
	$(BIN)/coverage report --fail-under=95

server-versions: $(READY) #: the server's tests on the minor version of uvicorn before the one that is locked (a minute)
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --require-hashes --target $(VENV)/uvicorn-before -r requirements/uvicorn.txt
	PYTHONPATH=$(CURDIR)/$(VENV)/uvicorn-before $(BIN)/python -c 'import uvicorn; print("with uvicorn", uvicorn.__version__)'
	PYTHONPATH=$(CURDIR)/$(VENV)/uvicorn-before $(BIN)/pytest tests/server --ignore=tests/server/page $(ARGS)

chart: $(READY) #: the Helm chart, rendered with a matrix of values
	$(BIN)/pytest tests/chart $(ARGS)

plane: $(READY) #: the tests behind a real kube-apiserver, which `make tools` builds
	$(BIN)/pytest tests/plane $(ARGS)

kyverno: $(READY) #: the policies for Kyverno, on its real controllers, which `make tools` builds
	$(BIN)/pytest tests/kyverno $(ARGS)

gatekeeper: $(READY) #: the tests with the real Gatekeeper beside that kube-apiserver, which `make tools` builds
	$(BIN)/pytest tests/gatekeeper $(ARGS)

faults: $(READY) #: each fault that the gate survives (docs/faults.md); some need root, and what `make tools` builds
	$(BIN)/pytest tests/faults $(ARGS)

attacks: $(READY) #: each attack that gate and patcher survive, one file per row; some need root for a memory cgroup, and what `make tools` builds
	$(BIN)/pytest tests/attacks $(ARGS)

browser: $(READY) #: the status page in a real Chromium, which it installs: root on Debian; PICTURES=1 takes its pictures anew
	@$(BIN)/python -m tools.debian browser
	$(BIN)/pytest tests/browser $(if $(PICTURES),--pictures) $(ARGS)

patch: $(READY) #: the tests on the real Trivy, Copa, BuildKit and registry: root on Debian, whose packages it installs
	@$(BIN)/python -m tools.debian patch
	$(BIN)/pytest tests/patch $(ARGS)

patch-faults: $(READY) #: each fault that the patcher survives, on what `make patch` runs on; where CI is set three points of each table a day, ALL=1: all
	@$(BIN)/python -m tools.debian patch
	$(BIN)/pytest tests/patch_faults $(ARGS)

node: $(READY) #: the tests on a real Kubernetes node within this machine: root on Debian, whose packages it installs
	@$(BIN)/python -m tools.debian node
	$(BIN)/pytest tests/node $(ARGS)

image-tools: $(READY) #: the Dockerfile's stage that builds Trivy and Copa, from nothing: half an hour, so not part of `make test`
	@$(BIN)/python -m tools.debian patch
	$(BIN)/pytest tests/image_tools $(ARGS)

prometheus: $(READY) #: alerts and dashboard on a real Prometheus, beside what `plane` needs: root on Debian, whose packages it installs
	@$(BIN)/python -m tools.debian prometheus
	$(BIN)/pytest tests/prometheus $(ARGS)

dashboard-picture: $(READY) #: draw docs/images/dashboard.svg from a real Prometheus' answers; needs what `make prometheus` needs
	@$(BIN)/python -m tools.debian prometheus
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/picture.txt
	$(BIN)/python -m tests.prometheus.picture

tools: $(READY) ## build the pinned programs that tests need, once, into the cache
	$(BIN)/python -m tools.build

format: $(READY) #: format, and fix what can be fixed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

load: $(READY) #: measure: ratios with their bars, written to loadtest/RESULTS.md
	$(BIN)/python -m loadtest

load-cluster: $(READY) #: measure behind a real kube-apiserver, which `make tools` builds: loadtest/CLUSTER.md; takes long
	$(BIN)/python -m loadtest.cluster

load-growth: $(READY) #: measure what grows with images, bodies and changes: loadtest/GROWTH.md (QUICK=1: tries it out, writes nothing)
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/picture.txt
	$(BIN)/python -m loadtest.growth $(if $(QUICK),--quick)

load-soak: $(READY) #: measure memory and failures over 20 minutes of everything mixed: loadtest/SOAK.md (MINUTES=n: fewer try it out, and write nothing)
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/picture.txt
	$(BIN)/python -m loadtest.soak --minutes $(or $(MINUTES),20)

load-kyverno: $(READY) #: measure 50 Pods a second through the real Kyverno, which `make tools` builds: loadtest/KYVERNO.md
	$(BIN)/python -m loadtest.kyverno

load-peers: $(READY) #: measure a review beside the real Kyverno, which `make tools` builds: loadtest/PEERS.md; ten minutes
	$(BIN)/python -m loadtest.peers

load-admission: $(READY) #: measure Pods created through a real kube-apiserver, by webhook, and by Kyverno: loadtest/ADMISSION.md; a quarter of an hour
	$(BIN)/python -m loadtest.admission

load-cli: $(READY) #: measure the CPU of the command line: loadtest/COMMAND_LINE.md (QUICK=1: tries it out, writes nothing)
	$(BIN)/python -m loadtest.command_line $(if $(QUICK),--quick)

load-certificates: $(READY) #: measure how soon a good certificate is served again: loadtest/CERTIFICATES.md
	$(BIN)/python -m loadtest.certificates

load-node: $(READY) #: measure an install on a real node, which `make node` runs on: loadtest/NODE.md
	@$(BIN)/python -m tools.debian node
	$(BIN)/python -m loadtest.node

load-start: $(READY) #: measure a newcomer's first command, in a fresh clone: loadtest/START.md
	$(BIN)/python -m loadtest.start

load-page: $(READY) #: measure the status page, and reviews while it is read: loadtest/PAGE.md
	$(BIN)/python -m loadtest.page

load-patch: $(READY) #: measure patching beside the article's order, on what `make patch` runs on: loadtest/PATCH.md; three quarters of an hour (SIZE=10: a third of it, writes nothing)
	@$(BIN)/python -m tools.debian patch
	$(BIN)/python -m loadtest.patch $(if $(SIZE),--size $(SIZE))

load-patch-memory: $(READY) #: measure what a patcher keeps in memory: loadtest/PATCH_MEMORY.md
	$(BIN)/python -m loadtest.patch_memory

figures: $(READY) #: write the figures of loadtest/*.md into README.md and docs/, where they are quoted
	$(BIN)/python -m loadtest.quoted

lock: $(READY) #: pin requirements/ anew, by hash, from pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url \
	  --upgrade pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url \
	  --upgrade --group dev -c requirements/runtime.txt pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url \
	  --upgrade --group go -o requirements/go.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url \
	  --upgrade --no-deps requirements/uvicorn.in -o requirements/uvicorn.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url \
	  --upgrade --group build -c requirements/dev.txt -o requirements/build.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url \
	  --upgrade --group picture -c requirements/dev.txt -o requirements/picture.txt

pins: $(READY) #: pin the images of others anew, by digest, in the Dockerfile and the chart: asks their registries
	$(BIN)/python -m tools.image_pins

clean: ## remove what the verbs made
	rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(RUNTIME): requirements/runtime.txt requirements/build.txt pyproject.toml tools/venv.sh
	@sh tools/venv.sh $(VENV) runtime
	@touch $@

$(READY): $(RUNTIME) requirements/dev.txt
	@sh tools/venv.sh $(VENV) dev
	@touch $@
