/* Sockets of agents and of the desktop: where GnuPG's is, and which group opens one that was asked for. */
#ifndef BERM_SESSION_AGENT_SOCKETS_H
#define BERM_SESSION_AGENT_SOCKETS_H

#include "base/str.h"

/* "gpg-agent" for "/run/user/1000/gnupg/S.gpg-agent": the group that opens a socket of this path; auth: what
 * SSH_AUTH_SOCK says, or NULL. NULL: there is none. Pure. */
const char *agent_sockets_group(const char *path, const char *auth);

/* "gpg-agent" for "/home/u/.gnupg/pubring.kbx": who reads or makes what is in the folders of keys wants a signature or a
 * log-in, and the group is how to have it. NULL: none. Pure. */
const char *agent_sockets_group_of_file(const char *path);

/* The socket of the gpg-agent that serves the folder home, as `program --list-dirs agent-socket` says, into size bytes.
 * Waits at most two seconds. False: it does not say so. */
bool agent_sockets_ask_gpgconf(const char *program, const char *home, char *ret_path, size_t size);
/* The same by the gpgconf of the system, never one of PATH: nobody knows who has put that there. */
bool agent_sockets_find_gpg(const char *home, char *ret_path, size_t size);

#endif
