/*
 * @egress as the session holds it: the process, and the door to it. It is forked before the sandbox is there, so that it gets
 * ready meanwhile, and is given the ends of the sandbox's network once it has started. What its questions are answered with:
 * net_judge.h; who answers: run_net.c.
 */
#ifndef BERM_SESSION_NET_H
#define BERM_SESSION_NET_H

#include <sys/types.h>

#include "berm/berm.h"
#include "egress/door.h"

struct net;

/* To be called with one thread. The environment is cleared in the child, which has no use for it. Errors: SYS, NOMEM. */
MUST_USE enum berm_code net_start(struct net **ret_net, struct berm_err *err);
/* Gives @egress what the sandbox's network leads to. Errors: those of berm_sandbox_network and door_send_ends. */
MUST_USE enum berm_code net_attach(struct net *net, struct berm_sandbox *box, struct berm_err *err);
/* To be polled for reading; -1: @egress is gone. */
int net_fd(const struct net *net);
/* The next question that is there. False: none, or @egress is gone (net_fd). What is returned lives until the next call; *ret_target
 * is NUL-terminated. */
bool net_next(struct net *net, const struct door_question **ret_question, const char **ret_target);
/* @egress is gone where it does not take it: then it is ended. */
void net_answer(struct net *net, const struct door_answer *answer);
/* How it ended, for people; once net_fd is -1. */
void net_end_text(const struct net *net, char *ret_text, size_t size);
void net_free(struct net *net); /* ends it */

#endif
