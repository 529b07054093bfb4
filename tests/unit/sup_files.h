/*
 * What the tests of files on behalf share: an ordinary user, a folder to work in, a plan for it made from capabilities for
 * a machine without namespaces, and a task that has its Landlock domain as well as its filter.
 */
#ifndef BERM_TESTS_SUP_FILES_H
#define BERM_TESTS_SUP_FILES_H

#include "sup_rig.h"

#include <grp.h>
#include <sys/mman.h>

#include "berm/berm.h"

enum { ORDINARY_USER = 65534 };

static struct files {
	char base[64];	  /* holds all others */
	char ws[80];	  /* may be read, written, removed in, run */
	char other[80];	  /* the same, a grant of its own */
	char keep[80];	  /* no removing */
	char outside[80]; /* may be read */
} files;

/* Adds to the capabilities of the next plan; or NULL. */
static void (*files_more)(struct berm_caps *caps);

/* As root everything would be allowed by the file system itself. */
static inline int files_be_ordinary(void)
{
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(ORDINARY_USER) < 0 || setuid(ORDINARY_USER) < 0))
		return -1;
	(void)umask(022);
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static inline int files_setup(void **state)
{
	(void)state;
	files_more = NULL;
	const struct {
		char *path;
		const char *name;
	} folders[] = {{files.ws, "ws"}, {files.other, "other"}, {files.keep, "keep"}, {files.outside, "outside"}};
	(void)snprintf(files.base, sizeof(files.base), "/tmp/berm-files-XXXXXX");
	if (files_be_ordinary() < 0 || mkdtemp(files.base) == NULL)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		(void)snprintf(folders[i].path, sizeof(files.ws), "%s/%s", files.base, folders[i].name);
		if (mkdir(folders[i].path, 0755) < 0)
			return -1;
	}
	return 0;
}

static inline int files_remove(void **state)
{
	char command[200];
	(void)state;
	(void)snprintf(command, sizeof(command), "chmod -R u+rwx '%s'; rm -rf '%s'", files.base, files.base);
	return system(command); /* NOLINT(cert-env33-c): a folder of our own making */
}

/* The caller frees. NULL: this machine cannot run these tests. */
static inline struct berm_plan *files_plan(const struct berm_rule *rules, size_t count)
{
	struct berm_caps *caps = NULL;
	struct berm_facts *facts = NULL;
	struct berm_plan *plan = NULL;
	struct berm_err err = {0};
	const unsigned all = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC;
	assert_int_equal(berm_caps_new(&caps, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, "/", BERM_READ | BERM_EXEC, BERM_TREE, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, files.ws, all, BERM_TREE, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, files.other, all, BERM_TREE, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, files.keep, all & ~(unsigned)BERM_DELETE, BERM_TREE, NULL), BERM_OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(berm_caps_rule(caps, &rules[i], NULL), BERM_OK);
	if (files_more != NULL)
		files_more(caps);
	assert_int_equal(berm_caps_backend(caps, BERM_BACKEND_LANDLOCK, NULL), BERM_OK);
	assert_int_equal(berm_facts_probe(&facts, NULL), BERM_OK);
	if (berm_facts_get(facts, "landlock_abi") >= 3 && berm_facts_get(facts, "seccomp_listener") > 0 &&
	    berm_plan_make(caps, facts, &plan, &err) != BERM_OK)
		fail_msg("%s", err.msg);
	berm_facts_free(facts);
	berm_caps_free(caps);
	return plan;
}

/* Inside: what the plan gives to Landlock, and nothing else. */
static inline void files_confine(const struct berm_plan *plan)
{
	const struct ll_ruleset_attr attr = {.handled_access_fs = landlock_handled(plan->landlock_abi)};
	int ruleset = sys_landlock_create_ruleset(&attr, sizeof(attr.handled_access_fs), 0);
	CHECK(ruleset >= 0);
	for (size_t i = 0; i < plan->grant_count; i++) {
		const struct plan_grant *grant = &plan->grants[i];
		uint64_t access = landlock_access(grant->rights, grant->govern, grant->tree, plan->landlock_abi);
		int fd = open(grant->path, O_PATH | O_CLOEXEC);
		CHECK(fd >= 0 && (access == 0 || sys_landlock_add_path(ruleset, fd, access) == 0));
		(void)close(fd);
	}
	int dev = open("/dev", O_PATH | O_CLOEXEC);
	CHECK(dev >= 0);
	CHECK(sys_landlock_add_path(ruleset, dev, LL_FS_READ_FILE | LL_FS_WRITE_FILE | LL_FS_READ_DIR) == 0);
	(void)close(dev);
	CHECK(sys_landlock_restrict_self(ruleset, 0) == 0);
	(void)close(ruleset);
}

struct files_work {
	const struct berm_plan *plan;
	void (*work)(void *arg);
	void *arg;
};

static inline void files_task(void *arg)
{
	const struct files_work *work = arg;
	files_confine(work->plan);
	CHECK(chdir(files.ws) == 0);
	work->work(work->arg);
}

/* Runs work in ws under the rules; its exit status, or -1 if this machine cannot. */
static inline int files_run(const struct berm_rule *rules, size_t count, void (*work)(void *arg), void *arg)
{
	struct berm_plan *plan = files_plan(rules, count);
	if (plan == NULL)
		return -1;
	struct files_work inside = {.plan = plan, .work = work, .arg = arg};
	struct rig rig = {.plan = *plan, .task = files_task, .arg = &inside};
	int status = rig_run(&rig);
	berm_plan_free(plan);
	return status;
}

#define FILES_RUN(rules, work, arg)                                                                                    \
	do {                                                                                                           \
		int status_ = files_run(rules, ARRAY_LEN(rules), work, arg);                                           \
		if (status_ < 0)                                                                                       \
			skip(); /* no Landlock, or no listener, here */                                                \
		assert_int_equal(status_, 0);                                                                          \
	} while (0)

static inline void files_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

/* Does the file hold exactly this? */
static inline bool files_hold(const char *path, const char *text)
{
	char found[300];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, found, sizeof(found));
	if (fd >= 0)
		(void)close(fd);
	return n == (ssize_t)strlen(text) && memcmp(found, text, (size_t)n) == 0;
}

#endif
