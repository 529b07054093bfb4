#include "attempt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int achieved(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("ACHIEVED ", stdout);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	return ACHIEVED;
}

int refused(const char *format, ...)
{
	int error = errno;
	va_list args;
	va_start(args, format);
	fputs("refused: ", stdout);
	vprintf(format, args);
	va_end(args);
	printf(": %s\n", strerror(error));
	fflush(stdout);
	return REFUSED;
}

int report(long result, const char *what)
{
	return result >= 0 ? achieved("%s", what) : refused("%s", what);
}

long number(const char *text)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 0);
	if (errno || end == text || *end) {
		fprintf(stderr, "attempt: not a number: %s\n", text);
		exit(USAGE);
	}
	return value;
}

long show(int fd)
{
	static char text[65536];
	ssize_t got = read(fd, text, sizeof(text));
	if (got <= 0)
		return got;
	fwrite(text, 1, (size_t)got, stdout);
	fflush(stdout);
	return got;
}

static const struct attempt *const groups[] = {file_attempts,	 change_attempts, exec_attempts,
					       process_attempts, socket_attempts, kernel_attempts,
					       race_attempts,	 victim_attempts, fuzz_attempts};
enum { GROUPS = sizeof(groups) / sizeof(groups[0]) };

static const struct attempt *find(const char *name)
{
	for (size_t i = 0; i < GROUPS; i++)
		for (const struct attempt *row = groups[i]; row->name; row++)
			if (strcmp(row->name, name) == 0)
				return row;
	return NULL;
}

static int list(void)
{
	for (size_t i = 0; i < GROUPS; i++)
		for (const struct attempt *row = groups[i]; row->name; row++)
			printf("attempt %s %s\n", row->name, row->usage);
	return USAGE;
}

int main(int argc, char **argv)
{
	const struct attempt *row = argc > 1 ? find(argv[1]) : NULL;
	if (!row || argc - 2 < row->min_args)
		return list();
	return row->run(argc - 2, argv + 2);
}
