/* Looking up a variable in an environment that is passed as a value: nothing here reads the process's own. */
#ifndef BERM_BASE_ENV_H
#define BERM_BASE_ENV_H

/* The value of the first entry NAME=VALUE, borrowed from envp (NULL-terminated, or NULL); NULL if there is none. */
const char *env_get(const char *const *envp, const char *name);

#endif
