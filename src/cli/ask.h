/* One question to the person at the terminal. */
#ifndef BERM_CLI_ASK_H
#define BERM_CLI_ASK_H

enum ask_answer { ASK_NOBODY = 0, ASK_NO, ASK_YES };

/* Asks "berm: QUESTION [y/n] " on standard error and reads a line of standard input. NOBODY: one of the two is no
 * terminal. Anything but y or yes is no. */
enum ask_answer ask_yes(const char *question);

#endif
