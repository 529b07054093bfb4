/*
 * The table of everything that a policy file may say. The loader, the JSON Schema, the reference page and the words of
 * messages are made from it; docs/policy-reference.md is its printed form.
 */
#ifndef BERM_POLICY_KEYS_H
#define BERM_POLICY_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum policy_key {
	KEY_BERM = 0, /* berm: 1 */
	KEY_NAME,
	KEY_ABOUT,
	KEY_REQUIRED, /* groups only */
	KEY_PROGRAMS, /* profiles only: names of programs that get this profile ("claude") */
	KEY_EXTENDS,
	KEY_GROUPS,
	KEY_WHEN, /* of the whole document: its attributes are os, distro, arch, network; no text */
	KEY_BACKEND,
	KEY_READ,
	KEY_WRITE,
	KEY_DELETE,
	KEY_EXEC,
	KEY_DENY,
	KEY_REPLACE,
	KEY_PROTECT,
	KEY_ASK,
	KEY_SCRATCH, /* the sandbox's own folder over this path */
	KEY_FS_DEFAULT,
	KEY_TMP,
	KEY_VIEW,
	KEY_CACHE, /* private | shared */
	KEY_OVERRIDE,
	KEY_NET_MODE,
	KEY_NET_DEFAULT,
	KEY_NET_ALLOW,
	KEY_NET_DENY,
	KEY_PUBLISH,
	KEY_REACH,
	KEY_SOCKETS,
	KEY_UPSTREAM,
	KEY_SECRET, /* text: its name */
	KEY_ENV_PASS,
	KEY_ENV_SET, /* text: NAME=VALUE */
	KEY_LIMIT_MEMORY,
	KEY_LIMIT_PROCESSES,
	KEY_LIMIT_CPU,
	KEY_LIMIT_FILES,
	KEY_LIMIT_FILE_SIZE,
	KEY_LIMIT_WALL,
	KEY_MAY,
	KEY_HOOK,
	KEY_COMMAND, /* text: the pattern */
	KEY_APPROVALS_MODE,
	KEY_APPROVALS_BY,
	KEY_APPROVALS_TIMEOUT,
	KEY_APPROVALS_RATE,
	KEY_UNDO,
	KEY_TRUST_REQUIRE,
	KEY_TRUST_PUBLISHERS,
	KEY_TEST, /* text: "read PATH", "connect HOST:PORT", "get URL", "run COMMAND" */
	POLICY_KEYS
};

enum policy_attr_key {
	ATTR_EXCEPT = 0, /* DENY, PROTECT, NET_DENY: what the line does not hold for */
	ATTR_WHY,
	ATTR_WHEN_OS, /* linux, macos */
	ATTR_WHEN_DISTRO,
	ATTR_WHEN_ARCH,
	ATTR_WHEN_NETWORK, /* filtered, host: the line is there only if the network is */
	ATTR_EXTENT,	   /* file: the object itself, else the tree */
	ATTR_MAKE,	   /* READ, WRITE, EXEC: a folder that is made before the run if it is missing */
	ATTR_ACCEPT,	   /* PROTECT: git-config, git-link */
	ATTR_BESIDE,	   /* PROTECT: struct berm_rule's beside */
	ATTR_IN_PLACE,
	ATTR_REMOVABLE,
	ATTR_MKDIR_ONLY,
	ATTR_LABEL,    /* what denials call the line */
	ATTR_VARIABLE, /* SCRATCH: which environment variable names the folder */
	ATTR_KEEP,     /* SCRATCH: a folder of the workspace's cache stands in for the path; its name there */
	ATTR_TELLS,    /* SCRATCH with KEEP: "NAME=TEXT", variables by which a tool finds it: resolve.h */
	ATTR_BY,       /* NET_ALLOW, tests: programs */
	ATTR_HTTP,     /* NET_ALLOW: METHOD and path */
	ATTR_PRIVATE,
	ATTR_FROM, /* SECRET */
	ATTR_TO,
	ATTR_AS,
	ATTR_ENV,
	ATTR_DECISION, /* COMMAND */
	ATTR_IS,       /* TEST: allow, deny, ask */
	ATTR_KEY,      /* APPROVALS_BY webhook */
	ATTR_ARGV,     /* APPROVALS_BY program, in order */
	ATTR_OF,       /* APPROVALS_BY all, any: its members as text */
	POLICY_ATTRS
};

enum policy_shape {
	SHAPE_SCALAR = 0, /* key: VALUE; the last one counts */
	SHAPE_LIST,	  /* key: [ENTRY...]; an entry is a scalar, or a map with main and attributes */
	SHAPE_MAP,	  /* key: {NAME: VALUE...} */
	SHAPE_NAMED,	  /* key: {NAME: {ATTRIBUTE: VALUE...}...} */
	SHAPE_ENTRY,	  /* key: {ATTRIBUTE: VALUE...}: attributes alone, text "" */
};

enum policy_value {
	VALUE_TEXT = 0,
	VALUE_NAME, /* letters, digits, - _ . */
	VALUE_BOOL,
	VALUE_VERSION,
	VALUE_WORD,    /* one of words */
	VALUE_PATH,    /* ~, ., $VAR; no wildcard */
	VALUE_PATTERN, /* a path or a glob */
	VALUE_HOST,    /* HOST[:PORT], CIDR[:PORT], wildcard labels */
	VALUE_PORT,
	VALUE_URL,
	VALUE_VARIABLE, /* a name of an environment variable */
	VALUE_SIZE,
	VALUE_COUNT,
	VALUE_DURATION,
	VALUE_HTTP, /* "METHOD /path", "POST /graphql query:NAME" */
	VALUE_COMMAND,
	VALUE_GROUP,	 /* a name; with a "-" in front it is taken out */
	VALUE_VARIABLES, /* a name of an environment variable, or the beginning of names and a "*" */
	VALUE_SOURCE,	 /* SCHEME://REST with a scheme that is one of words */
	VALUE_PHRASE,	 /* a text whose first word is one of words */
	VALUE_SETTING,	 /* NAME=TEXT of an environment variable */
	VALUE_TEST,	 /* what the test's first word asks for */
};

struct policy_attr_row {
	const char *name; /* "when.os" is written when: {os: ...} */
	enum policy_value value;
	bool list; /* a scalar stands for a list of one */
	const char *const *words;
	const char *about;
};
struct policy_key_row {
	const char *path; /* "filesystem.read"; a dot is a level of maps */
	enum policy_shape shape;
	enum policy_value value;
	const char *main;	  /* LIST: the attribute that stands for a scalar entry ("path"); NULL: scalars only */
	const char *const *words; /* WORD: NULL-terminated */
	unsigned attrs;		  /* set of 1 << enum policy_attr_key: what an entry may have */
	unsigned needs;		  /* those it must have */
	bool wanted;		  /* may stand below wants: */
	const char *about;	  /* a line for the reference page and editors */
	const char *example;
};
extern const struct policy_key_row policy_keys[POLICY_KEYS];
extern const struct policy_attr_row policy_attrs[POLICY_ATTRS];

#endif
