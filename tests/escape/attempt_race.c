/*
 * Two threads: one changes what a call points to, the other makes the call, for a while and as often as it can. Without
 * a sandbox each of them hits within a few rounds. What was hit is looked at from the host.
 */
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FLIP_FD = 100, RACE_MS = 400, ENOUGH = 100 };

/* What the flipping thread needs; every race uses a part of it. */
static struct {
	volatile bool stop, hit;
	volatile long turns;
	const char *one, *two, *link;
	char *volatile buffer;
	struct open_how how;
	int fd_one, fd_two;
	size_t len;
} race;

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Runs flip beside strike until the time is over; on a busy machine longer, until both had their turns. */
static void run_race(void *(*flip)(void *), void (*strike)(void))
{
	pthread_t thread;
	double end = now_ms() + RACE_MS, late = end + RACE_MS * 5;
	if (pthread_create(&thread, NULL, flip, NULL))
		exit(USAGE);
	for (long turns = 0; !race.stop && now_ms() < late; turns++) {
		if (now_ms() > end && turns > ENOUGH && race.turns > ENOUGH)
			break;
		strike();
	}
	race.stop = true;
	pthread_join(thread, NULL);
}

static void plant(int fd)
{
	if (fd < 0)
		return;
	ssize_t ignored = write(fd, "planted", 7);
	(void)ignored;
	close(fd);
}

/* ---- a symbolic link that changes its target ---- */

static void *flip_link(void *unused)
{
	(void)unused;
	char spare[4096];
	snprintf(spare, sizeof(spare), "%s.new", race.link);
	for (int i = 0; !race.stop; i++, race.turns++)
		if (symlink(i & 1 ? race.two : race.one, spare) == 0)
			rename(spare, race.link);
	return NULL;
}

/* Two folders that change places. */
static void *flip_folders(void *unused)
{
	(void)unused;
	for (; !race.stop; race.turns++)
		syscall(SYS_renameat2, AT_FDCWD, race.one, AT_FDCWD, race.link, 2);
	return NULL;
}

static char strike_path[4096];

static void strike_create(void)
{
	plant(open(strike_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
}

static void strike_read(void)
{
	int fd = open(strike_path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && show(fd) > 0)
		race.stop = true;
	if (fd >= 0)
		close(fd);
}

static void strike_mkdir(void)
{
	mkdir(strike_path, 0755);
}

/* race-link create|read|mkdir LINK ONE TWO NAME */
static int race_link(int argc, char **argv)
{
	(void)argc;
	race.link = argv[1], race.one = argv[2], race.two = argv[3];
	snprintf(strike_path, sizeof(strike_path), "%s/%s", argv[1], argv[4]);
	run_race(flip_link, strcmp(argv[0], "read") == 0    ? strike_read
			    : strcmp(argv[0], "mkdir") == 0 ? strike_mkdir
							    : strike_create);
	return achieved("raced");
}

/* race-folders LINK ONE NAME: ONE and LINK change places */
static int race_folders(int argc, char **argv)
{
	(void)argc;
	race.link = argv[0], race.one = argv[1];
	snprintf(strike_path, sizeof(strike_path), "%s/%s", argv[0], argv[2]);
	run_race(flip_folders, strike_create);
	return achieved("raced");
}

/* ---- the string itself changes ---- */

static void *flip_string(void *unused)
{
	(void)unused;
	for (int i = 0; !race.stop; i++, race.turns++) {
		const char *next = i & 1 ? race.two : race.one;
		memcpy(race.buffer, next, strlen(next) + 1);
		for (volatile int spin = 0; spin < (i & 255); spin++)
			;
	}
	return NULL;
}

static void strike_string(void)
{
	plant(open(race.buffer, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
}

static void strike_string_rename(void)
{
	plant(open("race.tmp", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	rename("race.tmp", race.buffer);
}

static void strike_string_read(void)
{
	int fd = open(race.buffer, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		show(fd);
	if (fd >= 0)
		close(fd);
}

/* race-string create|rename|read ONE TWO */
static int race_string(int argc, char **argv)
{
	(void)argc;
	race.one = argv[1], race.two = argv[2];
	race.buffer = calloc(1, 4096);
	strcpy(race.buffer, race.one);
	run_race(flip_string, strcmp(argv[0], "rename") == 0 ? strike_string_rename
			      : strcmp(argv[0], "read") == 0 ? strike_string_read
							     : strike_string);
	return achieved("raced");
}

/* ---- memory that comes and goes ---- */

static void *flip_memory(void *unused)
{
	(void)unused;
	for (; !race.stop; race.turns++) {
		mprotect(race.buffer, 4096, PROT_NONE);
		mprotect(race.buffer, 4096, PROT_READ | PROT_WRITE);
	}
	return NULL;
}

static int race_memory(int argc, char **argv)
{
	(void)argc;
	race.buffer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	snprintf(race.buffer, 4096, "%s", argv[0]);
	run_race(flip_memory, strike_string);
	return achieved("raced");
}

/* ---- openat2: the flags behind the pointer ---- */

static void *flip_how(void *unused)
{
	(void)unused;
	for (int i = 0; !race.stop; i++, race.turns++)
		__atomic_store_n(&race.how.flags, i & 1 ? O_WRONLY | O_CREAT : O_RDONLY, __ATOMIC_RELAXED);
	return NULL;
}

static void strike_how(void)
{
	race.how.mode = __atomic_load_n(&race.how.flags, __ATOMIC_RELAXED) & O_CREAT ? 0644 : 0;
	plant((int)syscall(SYS_openat2, AT_FDCWD, race.one, &race.how, sizeof(race.how)));
}

static int race_openat2(int argc, char **argv)
{
	(void)argc;
	race.one = argv[0];
	run_race(flip_how, strike_how);
	return achieved("raced");
}

/* ---- where a relative name starts ---- */

static void *flip_cwd(void *unused)
{
	(void)unused;
	for (; !race.stop; race.turns++)
		if (fchdir(race.fd_one) || fchdir(race.fd_two))
			break;
	return NULL;
}

static void *flip_dirfd(void *unused)
{
	(void)unused;
	for (int i = 0; !race.stop; i++, race.turns++)
		dup2(i & 1 ? race.fd_two : race.fd_one, FLIP_FD);
	return NULL;
}

static void strike_relative(void)
{
	plant(open(strike_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
}

/* The magic links of the process lead where another thread leads them. */
static void strike_magic(void)
{
	plant(open(strike_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
}

static void strike_at(void)
{
	plant(openat(FLIP_FD, strike_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
}

/* race-start cwd|fd|magic-cwd|magic-fd ONE TWO NAME */
static int race_start(int argc, char **argv)
{
	(void)argc;
	race.fd_one = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	race.fd_two = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (race.fd_one < 0 || race.fd_two < 0)
		return refused("open %s, %s", argv[1], argv[2]);
	snprintf(strike_path, sizeof(strike_path), "%s", argv[3]);
	dup2(race.fd_one, FLIP_FD);
	if (strcmp(argv[0], "cwd") == 0) {
		run_race(flip_cwd, strike_relative);
	} else if (strcmp(argv[0], "magic-cwd") == 0) {
		snprintf(strike_path, sizeof(strike_path), "/proc/self/cwd/%s", argv[3]);
		run_race(flip_cwd, strike_magic);
	} else if (strcmp(argv[0], "magic-fd") == 0) {
		snprintf(strike_path, sizeof(strike_path), "/proc/self/fd/%d/%s", FLIP_FD, argv[3]);
		run_race(flip_dirfd, strike_magic);
	} else {
		run_race(flip_dirfd, strike_at);
	}
	return achieved("raced");
}

/* ---- the address of a socket ---- */

static void strike_connect(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)(void *)race.buffer, sizeof(struct sockaddr_un)) == 0)
		send(fd, "hello", 5, MSG_NOSIGNAL);
	close(fd);
}

static void *flip_address(void *unused)
{
	(void)unused;
	for (int i = 0; !race.stop; i++, race.turns++) {
		const char *next = i & 1 ? race.two : race.one;
		memcpy(race.buffer + offsetof(struct sockaddr_un, sun_path), next, strlen(next) + 1);
	}
	return NULL;
}

/* race-connect OWN OTHER: OWN is a socket of ours, OTHER is the host's */
static int race_connect(int argc, char **argv)
{
	(void)argc;
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	strncpy(own.sun_path, argv[0], sizeof(own.sun_path) - 1);
	if (listener < 0 || bind(listener, (struct sockaddr *)&own, sizeof(own)) || listen(listener, 4096))
		return refused("own socket %s", argv[0]);
	race.one = argv[0], race.two = argv[1];
	race.buffer = calloc(1, sizeof(own) + 1);
	memcpy(race.buffer, &own, sizeof(own));
	run_race(flip_address, strike_connect);
	return achieved("raced");
}

/* ---- content that changes while it is judged ---- */

static char *good, *evil;

static void *flip_content(void *unused)
{
	(void)unused;
	for (int i = 0; !race.stop; i++, race.turns++) {
		ssize_t ignored = pwrite(race.fd_one, i & 1 ? evil : good, race.len, 0);
		(void)ignored;
	}
	return NULL;
}

/* Leaves the target alone once the evil content is there to stay. */
static void strike_judge(void)
{
	static char seen[65536];
	int fd = open("race.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || pwrite(fd, good, race.len, 0) < 0)
		return;
	dup2(fd, race.fd_one);
	rename("race.lock", race.link);
	close(fd);
	usleep(200);
	fd = open(race.link, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t got = read(fd, seen, sizeof(seen) - 1);
	seen[got > 0 ? got : 0] = '\0';
	close(fd);
	/* The last word is the evil one. */
	if (strstr(seen, "fsmonitor"))
		race.stop = race.hit = true;
}

static char *whole_file(const char *path, size_t *ret_len)
{
	char *bytes = calloc(1, 65536);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, bytes, 65535);
	*ret_len = got > 0 ? (size_t)got : 0;
	return bytes;
}

/* race-judge GOOD EVIL TARGET: two files of the same length, and the name that is judged */
static int race_judge(int argc, char **argv)
{
	(void)argc;
	size_t evil_len;
	good = whole_file(argv[0], &race.len);
	evil = whole_file(argv[1], &evil_len);
	if (race.len == 0 || race.len != evil_len)
		return USAGE;
	race.link = argv[2];
	race.fd_one = FLIP_FD;
	dup2(open("/dev/null", O_WRONLY), FLIP_FD);
	run_race(flip_content, strike_judge);
	if (race.hit)
		return report(pwrite(race.fd_one, evil, race.len, 0), "the judged file holds something else now");
	return refused("the judged file stayed as it was judged");
}

/* ---- many at once ---- */

/* Children that are killed while their calls wait; then one call that must still be served. */
static int flood(int argc, char **argv)
{
	(void)argc;
	char path[4200];
	double end = now_ms() + RACE_MS;
	for (int i = 0; now_ms() < end; i++) {
		pid_t pid = fork();
		if (pid == 0)
			for (;;)
				plant(open("flood.tmp", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
		usleep((useconds_t)(i * 37 % 900));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	snprintf(path, sizeof(path), "%s", argv[0]);
	plant(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	return achieved("raced");
}

const struct attempt race_attempts[] = {
	{"race-link", race_link, 5, "create|read|mkdir LINK ONE TWO NAME"},
	{"race-folders", race_folders, 3, "LINK ONE NAME"},
	{"race-string", race_string, 3, "create|rename|read ONE TWO"},
	{"race-memory", race_memory, 1, "PATH"},
	{"race-openat2", race_openat2, 1, "PATH"},
	{"race-start", race_start, 4, "cwd|fd|magic-cwd|magic-fd ONE TWO NAME"},
	{"race-connect", race_connect, 2, "OWN OTHER"},
	{"race-judge", race_judge, 3, "GOOD EVIL TARGET"},
	{"flood", flood, 1, "PATH"},
	{NULL, NULL, 0, NULL},
};
