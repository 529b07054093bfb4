# berm: the only entry point. `make help` lists the targets.
#
# Sources are found by wildcard, so adding a file edits nothing. A variant (release, debug, asan, ...) is a folder below
# $(BUILD) with its own objects, so variants coexist and nothing needs `make clean` in between.

BUILD   ?= build
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
GCC     ?= gcc
CLANG   ?= clang
CROSS   ?= aarch64-linux-gnu-
QEMU    ?= qemu-aarch64
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
SOMAJOR := 0

FUZZ_SECONDS ?= 30
JOBS         ?= $(shell nproc)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

# ---- sources ---------------------------------------------------------------------------------------------------------

SRC      := $(sort $(wildcard src/*/*.c))
LIB_SRC  := $(filter src/base/% src/os/% src/sandbox/%,$(SRC))
MAIN_SRC := $(wildcard src/cli/main.c)
CORE_SRC := $(filter-out $(MAIN_SRC),$(SRC))
MAN      := $(sort $(wildcard docs/man/*.[1-9]))
UNIT     := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
MODEL    := $(patsubst tests/model/%.c,%,$(sort $(wildcard tests/model/test_*.c)))
C_FILES  := $(sort $(wildcard include/berm/*.h src/*/*.[ch] tools/*.c tests/*.[ch] tests/*/*.[ch]))
FUZZ     := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

# What is shipped in the program: made into constants by a program that runs where berm is built.
POLICIES := $(sort $(wildcard groups/*.yaml profiles/*.yaml))
GEN_SRC  := tools/builtin.c $(filter src/base/%,$(SRC)) $(filter-out src/format/git_%,$(filter src/format/%,$(SRC))) \
	src/policy/keys.c src/policy/doc.c $(filter src/policy/load% %/policy_text.c %/policy_schema.c %/policy_reference.c,$(SRC))

# ---- flags -----------------------------------------------------------------------------------------------------------

DEFINES := -Iinclude -Isrc -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DBERM_VERSION='"$(VERSION)"'

WARN := -std=gnu17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wformat=2 -Wundef \
	-Wvla -Wpointer-arith -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wredundant-decls -Wswitch-enum -Wswitch-default -Wimplicit-fallthrough -Wnull-dereference \
	-Wdouble-promotion -Wfloat-equal -Wdate-time -Wframe-larger-than=8192 -Wenum-conversion -Werror
WARN_GCC := -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Walloca -Wcast-align=strict -Wformat-signedness \
	-Wjump-misses-init -Wunused-macros
WARN_CLANG := -Wassign-enum -Wcomma -Wunreachable-code-aggressive -Wconditional-uninitialized \
	-Wmissing-variable-declarations -Wshift-sign-overflow -Wcast-align

# Position independent and hidden throughout: the same objects make the static-pie program and the shared library.
COMMON    := -g -fPIC -fvisibility=hidden -fno-strict-aliasing -fno-strict-overflow -fno-common
OPTIMIZED := -O2 -ffunction-sections -fdata-sections
HARDENED  := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
ZEROED    := -ftrivial-auto-var-init=zero
RELRO     := -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--build-id=sha1,--gc-sections
SANITIZED := -O1 -Wno-frame-larger-than -fno-omit-frame-pointer -fno-sanitize-recover=all

# Of the program, static in a release; libberm needs none of them.
LIBS := -lyaml -lmd -lcares -lvterm

# A test may keep its tables on the stack.
TEST_FLAGS := -Itests -Wno-frame-larger-than

# Tests of what works on memory alone. MSan of clang 14 takes what fstat fills for uninitialised, and the emulator knows few
# of the system calls, so these are what the two can say something about.
PURE := $(foreach t,$(UNIT),$(if $(wildcard $(addsuffix /$(t:test_%=%).c,src/base src/format src/policy src/ui)),$(t))) \
	$(filter test_frame test_notices test_bpf test_options test_synthetic test_door_message test_dns_reply test_reverse_name \
	test_hosts_file,$(UNIT))
PURE := $(filter-out test_secret test_git_%,$(PURE))

comma      := ,
is_clang    = $(findstring clang,$(notdir $(1)))
warn_for    = $(WARN) $(if $(call is_clang,$(1)),$(WARN_CLANG),$(WARN_GCC))
cf_for      = $(if $(findstring aarch64,$(shell $(1) -dumpmachine 2>/dev/null)),-mbranch-protection=standard,-fcf-protection)
release_for = $(OPTIMIZED) $(HARDENED) $(call cf_for,$(1)) $(if $(call is_clang,$(1)),,$(ZEROED))

# ---- variants --------------------------------------------------------------------------------------------------------

# With CC=clang the program is built in build/clang, beside build/release and not over it.
RELEASE  := $(if $(call is_clang,$(CC)),clang,release)
OUT      := $(BUILD)/$(RELEASE)
VARIANTS :=
objects   = $(patsubst %.c,$(BUILD)/$(1)/obj/%.o,$(2))
Q        := $(if $(V),,@)

# $(call variant,name,compiler,compile flags,link flags of programs,link flags of tests). SRC_FLAGS_<name> and
# TEST_FLAGS_<name> hold for only that part of the tree; TEST_LIBS_<name> stands in for cmocka; libresolv is a second
# opinion about DNS messages.
define variant
VARIANTS += $(1)
$(BUILD)/$(1)/obj/%.o: %.c Makefile
	@mkdir -p $$(@D)
	@echo "  cc    $$@"
	$$(Q)$(2) $$(DEFINES) $$(CPPFLAGS) $$(call warn_for,$(2)) $$(COMMON) $(3) \
		$$(if $$(filter src/%,$$<),$$(SRC_FLAGS_$(1)),$$(TEST_FLAGS) $$(TEST_FLAGS_$(1))) $$(CFLAGS) -MMD -MP -c -o $$@ $$<
$(BUILD)/$(1)/obj/gen/builtin_docs.o: $(BUILD)/gen/builtin_docs.c src/policy/builtin.h src/policy/doc.h src/policy/keys.h
	@mkdir -p $$(@D)
	@echo "  cc    $$@"
	$$(Q)$(2) $$(DEFINES) $$(CPPFLAGS) $$(call warn_for,$(2)) $$(COMMON) $(3) $$(CFLAGS) -c -o $$@ $$<
$(BUILD)/$(1)/core.a: $$(call objects,$(1),$$(CORE_SRC)) $(BUILD)/$(1)/obj/gen/builtin_docs.o
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && ar crs $$@ $$^
$(BUILD)/$(1)/berm: $$(call objects,$(1),$$(MAIN_SRC)) $(BUILD)/$(1)/core.a
	@echo "  link  $$@"
	$$(Q)$(2) $(3) $(4) $$(LDFLAGS) -o $$@ $$^ $$(LIBS) $$(LDLIBS)
$(BUILD)/$(1)/unit/%: $(BUILD)/$(1)/obj/tests/unit/%.o $$(TEST_OBJ_$(1)) $(BUILD)/$(1)/core.a
	@mkdir -p $$(@D)
	$$(Q)$(2) $(3) $(5) $$(LDFLAGS) -o $$@ $$^ $$(LIBS) $$(LDLIBS) $$(or $$(TEST_LIBS_$(1)),-lcmocka) -lresolv
$(BUILD)/$(1)/model/%: $(BUILD)/$(1)/obj/tests/model/%.o $$(TEST_OBJ_$(1)) $(BUILD)/$(1)/core.a
	@mkdir -p $$(@D)
	$$(Q)$(2) $(3) $(5) $$(LDFLAGS) -o $$@ $$^ $$(LIBS) $$(LDLIBS) $$(or $$(TEST_LIBS_$(1)),-lcmocka)
endef

# The folders as well: a file that is gone must go.
$(BUILD)/gen/builtin_docs.c: $(BUILD)/gen/builtin $(POLICIES) groups profiles
	@echo "  gen   $@"
	$(Q)$< tables $(POLICIES) >$@

$(BUILD)/gen/builtin: $(GEN_SRC) $(wildcard src/base/*.h src/format/*.h src/policy/*.h)
	@mkdir -p $(@D)
	@echo "  cc    $@"
	$(Q)$(GCC) -std=gnu17 -O1 $(DEFINES) -o $@ $(GEN_SRC) $(LIBS)

ARM64_CC := $(CROSS)gcc

# Torture: see tests/torture.c.
WRAP := $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf \
	fopen fdopen open_memstream opendir fdopendir)
SRC_FLAGS_torture := -finstrument-functions
TEST_OBJ_torture  := $(call objects,torture,tests/torture.c)
TEST_LIBS_torture := -ldl

$(eval $(call variant,release,$(GCC),$(call release_for,$(GCC)),-static-pie $(RELRO),-pie $(RELRO)))
$(eval $(call variant,debug,$(GCC),-O0 -g3))
$(eval $(call variant,clang,$(CLANG),$(call release_for,$(CLANG)),-static-pie $(RELRO),-pie $(RELRO)))
$(eval $(call variant,clang-debug,$(CLANG),-O0))
$(eval $(call variant,asan,$(GCC),$(SANITIZED) -fsanitize=address$(comma)undefined))
$(eval $(call variant,torture,$(GCC),$(SANITIZED) -fexceptions -fsanitize=address$(comma)undefined,,$(WRAP)))
$(eval $(call variant,msan,$(CLANG),$(SANITIZED) -fsanitize=memory -fsanitize-memory-track-origins))
$(eval $(call variant,fuzz,$(CLANG),$(SANITIZED) -fsanitize=fuzzer-no-link$(comma)address$(comma)undefined))
$(eval $(call variant,analyze,$(GCC),-O0 -fanalyzer -fdiagnostics-path-format=none))
$(eval $(call variant,cov,$(GCC),-O0 --coverage))
$(eval $(call variant,arm64,$(ARM64_CC),$(OPTIMIZED) $(HARDENED) -mbranch-protection=standard $(ZEROED) -Wno-frame-larger-than,\
	-static-pie $(RELRO),-pie $(RELRO)))

tests_of  = $(UNIT:%=$(BUILD)/$(1)/unit/%)
models_of = $(MODEL:%=$(BUILD)/$(1)/model/%)

# ---- build -----------------------------------------------------------------------------------------------------------

PROGRAM := $(if $(MAIN_SRC),$(OUT)/berm)
SIZE     = $(if $(PROGRAM),@strip -o $(OUT)/berm.stripped $(OUT)/berm && echo "  size  $(OUT)/berm:" \
	$$(stat -c %s $(OUT)/berm.stripped) bytes stripped)

all: $(PROGRAM) $(OUT)/libberm.a $(OUT)/libberm.so ## the program and the library, in build/release (CC=clang: build/clang)
	$(SIZE)

# One object in which everything but the interface is local, so that a program which links libberm.a may have an err_set
# of its own.
$(OUT)/libberm.a: $(call objects,$(RELEASE),$(LIB_SRC))
	@mkdir -p $(@D)
	@echo "  ar    $@"
	$(Q)ld -r -o $(OUT)/libberm.o $^ && objcopy --localize-hidden $(OUT)/libberm.o
	$(Q)rm -f $@ && ar crs $@ $(OUT)/libberm.o

$(OUT)/libberm.so: $(call objects,$(RELEASE),$(LIB_SRC))
	@mkdir -p $(@D)
	@echo "  link  $@"
	$(Q)$(CC) $(call release_for,$(CC)) -shared $(RELRO) -Wl,-z,defs,-soname,libberm.so.$(SOMAJOR) $(LDFLAGS) -o $@ $^

debug: $(if $(MAIN_SRC),$(BUILD)/debug/berm) ## the program for a debugger, in build/debug

run: all ## the demonstration
	scripts/demo

install: all ## program, library, headers, manual, completions (PREFIX, DESTDIR)
	install -d $(DEST)/bin $(DEST)/lib/pkgconfig $(DEST)/include/berm $(DEST)/share/man/man1
	$(if $(PROGRAM),install -m 755 -s $(OUT)/berm $(DEST)/bin/berm)
	install -m 644 $(OUT)/libberm.a $(DEST)/lib/libberm.a
	install -m 755 $(OUT)/libberm.so $(DEST)/lib/libberm.so.$(VERSION)
	ln -sf libberm.so.$(VERSION) $(DEST)/lib/libberm.so.$(SOMAJOR)
	ln -sf libberm.so.$(SOMAJOR) $(DEST)/lib/libberm.so
	install -m 644 include/berm/*.h $(DEST)/include/berm
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' scripts/berm.pc.in >$(DEST)/lib/pkgconfig/berm.pc
	for page in $(MAN); do section=$${page##*.}; \
		install -D -m 644 $$page $(DEST)/share/man/man$$section/$$(basename $$page) || exit 1; done
	$(if $(PROGRAM),for place in $(COMPLETIONS); do \
		$(OUT)/berm completion $${place%%:*} >$(OUT)/completion && \
		install -D -m 644 $(OUT)/completion $(DEST)/share/$${place#*:} || exit 1; done)
DEST = $(DESTDIR)$(PREFIX)
COMPLETIONS := bash:bash-completion/completions/berm zsh:zsh/site-functions/_berm \
	fish:fish/vendor_completions.d/berm.fish

clean: ## removes the build folder
	rm -rf $(BUILD)

# ---- tests -----------------------------------------------------------------------------------------------------------

test: $(call tests_of,$(RELEASE)) ## unit tests
	$(Q)tools/suite unit $^

model: $(call models_of,$(RELEASE)) ## compiled filters interpreted against tables
	$(Q)tools/suite model $^

asan: $(call tests_of,asan) $(call models_of,asan) ## unit and model tests under ASan and UBSan
	$(Q)tools/suite asan $^

# The supervisor, which the test_sup_ programs are about, uses no heap.
torture: $(foreach t,$(call tests_of,torture),$(if $(findstring /test_sup_,$(t)),,$(t))) ## unit tests with one allocation after the other failing, under ASan and UBSan
	$(Q)tools/suite torture $^

# MSan sees nothing of what libyaml, libmd and libresolv write: tests that use them are left out.
msan: $(PURE:%=$(BUILD)/msan/unit/%) $(call models_of,msan) ## tests of what works on memory alone, under MSan
	$(Q)tools/suite msan $$(for test in $^; do nm -D $$test | grep -qE ' U (yaml_|SHA256|ns_initparse)' || echo $$test; done)

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/core.a
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $^ $(LIBS) $(LDLIBS)

FUZZERS := $(FUZZ:%=$(BUILD)/fuzz/%)
corpus: $(FUZZERS) ## every file of the fuzzers' corpora once, under ASan and UBSan
	$(Q)tools/fuzz 0 $^

fuzz: $(FUZZERS) ## fresh fuzzing, FUZZ_SECONDS each
	$(Q)tools/fuzz $(FUZZ_SECONDS) $^

escape: all ## what a hostile program tries, against the host's view of it
	$(Q)tests/escape/run $(OUT)/berm

tools-test: all ## package tools from a cold cache and signing by agents, in a sandbox; uses the machine's registries
	$(Q)tests/tools/run $(OUT)/berm

agents-test: all ## real agents, installed with npm, under their profiles, as root and as an ordinary user
	$(Q)tests/agents/run $(OUT)/berm

browser-test: all ## a real browser under browser-tests; needs scripts/deps browser (124 MB), so it is no part of check
	$(Q)tests/browser/run $(OUT)/berm

cli-test: all ## golden runs of the program
	$(Q)tests/cli/run $(OUT)/berm

ask-test: all ## random operations with and without being asked about, and odd answers
	$(Q)tests/ask/run $(OUT)/libberm.a

terminal-test: all ## questions on a terminal, drawn over programs, answered and not
	$(Q)tests/terminal/run $(OUT)/berm

live-test: all ## running sandboxes are changed at random while every path is tried from inside
	$(Q)tests/live/run $(OUT)/libberm.a $(OUT)/berm

why-test: all ## what berm why says against what the kernel does, in random trees under random policies
	$(Q)tests/why/run $(OUT)/berm

net-test: all ## the network filter with real clients and servers, in a network of the suite's own
	$(Q)tests/net/run $(OUT)/berm

kill-test: all ## what is left when a process of berm's is killed
	$(Q)tests/kill/run $(OUT)/berm

smuggling-test: $(OUT)/core.a ## streams of requests that two readers of HTTP could see differently, read by ours and by node's
	$(Q)tests/smuggling/run $<

bench: all ## ratios against what is installed here; decides nothing
	tests/bench/run $(OUT)/berm

bench-decide: $(OUT)/core.a ## one decision on a host, request or command, counted in instructions
	python3 tests/bench/decide.py $(OUT)/core.a

bench-resolve: $(OUT)/core.a ## policies loaded, merged and resolved, counted in instructions
	python3 tests/bench/resolve.py $(OUT)/core.a

bench-http: $(OUT)/core.a ## requests through @egress beside tinyproxy and squid, and what an idle connection takes
	LIBS="$(LIBS)" python3 tests/bench/http_proxy.py $<

bench-tunnel: $(OUT)/core.a ## connections through @egress beside a plain splice relay
	$(Q)$(GCC) -std=gnu17 -O2 $(DEFINES) -Itests -Itests/unit -o $(OUT)/tunnel tests/bench/tunnel.c $< $(LIBS) -lcmocka
	$(OUT)/tunnel

cov: $(call tests_of,cov) $(call models_of,cov) ## line coverage of unit and model tests, by folder
	$(Q)find $(BUILD)/cov -name '*.gcda' -delete
	$(Q)tools/suite cov $^ && tools/coverage $(BUILD)/cov

# The other architecture: everything is built with the cross compiler; the emulator lacks many kernel interfaces and loses
# children, so only pure tests are run.
arm64: $(if $(MAIN_SRC),$(BUILD)/arm64/berm) $(PURE:%=$(BUILD)/arm64/unit/%) $(call models_of,arm64) ## built for arm64; pure tests emulated
	$(Q)RUNNER="$(QEMU) -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=/usr/lib/aarch64-linux-gnu" \
		tools/suite arm64 $(filter-out %/berm,$^)

# ---- checks that run nothing -----------------------------------------------------------------------------------------

compile: $(foreach v,release debug clang clang-debug,$(call objects,$(v),$(SRC))) ## both compilers, -O2 and -O0, warnings as errors
	@echo "compile: $(words $(SRC)) files, with $(GCC) and $(CLANG)"

# At -O0 the analyzer sees the code as it was written: at -O1 it takes an auto_free variable for uninitialised.
# CFLAGS=-fdiagnostics-path-format=inline-events shows how it gets there.
analyze: $(call objects,analyze,$(SRC)) ## gcc -fanalyzer
	@echo "analyze: $(words $(SRC)) files"

# The object of the clang variant stands for the headers that the file includes.
$(BUILD)/tidy/%: %.c .clang-tidy $(BUILD)/clang/obj/%.o
	@mkdir -p $(@D)
	@echo "  tidy  $<"
	$(Q)clang-tidy --quiet $< -- -std=gnu17 $(DEFINES) $(CPPFLAGS) >$@.log 2>&1 || { cat $@.log; exit 1; }
	@touch $@

tidy: $(SRC:%.c=$(BUILD)/tidy/%) ## clang-tidy and clang's analyzer
	@echo "tidy: $(words $(SRC)) files"

cppcheck: ## cppcheck
	@mkdir -p $(BUILD)/cppcheck
	$(Q)cppcheck -q -j$(JOBS) --std=c11 --enable=warning,portability,performance --inline-suppr --error-exitcode=1 \
		--cppcheck-build-dir=$(BUILD)/cppcheck --suppress=missingInclude --platform=unix64 -D__x86_64__ $(DEFINES) src

floors: ## a folder includes only what src/FLOORS says
	$(Q)tools/floors src/FLOORS $(filter src/%,$(C_FILES))

lint: ## rules of this project that a pattern can check
	$(Q)tools/lint

selftest: ## the checks find what they are there for
	$(Q)tools/selftest

headers: ## every header compiles alone
	$(Q)GCC=$(GCC) CLANG=$(CLANG) tools/headers

sizes: ## lines of functions and files, parameters
	$(Q)tools/sizes $(C_FILES)

api: $(OUT)/libberm.so $(OUT)/libberm.a ## exported names, headers and include/berm/api.txt are the same
	$(Q)tools/api $^

purity: $(call objects,$(RELEASE),$(SRC)) $(OUT)/obj/gen/builtin_docs.o ## pure folders import no system call
	$(Q)tools/purity $(OUT)/obj/src

format: ## clang-format agrees
	$(Q)bad=; for file in $(C_FILES); do \
		clang-format $$file | cmp -s - $$file || { echo "$$file: 'make reformat' would change it"; bad=1; }; \
	done; test -z "$$bad"

reformat: ## rewrites the files that clang-format does not agree with
	clang-format -i $(C_FILES)

docs: $(BUILD)/gen/builtin ## documents, tables and tree tell the same
	$(Q)tools/mapcheck
	$(Q)$< reference | cmp - docs/policy-reference.md || { echo "'make reference' would change it"; exit 1; }

reference: $(BUILD)/gen/builtin ## rewrites docs/policy-reference.md from the table of keys
	$(Q)$< reference >docs/policy-reference.md

schema: $(BUILD)/gen/builtin ## the JSON Schema of policies and the loader agree, file by file
	$(Q)tools/schema $<

man: $(PROGRAM) ## manual pages are well formed and tell what the program tells
	$(Q)test -z "$(MAN)" || mandoc -T lint -W warning $(MAN)
	$(Q)test -z "$(PROGRAM)" || scripts/man --check $(PROGRAM)

consumer: all ## a program builds and runs against what is installed, shared and static
	$(Q)rm -rf $(OUT)/installed && $(MAKE) -s install CC=$(CC) PREFIX=$(abspath $(OUT)/installed) DESTDIR=
	$(Q)CC=$(CC) tools/consumer $(abspath $(OUT)/installed) $(OUT)

# ---- all of it -------------------------------------------------------------------------------------------------------

GATE := format floors lint selftest headers docs schema man sizes compile api consumer purity analyze tidy cppcheck \
	test model asan torture msan corpus fuzz cov

gate: ## every check and test but those on the running program, one after the other
	+$(Q)BUILD=$(BUILD) JOBS=$(JOBS) MAKE="$(MAKE)" tools/gate $(GATE)

check: ## the gate, then the suites of whole programs
	+$(Q)BUILD=$(BUILD) JOBS=$(JOBS) MAKE="$(MAKE)" tools/gate $(GATE) escape cli-test kill-test tools-test live-test ask-test terminal-test why-test net-test agents-test smuggling-test

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: all debug run install clean test model asan torture msan corpus fuzz escape cli-test kill-test tools-test live-test ask-test terminal-test why-test net-test agents-test browser-test smuggling-test bench bench-decide bench-resolve bench-http bench-tunnel cov arm64 compile \
	consumer analyze tidy cppcheck floors lint selftest headers sizes api purity format reformat docs reference schema man gate check help

-include $(foreach v,$(VARIANTS),$(patsubst %.o,%.d,$(call objects,$(v),$(SRC) tests/torture.c \
	$(UNIT:%=tests/unit/%.c) $(MODEL:%=tests/model/%.c) $(FUZZ:%=tests/fuzz/%.c))))
