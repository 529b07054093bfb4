#include "session/journal.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "os/sys.h"

enum { FILE_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, PROFILE_SHOWN = 256 };

static const char descriptor_prefix[] = "fd:";

const char *journal_file(const char *target)
{
	bool is_fd = target != NULL && strncmp(target, descriptor_prefix, strlen(descriptor_prefix)) == 0;
	return is_fd ? NULL : target;
}

/* The part of path behind folder and its slash, or NULL. */
static const char *below(const char *path, const char *folder)
{
	size_t len = folder != NULL ? strlen(folder) : 0;
	bool inside = len > 0 && strncmp(path, folder, len) == 0 && path[len] == '/';
	return inside ? path + len + 1 : NULL;
}

static int open_below(const char *folder, const char *path)
{
	auto_fd int dirfd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct os_open_how how = {
		.flags = FILE_FLAGS,
		.mode = 0600,
		.resolve = OS_RESOLVE_BENEATH | OS_RESOLVE_NO_SYMLINKS | OS_RESOLVE_NO_MAGICLINKS,
	};
	return dirfd < 0 ? -1 : sys_openat2(dirfd, path, &how);
}

static enum berm_code open_file(const char *path, const char *workspace, int *ret_fd, struct berm_err *err)
{
	const char *inside = below(path, workspace);
	int fd = inside != NULL ? open_below(workspace, inside) : open(path, FILE_FLAGS, 0600);
	if (fd < 0)
		return err_sys(err, "open '%s' for events", path);
	*ret_fd = fd;
	return BERM_OK;
}

/* The descriptor stays the caller's: ours is a copy, and the command gets neither. */
static enum berm_code open_descriptor(const char *number, int *ret_fd, struct berm_err *err)
{
	uint64_t fd;
	if (str_u64(str_from(number), INT_MAX, &fd, NULL) != BERM_OK)
		return err_set(err, BERM_ERR_INVALID, "not a descriptor: 'fd:%.20s'", number);
	int flags = fcntl((int)fd, F_GETFL);
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) != 0)
		return err_set(err, BERM_ERR_INVALID, "descriptor %s is not open for writing", number);
	int copy = fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return err_sys(err, "copy descriptor %s", number);
	*ret_fd = copy;
	return BERM_OK;
}

/* A name that people can tell apart and say: "quiet-otter-1f3a". */
static void make_name(char *ret_name, size_t size)
{
	static const char *const first[] = {"quiet", "brisk", "amber", "plain", "early", "lucid", "mossy", "round",
					    "sober", "swift", "tidal", "vivid", "woven", "young", "zesty", "calm"};
	static const char *const second[] = {"otter",	"heron",  "badger", "curlew", "dunlin",	 "ermine",
					     "falcon",	"gannet", "hare",   "ibis",   "jackdaw", "kestrel",
					     "lapwing", "marten", "newt",   "plover"};
	unsigned char bytes[4] = {0};
	/* A session's name is no secret; without random bytes the names are only less different. */
	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) < 0)
		bytes[2] = (unsigned char)getpid();
	(void)snprintf(ret_name, size, "%s-%s-%02x%02x", first[bytes[0] % ARRAY_LEN(first)],
		       second[bytes[1] % ARRAY_LEN(second)], bytes[2], bytes[3]);
}

enum berm_code journal_open(const char *target, const char *workspace, const char *name, struct journal *ret_journal,
			    struct berm_err *err)
{
	int fd = -1;
	const char *path = journal_file(target);
	if (path != NULL)
		TRY(open_file(path, workspace, &fd, err));
	else if (target != NULL)
		TRY(open_descriptor(target + strlen(descriptor_prefix), &fd, err));
	*ret_journal = (struct journal){.fd = fd, .generation = 1};
	buf_init(&ret_journal->line, EVENT_LINE_MAX);
	if (name != NULL)
		(void)snprintf(ret_journal->session, sizeof(ret_journal->session), "%s", name);
	else
		make_name(ret_journal->session, sizeof(ret_journal->session));
	return BERM_OK;
}

static void give_up(struct journal *journal)
{
	(void)close(journal->fd);
	journal->fd = -1;
}

void journal_put(struct journal *journal, struct event *event)
{
	struct timespec now;
	bool denied = journal->denials != NULL && event->decided && event->verdict == BERM_VERDICT_DENY &&
		      event->kind != EVENT_APPROVAL; /* what came of it is an event of its own */
	if (journal->fd < 0 && !denied)
		return;
	event->session = journal->session;
	event->generation = journal->generation;
	event->seq = ++journal->seq;
	if (event->time_ns == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0)
		event->time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (denied)
		denials_put(journal->denials, event);
	if (journal->fd < 0)
		return;
	buf_clear(&journal->line);
	event_print(event, &journal->line);
	if (buf_check(&journal->line, &journal->failure) != BERM_OK) {
		give_up(journal);
		return;
	}
	if (fd_write_full(journal->fd, journal->line.data, journal->line.len) < 0) {
		(void)err_sys(&journal->failure, "write events");
		give_up(journal);
	}
}

void journal_put_load(struct journal *journal, const struct sources *sources)
{
	char profile[PROFILE_SHOWN + 16];
	bool by_program;
	size_t count = 0;
	if (journal->fd < 0)
		return;
	while (sources_file(sources, count) != NULL)
		count++;
	auto_free const char **files = calloc(count + 1, sizeof *files);
	for (size_t i = 0; files != NULL && i < count; i++)
		files[i] = sources_file(sources, i);
	(void)snprintf(profile, sizeof profile, "profile %.*s", PROFILE_SHOWN, sources_profile(sources, &by_program));
	struct event load = {.kind = EVENT_POLICY, .op = "load", .detail = profile, .files = count > 0 ? files : NULL};
	journal_put(journal, &load);
}

void journal_done(struct journal *journal)
{
	if (journal->fd >= 0)
		give_up(journal);
	buf_done(&journal->line);
}
