/*
 * Ownership in writing: auto_x variables release what they hold when they go out of scope, take() hands it over.
 * Declare them with their initialiser, at the point of use.
 */
#ifndef BERM_BASE_OWN_H
#define BERM_BASE_OWN_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void own_free(void *pointer)
{
	free(*(void **)pointer);
}

/* Keeps errno: it mostly runs on the way out of a failure that is still to be told. */
static inline void own_close(const int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

#define auto_free __attribute__((cleanup(own_free)))
#define auto_fd __attribute__((cleanup(own_close)))

/* The value of a pointer variable, which then is NULL: its owner is now whoever gets the value. */
#define take(variable)                                                                                                 \
	__extension__({                                                                                                \
		__typeof__(variable) taken_ = (variable);                                                              \
		(variable) = NULL;                                                                                     \
		taken_;                                                                                                \
	})

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
