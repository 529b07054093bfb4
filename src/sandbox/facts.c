#include "sandbox/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"
#include "os/fd.h"
#include "os/sys.h"

#define MAX_TEXT ((size_t)8 << 20)
#define MAX_OUTER_LINES ((size_t)65536)

const struct fact_info fact_table[FACT_COUNT] = {
	[FACT_LANDLOCK_ABI] = {"landlock_abi", "Landlock",
			       "a kernel from 5.13 on with CONFIG_SECURITY_LANDLOCK, and landlock in its lsm= list",
			       false},
	[FACT_LANDLOCK_ERRATA] = {"landlock_errata", "fixes of Landlock (a bit mask)", NULL, false},
	[FACT_SECCOMP_FILTER] = {"seccomp_filter", "seccomp filters", "a kernel with CONFIG_SECCOMP_FILTER", false},
	[FACT_SECCOMP_LISTENER] = {"seccomp_listener", "a seccomp listener",
				   "a kernel from 5.0 on, and no other supervisor around berm", true},
	[FACT_SECCOMP_WAIT_KILLABLE] = {"seccomp_wait_killable", "calls that signals do not interrupt while they wait",
					"a kernel from 5.19 on", false},
	[FACT_SECCOMP_SYNC_WAKEUP] = {"seccomp_sync_wakeup", "the fast wake-up of a seccomp listener",
				      "a kernel from 6.6 on", true},
	[FACT_SECCOMP_ADDFD] = {"seccomp_addfd", "descriptors handed in by a seccomp listener", "a kernel from 5.9 on",
				true},
	[FACT_PIDFD_GETFD] = {"pidfd_getfd", "fetching descriptors of its own children",
			      "a kernel from 5.6 on, and kernel.yama.ptrace_scope at most 1", true},
	[FACT_PROCESS_VM] = {"process_vm", "reading the memory of its own children",
			     "kernel.yama.ptrace_scope at most 1", true},
	[FACT_PTRACE] = {"ptrace", "tracing of its own children", "kernel.yama.ptrace_scope at most 1", true},
	[FACT_USER_NAMESPACE] = {"user_namespace", "user namespaces", "unprivileged user namespaces allowed", true},
	[FACT_MOUNT_NAMESPACE] = {"mount_namespace", "mounts in a namespace of its own",
				  "mounts allowed in a user namespace", true},
	[FACT_PID_NAMESPACE] = {"pid_namespace", "pid namespaces", "a kernel with CONFIG_PID_NS", true},
	[FACT_NET_NAMESPACE] = {"net_namespace", "network namespaces", "a kernel with CONFIG_NET_NS", true},
	[FACT_IPC_NAMESPACE] = {"ipc_namespace", "ipc namespaces", "a kernel with CONFIG_IPC_NS", true},
	[FACT_UTS_NAMESPACE] = {"uts_namespace", "uts namespaces", "a kernel with CONFIG_UTS_NS", true},
	[FACT_CGROUP_NAMESPACE] = {"cgroup_namespace", "cgroup namespaces", "a kernel with CONFIG_CGROUPS", true},
	[FACT_OPEN_TREE] = {"open_tree", "cloned mounts", "a kernel from 5.2 on", true},
	[FACT_MOUNT_SETATTR] = {"mount_setattr", "recursive read-only mounts", "a kernel from 5.12 on", true},
	[FACT_PROC_MOUNT] = {"proc_mount", "a /proc of its own",
			     "a container whose /proc is not masked (systempaths=unconfined, procMount: Unmasked)",
			     true},
	[FACT_TMPFS_MOUNT] = {"tmpfs_mount", "a tmpfs of its own", "tmpfs allowed in a user namespace", true},
	[FACT_DEVPTS_MOUNT] = {"devpts_mount", "terminals of its own", "devpts allowed in a user namespace", true},
	[FACT_MOVE_MOUNT_LINK] = {"move_mount_link", "mounts upon symbolic links", NULL, true},
	[FACT_OVERLAY] = {"overlay", "overlay mounts", "a kernel from 5.11 on with overlayfs", true},
	[FACT_LOOPBACK_UP] = {"loopback_up", "a loopback of its own", "a network namespace with rights in it", true},
	[FACT_NF_TABLES] = {"nf_tables", "nf_tables in its own network", "a kernel with nf_tables and nft_tproxy",
			    true},
	[FACT_CGROUP_MEMORY] = {"cgroup_memory", "a delegated cgroup with the memory controller",
				"a start by systemd-run --user --scope -p Delegate=yes", false},
	[FACT_CGROUP_PIDS] = {"cgroup_pids", "a delegated cgroup with the pids controller",
			      "a start by systemd-run --user --scope -p Delegate=yes", false},
	[FACT_CGROUP_CPU] = {"cgroup_cpu", "a delegated cgroup with the cpu controller",
			     "a start by systemd-run --user --scope -p Delegate=yes", false},
	[FACT_UID] = {"uid", "the effective user id", NULL, false},
	[FACT_IS_ROOT] = {"is_root", "user id 0", NULL, false},
	[FACT_CAPS] = {"caps", "effective capabilities (a bit mask)", NULL, false},
	[FACT_NO_NEW_PRIVS] = {"no_new_privs", "no_new_privs, set already", NULL, false},
	[FACT_IN_CONTAINER] = {"in_container", "signs of a container", NULL, false},
	[FACT_OUTER_LANDLOCK] = {"outer_landlock", "a Landlock domain around berm", NULL, false},
	[FACT_OUTER_PLAN] = {"outer_plan", "another berm around this one", NULL, false},
	[FACT_YAMA] = {"yama", "kernel.yama.ptrace_scope", NULL, false},
	[FACT_APPARMOR_USERNS] = {"apparmor_userns", "kernel.apparmor_restrict_unprivileged_userns", NULL, false},
	[FACT_USERNS_SYSCTL] = {"userns_sysctl", "a sysctl that forbids user namespaces", NULL, false},
};

/* ---- life ------------------------------------------------------------------------------------------------------- */

static enum berm_code facts_new(struct berm_facts **ret_facts, struct berm_err *err)
{
	struct berm_facts *facts = calloc(1, sizeof *facts);
	if (facts == NULL)
		return err_set(err, BERM_ERR_NOMEM, "make facts");
	*ret_facts = facts;
	return BERM_OK;
}

void berm_facts_free(struct berm_facts *facts)
{
	if (facts == NULL)
		return;
	free(facts->outer_text);
	free(facts->outer);
	free(facts);
}

static void drop_facts(struct berm_facts **facts)
{
	berm_facts_free(*facts);
}

#define auto_facts __attribute__((cleanup(drop_facts)))

static int find_fact(struct str name)
{
	for (int i = 0; i < FACT_COUNT; i++)
		if (str_eq(name, str_from(fact_table[i].name)))
			return i;
	return -1;
}

long berm_facts_get(const struct berm_facts *facts, const char *name)
{
	int fact = find_fact(str_from(name));
	return fact >= 0 ? facts->value[fact] : -1;
}

enum berm_code berm_facts_set(struct berm_facts *facts, const char *name, long value, struct berm_err *err)
{
	int fact = find_fact(str_from(name));
	if (fact < 0)
		return err_set(err, BERM_ERR_INVALID, "there is no fact '%.60s'", name != NULL ? name : "");
	facts->value[fact] = value;
	return BERM_OK;
}

void facts_without_namespaces(struct berm_facts *facts)
{
	for (int fact = FACT_USER_NAMESPACE; fact <= FACT_NF_TABLES; fact++)
		facts->value[fact] = 0;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

char *berm_facts_print(const struct berm_facts *facts)
{
	auto_buf struct buf text = {0};
	buf_init(&text, MAX_TEXT);
	buf_printf(&text, "kernel=%s\n", facts->kernel);
	for (int fact = 0; fact < FACT_COUNT; fact++)
		buf_printf(&text, "%s=%ld\n", fact_table[fact].name, facts->value[fact]);
	if (facts->cgroup[0] != '\0')
		buf_printf(&text, "cgroup=%s\n", facts->cgroup);
	for (size_t i = 0; i < facts->outer_count; i++) {
		buf_puts(&text, "outer=");
		buf_put_str(&text, facts->outer[i].guarantee);
		buf_putc(&text, '\t');
		buf_put_str(&text, facts->outer[i].line);
		buf_putc(&text, '\n');
	}
	return buf_take(&text);
}

static enum berm_code load_text(char *ret_text, size_t size, struct str value, struct berm_err *err)
{
	if (value.len >= size)
		return err_set(err, BERM_ERR_PARSE, "the value is longer than %zu bytes", size - 1);
	if (value.len > 0)
		memcpy(ret_text, value.ptr, value.len);
	ret_text[value.len] = '\0';
	return BERM_OK;
}

static enum berm_code load_value(struct berm_facts *facts, struct str name, struct str value, struct buf *outer,
				 struct berm_err *err)
{
	uint64_t number = 0;
	if (str_eq(name, STR("kernel")))
		return load_text(facts->kernel, sizeof facts->kernel, value, err);
	if (str_eq(name, STR("cgroup")))
		return load_text(facts->cgroup, sizeof facts->cgroup, value, err);
	if (str_eq(name, STR("outer"))) {
		buf_put_str(outer, value);
		buf_putc(outer, '\n');
		return BERM_OK;
	}
	int fact = find_fact(name);
	if (fact < 0)
		return err_set(err, BERM_ERR_PARSE, "there is no fact '%.*s'", (int)(name.len < 60 ? name.len : 60),
			       name.ptr);
	TRY(str_u64(value, LONG_MAX, &number, err));
	facts->value[fact] = (long)number;
	return BERM_OK;
}

static enum berm_code load_line(struct berm_facts *facts, struct str line, struct buf *outer, struct berm_err *err)
{
	if (line.len == 0 || line.ptr[0] == '#')
		return BERM_OK;
	const char *equals = memchr(line.ptr, '=', line.len);
	if (equals == NULL || memchr(line.ptr, '\0', line.len) != NULL)
		return err_set(err, BERM_ERR_PARSE, "not of the form name=value");
	struct str name = {line.ptr, (size_t)(equals - line.ptr)};
	struct str value = {equals + 1, line.len - name.len - 1};
	return load_value(facts, name, value, outer, err);
}

static enum berm_code load_lines(struct berm_facts *facts, struct str text, struct buf *outer, struct berm_err *err)
{
	struct berm_err local = {0};
	struct str line;
	for (size_t number = 1; str_next(&text, '\n', &line); number++) {
		if (load_line(facts, line, outer, &local) != BERM_OK)
			return err_set(err, BERM_ERR_PARSE, "facts, line %zu: %s", number, local.msg);
	}
	return BERM_OK;
}

enum berm_code berm_facts_load(const char *text, size_t len, struct berm_facts **ret_facts, struct berm_err *err)
{
	auto_facts struct berm_facts *facts = NULL;
	auto_buf struct buf outer = {0};
	buf_init(&outer, MAX_TEXT);
	if (len > MAX_TEXT)
		return err_set(err, BERM_ERR_LIMIT, "facts are longer than %zu bytes", MAX_TEXT);
	TRY(facts_new(&facts, err));
	TRY(load_lines(facts, (struct str){text, len}, &outer, err));
	TRY(buf_check(&outer, err));
	if (outer.len > 0) {
		long told = facts->value[FACT_OUTER_PLAN];
		TRY(facts_set_outer(facts, outer.data, outer.len, err));
		facts->value[FACT_OUTER_PLAN] = told != 0 ? told : 1;
	}
	*ret_facts = take(facts);
	return BERM_OK;
}

/* ---- an outer berm ---------------------------------------------------------------------------------------------- */

static int compare_str(struct str a, struct str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_outer(const void *a, const void *b)
{
	const struct outer_line *left = a, *right = b;
	int order = compare_str(left->guarantee, right->guarantee);
	return order != 0 ? order : compare_str(left->line, right->line);
}

static enum berm_code split_outer(struct str text, struct outer_line *lines, size_t *ret_count, struct berm_err *err)
{
	struct str line;
	size_t count = 0;
	for (size_t number = 1; str_next(&text, '\n', &line); number++) {
		if (line.len == 0)
			continue;
		const char *tab = memchr(line.ptr, '\t', line.len);
		if (tab == NULL || tab == line.ptr || memchr(line.ptr, '\0', line.len) != NULL)
			return err_set(err, BERM_ERR_PARSE,
				       "outer plan, line %zu: no guarantee and line with a tab between", number);
		lines[count].guarantee = (struct str){line.ptr, (size_t)(tab - line.ptr)};
		lines[count++].line = (struct str){tab + 1, line.len - (size_t)(tab - line.ptr) - 1};
	}
	*ret_count = count;
	return BERM_OK;
}

enum berm_code facts_set_outer(struct berm_facts *facts, const char *text, size_t len, struct berm_err *err)
{
	size_t max = 1, count = 0;
	if (len > MAX_TEXT)
		return err_set(err, BERM_ERR_LIMIT, "outer plan is longer than %zu bytes", MAX_TEXT);
	for (size_t i = 0; i < len; i++)
		max += text[i] == '\n';
	if (max > MAX_OUTER_LINES)
		return err_set(err, BERM_ERR_LIMIT, "outer plan has more than %zu lines", MAX_OUTER_LINES);
	auto_free char *copy = str_dup((struct str){text, len});
	auto_free struct outer_line *lines = calloc(max, sizeof *lines);
	if (copy == NULL || lines == NULL)
		return err_set(err, BERM_ERR_NOMEM, "remember the outer plan");
	TRY(split_outer((struct str){copy, len}, lines, &count, err));
	qsort(lines, count, sizeof *lines, compare_outer);
	free(facts->outer_text);
	free(facts->outer);
	facts->outer_text = take(copy);
	facts->outer = take(lines);
	facts->outer_count = count;
	facts->value[FACT_OUTER_PLAN] = 1;
	return BERM_OK;
}

bool facts_outer_holds(const struct berm_facts *facts, struct str guarantee, struct str line)
{
	struct outer_line key = {guarantee, line};
	return facts->outer_count > 0 &&
	       bsearch(&key, facts->outer, facts->outer_count, sizeof key, compare_outer) != NULL;
}

bool facts_outer_next(const struct berm_facts *facts, struct str guarantee, size_t *cursor, struct str *ret_line)
{
	while (*cursor < facts->outer_count) {
		const struct outer_line *line = &facts->outer[(*cursor)++];
		if (!str_eq(line->guarantee, guarantee))
			continue;
		*ret_line = line->line;
		return true;
	}
	return false;
}

/* ---- what can be asked directly --------------------------------------------------------------------------------- */

static void ask_kernel(struct berm_facts *facts)
{
	struct utsname name;
	if (uname(&name) < 0)
		return;
	size_t len = strnlen(name.release, sizeof facts->kernel - 1);
	for (size_t i = 0; i < len; i++) /* a value is one line of text */
		facts->kernel[i] = name.release[i] > ' ' && name.release[i] < 0x7f ? name.release[i] : '?';
}

static void ask_landlock(struct berm_facts *facts)
{
	int abi = sys_landlock_create_ruleset(NULL, 0, LL_CREATE_RULESET_VERSION);
	int errata = sys_landlock_create_ruleset(NULL, 0, LL_CREATE_RULESET_ERRATA);
	facts->value[FACT_LANDLOCK_ABI] = abi > 0 ? abi : 0;
	facts->value[FACT_LANDLOCK_ERRATA] = abi > 0 && errata > 0 ? errata : 0;
}

/* A filter that cannot be read: EFAULT tells that the flags are known, EINVAL that they are not. */
static bool flag_is_known(unsigned long flags)
{
	return sys_seccomp_filter(NULL, flags) < 0 && errno == EFAULT;
}

static void ask_seccomp(struct berm_facts *facts)
{
	static const uint32_t actions[] = {SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS};
	bool there = flag_is_known(0);
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		there = there && sys_seccomp_action_avail(actions[i]) == 0;
	bool listener = there && sys_seccomp_action_avail(SECCOMP_RET_USER_NOTIF) == 0 &&
			flag_is_known(SECCOMP_FILTER_FLAG_NEW_LISTENER);
	facts->value[FACT_SECCOMP_FILTER] = there;
	facts->value[FACT_SECCOMP_LISTENER] = listener;
	facts->value[FACT_SECCOMP_WAIT_KILLABLE] =
		listener && flag_is_known(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
}

static void ask_ids(struct berm_facts *facts)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	facts->value[FACT_UID] = (long)geteuid();
	facts->value[FACT_IS_ROOT] = geteuid() == 0;
	if (syscall(SYS_capget, &header, data) == 0)
		facts->value[FACT_CAPS] = (long)((uint64_t)data[1].effective << 32 | data[0].effective);
	facts->value[FACT_NO_NEW_PRIVS] = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

/* A number in a file; missing if there is none. */
static long ask_file(const char *path, long missing)
{
	char text[32];
	uint64_t number;
	ssize_t len = fd_read_file(AT_FDCWD, path, text, sizeof text);
	struct str rest = {text, len > 0 ? (size_t)len : 0}, line;
	if (!str_next(&rest, '\n', &line) || str_u64(line, LONG_MAX, &number, NULL) != BERM_OK)
		return missing;
	return (long)number;
}

static void ask_settings(struct berm_facts *facts)
{
	static const char *const container_signs[] = {"/.dockerenv", "/run/.containerenv", "/run/systemd/container",
						      "/var/run/secrets/kubernetes.io"};
	facts->value[FACT_YAMA] = ask_file("/proc/sys/kernel/yama/ptrace_scope", 0);
	facts->value[FACT_APPARMOR_USERNS] = ask_file("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0);
	facts->value[FACT_USERNS_SYSCTL] = ask_file("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0 ||
					   ask_file("/proc/sys/user/max_user_namespaces", 1) == 0;
	for (size_t i = 0; i < ARRAY_LEN(container_signs); i++)
		if (access(container_signs[i], F_OK) == 0)
			facts->value[FACT_IN_CONTAINER] = 1;
}

enum berm_code facts_probe_quick(struct berm_facts **ret_facts, struct berm_err *err)
{
	struct berm_facts *facts = NULL;
	TRY(facts_new(&facts, err));
	for (int fact = 0; fact < FACT_COUNT; fact++)
		facts->value[fact] = fact_table[fact].assumed;
	ask_kernel(facts);
	ask_landlock(facts);
	ask_seccomp(facts);
	ask_ids(facts);
	if (facts->value[FACT_SECCOMP_LISTENER] == 0)
		facts->value[FACT_SECCOMP_SYNC_WAKEUP] = facts->value[FACT_SECCOMP_ADDFD] = 0;
	*ret_facts = facts;
	return BERM_OK;
}

enum berm_code berm_facts_probe(struct berm_facts **ret_facts, struct berm_err *err)
{
	auto_facts struct berm_facts *facts = NULL;
	TRY(facts_probe_quick(&facts, err));
	ask_settings(facts);
	TRY(facts_try(facts, err));
	facts_probe_cgroup(facts, true);
	*ret_facts = take(facts);
	return BERM_OK;
}

/* ---- what would help -------------------------------------------------------------------------------------------- */

static const char *improve_namespaces(const struct berm_facts *facts)
{
	if (facts->value[FACT_OUTER_PLAN] != 0 || facts->value[FACT_OUTER_LANDLOCK] != 0)
		return "a start outside the sandbox that is around this one";
	if (facts->value[FACT_APPARMOR_USERNS] != 0)
		return "an AppArmor profile for berm with 'userns,', or sysctl "
		       "kernel.apparmor_restrict_unprivileged_userns=0";
	if (facts->value[FACT_USERNS_SYSCTL] != 0)
		return "sysctl kernel.unprivileged_userns_clone=1 and user.max_user_namespaces above 0";
	if (facts->value[FACT_IN_CONTAINER] != 0)
		return "a container that allows user namespaces and mounts in them (--security-opt seccomp=PROFILE)";
	return NULL;
}

const char *facts_improve(const struct berm_facts *facts, enum fact fact)
{
	if (fact >= FACT_USER_NAMESPACE && fact <= FACT_NF_TABLES) {
		const char *here = improve_namespaces(facts);
		if (here != NULL)
			return here;
	}
	if (fact == FACT_SECCOMP_LISTENER && (facts->value[FACT_OUTER_PLAN] != 0))
		return "a start outside the sandbox that is around this one";
	return fact_table[fact].improve != NULL ? fact_table[fact].improve : "another machine";
}
