/*
 * The token that clients of berm's own proxy show: as a bearer's, as the password of any user, or as a user without a
 * password. Compared in a time that tells nothing of it but its length. Pure, no heap.
 */
#ifndef BERM_EGRESS_PROXY_LOGIN_H
#define BERM_EGRESS_PROXY_LOGIN_H

#include "format/http1.h"

enum { PROXY_LOGIN_MAX = 512 }; /* bytes of user and password */

/* Is it in Proxy-Authorization (Basic, RFC 7617, or Bearer, RFC 6750)? */
bool proxy_login_shown(const char *token, const struct http1_head *head);
bool proxy_login_fits(const char *token, struct span user, struct span password);

#endif
