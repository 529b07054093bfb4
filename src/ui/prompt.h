/*
 * A question to a person, as lines of text: what would happen and to which object first, then who wants it and why it is
 * asked, then the keys. Nothing is the default. What comes from inside the sandbox cannot command the terminal. State in,
 * text out; keys in, answers out.
 */
#ifndef BERM_UI_PROMPT_H
#define BERM_UI_PROMPT_H

#include "ui/colour.h"

enum { PROMPT_LINES_MAX = 16 };

struct prompt_view {
	const char *effect;  /* "READ" */
	const char *object;  /* what it is one and the same by */
	const char *as;	     /* as the program wrote it; NULL or the same: not shown */
	const char *program; /* its path; NULL: not known */
	int pid;
	const char *rule;   /* the line that asks; or NULL */
	const char *reason; /* what the program said; or NULL */
	const char *session;
	const char *folder; /* what [f] would allow; NULL: there is no such key */
	size_t waiting;	    /* calls that wait for it */
	unsigned seconds_left;
	bool keys; /* they are taken by now: shown; else what to wait for */
};

/* At most max_lines (2 to PROMPT_LINES_MAX) lines of width columns, '\n' between them: the object and the keys come before all
 * else. Returns how many. */
size_t prompt_print(const struct prompt_view *view, size_t width, size_t max_lines, bool colour, struct buf *out);

enum prompt_answer {
	PROMPT_NOTHING = 0,
	PROMPT_NO,
	PROMPT_NEVER,
	PROMPT_ONCE,
	PROMPT_SESSION,
	PROMPT_ALWAYS,
	PROMPT_FOLDER,
};
enum prompt_answer prompt_answer_of(uint32_t key, bool has_folder);

#endif
