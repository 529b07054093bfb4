/* landlockconfig, as TOML and as JSON: what a path and a port are allowed of what is handled at all; the rest is open there.
 * A path becomes a line if it has every right that the line gives, and by the widest of those lines. */
#include <limits.h>
#include <string.h>

#include "base/own.h"
#include "policy/import_build.h"

enum { COMBINATIONS_MAX = 256, ABI_MAX = 99 };

enum right {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_DIR = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_CHAR = 1 << 6,
	MAKE_DIR = 1 << 7,
	MAKE_REG = 1 << 8,
	MAKE_SOCK = 1 << 9,
	MAKE_FIFO = 1 << 10,
	MAKE_BLOCK = 1 << 11,
	MAKE_SYM = 1 << 12,
	REFER = 1 << 13,
	TRUNCATE = 1 << 14,
	IOCTL_DEV = 1 << 15,
	ALL_FILES = (1 << 16) - 1,

	/* What the lines give. */
	READS = READ_FILE | READ_DIR,
	RUNS = READS | EXECUTE,
	CHANGES = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM |
		  REFER | TRUNCATE,
	WRITES = RUNS | CHANGES,
};
enum port_right { BIND_TCP = 1 << 0, CONNECT_TCP = 1 << 1, ALL_PORTS = BIND_TCP | CONNECT_TCP };

struct word {
	const char *name;
	uint32_t bits;
	uint64_t abi; /* from which on it is handled */
};
struct words {
	const struct word *words, *groups; /* groups stand behind "abi." or "v5." */
};

static const struct word file_words[] = {
	{"execute", EXECUTE, 1},
	{"write_file", WRITE_FILE, 1},
	{"read_file", READ_FILE, 1},
	{"read_dir", READ_DIR, 1},
	{"remove_dir", REMOVE_DIR, 1},
	{"remove_file", REMOVE_FILE, 1},
	{"make_char", MAKE_CHAR, 1},
	{"make_dir", MAKE_DIR, 1},
	{"make_reg", MAKE_REG, 1},
	{"make_sock", MAKE_SOCK, 1},
	{"make_fifo", MAKE_FIFO, 1},
	{"make_block", MAKE_BLOCK, 1},
	{"make_sym", MAKE_SYM, 1},
	{"refer", REFER, 2},
	{"truncate", TRUNCATE, 3},
	{"ioctl_dev", IOCTL_DEV, 5},
	{NULL, 0, 0},
};
static const struct word file_groups[] = {
	{"all", ALL_FILES, 1},
	{"read_execute", RUNS | REFER, 1},
	{"read_write", ALL_FILES & ~(uint32_t)EXECUTE, 1},
	{NULL, 0, 0},
};
static const struct word port_words[] = {{"bind_tcp", BIND_TCP, 4}, {"connect_tcp", CONNECT_TCP, 4}, {NULL, 0, 0}};
static const struct word port_groups[] = {{"all", ALL_PORTS, 4}, {NULL, 0, 0}};
static const struct words files = {file_words, file_groups}, ports = {port_words, port_groups};

struct landlock {
	struct import *in;
	import_at root;
	uint64_t abi; /* of "abi."; 0: not said */
	uint32_t handled_files, handled_ports;
};

/* TOML has the words with "_", JSON with capitals. */
static import_at find(import_at map, const char *toml, const char *json)
{
	import_at node = node_find(map, toml);
	return node != NULL ? node : node_find(map, json);
}

static void tell_twice(struct import *in, import_at map, const char *toml, const char *json)
{
	if (node_find(map, toml) != NULL && node_find(map, json) != NULL)
		import_left(in, node_find(map, json), true, json,
			    import_format(in, "is there as '%s' as well, which is taken", toml));
}

static import_at first_of(import_at list)
{
	return list != NULL && list->kind == NODE_LIST ? list->first : NULL;
}

/* ---- rights ------------------------------------------------------------------------------------------------------ */

static const struct word *find_word(const struct word *words, const char *name)
{
	while (words->name != NULL && strcmp(words->name, name) != 0)
		words++;
	return words->name != NULL ? words : NULL;
}

/* Those of the bits that a kernel of this ABI knows. */
static uint32_t known_by(const struct word *words, uint32_t bits, uint64_t abi)
{
	uint32_t known = 0;
	for (; words->name != NULL; words++)
		known |= abi >= words->abi ? words->bits & bits : 0;
	return known;
}

/* "abi.all" and "v5.all": the ABI; 0: there is none. */
static uint64_t abi_of(const struct landlock *from, const char *text, size_t len)
{
	uint64_t abi;
	if (len == 3 && memcmp(text, "abi", len) == 0)
		return from->abi;
	if (len < 2 || text[0] != 'v' || str_u64((struct str){text + 1, len - 1}, ABI_MAX, &abi, NULL) != BERM_OK)
		return 0;
	return abi;
}

/* 0: it is no right. */
static uint32_t bits_of(const struct landlock *from, const struct words *words, const char *text)
{
	const char *dot = strchr(text, '.');
	const struct word *word = dot != NULL ? find_word(words->groups, dot + 1) : find_word(words->words, text);
	if (word == NULL || dot == NULL)
		return word != NULL ? word->bits : 0;
	return known_by(words->words, word->bits, abi_of(from, text, (size_t)(dot - text)));
}

static uint32_t rights_of(const struct landlock *from, const struct words *words, import_at list)
{
	uint32_t bits = 0;
	for (import_at item = first_of(list); item != NULL; item = item->next)
		bits |= item->kind == NODE_TEXT ? bits_of(from, words, item->text.ptr) : 0;
	return bits;
}

struct told {
	const struct landlock *from;
	const struct words *words;
	bool closes;
};

static void tell_right(struct import *in, import_at item, const char *text, const void *context)
{
	const struct told *told = context;
	if (bits_of(told->from, told->words, text) == 0)
		import_left(in, item, told->closes, import_show(in, item),
			    "a right that is not known, or 'abi.' where no abi is named");
}

static void tell_rights(const struct landlock *from, const struct words *words, import_at list, bool closes)
{
	const struct told told = {from, words, closes};
	import_texts(from->in, list, closes, tell_right, &told);
}

/* What is used is handled as well. */
static uint32_t handled(const struct landlock *from, const struct words *words, import_at rules, import_at handles)
{
	uint32_t bits = 0;
	for (import_at rule = first_of(rules); rule != NULL; rule = rule->next)
		bits |= rights_of(from, words, find(rule, "allowed_access", "allowedAccess"));
	for (import_at set = first_of(handles); set != NULL; set = set->next)
		bits |= rights_of(from, words,
				  words == &files ? find(set, "handled_access_fs", "handledAccessFs")
						  : find(set, "handled_access_net", "handledAccessNet"));
	return bits;
}

/* ---- variables --------------------------------------------------------------------------------------------------- */

/* The value with this number among all of the name's; NULL: there are fewer. */
static const char *value_of(const struct landlock *from, struct str name, size_t number)
{
	for (import_at one = first_of(node_find(from->root, "variable")); one != NULL; one = one->next) {
		import_at own = node_find(one, "name");
		bool same = own != NULL && own->kind == NODE_TEXT && str_eq(own->text, name);
		for (import_at item = first_of(same ? node_find(one, "literal") : NULL); item != NULL;
		     item = item->next)
			if (item->kind == NODE_TEXT && number-- == 0)
				return item->text.ptr;
	}
	return NULL;
}

struct expanding {
	char text[PATH_MAX];
	size_t len;
	size_t left;	     /* of the combination's number */
	size_t combinations; /* 0: a variable without a value, or too long, or too many */
};

static void put_text(struct expanding *to, struct str text)
{
	if (to->len + text.len >= sizeof to->text)
		to->combinations = 0;
	else if (text.len > 0)
		memcpy(to->text + to->len, text.ptr, text.len);
	to->len += to->combinations > 0 ? text.len : 0;
}

static void put_value(const struct landlock *from, struct str name, struct expanding *to)
{
	size_t count = 0;
	while (count <= COMBINATIONS_MAX && value_of(from, name, count) != NULL)
		count++;
	to->combinations *= count;
	if (to->combinations == 0 || to->combinations > COMBINATIONS_MAX) {
		to->combinations = 0;
		return;
	}
	put_text(to, str_from(value_of(from, name, to->left % count)));
	to->left /= count;
}

/* "${name}" is each of its values, "$$" a dollar. */
static void expand(const struct landlock *from, const char *text, size_t number, struct expanding *to)
{
	to->len = 0;
	to->left = number;
	to->combinations = 1;
	while (*text != '\0' && to->combinations > 0) {
		const char *close = strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;
		if (close != NULL) {
			put_value(from, (struct str){text + 2, (size_t)(close - text - 2)}, to);
			text = close + 1;
			continue;
		}
		text += strncmp(text, "$$", 2) == 0;
		put_text(to, (struct str){text++, 1});
	}
	to->text[to->combinations > 0 ? to->len : 0] = '\0';
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

struct parent {
	const struct landlock *from;
	uint32_t rights; /* what is not handled counts as well */
};

/* There are no "~" there. */
static const char *literal(struct import *in, const char *path)
{
	return import_literal(in, path[0] == '~' ? import_format(in, "./%s", path) : path);
}

static void put_path(struct import *in, import_at item, const char *path, uint32_t rights)
{
	bool writes = (rights & WRITES) == WRITES, runs = (rights & RUNS) == RUNS, reads = (rights & READS) == READS;
	if (reads)
		import_line(in, item, writes ? KEY_WRITE : runs ? KEY_EXEC : KEY_READ, literal(in, path));
	else
		import_left(in, item, false, import_format(in, "parent: %.300s", path),
			    "here a folder is listed and its files are read, or neither; for a file: filesystem.read");
	if (reads && !writes && (rights & (CHANGES & ~(uint32_t)REFER)) != 0)
		import_left(in, item, false, import_format(in, "parent: %.300s", path),
			    (rights & CHANGES) == CHANGES
				    ? "not written: what can be written can be started here; filesystem.write if it may"
				    : "not written: a part of making, changing and removing is none here");
}

static void take_parent(struct import *in, import_at item, const char *text, const void *context)
{
	const struct parent *parent = context;
	struct expanding path;
	expand(parent->from, text, 0, &path);
	size_t combinations = path.combinations;
	if (combinations == 0)
		import_left(in, item, false, import_format(in, "parent: %.300s", text),
			    "a variable without a value, or too many values");
	for (size_t i = 0; i < combinations; i++) {
		expand(parent->from, text, i, &path);
		put_path(in, item, path.text, parent->rights);
	}
}

static void take_path_rule(const struct landlock *from, import_at rule)
{
	static const struct import_row known[] = {
		{"allowed_access", NULL, false, NULL, 0},
		{"allowedAccess", NULL, false, NULL, 0},
		{"parent", NULL, false, NULL, 0},
	};
	import_at allowed = find(rule, "allowed_access", "allowedAccess");
	uint32_t rights = rights_of(from, &files, allowed);
	/* Renaming into another folder is closed unless it is allowed, handled or not. */
	const struct parent parent = {from, rights | (ALL_FILES & ~from->handled_files & ~(uint32_t)REFER)};
	tell_twice(from->in, rule, "allowed_access", "allowedAccess");
	import_rows(from->in, rule, known, ARRAY_LEN(known));
	tell_rights(from, &files, allowed, false);
	import_texts(from->in, node_find(rule, "parent"), false, take_parent, &parent);
}

/* ---- ports ------------------------------------------------------------------------------------------------------- */

static void take_port(struct import *in, import_at item, const char *text, const void *context)
{
	uint32_t rights = *(const uint32_t *)context;
	if ((rights & BIND_TCP) != 0)
		import_line(in, item, KEY_PUBLISH, text);
	if ((rights & CONNECT_TCP) != 0)
		import_left(in, item, false, import_format(in, "port: %.60s", text),
			    "any host at a port: network.allow names hosts");
}

static void take_port_rule(const struct landlock *from, import_at rule)
{
	static const struct import_row known[] = {
		{"allowed_access", NULL, false, NULL, 0},
		{"allowedAccess", NULL, false, NULL, 0},
		{"port", NULL, false, NULL, 0},
	};
	import_at allowed = find(rule, "allowed_access", "allowedAccess");
	uint32_t rights = rights_of(from, &ports, allowed);
	tell_twice(from->in, rule, "allowed_access", "allowedAccess");
	import_rows(from->in, rule, known, ARRAY_LEN(known));
	tell_rights(from, &ports, allowed, false);
	import_texts(from->in, node_find(rule, "port"), false, take_port, &rights);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void tell_scope(struct import *in, import_at item, const char *text, const void *context)
{
	bool known = strcmp(text, "signal") == 0 || strcmp(text, "abstract_unix_socket") == 0 ||
		     strcmp(text, "abi.all") == 0;
	(void)context;
	import_left(in, item, !known, import_show(in, item), known ? "is always so" : "a scope that is not known");
}

static void take_ruleset(const struct landlock *from, import_at set)
{
	static const struct import_row known[] = {
		{"handled_access_fs", NULL, false, NULL, 0},
		{"handledAccessFs", NULL, false, NULL, 0},
		{"handled_access_net", NULL, false, NULL, 0},
		{"handledAccessNet", NULL, false, NULL, 0},
		{"scoped", NULL, false, NULL, 0},
	};
	tell_twice(from->in, set, "handled_access_fs", "handledAccessFs");
	tell_twice(from->in, set, "handled_access_net", "handledAccessNet");
	import_rows(from->in, set, known, ARRAY_LEN(known));
	tell_rights(from, &files, find(set, "handled_access_fs", "handledAccessFs"), true);
	tell_rights(from, &ports, find(set, "handled_access_net", "handledAccessNet"), true);
	import_texts(from->in, node_find(set, "scoped"), true, tell_scope, NULL);
}

static void take_variable(const struct landlock *from, import_at variable)
{
	static const struct import_row known[] = {{"name", NULL, false, NULL, 0}, {"literal", NULL, false, NULL, 0}};
	import_rows(from->in, variable, known, ARRAY_LEN(known));
}

/* What is not handled is open there, and closed here unless a line opens it. */
static void tell_open(const struct landlock *from)
{
	static const struct {
		uint32_t right;
		const char *what;
	} open[] = {
		{READ_FILE, "every file may be read"},
		{EXECUTE, "every program may be started"},
		{WRITE_FILE, "every file may be written"},
	};
	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		if ((from->handled_files & open[i].right) == 0)
			import_left(from->in, NULL, false, open[i].what, "only what a line of filesystem names");
	if (from->handled_ports != 0 && (from->handled_ports & CONNECT_TCP) == 0)
		import_left(from->in, NULL, false, "every host may be connected to", "network.allow names hosts");
}

static void each_entry(const struct landlock *from, import_at list,
		       void (*each)(const struct landlock *from, import_at entry))
{
	if (list != NULL && list->kind != NODE_LIST)
		import_left(from->in, list, true, import_show(from->in, list), "not a list of maps");
	for (import_at entry = first_of(list); entry != NULL; entry = entry->next)
		each(from, entry);
}

void import_landlock(struct import *in, import_at root)
{
	static const struct import_row known[] = {
		{"abi", NULL, false, NULL, 0},	       {"variable", NULL, false, NULL, 0},
		{"ruleset", NULL, false, NULL, 0},     {"path_beneath", NULL, false, NULL, 0},
		{"pathBeneath", NULL, false, NULL, 0}, {"net_port", NULL, false, NULL, 0},
		{"netPort", NULL, false, NULL, 0},     {"$schema", NULL, false, NULL, 0},
	};
	import_at abi = node_find(root, "abi"), sets = node_find(root, "ruleset");
	import_at paths = find(root, "path_beneath", "pathBeneath"), nets = find(root, "net_port", "netPort");
	struct landlock from = {.in = in, .root = root};
	if (abi == NULL || abi->kind != NODE_NUMBER || str_u64(abi->text, ABI_MAX, &from.abi, NULL) != BERM_OK)
		from.abi = 0;
	from.handled_files = handled(&from, &files, paths, sets);
	from.handled_ports = handled(&from, &ports, nets, sets);
	import_line(in, NULL, KEY_EXTENDS, "");
	import_line(in, NULL, KEY_GROUPS, "base-environment");
	import_line(in, NULL, KEY_FS_DEFAULT, "deny");
	import_line(in, NULL, KEY_VIEW, "visible"); /* names are seen there, and links lead into what is granted */
	import_line(in, NULL, KEY_NET_MODE, from.handled_ports == 0 ? "host" : "none");
	tell_open(&from);
	tell_twice(in, root, "path_beneath", "pathBeneath");
	tell_twice(in, root, "net_port", "netPort");
	import_rows(in, root, known, ARRAY_LEN(known));
	each_entry(&from, node_find(root, "variable"), take_variable);
	each_entry(&from, sets, take_ruleset);
	each_entry(&from, paths, take_path_rule);
	each_entry(&from, nets, take_port_rule);
}
