#include "egress/pipes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/own.h"

struct pipe_place {
	bool made;
	int in, out;
	struct pipe_user *user; /* NULL: free */
};

struct pipes {
	struct pipe_place places[PIPES_MAX];
};

enum berm_code pipes_new(struct pipes **ret_pipes, struct berm_err *err)
{
	struct pipes *pipes = calloc(1, sizeof(*pipes));
	if (pipes == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	*ret_pipes = pipes;
	return BERM_OK;
}

static void unmake(struct pipe_place *place)
{
	if (place->made) {
		(void)close(place->in);
		(void)close(place->out);
	}
	*place = (struct pipe_place){0};
}

void pipes_free(struct pipes *pipes)
{
	for (size_t i = 0; pipes != NULL && i < PIPES_MAX; i++)
		unmake(&pipes->places[i]);
	free(pipes);
}

/* A smaller pipe than was wanted serves as well. */
static bool make(struct pipe_place *place)
{
	int fds[2];
	if (place->made)
		return true;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	(void)fcntl(fds[1], F_SETPIPE_SZ, PIPES_BYTES);
	*place = (struct pipe_place){.made = true, .in = fds[1], .out = fds[0]};
	return true;
}

/* A free one, else one whose user has nothing in it. */
static struct pipe_place *find_place(struct pipes *pipes)
{
	struct pipe_place *empty = NULL;
	for (size_t i = 0; i < PIPES_MAX; i++) {
		struct pipe_place *place = &pipes->places[i];
		if (place->user == NULL)
			return place;
		if (place->user->bytes == 0)
			empty = place;
	}
	return empty;
}

bool pipes_borrow(struct pipes *pipes, struct pipe_user *user)
{
	if (user->number != 0)
		return true;
	struct pipe_place *place = pipes != NULL ? find_place(pipes) : NULL;
	if (place == NULL || !make(place))
		return false;
	if (place->user != NULL)
		place->user->number = 0;
	place->user = user;
	*user = (struct pipe_user){.number = (unsigned)(place - pipes->places) + 1};
	return true;
}

void pipes_return(struct pipes *pipes, struct pipe_user *user)
{
	if (user->number == 0)
		return;
	struct pipe_place *place = &pipes->places[user->number - 1];
	if (user->bytes > 0)
		unmake(place);
	place->user = NULL;
	*user = (struct pipe_user){0};
}

ssize_t pipes_fill(struct pipes *pipes, struct pipe_user *user, int fd)
{
	int in = pipes->places[user->number - 1].in;
	ssize_t n = splice(fd, NULL, in, NULL, PIPES_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0)
		user->bytes += (size_t)n;
	return n;
}

ssize_t pipes_drain(struct pipes *pipes, struct pipe_user *user, int fd)
{
	int out = pipes->places[user->number - 1].out;
	ssize_t n = splice(out, NULL, fd, NULL, user->bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0)
		user->bytes -= (size_t)n;
	return n;
}
