# Dateline: the map of the pipeline. Read it from top to bottom.
#
#   content/SLUG.md ──read──▶ manuscript ──text, pdf, docx ▶ kit ▶ html ▶ json──▶ output/public/ ──feed──▶ listings ──publish──▶ storage
#
# Make finds the candidates by file times; each stage hands all of its candidates to one Python process, which decides by
# fingerprint and makes what is really stale.

CONTENT ?= content
OUTPUT  ?= output
VENV    ?= .venv
PYTHON  ?= python3

PUBLIC  := $(OUTPUT)/public
WAITING := $(OUTPUT)/waiting
WORK    := $(OUTPUT)/.work
READY   := $(VENV)/.ready
TESTED  := $(VENV)/.ready-for-tests
RUN      = $(VENV)/bin/python -m pipeline --content $(CONTENT) --output $(OUTPUT)$(if $(SETTLED), --clock $(WORK)/clock)$(if $(DUE), --due)

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help
$(if $(filter-out 1,$(words $(CONTENT)) $(words $(OUTPUT))),$(error CONTENT and OUTPUT are folders without blanks in their names))

# What there is: sources, those that still wait (their marker's time is the release's instant), those that were
# withdrawn (a notice is no more than a page and a record), those that are public with the same fingerprint already (only
# `publish` knows), and the rest. Only plain names of plain files get into make, for it would read others as its own
# language; whatever else lies there is for the reader to refuse.
plain    = $(shell LC_ALL=C find -L '$(CONTENT)' $(1) -regextype posix-extended -regex '.*/$(2)' -printf '%P\n' 2>&-)
found   := $(call plain,-maxdepth 1 -type f,[a-z0-9-]+\.md)
odd     := $(shell LC_ALL=C find -L '$(CONTENT)' -maxdepth 1 -name '*.md' ! \( -type f -name '[a-z0-9]*' ! -name '*[!a-z0-9-]*.md' \) -printf odd -quit 2>&-)
held    := $(if $(wildcard $(WAITING)/until/*),$(shell find $(WAITING)/until -type f -newermt now -printf '%f '))
notices := $(if $(wildcard $(WORK)/withdrawn/*),$(shell for slug in $$(ls '$(WORK)/withdrawn'); do \
             test '$(CONTENT)/'$$slug.md -nt '$(WORK)/withdrawn/'$$slug || echo $$slug; done))
settled := $(if $(SETTLED),$(file <$(SETTLED)))
slugs   := $(filter-out $(settled),$(patsubst %.md,%,$(found)))
waiting := $(filter $(held),$(slugs))
open    := $(filter-out $(held),$(slugs))

# DUE=1 (only `publish` says it): what waits is set once more, as it will be public, so that at its instant nothing is
# left to make. The same stages, another tree, by the run's own clock; the marker of a draft lies beyond every date.
ifdef DUE
PUBLIC  := $(WAITING)/due
waiting :=
open    := $(filter $(shell find $(WAITING)/until -type f -newermt '$(file <$(WORK)/clock)' ! -newermt 2099-12-31 -printf '%f '),$(slugs))
slugs   := $(open)
endif

# What everything is made from, besides its own source. Address and storage are settings too: their stamp is rewritten
# only when they change. (`make -n` writes nothing.)
names    := PRESS_BASE_URL PRESS_BUCKET PRESS_STORE AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL AWS_REGION AWS_DEFAULT_REGION
settings := $(foreach name,$(names),$(name)=$(value $(name)))
dry      := $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
write     = $(if $(dry),,$(shell mkdir -p -m 700 $(WORK))$(file >$(1),$(2)))
house    := $(patsubst %,$(CONTENT)/%,$(call plain,-maxdepth 1 -type f,(newsroom\.toml|[A-Za-z0-9._-]+\.png))) requirements.lock requirements-scripts.lock $(wildcard pipeline/*.py pipeline/*/*.py pipeline/*/*/*.py)
reader   := $(house)
look     := $(house) $(wildcard templates/*.* templates/words/*.toml)

same      = $(and $(findstring x$(1)x,x$(2)x),$(findstring x$(2)x,x$(1)x))

$(WORK)/settings: $(if $(call same,$(settings),$(file <$(WORK)/settings)),,FORCE)
	$(call write,$@,$(settings))
address := $(WORK)/settings $(wildcard .store/ports.json)

# ── The stages ──────────────────────────────────────────────────────────────────────────────────────────────────────
# A pattern rule records a candidate; the stage's own target hands the recorded ones over in a file, for ten thousand
# names overflow an argument list. What waits has its renditions in $(WAITING), everything else in $(PUBLIC). A stage
# that was asked for by name ends with 2 when a release is at fault; under another goal it goes on.

stages   := text pdf docx kit html json
suffixes := .txt .pdf .docx .zip .html .json

# To share one release none but that one is rendered; of a withdrawn one there are page and record alone.
sought = $(if $(filter share,$(MAKECMDGOALS)),$(filter $(value RELEASE),$(2)),$(if $(filter .html .json,$(1)),$(2),$(filter-out $(notices),$(2))))
files  = $(patsubst %,$(PUBLIC)/releases/%$(1),$(call sought,$(1),$(open))) $(patsubst %,$(WAITING)/releases/%$(1),$(call sought,$(1),$(waiting)))
record = $(eval $(1).stale += $*)
asked  = $(if $(filter $@,$(MAKECMDGOALS)),,--go-on)
hand   = $(if $($@.stale)$(1),$(call write,$(WORK)/$@.stale,$(sort $($@.stale)))@$(RUN) $@ --from $(WORK)/$@.stale $(asked))

read: $(slugs:%=$(WORK)/read/%.json) | $(READY)
	$(call hand,$(odd)) $(if $(and $(SETTLED),$(read.stale)$(odd)),--told)
$(WORK)/read/%.json: $(CONTENT)/%.md $(reader)
	$(call record,read)

text: $(call files,.txt) | read #: plain text, the wire copy
$(PUBLIC)/releases/%.txt  $(WAITING)/releases/%.txt : $(CONTENT)/%.md $(WORK)/read/%.json $(look) ; $(call record,text)

pdf:  $(call files,.pdf) | read #: PDF (WeasyPrint)
$(PUBLIC)/releases/%.pdf  $(WAITING)/releases/%.pdf : $(CONTENT)/%.md $(WORK)/read/%.json $(look) ; $(call record,pdf)

docx: $(call files,.docx) | read #: Word file (python-docx)
$(PUBLIC)/releases/%.docx $(WAITING)/releases/%.docx: $(CONTENT)/%.md $(WORK)/read/%.json $(look) ; $(call record,docx)

kit:  $(call files,.zip) | text pdf docx #: press kits: the files before and the pictures in a zip file
$(PUBLIC)/releases/%.zip  $(WAITING)/releases/%.zip : $(CONTENT)/%.md $(WORK)/read/%.json $(look) ; $(call record,kit)

html: $(call files,.html) | kit #: release pages (Python-Markdown, Jinja2)
$(PUBLIC)/releases/%.html $(WAITING)/releases/%.html: $(CONTENT)/%.md $(WORK)/read/%.json $(look) $(address) ; $(call record,html)

json: $(call files,.json) | html #: ninjs records
$(PUBLIC)/releases/%.json $(WAITING)/releases/%.json: $(CONTENT)/%.md $(WORK)/read/%.json $(look) $(address) ; $(call record,json)

$(stages):
	$(hand)

# The listings are made of all records: of those here, and of those last seen in storage.
feeds := $(addprefix $(PUBLIC)/,feed.xml atom.xml feed.json)
feed: $(feeds) | json #: feeds: RSS, Atom, JSON Feed (feedgen)
$(feeds): $(look) $(address) ; $(eval feed.stale := all)
pages: $(PUBLIC)/index.html | json #: newsroom page and media-contact files
$(PUBLIC)/index.html: $(look) $(address) ; $(eval pages.stale := all)
feed pages:
	$(call hand,$(json.stale))

# A picture belongs to the release whose folder it lies in; the folder's own time tells of those that went.
pictures := $(call plain,-mindepth 2 -maxdepth 2 -type f,[a-z0-9-]+/[A-Za-z0-9_-][A-Za-z0-9._-]*)
$(foreach slug,$(filter $(slugs),$(call plain,-mindepth 1 -maxdepth 1 -type d,[a-z0-9-]+)),$(eval \
  $(WORK)/read/$(slug).json $(foreach s,$(suffixes),$(PUBLIC)/releases/$(slug)$(s) $(WAITING)/releases/$(slug)$(s)): \
  $(CONTENT)/$(slug) $(patsubst %,$(CONTENT)/%,$(filter $(slug)/%,$(pictures)))))

# ── What people type ────────────────────────────────────────────────────────────────────────────────────────────────

renditions: $(stages)
	@:

render: $(stages) feed pages ## all formats of every release, and the listings; no upload
	$(if $(read.stale)$(json.stale)$(feed.stale)$(odd),@$(RUN) render)

publish: | $(READY) ## render what is stale, upload what changed, verify, print the address (DRY_RUN=1: the plan; WAIT=30m: stay for what is due)
	@$(RUN) fetch $(dry_run) --wait="$$DATELINE_WAIT"
	@$(MAKE) renditions SETTLED=$(WORK)/settled
	@test -z "$$(ls $(WAITING)/until 2>&-)" || $(MAKE) renditions SETTLED=$(WORK)/settled DUE=1
	@$(RUN) publish $(dry_run) --wait="$$DATELINE_WAIT"
publish: dry_run := $(if $(filter-out 0,$(DRY_RUN)),--dry-run)

share: $(if $(filter-out 0,$(REVOKE)),,renditions) | $(READY) ## links to the embargoed copies: make share RELEASE=name (REVOKE=1 ends them)
	@$(RUN) share

preview: | $(READY) ## render, and show it in the browser, what waits included, until Ctrl+C; follows what is edited
	@$(RUN) preview

check: | $(READY) ## validate every release, render nothing
	@$(RUN) check

validate: | $(READY) ## hear judges from outside on output/: veraPDF, Nu, axe-core, Open XML SDK, LibreOffice, ninjs
	@$(PYTHON) -m pipeline.validators.install $(VENV)
	@$(RUN) validate

new: | $(READY) ## write a new release: make new TITLE="…"
	@$(RUN) new

status verify history diff serve stop storage doctor: | $(READY)
	@$(RUN) $@
history: ## what was released, corrected and withdrawn, when, with digests: make history RELEASE=name
diff:    ## words of a release that differ: public ones from content/, and between revisions: make diff RELEASE=name
status:  ## what is public, what waits, what is stale
verify:  ## read the whole newsroom back as a stranger
serve:   ## start the embedded store and print its address
stop:    ## stop the embedded store
doctor:  ## try what the storage keeps; say what can be promised there, and what not
storage: ## prepare the bucket pair of PRESS_BUCKET, once, with the operator's rights

setup: $(READY) ## install what is needed (publish does it too)

test: $(TESTED) ## set up and run the whole test suite
	@$(VENV)/bin/python -m pytest --numprocesses 3 --dist loadfile $(ARGS)

bench: $(TESTED) ## what things cost, as ratios within one run
	@$(VENV)/bin/python -m tests.support.benchmarks

sweep: $(TESTED) ## kill the publisher at every request, and see that the newsroom stays whole (ARGS="correction --every 5")
	@$(VENV)/bin/python -m tests.support.sweep $(ARGS)

clean: ## remove what was rendered; the store stays
	rm -rf $(OUTPUT)

help: ## this list
	@echo "Usually:"; sed -n 's/^\([a-z]*\):[^#=]*## *\(.*\)/\1\t\2/p' Makefile | awk -F'\t' '{ printf "  make %-9s %s\n", $$1, $$2 }'
	@echo "One stage:"; sed -n 's/^\([a-z]*\):[^#=]*#: *\(.*\)/\1\t\2/p' Makefile | awk -F'\t' '{ printf "  make %-9s %s\n", $$1, $$2 }'

$(READY): requirements.lock requirements-build.lock pipeline/install.py
	@$(PYTHON) -m pipeline.install $(VENV) $<
	@touch $@

$(TESTED): requirements-test.lock requirements-build.lock pipeline/install.py
	@$(PYTHON) -m pipeline.install $(VENV) $< --faces
	@touch $(READY) $@

# These may hold anything; exported unexpanded, they reach the program as they were typed.
export DATELINE_TITLE := $(value TITLE)
export DATELINE_RELEASE := $(value RELEASE)
export DATELINE_REVOKE := $(value REVOKE)
export DATELINE_WAIT := $(value WAIT)

# So does what somebody said of a change, as far as the run goes that it was said to.
export DATELINE_MINOR := $(filter-out 0,$(MINOR))

.PHONY: read $(stages) feed pages renditions render publish share preview check validate new status verify history diff serve \
        stop storage doctor setup test bench sweep clean help FORCE
FORCE:
