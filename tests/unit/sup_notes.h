/*
 * The same calls on the same files, once by themselves and once on behalf: results, errnos, descriptor numbers, flags and
 * what became of the files must be equal.
 */
#ifndef BERM_TESTS_SUP_NOTES_H
#define BERM_TESTS_SUP_NOTES_H

#include "sup_files.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#define RENAME_EXCHANGE (1 << 1)
#endif

/* An address where nothing is. */
static char *volatile nowhere = (char *)16; /* NOLINT(performance-no-int-to-ptr) */

/* ---- notes of what happened --------------------------------------------------------------------------------------- */

enum { MAX_NOTES = 6000, NOTE_TEXT = 100 };
struct note {
	char what[NOTE_TEXT], more[NOTE_TEXT];
	long result;
	int error;
};
struct notes {
	int count;
	struct note note[MAX_NOTES];
};
static struct notes *notes; /* shared with the task */

static inline void put_note(const char *what, long result, int error, const char *more)
{
	struct note *note = &notes->note[notes->count];
	if (notes->count == MAX_NOTES)
		_exit(1);
	notes->count++;
	(void)snprintf(note->what, sizeof(note->what), "%s", what);
	(void)snprintf(note->more, sizeof(note->more), "%s", more);
	note->result = result;
	note->error = result < 0 ? error : 0;
}

/* EAGAIN: a scoped walk that met a rename anywhere in the system wants to be tried again. */
#define CALL(call)                                                                                                     \
	do {                                                                                                           \
		long result_;                                                                                          \
		int tries_ = 0;                                                                                        \
		do                                                                                                     \
			result_ = (long)(call);                                                                        \
		while (result_ < 0 && errno == EAGAIN && ++tries_ < 50);                                               \
		put_note(#call, result_, errno, "");                                                                   \
	} while (0)

static inline void put_fd(const char *what, int fd)
{
	char more[NOTE_TEXT] = "";
	struct stat st = {0};
	int error = errno;
	if (fd >= 0 && fstat(fd, &st) == 0)
		(void)snprintf(more, sizeof(more), "%x %x %o %ld %ld", (unsigned)fcntl(fd, F_GETFL),
			       (unsigned)fcntl(fd, F_GETFD), st.st_mode, S_ISDIR(st.st_mode) ? 0L : (long)st.st_size,
			       S_ISDIR(st.st_mode) ? 0L : (long)st.st_nlink);
	put_note(what, fd, error, more);
	if (fd >= 0)
		(void)close(fd);
}

#define OPEN(call)                                                                                                     \
	do {                                                                                                           \
		int fd_, tries_ = 0;                                                                                   \
		do                                                                                                     \
			fd_ = (int)(call);                                                                             \
		while (fd_ < 0 && errno == EAGAIN && ++tries_ < 50);                                                   \
		put_fd(#call, fd_);                                                                                    \
	} while (0)

static inline void look(const char *path)
{
	struct stat st = {0};
	char more[NOTE_TEXT] = "";
	int result = lstat(path, &st);
	int error = errno;
	if (result == 0)
		(void)snprintf(more, sizeof(more), "%o %ld %ld", st.st_mode,
			       S_ISDIR(st.st_mode) ? 0L : (long)st.st_size,
			       S_ISDIR(st.st_mode) ? 0L : (long)st.st_nlink);
	put_note(path, result, error, more);
}

static inline void look_times(const char *path)
{
	struct stat st = {0};
	char more[NOTE_TEXT] = "";
	if (lstat(path, &st) == 0 && st.st_mtime < 1000000)
		(void)snprintf(more, sizeof(more), "%ld %ld %ld", (long)st.st_atime, (long)st.st_mtime,
			       (long)st.st_mtim.tv_nsec);
	put_note(path, 0, 0, more);
}

/* ---- where it happens --------------------------------------------------------------------------------------------- */

static char root[100]; /* the run's own folder, which is the current one */

static inline const char *absolute(const char *name)
{
	static char paths[4][200];
	static unsigned next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
	return path;
}

static inline const char *in_proc(const char *before, int fd, const char *after)
{
	static char path[100];
	(void)snprintf(path, sizeof(path), "%s%d%s", before, fd, after);
	return path;
}

static inline void put(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return;
	(void)close(fd);
}

static inline void make_tree(void)
{
	put("file", "content");
	put("ro", "ro");
	put("locked", "");
	CHECK(chmod("ro", 0444) == 0 && chmod("locked", 0) == 0);
	CHECK(mkdir("dir", 0755) == 0 && mkdir("unreadable", 0) == 0 && mkdir("dir/sub", 0755) == 0);
	put("dir/inner", "inner");
	CHECK(symlink("file", "to_file") == 0 && symlink("dir", "to_dir") == 0 &&
	      symlink("missing", "to_missing") == 0);
	CHECK(symlink("to_loop", "to_loop") == 0 && symlink(absolute("file"), "to_abs") == 0);
	CHECK(mknod("sock", S_IFSOCK | 0600, 0) == 0 && mkfifo("fifo", 0600) == 0);
	CHECK(symlink("../file", "dir/up") == 0 && symlink("inner", "dir/here") == 0);
	CHECK(symlink("/inner", "dir/root") == 0 && symlink("../inner", "dir/sub/back") == 0);
	CHECK(symlink("../../file", "dir/sub/out") == 0 && symlink("newer", "dir/dangling") == 0);
}

/* ---- twice -------------------------------------------------------------------------------------------------------- */

struct notes_work {
	void (*const *parts)(void);
	size_t count;
	const char *folder;
};

static inline void notes_do_all(void *arg)
{
	const struct notes_work *work = arg;
	(void)snprintf(root, sizeof(root), "%s/%s", files.ws, work->folder);
	CHECK(sys_close_range(3, ~0U, 0) == 0); /* so that numbers are the same */
	CHECK(mkdir(root, 0755) == 0 && chdir(root) == 0);
	make_tree();
	for (size_t i = 0; i < work->count; i++)
		work->parts[i]();
}

static inline int compare(const struct notes *plain, const struct notes *served)
{
	int different = 0;
	assert_int_equal(plain->count, served->count);
	for (int i = 0; i < plain->count; i++) {
		const struct note *a = &plain->note[i], *b = &served->note[i];
		if (a->result == b->result && a->error == b->error && strcmp(a->what, b->what) == 0 &&
		    strcmp(a->more, b->more) == 0)
			continue;
		print_error("%s: by itself %ld, %s [%s]; on behalf %s: %ld, %s [%s]\n", a->what, a->result,
			    strerror(a->error), a->more, b->what, b->result, strerror(b->error), b->more);
		different++;
	}
	return different;
}

static inline struct notes *shared_notes(void)
{
	void *memory = mmap(NULL, sizeof(struct notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

/* Both folders have names of one length: links in them have their lengths. */
static inline void notes_compare(void (*const *parts)(void), size_t count)
{
	static const struct berm_rule rules[] = {
		{.size = sizeof(rules[0]), .pattern = "**/.protected/**", .right = BERM_PROTECT}};
	struct notes_work work = {.parts = parts, .count = count, .folder = "plain"};
	struct notes *plain = shared_notes(), *served = shared_notes();
	int status = 0;
	notes = plain;
	pid_t pid = fork();
	if (pid == 0) {
		notes_do_all(&work);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	notes = served;
	work.folder = "serve";
	FILES_RUN(rules, notes_do_all, &work);
	print_message("%d calls compared\n", plain->count);
	assert_int_equal(compare(plain, served), 0);
	(void)munmap(plain, sizeof(*plain));
	(void)munmap(served, sizeof(*served));
}

#endif
