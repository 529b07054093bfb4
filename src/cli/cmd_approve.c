#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/env.h"
#include "base/own.h"
#include "cli/approve_text.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "format/json_out.h"
#include "os/ev.h"
#include "os/fd.h"
#include "session/control.h"
#include "session/home.h"

enum {
	LOOK_MS = 300,	/* between two looks at what waits */
	UNSEEN_MS = 250 /* a key this soon after a question was shown was meant for something else */
};

struct approve_choices {
	bool json, folder, host;
	const char *once, *session, *always, *deny, *never, *time, *reason;
};

#define ANSWER_ROW(field, text)                                                                                        \
	{                                                                                                              \
		.name = #field, .kind = OPTION_TEXT, .offset = offsetof(struct approve_choices, field),                \
		.argument = "ID", .help = (text)                                                                       \
	}
static const struct option_row rows[] = {
	ANSWER_ROW(once, "allow the question of this number, once"),
	ANSWER_ROW(session, "allow it as long as the session lasts"),
	ANSWER_ROW(always, "allow it, and write a line into your policy"),
	ANSWER_ROW(deny, "deny it, once"),
	ANSWER_ROW(never, "deny it, and write a line into your policy"),
	{
		.name = "folder",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct approve_choices, folder),
		.help = "with --session, --always or --never: the folder of the file, and all below it",
	},
	{
		.name = "host",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct approve_choices, host),
		.help = "with --session, --always or --never: the host, whatever is asked for of it",
	},
	{
		.name = "for",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct approve_choices, time),
		.argument = "TIME",
		.help = "with --session: as long as this (15m)",
	},
	{
		.name = "reason",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct approve_choices, reason),
		.argument = "TEXT",
		.help = "why, for the events",
	},
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct approve_choices, json),
		.help = "what waits, or what became of an answer, as JSON",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set approve_option_set = {.rows = rows, .count = ARRAY_LEN(rows), .anywhere = true};

/* ---- the session ------------------------------------------------------------------------------------------------- */

/* One session, and its last answer. */
struct talk {
	char folder[PATH_MAX];
	char session[CONTROL_NAME_MAX + 1];
	struct arena arena;
	struct problems problems;
	struct buf answer;
	const struct node *root;
};

static struct talk *talk_new(void)
{
	struct talk *talk = calloc(1, sizeof *talk);
	if (talk == NULL)
		return NULL;
	arena_init(&talk->arena, NODE_MAX_MEMORY);
	buf_init(&talk->answer, CONTROL_MAX);
	return talk;
}

static void talk_drop(struct talk **talk)
{
	if (*talk == NULL)
		return;
	arena_done(&(*talk)->arena);
	buf_done(&(*talk)->answer);
	free(*talk);
}
#define auto_talk __attribute__((cleanup(talk_drop)))

/* op "approvals": what waits; "approve": id is answered with text. */
static enum berm_code ask_session(struct talk *talk, const char *op, const char *id, const char *text,
				  struct berm_err *err)
{
	const struct control_request request = {.op = op, .file = id, .text = str_from(text)};
	arena_done(&talk->arena);
	buf_clear(&talk->answer);
	talk->problems.count = 0;
	talk->root = NULL;
	TRY(control_ask(talk->folder, talk->session, &request, &talk->answer, err));
	TRY(node_parse(&talk->arena, buf_str(&talk->answer), talk->session, &talk->root, &talk->problems, err));
	if (str_eq(approve_text_of(talk->root, "ok", NULL), STR("true")))
		return BERM_OK;
	return err_set(err, BERM_ERR_NOTFOUND, "%s", approve_text_of(talk->root, "error", NULL).ptr);
}

static enum berm_code find_session(struct talk *talk, const char *session, struct berm_err *err)
{
	const char *const *envp = (const char *const *)environ;
	char home[1024];
	size_t count = 0;
	bool has_home = home_find(env_get(envp, "HOME"), getuid(), home, sizeof home);
	TRY(control_folder(envp, has_home ? home : NULL, talk->folder, err));
	if (session != NULL) {
		if (!control_is_name(session))
			return err_set(err, BERM_ERR_INVALID, "'%.70s' is no name of a session", session);
		(void)snprintf(talk->session, sizeof talk->session, "%s", session);
		return BERM_OK;
	}
	TRY(control_find(talk->folder, talk->session, &count, err));
	return count == 1 ? BERM_OK
			  : err_set(err, BERM_ERR_INVALID, "%zu sessions run: name one, %s for example", count,
				    talk->session);
}

/* ---- one answer, by its number ----------------------------------------------------------------------------------- */

/* The decision of the command line. NULL: none; *ret_many: more than one. */
static const char *find_decision(const struct approve_choices *choices, const char **ret_scope, bool *ret_allow,
				 bool *ret_many)
{
	const struct {
		const char *id, *scope;
		bool allow;
	} all[] = {
		{choices->once, "once", true},	{choices->session, "session", true}, {choices->always, "always", true},
		{choices->deny, "once", false}, {choices->never, "always", false},
	};
	const char *id = NULL;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].id == NULL)
			continue;
		*ret_many |= id != NULL;
		id = all[i].id;
		*ret_scope = all[i].scope;
		*ret_allow = all[i].allow;
	}
	return id;
}

static void put_answer(const struct approve_choices *choices, const char *scope, bool allow, struct buf *out)
{
	struct json_out json;
	json_init(&json, out);
	json_object(&json, NULL);
	json_text(&json, "decision", allow ? STR("allow") : STR("deny"));
	json_text(&json, "scope", str_from(scope));
	if (choices->folder || choices->host)
		json_text(&json, "extent", choices->folder ? STR("folder") : STR("host"));
	if (choices->time != NULL)
		json_text(&json, "for", str_from(choices->time));
	if (choices->reason != NULL)
		json_text(&json, "reason", str_from(choices->reason));
	json_object_end(&json);
}

static int print_json(const struct talk *talk, int status)
{
	auto_buf struct buf out;
	buf_init(&out, CONTROL_MAX + 1);
	buf_put_str(&out, buf_str(&talk->answer));
	buf_putc(&out, '\n');
	int said = say_result(&out);
	return said != EXIT_YES ? said : status;
}

static int answer_one(struct talk *talk, const struct approve_choices *choices, const char *id, const char *scope,
		      bool allow)
{
	struct berm_err err;
	auto_buf struct buf text;
	buf_init(&text, NODE_MAX_BYTES);
	put_answer(choices, scope, allow, &text);
	enum berm_code code = buf_check(&text, &err);
	if (code == BERM_OK)
		code = ask_session(talk, "approve", id, text.data, &err);
	if (choices->json && talk->root != NULL)
		return print_json(talk, code == BERM_OK ? EXIT_YES : EXIT_NO);
	if (code == BERM_OK)
		return EXIT_YES;
	return say_failure(&err, "", talk->root != NULL ? EXIT_NO : EXIT_REFUSED);
}

/* ---- what waits -------------------------------------------------------------------------------------------------- */

static int list(struct talk *talk, const struct approve_choices *choices)
{
	struct berm_err err;
	const struct say_screen screen = say_screen(STDOUT_FILENO);
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	enum berm_code code = ask_session(talk, "approvals", "", "", &err);
	if (code == BERM_OK && choices->json)
		return print_json(talk, EXIT_YES);
	if (code == BERM_OK)
		code = approve_text_list(node_find(talk->root, "approvals"), screen.table_width, screen.colour, &out,
					 &err);
	return code == BERM_OK ? say_result(&out) : say_failure(&err, "", EXIT_REFUSED);
}

/* ---- one after the other, at a terminal -------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	interrupted = signal;
}

struct keyboard {
	struct termios before;
	bool changed;
};

static void keyboard_open(struct keyboard *keyboard)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	const struct sigaction action = {.sa_handler = on_signal};
	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		(void)sigaction(ending[i], &action, NULL);
	if (tcgetattr(STDIN_FILENO, &keyboard->before) < 0)
		return;
	struct termios keys = keyboard->before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	keyboard->changed = tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys) == 0;
}

static void keyboard_close(const struct keyboard *keyboard)
{
	if (keyboard->changed)
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &keyboard->before);
}
#define auto_keyboard __attribute__((cleanup(keyboard_close)))

/* The key that was pressed within that time; 0: none; -1: there will be none. */
static int next_key(int timeout_ms)
{
	char key = 0;
	struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
	int ready = poll(&wait, 1, timeout_ms);
	if (ready <= 0)
		return 0;
	ssize_t n = read(STDIN_FILENO, &key, 1);
	if (n < 0 && errno == EINTR)
		return 0;
	return n == 1 ? (unsigned char)key : -1;
}

struct following {
	struct talk *talk;
	uint64_t shown;	  /* the question on the screen; 0: none */
	uint64_t later;	  /* up to this one they are left alone */
	int64_t shown_ms; /* since when */
	bool colour;
};

static uint64_t id_of(const struct node *question)
{
	uint64_t id = 0;
	return str_u64(approve_text_of(question, "id", NULL), UINT64_MAX, &id, NULL) == BERM_OK ? id : 0;
}

/* The question that is shown, as long as it waits; else the first that was not put off. */
static const struct node *pick(const struct following *following)
{
	const struct node *questions = node_find(following->talk->root, "approvals"), *first = NULL;
	for (const struct node *at = questions != NULL ? questions->first : NULL; at != NULL; at = at->next) {
		uint64_t id = id_of(at);
		if (id == following->shown && id != 0)
			return at;
		if (first == NULL && id > following->later)
			first = at;
	}
	return first;
}

static void write_out(const struct buf *text)
{
	if (text->len > 0 && fd_write_full(STDOUT_FILENO, text->data, text->len) < 0)
		interrupted = SIGHUP; /* nobody sees it */
}

static void show(struct following *following, const struct node *question)
{
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	uint64_t id = question != NULL ? id_of(question) : 0;
	if (id == following->shown)
		return;
	if (following->shown != 0)
		buf_puts(&out, "over\n");
	following->shown = id;
	if (question != NULL) {
		buf_putc(&out, '\n');
		approve_text_question(question, following->colour, &out);
		approve_text_keys(question, &out);
		(void)tcflush(STDIN_FILENO, TCIFLUSH);
		following->shown_ms = ev_now_ms();
	}
	write_out(&out);
}

static void take_key(struct following *following, const struct node *question, int key)
{
	struct berm_err err;
	char id[24];
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	if (question == NULL || ev_now_ms() - following->shown_ms < UNSEEN_MS)
		return;
	const char *answer = approve_text_answer(question, (char)key);
	if (answer == NULL && key != 'l')
		return; /* Enter and all else answer nothing */
	(void)snprintf(id, sizeof id, "%llu", (unsigned long long)following->shown);
	buf_printf(&out, "%c", key);
	if (answer == NULL)
		following->later = following->shown;
	else if (ask_session(following->talk, "approve", id, answer, &err) != BERM_OK)
		buf_printf(&out, ": %s", err.msg);
	buf_putc(&out, '\n');
	following->shown = 0;
	write_out(&out);
}

static int follow(struct talk *talk)
{
	struct berm_err err = {0};
	struct following following = {.talk = talk, .colour = say_screen(STDOUT_FILENO).colour};
	auto_keyboard struct keyboard keyboard = {.changed = false};
	int key = 0;
	if (ask_session(talk, "approvals", "", "", &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	keyboard_open(&keyboard);
	say_line("questions of %s; q ends", talk->session);
	while (interrupted == 0 && key >= 0 && key != 'q') {
		const struct node *question = pick(&following);
		show(&following, question);
		key = next_key(LOOK_MS);
		if (key > 0)
			take_key(&following, question, key);
		if (ask_session(talk, "approvals", "", "", &err) != BERM_OK)
			break;
	}
	if (following.shown != 0)
		(void)fd_write_full(STDOUT_FILENO, "\n", 1);
	if (err.code != BERM_OK)
		say_line("the session is over");
	return interrupted != 0 ? EXIT_SIGNALLED + interrupted : EXIT_YES;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int serve(const struct command *self, const struct approve_choices *choices, const char *session)
{
	struct berm_err err;
	const char *scope = NULL;
	bool allow = false, many = false;
	auto_talk struct talk *talk = talk_new();
	const char *id = find_decision(choices, &scope, &allow, &many);
	bool wide = choices->folder || choices->host || choices->time != NULL || choices->reason != NULL;
	if (many || (choices->folder && choices->host) || (wide && id == NULL)) {
		(void)err_set(&err, BERM_ERR_INVALID,
			      many ? "one answer at a time" : "what is to be answered, and how?");
		return commands_usage(self, &err, NULL);
	}
	if (talk == NULL) {
		(void)err_set(&err, BERM_ERR_NOMEM, "ask a session");
		return say_failure(&err, "", EXIT_REFUSED);
	}
	if (find_session(talk, session, &err) != BERM_OK)
		return say_failure(&err, "berm approve SESSION",
				   err.code == BERM_ERR_INVALID ? EXIT_USAGE : EXIT_REFUSED);
	if (id != NULL)
		return answer_one(talk, choices, id, scope, allow);
	bool person = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
	return choices->json || !person ? list(talk, choices) : follow(talk);
}

int cmd_approve(const struct command *self, const char *const *argv)
{
	struct approve_choices choices = {0};
	struct berm_err err;
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	if (options.rest[0] != NULL && options.rest[1] != NULL) {
		(void)err_set(&err, BERM_ERR_INVALID, "one session at a time: '%.60s'", options.rest[1]);
		return commands_usage(self, &err, NULL);
	}
	return serve(self, &choices, options.rest[0]);
}
