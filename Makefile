# The camera platform's one entry point.  `make help` lists the targets.
#
# Everything that is built lies under build/ and bin/, everything that runs
# keeps its files under var/; `make clean` removes the first two.

SHELL     = /bin/bash
ROOT     := $(CURDIR)
BUILD    ?= build
NGX_SRC  := $(BUILD)/nginx
NGX_OBJ  := $(BUILD)/objs
MODULE   := $(NGX_OBJ)/ngx_camera_module.so

CFLAGS   ?= -O2 -g
CWARN     = -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter
CPPFLAGS += -D_GNU_SOURCE -Icommon -I/usr/include/postgresql
LIBS_COMMON = -lcrypto -ljwt -ljansson
LIBS_AV     = -lavformat -lavcodec -lavutil

COMMON_O  = $(patsubst common/%.c,$(BUILD)/common/%.o,$(wildcard common/*.c))
WORKER_O  = $(patsubst camera_worker/%.c,$(BUILD)/camera_worker/%.o,\
              $(wildcard camera_worker/*.c))
CLI_O     = $(patsubst camera_cli/%.c,$(BUILD)/camera_cli/%.o,\
              $(wildcard camera_cli/*.c))
UNIT_T    = $(patsubst t/unit/%.c,$(BUILD)/t/%.t,$(wildcard t/unit/*.c))

.DELETE_ON_ERROR:
.PHONY: help deps build run test check clean unit


help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile \
	    | expand -t 24

deps:  ## install the Debian packages and headers the rest needs
	@deploy/deps

build: $(MODULE) bin/camera-worker bin/camera bin/camsim  ## build everything

unit: $(UNIT_T)  ## build and run the unit tests alone
	@prove $(UNIT_T)

test: build $(UNIT_T)  ## run every test
	@prove -I t/lib t/*.t $(UNIT_T)

clean:  ## remove what was built
	rm -rf $(BUILD) bin


# the modules, by nginx's own build system out of a writable copy of nginx-dev

$(NGX_SRC)/configure:
	@mkdir -p $(NGX_SRC)
	@cp -rL /usr/share/nginx/src/. $(NGX_SRC)/

$(BUILD)/rtmp/.version: /var/lib/dpkg/info/libnginx-mod-rtmp.list
	@deploy/fetch-source libnginx-mod-rtmp $(BUILD)/rtmp
	@touch $@

$(NGX_OBJ)/Makefile: config $(NGX_SRC)/configure $(BUILD)/rtmp/.version \
	    $(wildcard ngx_camera_module/*.c) $(wildcard common/*.c)
	@cd $(NGX_SRC) && . ./conf_flags \
	    && CAMERA_RTMP_HEADERS=$(abspath $(BUILD))/rtmp \
	    ./configure "$${NGX_CONF_FLAGS[@]}" --builddir=$(abspath $(NGX_OBJ)) \
	        --add-dynamic-module=$(ROOT) > $(abspath $(BUILD))/configure.log
	@touch $@

$(MODULE): $(NGX_OBJ)/Makefile $(wildcard common/*.h) \
	    $(wildcard ngx_camera_module/*.[ch])
	@$(MAKE) --no-print-directory -C $(NGX_SRC) -s \
	    -f $(abspath $(NGX_OBJ))/Makefile modules


# the programs

$(BUILD)/common/%.o: common/%.c $(wildcard common/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -fPIC -c -o $@ $<

$(BUILD)/libcommon.a: $(COMMON_O)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/camera_worker/%.o: camera_worker/%.c $(wildcard camera_worker/*.h) \
	    $(wildcard common/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -c -o $@ $<

bin/camera-worker: $(WORKER_O) $(BUILD)/libcommon.a
	@mkdir -p bin
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS_AV) $(LIBS_COMMON) -lpthread

$(BUILD)/camera_cli/%.o: camera_cli/%.c $(wildcard camera_cli/*.h) \
	    $(wildcard common/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -c -o $@ $<

bin/camera: $(CLI_O) $(BUILD)/libcommon.a
	@mkdir -p bin
	$(CC) $(CFLAGS) -o $@ $^ -lpq -lssl $(LIBS_COMMON)

bin/camsim: $(wildcard bench/camsim/*.c) $(wildcard bench/camsim/*.h) \
	    $(BUILD)/libcommon.a
	@mkdir -p bin
	$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -o $@ $(filter %.c,$^) \
	    $(BUILD)/libcommon.a -lssl $(LIBS_COMMON)

$(BUILD)/t/%.t: t/unit/%.c $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CWARN) $(CFLAGS) -o $@ $< $(BUILD)/libcommon.a \
	    -lcmocka $(LIBS_COMMON) -lpthread
