/*
 * probe: small loops that time themselves, and the smallest programs.
 *
 *   probe nothing             ends at once
 *   probe stay                says "up" and stays until its input ends
 *   probe open FILE N         N times open for reading and close; prints nanoseconds a round
 *   probe write FILE N        N times open for writing and close: a call on behalf where writing is governed
 *   probe create FOLDER N     N times make a file and remove it
 *   probe rename FOLDER N     N times rename a file
 *   probe stat FILE N         N times stat: never on behalf
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int open_close(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);
	return fd < 0 ? -1 : close(fd);
}

static int once_open(const char *path)
{
	return open_close(path, O_RDONLY);
}

static int once_write(const char *path)
{
	return open_close(path, O_WRONLY);
}

static int once_create(const char *folder)
{
	char path[4200];
	snprintf(path, sizeof(path), "%s/made", folder);
	return open_close(path, O_WRONLY | O_CREAT) || unlink(path) ? -1 : 0;
}

static int once_rename(const char *folder)
{
	static int turn;
	char one[4200], two[4200];
	snprintf(one, sizeof(one), "%s/one", folder);
	snprintf(two, sizeof(two), "%s/two", folder);
	return turn++ & 1 ? rename(two, one) : rename(one, two);
}

static int once_stat(const char *path)
{
	struct stat st;
	return stat(path, &st);
}

static const struct {
	const char *name;
	int (*once)(const char *path);
} loops[] = {{"open", once_open},
	     {"write", once_write},
	     {"create", once_create},
	     {"rename", once_rename},
	     {"stat", once_stat}};

static int stay(void)
{
	char byte;
	ssize_t said = write(1, "up\n", 3);
	return said == 3 && read(0, &byte, 1) >= 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "nothing") == 0)
		return 0;
	if (argc == 2 && strcmp(argv[1], "stay") == 0)
		return stay();
	for (size_t i = 0; argc == 4 && i < sizeof(loops) / sizeof(loops[0]); i++) {
		if (strcmp(loops[i].name, argv[1]) != 0)
			continue;
		long rounds = strtol(argv[3], NULL, 10);
		double start = now_ns();
		for (long n = 0; n < rounds; n++)
			if (loops[i].once(argv[2]) < 0) {
				perror(argv[2]);
				return 1;
			}
		printf("%.1f\n", (now_ns() - start) / (double)rounds);
		return 0;
	}
	return 2;
}
