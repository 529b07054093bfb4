/*
 * The program of the kill tests: writes PROOF, which no grant covers, if it can; says in the workspace that it runs;
 * then stays, deaf to every signal that can be ignored, with a child in a session of its own that stays as well and
 * makes files all the time, so that the supervisor always has work.
 *
 *   agent MARKER PROOF
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	touch(argv[2]);
	touch("runs");
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_IGN);
	if (fork() == 0) {
		setsid();
		for (int i = 0; i < 20000; i++) {
			touch("busy");
			touch(argv[2]);
			usleep(1000);
		}
		return 0;
	}
	for (int i = 0; i < 200; i++) {
		touch("busy");
		touch(argv[2]);
		usleep(100000);
	}
	return 0;
}
