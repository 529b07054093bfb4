/*
 * The index of a policy's lines, for index.c, which makes it, and index_decide.c. All of it hangs in one tree
 * (base/glob_trie.h): below "hosts" the patterns of names and below "nets" the networks lead to targets; a target has a
 * cell, by key, for each port and program that lines name with it; a cell has, by key, the patterns of the paths that its
 * lines with "http" name, for each method; below "commands" are the commands. What is first is the lowest entry.
 */
#ifndef BERM_POLICY_INDEX_PARTS_H
#define BERM_POLICY_INDEX_PARTS_H

#include "base/glob_trie.h"
#include "base/vec.h"
#include "policy/decide.h"
#include "policy/host_text.h"

enum index_class { CLASS_DENY = 0, CLASS_ALLOW, INDEX_CLASSES };

/* Programs are nodes below "programs"; these are none. */
enum { PROGRAM_ANY = 0, PROGRAM_UNKNOWN = INT32_MAX };

struct index_target {
	uint32_t node;
	unsigned cells;			   /* set of 1 << index_cell_bit */
	const struct policy_entry *allows; /* the first, with whatever port and program; NULL: none does */
};
static inline unsigned index_cell_bit(enum index_class class, bool port, bool program)
{
	return (unsigned)class << 2 | (unsigned)port << 1 | (unsigned)program;
}
struct index_key {
	char bytes[8];
};
/* class, port (0: any), program. */
struct index_key index_key_of(enum index_class class, uint16_t port, uint32_t program);
/* "METHOD OPERATION" in room; a length of 0: too long to be that of a line. */
enum { REQUEST_MAX = 256, METHOD_MAX = 64 };
struct str index_request_of(struct str method, struct str operation, char room[static REQUEST_MAX]);

/* The first of those that allow a thing, and of those that permit private addresses with it. */
struct index_lines {
	const struct policy_entry *first, *first_private;
};
struct index_cell {
	uint32_t node;
	struct index_lines plain, http;
	uint32_t excepts; /* of index_except, from 1: what it does not hold for */
	uint32_t next;	  /* a cell with the same key: of a line with exceptions */
};
struct index_except {
	bool is_net;
	struct host_net net;
	uint32_t root; /* of a name */
	uint16_t port;
	uint32_t next;
};
struct index_net {
	struct host_net net;
	uint32_t node;
	uint32_t around; /* the narrowest that this one lies in, from 1 */
};
struct index_command {
	const struct policy_entry *first[ANSWER_ALLOW + 1];
};

struct policy_index {
	const struct policy *policy;
	struct glob_trie *trie;
	uint32_t hosts, net_keys, programs, commands;
	/* Values of nodes are indices of these, from 1. */
	struct vec targets, cells, requests, command_lines; /* requests: of struct index_lines */
	struct vec nets;				    /* sorted */
	struct vec excepts;
};

#endif
