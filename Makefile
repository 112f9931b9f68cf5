# Dateline: the map of the pipeline. Read it from top to bottom.
#   content/SLUG.md -> read -> text, pdf, docx -> kit -> html -> json -> output/ -> feed, pages -> publish -> storage
# Make decides which stages may have work: one stamp a stage, in a folder named after a checksum of all inputs, so that
# any difference counts, older or newer. The stage, one Python process, decides by fingerprint what it renders.
CONTENT ?= content
OUTPUT  ?= output
VENV    ?= .venv
PYTHON  ?= python3
WORK    := $(OUTPUT)/.work
READY   := $(VENV)/.ready
TESTED  := $(VENV)/.ready-for-tests
RUN      = $(VENV)/bin/python -m pipeline --content $(CONTENT) --output $(OUTPUT)

MAKEFLAGS += --no-builtin-rules --no-print-directory $(side_by_side)
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
# The commands: the stages, those that are one Python process, and what is put together of them
FILES  := text pdf docx
STAGES := read $(FILES) kit html json feed pages
TYPED  := key new import footage newsroom correct withdraw approve share preview check status verify history diff \
  serve stop storage doctor
COMMANDS  := render publish sign validate setup test bench sweep clean help $(STAGES) $(TYPED)
VARIABLES := CONTENT OUTPUT VENV PYTHON TITLE NAME FROM NOTE REASON RELEASE REVOKE TO WAIT FORMAT STRICT LINKS \
  DRY_RUN MINOR FIDO OPEN FILE AT ARGS PUBLISHING DUE $(addprefix PRESS_,BUCKET PRIVATE_BUCKET BASE_URL PUBLIC_URL \
  ADDRESSING STORE SIGNING_KEY SOLE_PUBLISHER ALLOW_SAMPLES DASK)
# What is mistyped among them: on the command line, or in the environment (with ?) where it begins with PRESS_
from     = $(foreach name,$(1),$(if $(findstring $(2),$(origin $(name))),$(3)$(name)=))
typed    = $(if $(findstring command,$(origin $(1))),$(value $(1)))
given   := $(MAKECMDGOALS) $(call from,$(.VARIABLES),command) $(call from,$(filter PRESS_%,$(.VARIABLES)),environment,?)
known   := renditions $(READY) $(TESTED) $(WORK)/% $(COMMANDS) $(VARIABLES:%=%=) $(VARIABLES:%=?%=)
strange := $(filter-out $(known),$(given))
blanks  := $(if $(filter-out 1,$(words $(CONTENT)) $(words $(OUTPUT))),CONTENT+OUTPUT)
check_typed = $(PYTHON) -I pipeline/cli/mistyped.py $(strange) $(blanks) -- $(COMMANDS) -- $(VARIABLES)
$(if $(strip $(strange) $(blanks)),$(if $(shell $(check_typed) || echo wrong),$(error nothing was done)))

# What has changed: a file or a setting; an instant has passed; others wrote to output/ or to the store meanwhile. Asked
# only for stages, and not when publishing: then fetch has found something to render
staged   := $(if $(PUBLISHING),,$(filter-out publish sign setup test bench sweep clean help $(TYPED),$(MAKECMDGOALS)))
names    := $(sort $(filter PRESS_% AWS_%REGION AWS_ENDPOINT_URL%,$(.VARIABLES)))
settings := $(subst ','\'',$(strip $(foreach name,$(names),$(name)=$(value $(name)))))
inputs   := $(CONTENT) pipeline templates requirements.lock requirements-scripts.lock $(WORK)/published
files    := \( ! -type d ! -name '.*' ! -name '*.pyc' -o -name '*.md' \) -printf '%p %s %i %T@ %C@\n'
checksum := $(if $(staged),$(shell { find -L $(inputs) $(files) 2>&- | LC_ALL=C sort; echo '$(settings)'; } | \
  cksum | tr ' ' -))
since     = -cnewer $(WORK)/changed -print -quit 2>&-
others    = find $(OUTPUT)/public $(OUTPUT)/waiting $(WORK)/pictures -type d $(since); find .store/ports.json $(since)
passed    = find $(WORK)/next-instant ! -newermt now 2>&-
force    := $(if $(staged),$(shell test -e $(WORK)/state.sqlite -a -z "$$($(passed); $(others))" || echo FORCE))
STAMPS   := $(WORK)/$(if $(PUBLISHING),publish-now,render-$(checksum))

# The stages: each stamps itself when no release is at fault; asked for by name, it ends with 2 when one is. Those that
# need nothing of each other run side by side, unless -j1 is typed; in a log, the lines of each stay together
beside := $(filter render renditions publish validate $(STAGES),$(MAKECMDGOALS))
watched := $(MAKE_TERMERR)$(filter-out render renditions $(STAGES),$(MAKECMDGOALS))
side_by_side = $(if $(beside),$(if $(MAKELEVEL:0=),,--jobs=3) $(if $(watched),,--output-sync))
$(STAMPS)/read: $(force)
$(STAGES:%=$(STAMPS)/%): $(if $(PUBLISHING),FORCE)
$(FILES:%=$(STAMPS)/%): $(if $(PUBLISHING),,$(STAMPS)/read)# publishing, fetch has read
$(STAMPS)/kit: $(FILES:%=$(STAMPS)/%)
$(STAMPS)/html: $(STAMPS)/kit
$(STAMPS)/json: $(STAMPS)/html
$(STAMPS)/feed $(STAMPS)/pages: $(STAMPS)/json
$(STAMPS)/render: $(STAMPS)/feed $(STAMPS)/pages
$(STAMPS)/%: | $(READY)
	@$(RUN) $* --stamp $@ $(if $(PUBLISHING),--publishing) $(if $(filter $*,$(MAKECMDGOALS)),,--go-on)
$(STAGES): %: $(STAMPS)/%
render: $(STAMPS)/render ## render all formats of every release and the listings; upload nothing
publish: ## render what changed, upload, verify, print the address (DRY_RUN=1: the plan; WAIT=30m: stay)
sign: ## publish, and sign what is public without a signature
publish sign: | $(READY)
	@$(RUN) publish --stages '$(stages)' $(options)
publish sign: stages = $(MAKE) renditions PUBLISHING=1# not written above: make -n would run that line
publish sign: options = $(if $(filter-out 0,$(DRY_RUN)),--dry-run) --wait="$$DATELINE_WAIT" $(filter --sign,--$@)
renditions: $(STAMPS)/json ; @:
validate: $(STAMPS)/feed $(STAMPS)/pages ## validate output/ with external tools: veraPDF, Nu, axe-core, LibreOffice
	@$(PYTHON) -m pipeline.validators.install $(VENV)
	@$(RUN) $@
$(TYPED): | $(READY)
	@$(RUN) $@ $(options)
key: options = $(if $(filter-out 0,$(FIDO)),--fido)## write a key that signs releases (FIDO=1: on a security key)
approve: options = $(if $(filter-out 0,$(OPEN)),--open)## show a staged release and sign it: RELEASE=name (OPEN=1)
share: export DATELINE_REVOKE := $(value REVOKE)## print links to embargoed copies: RELEASE=name (TO=; REVOKE=1)
share: export DATELINE_TO := $(call typed,TO)
share: options = $(if $(findstring command,$(origin TO)),--to="$$DATELINE_TO")
preview: ## show the newsroom in the browser, scheduled releases included, and follow edits until Ctrl+C
check: export DATELINE_FORMAT := $(value FORMAT)## check every release (STRICT=1: warnings fail; FORMAT=json; LINKS=1)
check: options = $(foreach name,STRICT LINKS,$(if $(filter-out 0,$($(name))),--$(name))) --format="$$DATELINE_FORMAT"
new: export DATELINE_TITLE := $(value TITLE)## write a new release: make new TITLE="…" (NAME=a-few-words: its name)
import: export DATELINE_FROM := $(value FROM)## turn a DOCX, HTML, text, Markdown or PDF release into a draft: FROM=file
footage: ## make a preview and a poster of the film of a release, with ffmpeg: make footage RELEASE=name
newsroom: ## make the sample newsroom your own: make newsroom NAME="…"
correct: export DATELINE_NOTE := $(value NOTE)## write a correction into a public release: RELEASE=name NOTE="…"
withdraw: export DATELINE_REASON := $(value REASON)## withdraw a public release: RELEASE=name REASON="…"
history: ## show when a release was published, corrected and withdrawn, with digests: make history RELEASE=name
diff:    ## show the words that differ between content/ and what is public: make diff RELEASE=name
status:  ## show the state of every release
verify: export DATELINE_FILE := $(call typed,FILE)## read the newsroom back, or check one file: FILE=path (AT=address)
verify: export DATELINE_AT := $(call typed,AT)
serve:   ## start the embedded store and print its address
stop:    ## stop the embedded store
doctor:  ## test the storage and report its guarantees
storage: ## prepare the two buckets of PRESS_BUCKET, once, with an operator's keys
setup: $(READY) ## install what is needed (publish does it too)
test: $(TESTED) ## set up and run the whole test suite
	@$(VENV)/bin/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)
bench: $(TESTED) ## measure what things cost, as ratios within one run
	@$(VENV)/bin/python -m tests.benchmarks $(ARGS)
sweep: $(TESTED) ## kill the publisher at every request and check the newsroom (ARGS="correction --every 5")
	@$(VENV)/bin/python -m tests.support.sweep $(ARGS)
clean: ## remove what was rendered; the store stays
	rm -rf $(OUTPUT)
help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## *\(.*\)/  make \1 \t\2/p' Makefile | expand -t 18
	@echo "One stage: $(STAGES:%=make % ·)"
$(READY): requirements.lock
$(TESTED): requirements-test.lock
lost = $(shell test -x $(VENV)/bin/python || echo FORCE)# its Python, which an upgrade of the system takes away
$(READY) $(TESTED): requirements-build.lock pipeline/start/install.py $(lost)
	@command -v $(PYTHON) >/dev/null || { \
	  echo 'set-up: needs Python 3.11 or newer: install python3, or name it with PYTHON=' >&2; exit 2; }
	@$(PYTHON) -m pipeline.start.install $(VENV) $(filter-out FORCE %build.lock %.py,$^) \
	  $(if $(filter $(TESTED),$@),--faces)
	@touch $(READY) $@
# Texts reach Python as they were typed: make exports their expansion otherwise. WSL has a NAME in the environment
unexport TITLE NAME FROM NOTE REASON RELEASE REVOKE TO WAIT FORMAT FILE AT
export DATELINE_NAME    := $(call typed,NAME)
export DATELINE_RELEASE := $(value RELEASE)
export DATELINE_WAIT    := $(value WAIT)
export DATELINE_MINOR   := $(filter-out 0,$(MINOR))
.PHONY: $(COMMANDS) renditions FORCE
