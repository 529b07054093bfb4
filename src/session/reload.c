#include "session/reload.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/vec.h"
#include "format/json_out.h"
#include "os/ev.h"

enum {
	FOLDER_EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR,
	FILE_EVENTS = IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF,
	BUFFER_SIZE = 16 * 1024,
	MAX_WATCHES = 2 * RELOAD_MAX_FILES
};

static const char ANY[] = "/";

/* A name in a watched folder; "": the watched thing itself. */
struct watch {
	int wd;
	char name[NAME_MAX + 1];
};

struct reload {
	struct reload_maker maker;
	struct berm_sandbox *box;
	int fd;
	struct vec watches;	   /* struct watch */
	int64_t begin_ms;	   /* when watching begins; 0: it has */
	int64_t first_ms, last_ms; /* of the changes that wait; 0: none does */
	char *file, *text;	   /* the further document, or NULL */
	char *refused;		   /* the name of a further document that was refused: problems point there */
	struct berm_err told;	   /* the mistake that was told last; code OK: none */
	struct problems problems;
};

/* ---- watching ------------------------------------------------------------------------------------------------------ */

static enum berm_code add_watch(struct reload *reload, const char *path, const char *name, uint32_t events,
				bool *ret_there, struct berm_err *err)
{
	struct watch watch = {.wd = inotify_add_watch(reload->fd, path, events)};
	size_t len = strlen(name);
	*ret_there = watch.wd >= 0;
	if (watch.wd < 0 || len > NAME_MAX)
		return BERM_OK; /* not there, or not ours to see */
	memcpy(watch.name, name, len);
	return vec_push(&reload->watches, &watch, err);
}

/* Its folder; where that is not there, the nearest above that is, for the name that has to come first. */
static enum berm_code watch_file(struct reload *reload, const char *file, struct berm_err *err)
{
	char folder[PATH_MAX];
	size_t len = strlen(file);
	bool there = false, any = len > 0 && file[len - 1] == '/'; /* whatever is in a folder */
	if (len >= sizeof folder || file[0] != '/')
		return BERM_OK;
	if (any)
		TRY(add_watch(reload, file, ANY, FOLDER_EVENTS, &there, err));
	len -= any;
	TRY(add_watch(reload, file, "", FILE_EVENTS, &there, err)); /* where a link leads */
	memcpy(folder, file, len);
	folder[len] = '\0';
	for (there = false; !there && len > 1;) {
		char name[NAME_MAX + 1] = "";
		char *slash = strrchr(folder, '/');
		(void)snprintf(name, sizeof name, "%s", slash + 1);
		len = slash == folder ? 1 : (size_t)(slash - folder);
		folder[len] = '\0';
		TRY(add_watch(reload, folder, name, FOLDER_EVENTS, &there, err));
	}
	return BERM_OK;
}

/* Which files there are may change with what is in them. */
static enum berm_code watch_files(struct reload *reload, struct berm_err *err)
{
	const char *file;
	const struct watch *watches = reload->watches.items;
	for (size_t i = 0; i < reload->watches.len; i++)
		(void)inotify_rm_watch(reload->fd, watches[i].wd);
	vec_done(&reload->watches);
	for (size_t i = 0; i < RELOAD_MAX_FILES && (file = reload->maker.file(reload->maker.ctx, i)) != NULL; i++)
		TRY(watch_file(reload, file, err));
	return BERM_OK;
}

static bool is_ours(const struct reload *reload, const struct inotify_event *event)
{
	const struct watch *watches = reload->watches.items;
	const char *name = event->len > 0 ? event->name : "";
	if ((event->mask & IN_Q_OVERFLOW) != 0)
		return true;
	for (size_t i = 0; i < reload->watches.len; i++)
		if (watches[i].wd == event->wd &&
		    (strcmp(watches[i].name, name) == 0 || strcmp(watches[i].name, ANY) == 0))
			return (event->mask & IN_IGNORED) == 0;
	return false;
}

static void read_events(struct reload *reload)
{
	_Alignas(struct inotify_event) char buffer[BUFFER_SIZE / 4];
	ssize_t n;
	while ((n = read(reload->fd, buffer, sizeof buffer)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);
			at += (ssize_t)(sizeof(*event) + event->len);
			if (!is_ours(reload, event))
				continue;
			reload->last_ms = ev_now_ms();
			if (reload->first_ms == 0)
				reload->first_ms = reload->last_ms;
		}
	}
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

/* Has anything changed while nobody watched? */
static bool is_newer(const struct reload *reload, const char *file)
{
	struct stat st = {0};
	if (lstat(file, &st) < 0)
		return false;
	return st.st_ctim.tv_sec > reload->maker.read.tv_sec ||
	       (st.st_ctim.tv_sec == reload->maker.read.tv_sec && st.st_ctim.tv_nsec > reload->maker.read.tv_nsec);
}

static void begin(struct reload *reload)
{
	const char *file;
	reload->begin_ms = 0;
	reload->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (reload->fd < 0 || watch_files(reload, NULL) != BERM_OK)
		return; /* what cannot be watched can still be applied */
	for (size_t i = 0; i < RELOAD_MAX_FILES && (file = reload->maker.file(reload->maker.ctx, i)) != NULL; i++)
		if (is_newer(reload, file))
			reload->first_ms = reload->last_ms = ev_now_ms();
}

enum berm_code reload_new(const struct reload_maker *maker, struct berm_sandbox *box, struct reload **ret_reload,
			  struct berm_err *err)
{
	struct reload *reload = calloc(1, sizeof *reload);
	if (reload == NULL)
		return err_set(err, BERM_ERR_NOMEM, "watch policy files");
	reload->maker = *maker;
	reload->box = box;
	reload->fd = -1;
	reload->begin_ms = ev_now_ms() + RELOAD_AFTER_MS;
	vec_init(&reload->watches, sizeof(struct watch), MAX_WATCHES);
	*ret_reload = reload;
	return BERM_OK;
}

void reload_free(struct reload *reload)
{
	if (reload == NULL)
		return;
	if (reload->fd >= 0)
		(void)close(reload->fd);
	vec_done(&reload->watches);
	free(reload->refused);
	free(reload->file);
	free(reload->text);
	free(reload);
}

int reload_fd(const struct reload *reload)
{
	return reload->fd;
}

static int64_t due_ms(const struct reload *reload)
{
	int64_t quiet = reload->last_ms + RELOAD_QUIET_MS, latest = reload->first_ms + RELOAD_LATEST_MS;
	return quiet < latest ? quiet : latest;
}

int reload_timeout_ms(const struct reload *reload)
{
	if (reload->first_ms == 0 && reload->begin_ms == 0)
		return -1;
	int64_t left = (reload->begin_ms != 0 ? reload->begin_ms : due_ms(reload)) - ev_now_ms();
	return left > 0 ? (int)left : 0;
}

/* ---- reloading ----------------------------------------------------------------------------------------------------- */

static enum berm_code swap(struct reload *reload, const char *file, const char *text, enum berm_update how,
			   struct berm_err *err)
{
	const struct reload_maker *maker = &reload->maker;
	struct berm_plan *plan = NULL;
	const struct str document = text != NULL ? str_from(text) : (struct str){NULL, 0};
	reload->problems.count = 0;
	reload->problems.more = false;
	TRY(maker->make(maker->ctx, file, document, &plan, &reload->problems, err));
	uint64_t before = berm_sandbox_generation(reload->box);
	enum berm_code code = berm_sandbox_update(reload->box, plan, how, err);
	/* One that was cut short while it widened is in force all the same. */
	maker->keep(maker->ctx, berm_sandbox_generation(reload->box) != before);
	berm_plan_free(plan);
	return code;
}

static bool same_mistake(const struct berm_err *a, const struct berm_err *b)
{
	return a->code == b->code && strcmp(a->msg, b->msg) == 0;
}

enum reload_outcome reload_next(struct reload *reload, struct berm_err *err)
{
	if (reload->begin_ms != 0 && ev_now_ms() >= reload->begin_ms)
		begin(reload);
	if (reload->fd >= 0)
		read_events(reload);
	if (reload->first_ms == 0 || ev_now_ms() < due_ms(reload))
		return RELOAD_NOTHING;
	reload->first_ms = 0;
	enum berm_code code = swap(reload, reload->file, reload->text, BERM_UPDATE_PARTIAL, err);
	struct berm_err watching;
	if (reload->fd >= 0 && watch_files(reload, &watching) != BERM_OK && code == BERM_OK) {
		*err = watching;
		code = watching.code;
	}
	if (code == BERM_OK) {
		reload->told.code = BERM_OK;
		return RELOAD_DONE;
	}
	if (same_mistake(&reload->told, err))
		return RELOAD_NOTHING;
	reload->told = *err;
	return RELOAD_REFUSED;
}

static enum berm_code apply(struct reload *reload, struct str text, struct berm_err *err)
{
	if (reload->file == NULL || reload->text == NULL)
		return err_set(err, BERM_ERR_NOMEM, "apply a policy");
	if (strlen(reload->text) != text.len)
		return err_set(err, BERM_ERR_PARSE, "'%.100s' holds a NUL byte", reload->file);
	return swap(reload, reload->file, reload->text, BERM_UPDATE_PARTIAL, err);
}

enum reload_outcome reload_apply(struct reload *reload, const char *file, struct str text, struct berm_err *err)
{
	char *old_file = reload->file, *old_text = reload->text;
	reload->file = strdup(file);
	reload->text = strndup(text.ptr, text.len);
	enum berm_code code = apply(reload, text, err);
	free(code == BERM_OK ? old_text : reload->text);
	if (code == BERM_OK) {
		free(old_file);
		reload->told.code = BERM_OK;
		return RELOAD_DONE;
	}
	free(reload->refused);
	reload->refused = reload->file;
	reload->file = old_file;
	reload->text = old_text;
	return RELOAD_REFUSED;
}

const struct problems *reload_problems(const struct reload *reload)
{
	return &reload->problems;
}

/* ---- telling ------------------------------------------------------------------------------------------------------- */

const char *reload_when(enum berm_when when)
{
	static const char *const words[] = {
		[BERM_WHEN_NEXT_RUN] = "next run", [BERM_WHEN_NEW_OPENS] = "new opens", [BERM_WHEN_NOW] = "now"};
	return words[when];
}

static void put_text(struct json_out *json, const char *key, const char *text)
{
	json_text(json, key, str_from(text));
}

static void put_problems(const struct problems *problems, struct json_out *json)
{
	json_array(json, "problems");
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];
		json_object(json, NULL);
		put_text(json, "file", problem->file);
		json_u64(json, "line", problem->line);
		json_u64(json, "column", problem->column);
		put_text(json, "text", problem->text);
		put_text(json, "hint", problem->hint);
		json_object_end(json);
	}
	json_array_end(json);
}

static void put_changes(const struct berm_sandbox *box, struct json_out *json)
{
	struct berm_change change;
	json_array(json, "changes");
	for (size_t i = 0; berm_sandbox_change(box, i, &change); i++) {
		json_object(json, NULL);
		put_text(json, "line", change.line);
		put_text(json, "guarantee", change.guarantee);
		put_text(json, "change", change.added ? "added" : "removed");
		json_bool(json, "narrows", change.narrows);
		put_text(json, "when", reload_when(change.when));
		put_text(json, "note", change.note);
		json_object_end(json);
	}
	json_array_end(json);
}

void reload_report(const struct reload *reload, const struct berm_err *err, struct buf *out)
{
	struct json_out json;
	json_init(&json, out);
	json_object(&json, NULL);
	json_bool(&json, "ok", err == NULL);
	json_u64(&json, "generation", berm_sandbox_generation(reload->box));
	put_text(&json, "error", err != NULL ? err->msg : "");
	put_problems(&reload->problems, &json);
	if (err == NULL)
		put_changes(reload->box, &json);
	json_object_end(&json);
}
