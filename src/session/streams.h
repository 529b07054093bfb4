/*
 * Standard input, output and error that were closed when the program started. A placeholder keeps their numbers, so that
 * no file that is opened later gets text that was meant for them; and the command gets them closed, as it would have
 * without berm.
 */
#ifndef BERM_SESSION_STREAMS_H
#define BERM_SESSION_STREAMS_H

/* First thing in main. */
void streams_reserve(void);
/* What struct berm_command is given for 0, 1 or 2: the number, or one that is closed. */
int streams_for_command(int fd);

#endif
