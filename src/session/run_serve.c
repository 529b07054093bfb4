#include "session/run_state.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/path.h"
#include "policy/floor.h"
#include "sandbox/caps.h"

enum { OFFERED_LINES = 40, OFFERED_BYTES = 64 * 1024 };

void run_line_find(const struct policy_entry *entry, const char *text, struct run_line *ret_line)
{
	ret_line->by = (struct event_by){.text = text, .layer = "default"};
	ret_line->at[0] = '\0';
	if (entry == NULL)
		return;
	policy_entry_place(entry, ret_line->at, sizeof ret_line->at);
	(void)snprintf(ret_line->layer, sizeof ret_line->layer, "%s%s%s", policy_layer_words[entry->layer],
		       entry->doc->name != NULL ? " " : "", entry->doc->name != NULL ? entry->doc->name : "");
	ret_line->by.layer = ret_line->layer;
	ret_line->by.at = ret_line->at;
	ret_line->by.rule = policy_keys[entry->line->key].path;
	ret_line->by.narrows = entry->line->key != KEY_FS_DEFAULT;
	if (entry->line->key == KEY_FS_DEFAULT || entry->line->key == KEY_ASK)
		ret_line->by.text = entry->line->text;
}

/* What the flag that grants it would grant. */
static unsigned rights_for(enum berm_request_op op)
{
	if (op == BERM_OP_READ)
		return BERM_READ;
	return op == BERM_OP_EXEC ? BERM_READ | BERM_EXEC : BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC;
}

/* The entry of the floor that no flag passes; NULL: none. */
static const struct floor_row *find_floor(const struct run *run, const struct berm_request *request)
{
	const struct floor_places places = floor_places_of(&run->input);
	const char *const *mount = run->input.kernel_mounts;
	if (request->kind != BERM_REQUEST_FILE || request->object[0] != '/')
		return NULL;
	for (; mount != NULL && *mount != NULL; mount++)
		if (path_is_in(str_from(request->object), str_from(*mount)))
			return &floor_mounts_row;
	return floor_find(request->object, rights_for(request->op), &places);
}

static void tell_floor(const struct floor_row *row, struct run_line *line)
{
	(void)snprintf(line->text, sizeof line->text, "nothing grants it: %s", row->why);
	line->by = (struct event_by){.rule = "floor", .text = line->text, .layer = "floor", .narrows = true};
}

/* Which line it was; none if what is not granted is closed. */
static void find_line(const struct run *run, const struct berm_request *request, struct run_line *ret_line)
{
	struct str object = str_from(request->object);
	const struct policy_entry *entry = policy_find_rule(run->policy, request->rule, request->object);
	bool path = request->kind == BERM_REQUEST_FILE || request->kind == BERM_REQUEST_SOCKET;
	bool denials =
		path && run->input.denials_folder != NULL && path_is_in(object, str_from(run->input.denials_folder));
	const struct floor_row *floor = entry == NULL ? find_floor(run, request) : NULL;
	const char *text = denials ? "this session's denials" : request->rule;
	if (floor == NULL && entry == NULL && path &&
	    (entry = policy_find_closing(run->policy, request->object)) != NULL)
		text = entry->line->text; /* nothing grants it, and nothing could */
	run_line_find(entry, text, ret_line);
	ret_line->by.narrows |= denials;
	if (floor != NULL)
		tell_floor(floor, ret_line);
}

void run_put_request(struct run *run, const struct berm_request *request, const char *words)
{
	struct run_line line;
	struct event event;
	find_line(run, request, &line);
	event_from_request(request, &line.by, &event);
	event.decided = true;
	if (words != NULL)
		event.detail = words;
	journal_put(&run->journal, &event);
}

static void take_request(struct run *run, const struct berm_request *request)
{
	if (request->withdrawn || request->open)
		run_ask_take(run, request);
	else
		run_put_request(run, request, NULL);
}

/* Takes all that has arrived. False: the sandbox has ended. */
static bool take_requests(struct run *run)
{
	struct berm_request request;
	enum berm_code code;
	do {
		code = berm_sandbox_next(run->box, 0, &request, NULL);
		if (code == BERM_OK)
			take_request(run, &request);
		int signal = berm_sandbox_stopped(run->box);
		if (signal != 0)
			run_terminal_stopped(run, signal);
	} while (code == BERM_OK);
	return code == BERM_ERR_TIMEOUT;
}

static enum berm_code serve(struct run *run, struct berm_err *err)
{
	struct pollfd polls[] = {
		{.fd = berm_sandbox_fd(run->box), .events = POLLIN},
		{.fd = run->jobs.signal_fd, .events = POLLIN},
		{.fd = -1, .events = POLLIN}, /* of the files' watch */
		{.fd = run->control != NULL ? control_fd(run->control) : -1, .events = POLLIN},
		{.fd = approvals_fd(run->approvals), .events = POLLIN},
		{.fd = run_terminal_fd(run), .events = POLLIN},
		{.fd = -1, .events = POLLIN}, /* of the network filter */
	};
	for (;;) {
		polls[2].fd = run->reload != NULL ? reload_fd(run->reload) : -1;
		polls[6].fd = run->net.net != NULL ? net_fd(run->net.net) : -1;
		if (poll(polls, ARRAY_LEN(polls), run_change_timeout_ms(run)) < 0 && errno != EINTR)
			return err_sys(err, "wait for the sandbox");
		if (polls[1].revents != 0)
			run_terminal_signals(run);
		if (polls[0].revents != 0 && !take_requests(run))
			return BERM_OK;
		if (polls[6].fd >= 0 && polls[6].revents != 0)
			run_net_take(run);
		run_take_changes(run, polls[2].revents != 0, polls[3].revents != 0);
		approvals_run(run->approvals);
		run_terminal_turn(run);
		denials_write(run->denials);
	}
}

/* As many as an event takes. */
static void fill_offers(const struct offers *offers, struct arena *arena, const char *ret_lines[OFFERED_LINES + 1])
{
	for (size_t i = 0; offers != NULL && i < offers->learn.lines.len && i < OFFERED_LINES; i++) {
		auto_buf struct buf line;
		buf_init(&line, EVENT_LINE_MAX / OFFERED_LINES);
		offers_put_line(vec_at(&offers->learn.lines, i), &line);
		ret_lines[i] = buf_check(&line, NULL) == BERM_OK ? arena_text(arena, buf_str(&line)) : NULL;
		if (ret_lines[i] == NULL)
			return;
	}
}

static void put_stop(struct run *run, const struct berm_status *status)
{
	struct event limit = {
		.kind = EVENT_LIMIT,
		.op = "hit",
		.limit = "wall",
		.limit_value = run->caps->limit[BERM_LIMIT_WALL_MS],
	};
	const char *lines[OFFERED_LINES + 1] = {NULL};
	struct event stop = {.kind = EVENT_SESSION, .op = "stop", .status = status};
	auto_arena struct arena arena;
	arena_init(&arena, OFFERED_BYTES);
	if (status->wall_limit)
		journal_put(&run->journal, &limit);
	fill_offers(run->offers, &arena, lines);
	stop.offers = lines[0] != NULL ? lines : NULL;
	journal_put(&run->journal, &stop);
}

enum berm_code run_finish(struct run *run, struct run_result *ret_result, struct berm_err *err)
{
	TRY(serve(run, err));
	run_ask_end(run);
	TRY(berm_sandbox_wait(run->box, &run->result.status, err));
	run_net_finish(run);
	run->result.status.denied += run->net.denied;
	run_terminal_end(run);
	if (denials_count(run->denials) > 0 && offers_new(&run->input, run->denials, &run->offers, NULL) == BERM_OK)
		run->result.offers = run->offers;
	put_stop(run, &run->result.status);
	run->result.events_failure = run->journal.failure;
	*ret_result = run->result;
	return BERM_OK;
}
