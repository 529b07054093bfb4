/*
 * attempt: one static program with one function for each thing that a hostile program may try. It makes raw system
 * calls, so that no library stands between the attempt and the kernel, and it says what it achieved: a line that
 * starts with "ACHIEVED" and status 0, or "refused: ..." and status 1. It judges nothing: run.py does, on the host's
 * side, where it can. Every attempt succeeds when it is run without a sandbox.
 */
#ifndef BERM_TESTS_ATTEMPT_H
#define BERM_TESTS_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attempt {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the first word after the name */
	int min_args;
	const char *usage;
};

/* Each ends with a row without a name. */
extern const struct attempt file_attempts[], change_attempts[], exec_attempts[], process_attempts[], socket_attempts[],
	kernel_attempts[], race_attempts[], victim_attempts[], fuzz_attempts[];

enum { ACHIEVED = 0, REFUSED = 1, USAGE = 2 };

/* Print and return ACHIEVED or REFUSED. refused adds the text of errno. */
int achieved(const char *format, ...) __attribute__((format(printf, 1, 2)));
int refused(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* ACHIEVED if result is not negative, else REFUSED. */
int report(long result, const char *what);

/* A number from an argument; ends the program with USAGE if it is none. */
long number(const char *text);

/* Copies what fd reads to standard output, at most 64 KiB. Returns the number of bytes or -1. */
long show(int fd);

/* A call that the C library of the build machine may not know yet. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#define NR_SETXATTRAT 463
#define NR_FILE_GETATTR 468
#define NR_FILE_SETATTR 469

#endif
