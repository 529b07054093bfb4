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
HEADERS  := $(sort $(wildcard include/berm/*.h src/*/*.h))
MAN      := $(sort $(wildcard docs/man/*.[1-9]))
UNIT     := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
MODEL    := $(patsubst tests/model/%.c,%,$(sort $(wildcard tests/model/test_*.c)))
FUZZ     := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

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

comma      := ,
is_clang    = $(findstring clang,$(notdir $(1)))
warn_for    = $(WARN) $(if $(call is_clang,$(1)),$(WARN_CLANG),$(WARN_GCC))
cf_for      = $(if $(findstring aarch64,$(shell $(1) -dumpmachine)),-mbranch-protection=standard,-fcf-protection)
release_for = $(OPTIMIZED) $(HARDENED) $(call cf_for,$(1)) $(if $(call is_clang,$(1)),,$(ZEROED))

# ---- variants --------------------------------------------------------------------------------------------------------

# With CC=clang the program is built in build/clang, beside build/release and not over it.
RELEASE  := $(if $(call is_clang,$(CC)),clang,release)
OUT      := $(BUILD)/$(RELEASE)
VARIANTS :=
objects   = $(patsubst %.c,$(BUILD)/$(1)/obj/%.o,$(2))
Q        := $(if $(V),,@)

# $(call variant,name,compiler,compile flags,link flags of programs,link flags of tests). SRC_FLAGS_<name> and
# TEST_FLAGS_<name> hold for only that part of the tree; TEST_LIBS_<name> stands in for cmocka.
define variant
VARIANTS += $(1)
$(BUILD)/$(1)/obj/%.o: %.c Makefile
	@mkdir -p $$(@D)
	@echo "  cc    $$@"
	$$(Q)$(2) $$(DEFINES) $$(CPPFLAGS) $$(call warn_for,$(2)) $$(COMMON) $(3) \
		$$(if $$(filter src/%,$$<),$$(SRC_FLAGS_$(1)),-Itests $$(TEST_FLAGS_$(1))) $$(CFLAGS) -MMD -MP -c -o $$@ $$<
$(BUILD)/$(1)/core.a: $$(call objects,$(1),$$(CORE_SRC))
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && ar crs $$@ $$^
$(BUILD)/$(1)/berm: $$(call objects,$(1),$$(MAIN_SRC)) $(BUILD)/$(1)/core.a
	@echo "  link  $$@"
	$$(Q)$(2) $(3) $(4) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
$(BUILD)/$(1)/unit/%: $(BUILD)/$(1)/obj/tests/unit/%.o $$(TEST_OBJ_$(1)) $(BUILD)/$(1)/core.a
	@mkdir -p $$(@D)
	$$(Q)$(2) $(3) $(5) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS) $$(or $$(TEST_LIBS_$(1)),-lcmocka)
$(BUILD)/$(1)/model/%: $(BUILD)/$(1)/obj/tests/model/%.o $$(TEST_OBJ_$(1)) $(BUILD)/$(1)/core.a
	@mkdir -p $$(@D)
	$$(Q)$(2) $(3) $(5) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS) $$(or $$(TEST_LIBS_$(1)),-lcmocka)
endef

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
$(eval $(call variant,analyze,$(GCC),-O1 -fanalyzer))
$(eval $(call variant,cov,$(GCC),-O0 --coverage))
$(eval $(call variant,arm64,$(ARM64_CC),$(OPTIMIZED) $(HARDENED) -mbranch-protection=standard $(ZEROED),\
	-static-pie $(RELRO),-pie $(RELRO)))

tests_of = $(UNIT:%=$(BUILD)/$(1)/unit/%)
models_of = $(MODEL:%=$(BUILD)/$(1)/model/%)

# ---- build -----------------------------------------------------------------------------------------------------------

PROGRAM := $(if $(MAIN_SRC),$(OUT)/berm)

all: $(PROGRAM) $(OUT)/libberm.a $(OUT)/libberm.so ## the program and the library, in build/release
	@test -z "$(PROGRAM)" || { strip -o $(OUT)/berm.stripped $(OUT)/berm && \
		echo "  size  $(OUT)/berm: $$(stat -c %s $(OUT)/berm.stripped) bytes stripped"; }

# One object in which everything but the interface is local, so that a program which links libberm.a may have names of
# its own like err_set.
$(OUT)/libberm.a: $(call objects,$(RELEASE),$(LIB_SRC))
	@mkdir -p $(@D)
	@echo "  ar    $@"
	$(Q)ld -r -o $(OUT)/libberm.o $^ && objcopy --localize-hidden $(OUT)/libberm.o
	$(Q)rm -f $@ && ar crs $@ $(OUT)/libberm.o

$(OUT)/libberm.so: $(call objects,$(RELEASE),$(LIB_SRC))
	@mkdir -p $(@D)
	@echo "  link  $@"
	$(Q)$(CC) $(call release_for,$(CC)) -shared $(RELRO) -Wl,-z,defs,-soname,libberm.so.$(SOMAJOR) $(LDFLAGS) -o $@ $^

compile: $(foreach v,release debug clang clang-debug,$(call objects,$(v),$(SRC))) ## both compilers, -O2 and -O0, warnings as errors
	@echo "compile: $(words $(SRC)) files with $(GCC) and $(CLANG)"

# ---- tests -----------------------------------------------------------------------------------------------------------

test: $(call tests_of,release) ## unit tests
	$(Q)tools/suite unit $^

model: $(call models_of,release) ## compiled filters interpreted against tables
	$(Q)tools/suite model $^

asan: $(call tests_of,asan) $(call models_of,asan) ## unit and model tests under ASan and UBSan
	$(Q)tools/suite asan $^

torture: $(call tests_of,torture) ## unit tests with one allocation after the other failing, under ASan
	$(Q)tools/suite torture $^

msan: $(call tests_of,msan) $(call models_of,msan) ## unit and model tests under MSan
	$(Q)tools/suite msan $^

clean: ## removes the build folder
	rm -rf $(BUILD)

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9 -]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: all compile test model asan torture msan clean help

-include $(foreach v,$(VARIANTS),$(patsubst %.o,%.d,$(call objects,$(v),$(SRC) \
	$(UNIT:%=tests/unit/%.c) $(MODEL:%=tests/model/%.c) $(FUZZ:%=tests/fuzz/%.c))))
