/*
 * The terminal of a run. The command has a process group of its own, so the terminal is handed to that group and taken
 * back, as a shell does it; berm itself never reads from it. In a pipeline ("berm run x | less") the other side may
 * want the terminal as well: then the command gets it only when it asks for it.
 */
#ifndef BERM_SESSION_TERMINAL_H
#define BERM_SESSION_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct terminal {
	int fd;	      /* the controlling terminal; -1: none */
	bool wanted;  /* the command gets it when it is ours to give */
	bool at_once; /* and that is so from the start */
	bool given;   /* the command's group has it */
	pid_t group;  /* the command's process group as seen here; 0: not known yet */
	bool has_modes, has_command_modes;
	struct termios modes, command_modes; /* ours at the start; the command's when it was last stopped */
};

/* Opens the controlling terminal if there is one. */
void terminal_open(struct terminal *terminal);
/* What struct berm_command wants as its terminal. */
int terminal_for_command(const struct terminal *terminal);
/* After the spawn, also if it failed: the command has, or had, the terminal if it was to get it at once. */
void terminal_started(struct terminal *terminal);
/* True if our own group has the terminal, so that it is ours to give. */
bool terminal_is_ours(const struct terminal *terminal);
/* Takes the terminal back from the command, with our modes, if the command has it. */
void terminal_take_back(struct terminal *terminal);
/* Hands the terminal to the command, with its modes, if it is wanted and ours to give. */
void terminal_give(struct terminal *terminal);
/* Takes it back and closes it. */
void terminal_done(struct terminal *terminal);

#endif
