# The camera platform's one entry point.  `make help` lists the targets.
#
# Everything that is built lies under build/, bin/ and html/dist, everything
# that runs keeps its files under var/; `make clean` removes what was built.
# V=1 shows the compiler's command lines.

SHELL     = /bin/bash
ROOT     := $(CURDIR)
BUILD    ?= build
BIN      ?= bin
NGX_SRC  := $(BUILD)/nginx
NGX_OBJ  := $(BUILD)/objs
MODULE   := $(NGX_OBJ)/ngx_camera_module.so
API      := $(NGX_OBJ)/ngx_camera_api.so

Q         = $(if $(V),,@)

CFLAGS   ?= -O2 -g
CWARN     = -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter
CPPFLAGS += -D_GNU_SOURCE -Icommon -I/usr/include/postgresql
LIBS_COMMON = -lcrypto -lcrypt -ljwt -ljansson -lz
LIBS_AV     = -lavformat -lavcodec -lavutil -lswscale

COMMON_O  = $(patsubst common/%.c,$(BUILD)/common/%.o,$(wildcard common/*.c))
WORKER_O  = $(patsubst camera_worker/%.c,$(BUILD)/camera_worker/%.o,\
              $(wildcard camera_worker/*.c))
CLI_O     = $(patsubst camera_cli/%.c,$(BUILD)/camera_cli/%.o,\
              $(wildcard camera_cli/*.c))
HTML     := html/dist/index.html
PEERS    := bench/peers/api
API_PEERS = $(BUILD)/bench/libpq_page $(PEERS)/dist/fastify.js

# no CASE is all of them
BENCH_NEEDS = $(if $(if $(CASE),$(filter api,$(CASE)),all),$(API_PEERS))

TOOLS_T   = $(patsubst t/tool/%.c,$(BUILD)/t/tool/%,$(wildcard t/tool/*.c))
PRELOAD_T = $(patsubst t/preload/%.c,$(BUILD)/t/preload/%.so,\
              $(wildcard t/preload/*.c))
FUZZ_T    = $(patsubst t/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard t/fuzz/*.c))
FUZZ_O    = $(patsubst common/%.c,$(BUILD)/fuzz/common/%.o,\
              $(wildcard common/*.c))
UNIT_T    = $(patsubst t/unit/%.c,$(BUILD)/t/%.t,$(wildcard t/unit/*.c))

CLANG        ?= clang-14
FUZZ_SECONDS ?= 10

PREFIX      ?= /usr/local
MODULES_DIR ?= /usr/lib/nginx/modules

.DELETE_ON_ERROR:
.PHONY: help deps build programs html run unit test test-sanitize coverage \
    check install clean fuzz tsan fuzz-build bench soak screenshot


help:  ## show this list
	@echo 'usage: make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) \
	    | expand -t 18

deps:  ## install missing Debian packages and fetch the rtmp headers
	@deploy/deps

build: $(MODULE) $(API) programs $(HTML)  ## build modules, programs and page

programs: $(BIN)/camera-worker $(BIN)/camera $(BIN)/camsim

html: $(HTML)  ## build the page alone

run:  ## start everything in the foreground, with two demo cameras
	@deploy/run

unit: $(UNIT_T)  ## build and run the unit tests alone
	@prove $(UNIT_T)

test:  ## install what is missing, build, run every test
	@deploy/deps --test
	@$(MAKE) -j$$(nproc) --no-print-directory build $(UNIT_T) $(TOOLS_T) \
	    $(PRELOAD_T) t/oidc/node_modules/.package-lock.json
	@t/prove-all t/*.t $(UNIT_T)

soak:  ## run every test with the drills in their long form
	@CAMERA_SOAK=1 $(MAKE) --no-print-directory test

bench: build $(TOOLS_T) $(BENCH_NEEDS)  ## measure against peers, or CASE=hls, ingest, ..., api
	@deploy/deps --test
	@bench/run $(CASE)

screenshot: build  ## take the README's picture of the page anew
	@deploy/deps --test
	@docs/images/retake

fuzz: $(FUZZ_T)  ## run each fuzz target for FUZZ_SECONDS (10)
	@for target in $(FUZZ_T); do \
	    echo "$$target"; \
	    mkdir -p $$target.corpus; \
	    $$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	        -artifact_prefix=$$target. $$target.corpus > $$target.log 2>&1 \
	        || { tail -50 $$target.log; exit 1; }; \
	    grep ^Done $$target.log; \
	done

fuzz-build: $(FUZZ_T)

tsan: $(BUILD)/tsan/ring_threads $(BUILD)/tsan/registry  ## run threads under ThreadSanitizer
	@for t in $^; do TSAN_OPTIONS=halt_on_error=1 $$t || exit 1; done

test-sanitize:  ## run the tests under AddressSanitizer and UBSan
	@deploy/deps --test
	@t/sanitize/build $(BUILD)/asan
	@t/sanitize/run $(BUILD)/asan $(TESTS)

coverage:  ## run the tests and show which lines of each file they ran
	@deploy/deps --test
	@t/coverage/build $(BUILD)/coverage
	@t/coverage/run $(BUILD)/coverage $(TESTS)

check: $(HTML)  ## look over scripts, pages and layout without running them
	@.ci/check

install: build  ## install below DESTDIR and PREFIX (/usr/local)
	@DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) MODULES_DIR=$(MODULES_DIR) \
	    deploy/install $(NGX_OBJ)

clean:  ## remove what was built, keep var/
	rm -rf $(BUILD) bin html/dist $(PEERS)/dist


# the modules, by nginx's own build system out of a writable copy of nginx-dev

$(NGX_SRC)/configure:
	@mkdir -p $(NGX_SRC)
	@cp -rL /usr/share/nginx/src/. $(NGX_SRC)/

$(BUILD)/rtmp/.version: /var/lib/dpkg/info/libnginx-mod-rtmp.list
	@deploy/fetch-source libnginx-mod-rtmp $(BUILD)/rtmp
	@touch $@

# configure runs again when a source comes or goes, not when one changes

$(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@echo $(sort $(wildcard ngx_camera_*/*.c common/*.c)) > $@.new
	@cmp -s $@.new $@ || cp $@.new $@

FORCE:

$(NGX_OBJ)/Makefile: config $(NGX_SRC)/configure $(BUILD)/rtmp/.version \
	    $(BUILD)/sources
	@echo '  $@'
	@cd $(NGX_SRC) && . ./conf_flags \
	    && CAMERA_RTMP_HEADERS=$(abspath $(BUILD))/rtmp \
	    ./configure "$${NGX_CONF_FLAGS[@]}" $(NGX_CONFIGURE) \
	        --builddir=$(abspath $(NGX_OBJ)) --add-dynamic-module=$(ROOT) \
	        > $(abspath $(BUILD))/configure.log
	@touch $@

$(MODULE) $(API) &: $(NGX_OBJ)/Makefile $(wildcard common/*.h common/*.c) \
	    $(wildcard ngx_camera_*/*.c ngx_camera_*/*.h)
	@echo '  $(MODULE) $(API)'
	@$(MAKE) --no-print-directory -C $(NGX_SRC) -s \
	    -f $(abspath $(NGX_OBJ))/Makefile modules
	@touch $(MODULE) $(API)


# the programs

$(BUILD)/common/%.o: common/%.c $(wildcard common/*.h)
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -fPIC -c -o $@ $<

$(BUILD)/libcommon.a: $(COMMON_O)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/camera_worker/%.o: camera_worker/%.c $(wildcard camera_worker/*.h) \
	    $(wildcard common/*.h)
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -c -o $@ $<

$(BIN)/camera-worker: $(WORKER_O) $(BUILD)/libcommon.a
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS_AV) -lseccomp -lpq \
	    $(LIBS_COMMON) -lpthread

$(BUILD)/camera_cli/%.o: camera_cli/%.c $(wildcard camera_cli/*.h) \
	    $(wildcard common/*.h)
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -c -o $@ $<

$(BIN)/camera: $(CLI_O) $(BUILD)/libcommon.a
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ -lpq -lssl -lcurl $(LIBS_COMMON)

$(BIN)/camsim: $(wildcard bench/camsim/*.c) $(wildcard bench/camsim/*.h) \
	    $(BUILD)/libcommon.a
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -o $@ $(filter %.c,$^) \
	    $(BUILD)/libcommon.a -lssl $(LIBS_COMMON)


# the page; npm writes the hidden lock file when its packages are whole

html/node_modules/.package-lock.json: html/package-lock.json
	@echo '  html/node_modules'
	@cd html && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

html/src/contract.gen.ts: openapi.yaml html/node_modules/.package-lock.json
	@echo '  $@'
	@cd html && npm run --silent types > /dev/null

$(HTML): html/node_modules/.package-lock.json html/src/contract.gen.ts \
	    $(wildcard html/*.html html/*.ts html/*.json) \
	    $(shell find html/src -type f)
	@echo '  $@'
	@cd html && npm run --silent build -- --logLevel warn
	@cp openapi.yaml html/dist/
	@find html/dist \( -name '*.js' -o -name '*.css' -o -name '*.yaml' \) \
	    -exec gzip -9nk {} +
	@touch $@


# what the benchmark of the API compares with: for `make bench` alone

$(BUILD)/bench/libpq_page: bench/libpq_page.c
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -o $@ $< -lpq

$(PEERS)/node_modules/.package-lock.json: $(PEERS)/package-lock.json
	@echo '  $(PEERS)/node_modules'
	@cd $(PEERS) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PEERS)/dist/fastify.js: $(PEERS)/node_modules/.package-lock.json \
	    $(PEERS)/tsconfig.json $(wildcard $(PEERS)/src/*.ts)
	@echo '  $(PEERS)/dist'
	@cd $(PEERS) && npm run --silent build
	@touch $@


# the tests

t/oidc/node_modules/.package-lock.json: t/oidc/package-lock.json
	@echo '  t/oidc/node_modules'
	@cd t/oidc && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(BUILD)/t/tool/%: t/tool/%.c $(BUILD)/libcommon.a
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -o $@ $^ $(LIBS_COMMON)

$(BUILD)/t/preload/%.so: t/preload/%.c
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) -shared -fPIC $(CWARN) $(CFLAGS) -o $@ $<

$(BUILD)/t/%.t: t/unit/%.c $(wildcard t/unit/*.h) $(BUILD)/libcommon.a
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -o $@ $< $(BUILD)/libcommon.a \
	    -lcmocka $(LIBS_UNIT) $(LIBS_COMMON) -lpthread

$(BUILD)/t/worker_sandbox.t: LIBS_UNIT = -lseccomp

$(BUILD)/fuzz/common/%.o: common/%.c $(wildcard common/*.h)
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) -std=gnu11 -O1 -g \
	    -fsanitize=fuzzer-no-link,address,undefined \
	    -fno-sanitize-recover=all -c -o $@ $<

$(BUILD)/fuzz/%: t/fuzz/%.c $(FUZZ_O)
	$(Q)$(CLANG) $(CPPFLAGS) -std=gnu11 -O1 -g \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	    -o $@ $^ -Wl,--as-needed $(LIBS_AV) $(LIBS_COMMON)

$(BUILD)/fuzz/package_stream: \
    $(filter-out camera_worker/ma% camera_worker/package% \
    camera_worker/sandbox% camera_worker/snapshot% camera_worker/record% \
    camera_worker/db% camera_worker/jobs% camera_worker/export%, \
    $(wildcard camera_worker/*.c))

$(BUILD)/tsan/%: t/unit/%.c $(wildcard t/unit/*.h) $(wildcard common/ring*) \
	    $(wildcard common/registry*) common/cidr.c common/dir.c \
	    common/reason.c common/uuid.c
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) -std=gnu11 -O1 -g -fsanitize=thread -o $@ \
	    $(filter %.c,$^) -lcmocka -lpthread

# a module that only tests load; it uses ngx_camera_module.so

$(BUILD)/t/%.so: t/module/%.c $(NGX_OBJ)/Makefile \
	    $(wildcard ngx_camera_module/*.h)
	@echo '  $@'; mkdir -p $(@D)
	$(Q)$(CC) -shared -fPIC -O2 -g -Wall -Wno-unused-parameter \
	    $(addprefix -I$(NGX_SRC)/src/,core event event/modules os/unix \
	        http http/modules http/v2) \
	    -I$(NGX_OBJ) -Ingx_camera_module -Icommon -I/usr/include/postgresql \
	    -o $@ $<
