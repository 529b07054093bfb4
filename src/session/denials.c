#include "session/denials.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/own.h"
#include "os/ev.h"
#include "os/fd.h"
#include "policy/resolve.h"
#include "session/own_folder.h"

enum { NAME_LEN = 16, LOOKED_AT = 256, TRIES = 3 };
static const char base_name[] = "berm-denials", next_name[] = "next";
const char denials_name[] = POLICY_DENIALS_FILE;

/* One denial: its line, and the part of it by which an equal one is known. */
struct kept {
	uint64_t hash;
	char *key, *line;
	size_t key_len, len;
	uint32_t count;
};

struct denials {
	struct kept kept[DENIALS_MAX];
	size_t count, bytes; /* of the lines */
	bool dropped, behind;
	int base, folder; /* -1: none */
	char name[NAME_LEN + 1];
	char path[PATH_MAX]; /* of the folder; "": none */
	int tokens;	     /* writes that may be made now */
	int64_t filled_ms;   /* when one of them was added last */
};

enum berm_code denials_new(struct denials **ret_denials, struct berm_err *err)
{
	struct denials *denials = calloc(1, sizeof *denials);
	if (denials == NULL)
		return err_set(err, BERM_ERR_NOMEM, "make room for denials");
	denials->base = denials->folder = -1;
	denials->tokens = DENIALS_BURST;
	*ret_denials = denials;
	return BERM_OK;
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

bool denials_base(const char *const *envp, const char *home, char ret_base[static PATH_MAX])
{
	const struct {
		const char *base, *below;
	} places[] = {
		{env_get(envp, "XDG_RUNTIME_DIR"), ""},
		{env_get(envp, "XDG_STATE_HOME"), ""},
		{home, "/.local/state"},
	};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const char *base = places[i].base;
		if (base == NULL || base[0] != '/' || base[1] == '\0')
			continue;
		int len = snprintf(ret_base, PATH_MAX, "%s%s/%s", base, places[i].below, base_name);
		return len > 0 && len < PATH_MAX;
	}
	return false;
}

static int open_at(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static enum berm_code open_base(const char *path, int *ret_fd, struct berm_err *err)
{
	auto_fd int fd = open_at(path);
	if (fd < 0 && errno == ENOENT) {
		TRY(own_folder_make(path, err));
		fd = open_at(path);
	}
	if (fd < 0)
		return err_sys(err, "open folder '%.160s'", path);
	TRY(own_folder_check(fd, path, err));
	*ret_fd = take_fd(&fd);
	return BERM_OK;
}

/* The file, and the next one, if it was never renamed. */
static void empty(int folder)
{
	(void)unlinkat(folder, denials_name, 0);
	(void)unlinkat(folder, next_name, 0);
}

static bool is_name(const char *name)
{
	return strlen(name) == NAME_LEN && strspn(name, "0123456789abcdef") == NAME_LEN;
}

/* The folder of this name, if no session has it, empty and locked; else -1. */
static int take_folder(int base, const char *name)
{
	struct stat st = {0};
	auto_fd int folder = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || flock(folder, LOCK_EX | LOCK_NB) < 0 || fstat(folder, &st) < 0 || st.st_nlink == 0)
		return -1; /* whoever was first may have removed it meanwhile */
	empty(folder);
	return take_fd(&folder);
}

/* One that nobody has: to be used, a spare one, or too much. */
static void find_use(struct denials *denials, const char *name, size_t *spare)
{
	auto_fd int folder = take_folder(denials->base, name);
	if (folder < 0)
		return;
	if (denials->folder < 0) {
		denials->folder = take_fd(&folder);
		memcpy(denials->name, name, sizeof denials->name);
	} else if (++*spare > DENIALS_SPARE) {
		(void)unlinkat(denials->base, name, AT_REMOVEDIR);
	}
}

static void look_at_folders(struct denials *denials)
{
	size_t spare = 0;
	int fd = openat(denials->base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_folder DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	if (dir == NULL && fd >= 0)
		(void)close(fd);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	for (int i = 0; dir != NULL && i < LOOKED_AT && (entry = readdir(dir)) != NULL; i++)
		if (is_name(entry->d_name))
			find_use(denials, entry->d_name, &spare);
}

static enum berm_code make_folder(struct denials *denials, struct berm_err *err)
{
	unsigned char bytes[NAME_LEN / 2];
	if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes)
		return err_sys(err, "name a folder for denials");
	for (size_t i = 0; i < sizeof bytes; i++)
		(void)snprintf(denials->name + 2 * i, 3, "%02x", bytes[i]);
	if (mkdirat(denials->base, denials->name, 0700) < 0)
		return err_sys(err, "make a folder for denials");
	denials->folder = take_folder(denials->base, denials->name);
	return denials->folder >= 0 ? BERM_OK : err_set(err, BERM_ERR_SYS, "another session took the folder");
}

enum berm_code denials_open_folder(struct denials *denials, const char *base, struct berm_err *err)
{
	if (strlen(base) + 1 + NAME_LEN >= sizeof denials->path)
		return err_set(err, BERM_ERR_LIMIT, "path too long: '%.60s'", base);
	TRY(open_base(base, &denials->base, err));
	look_at_folders(denials);
	enum berm_code code = denials->folder >= 0 ? BERM_OK : make_folder(denials, err);
	for (int i = 1; i < TRIES && code != BERM_OK; i++)
		code = make_folder(denials, err);
	if (code == BERM_OK)
		(void)snprintf(denials->path, sizeof denials->path, "%s/%s", base, denials->name);
	return code;
}

const char *denials_folder(const struct denials *denials)
{
	return denials->path[0] != '\0' ? denials->path : NULL;
}

/* ---- what is kept ------------------------------------------------------------------------------------------------ */

static void drop(struct denials *denials, size_t index)
{
	struct kept *kept = &denials->kept[index];
	denials->bytes -= kept->len;
	free(kept->key);
	free(kept->line);
	memmove(kept, kept + 1, (--denials->count - index) * sizeof *kept);
}

void denials_free(struct denials *denials)
{
	if (denials == NULL)
		return;
	while (denials->count > 0)
		drop(denials, denials->count - 1);
	if (denials->folder >= 0) {
		empty(denials->folder);
		(void)close(denials->folder);
	}
	if (denials->base >= 0)
		(void)close(denials->base);
	free(denials);
}

/* What two denials have in common that are the same to a reader. */
static void put_key(const struct event *event, struct buf *key)
{
	const char *const parts[] = {event->op,	     event->object.path, event->object.as, event->task.exe,
				     event->by.rule, event->by.text,	 event->by.at,	   event->detail};
	buf_printf(key, "%d", (int)event->kind);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		buf_putc(key, '\0');
		buf_puts(key, parts[i] != NULL ? parts[i] : "");
	}
}

static uint64_t hash_of(struct str text)
{
	uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a: it only saves comparing */
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.ptr[i]) * 0x100000001b3U;
	return hash;
}

/* Takes the one that is equal away, and its count. */
static uint32_t take_equal(struct denials *denials, struct str key, uint64_t hash)
{
	for (size_t i = denials->count; i-- > 0;) {
		const struct kept *kept = &denials->kept[i];
		if (kept->hash != hash || !str_eq((struct str){kept->key, kept->key_len}, key))
			continue;
		uint32_t count = kept->count;
		drop(denials, i);
		return count;
	}
	return 0;
}

/* Until the new line fits. */
static void make_room(struct denials *denials, size_t len)
{
	while (denials->count == DENIALS_MAX || (denials->count > 0 && denials->bytes + len > DENIALS_MAX_BYTES)) {
		drop(denials, 0);
		denials->dropped = true;
	}
}

void denials_put(struct denials *denials, const struct event *event)
{
	struct event told = *event;
	auto_buf struct buf key, line;
	buf_init(&key, EVENT_LINE_MAX);
	buf_init(&line, EVENT_LINE_MAX);
	put_key(event, &key);
	if (buf_check(&key, NULL) != BERM_OK)
		return;
	struct kept made = {.hash = hash_of(buf_str(&key)), .key_len = key.len};
	uint32_t before = take_equal(denials, buf_str(&key), made.hash);
	made.count = before > UINT32_MAX - event->count ? UINT32_MAX : before + event->count;
	told.count = made.count;
	event_print(&told, &line);
	made.len = line.len;
	made.key = buf_take(&key);
	made.line = buf_take(&line);
	if (made.key == NULL || made.line == NULL) {
		free(made.key);
		free(made.line);
		return;
	}
	make_room(denials, made.len);
	denials->kept[denials->count++] = made;
	denials->bytes += made.len;
	denials->behind = true;
}

size_t denials_count(const struct denials *denials)
{
	return denials->count;
}

bool denials_dropped(const struct denials *denials)
{
	return denials->dropped;
}

void denials_text(const struct denials *denials, struct buf *out)
{
	for (size_t i = 0; i < denials->count; i++)
		buf_put(out, denials->kept[i].line, denials->kept[i].len);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

int denials_timeout_ms(const struct denials *denials)
{
	if (!denials->behind || denials->folder < 0)
		return -1;
	int64_t left = denials->tokens > 0 ? 0 : denials->filled_ms + DENIALS_INTERVAL_MS - ev_now_ms();
	return left > 0 ? (int)left : 0;
}

static bool take_token(struct denials *denials)
{
	int64_t now = ev_now_ms(), more = (now - denials->filled_ms) / DENIALS_INTERVAL_MS;
	if (more > 0) {
		denials->tokens = more < DENIALS_BURST - denials->tokens ? denials->tokens + (int)more : DENIALS_BURST;
		denials->filled_ms = now;
	}
	if (denials->tokens == 0)
		return false;
	denials->tokens--;
	return true;
}

/* A file that cannot be written stays as it was until the next denial. */
void denials_write(struct denials *denials)
{
	auto_buf struct buf text;
	buf_init(&text, DENIALS_MAX_BYTES + EVENT_LINE_MAX);
	if (!denials->behind || denials->folder < 0 || !take_token(denials))
		return;
	denials->behind = false;
	denials_text(denials, &text);
	(void)unlinkat(denials->folder, next_name, 0);
	auto_fd int fd = openat(denials->folder, next_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0 || buf_check(&text, NULL) != BERM_OK || fd_write_full(fd, text.data, text.len) < 0 ||
	    renameat(denials->folder, next_name, denials->folder, denials_name) < 0)
		(void)unlinkat(denials->folder, next_name, 0);
}
