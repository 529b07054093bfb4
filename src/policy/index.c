/* From the lines of a policy to their index. */
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "policy/index_parts.h"

enum { INDEX_MAX = 64 * 1024 * 1024, MAX_ITEMS = 4 * 1024 * 1024, PORT_HTTPS = 443, PLACE_MAX = 400 };

/* One line on its way. */
struct adding {
	struct policy_index *index;
	const struct policy_entry *entry;
	struct index_lines lines; /* the entry */
	enum index_class class;
	uint16_t port;
	uint32_t program;
	struct index_cell *cell;
};

/* ---- keys -------------------------------------------------------------------------------------------------------- */

struct index_key index_key_of(enum index_class class, uint16_t port, uint32_t program)
{
	struct index_key key = {{(char)class}};
	memcpy(key.bytes + 1, &port, sizeof port);
	memcpy(key.bytes + 3, &program, sizeof program);
	return key;
}

static struct str key_text(const struct index_key *key)
{
	return (struct str){key->bytes, sizeof key->bytes};
}

struct str index_request_of(struct str method, struct str operation, char room[static REQUEST_MAX])
{
	if (method.len > METHOD_MAX || method.len + 1 + operation.len > REQUEST_MAX)
		return STR("");
	for (size_t i = 0; i < method.len; i++)
		room[i] = (char)(method.ptr[i] >= 'a' && method.ptr[i] <= 'z' ? method.ptr[i] & ~0x20 : method.ptr[i]);
	room[method.len] = ' ';
	if (operation.len > 0)
		memcpy(room + method.len + 1, operation.ptr, operation.len);
	return (struct str){room, method.len + 1 + operation.len};
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* What belongs to a node, of all; made empty if there is none yet. */
static enum berm_code item_of(const struct policy_index *index, struct vec *all, uint32_t node, const void *empty,
			      void **ret_item, struct berm_err *err)
{
	uint32_t value = glob_trie_value(index->trie, node);
	if (value == 0) {
		TRY(vec_push(all, empty, err));
		value = (uint32_t)all->len;
		glob_trie_set(index->trie, node, value);
	}
	*ret_item = vec_at(all, value - 1);
	return BERM_OK;
}

/* Entries come in order: what is there stays. */
static void add_first(const struct policy_entry **first, const struct policy_entry *entry)
{
	if (*first == NULL)
		*first = entry;
}

static void add_lines(struct index_lines *lines, const struct index_lines *more)
{
	add_first(&lines->first, more->first);
	add_first(&lines->first_private, more->first_private);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static enum berm_code add_request_line(void *context, uint32_t node, struct berm_err *err)
{
	static const struct index_lines none = {NULL, NULL};
	const struct adding *adding = context;
	void *lines;
	TRY(item_of(adding->index, &adding->index->requests, node, &none, &lines, err));
	add_lines(lines, &adding->lines);
	return BERM_OK;
}

static enum berm_code add_request(struct adding *adding, struct str method, struct str operation, struct str path,
				  struct berm_err *err)
{
	char room[REQUEST_MAX];
	uint32_t root;
	struct str key = index_request_of(method, operation, room);
	if (key.len == 0)
		return err_set(err, BERM_ERR_LIMIT, "a method or operation that is too long");
	TRY(glob_trie_key(adding->index->trie, adding->cell->node, key, &root, err));
	const struct glob_trie_sink sink = {add_request_line, adding};
	return glob_trie_add(adding->index->trie, root, GLOB_URL, path, &sink, err);
}

/* "METHOD /path", "POST /graphql query:NAME". An operation that is not known is each of a denial's. */
static enum berm_code add_http(struct adding *adding, const char *text, struct berm_err *err)
{
	struct str rest = str_from(text), method, path, operation;
	if (!str_next(&rest, ' ', &method) || !str_next(&rest, ' ', &path))
		return err_set(err, BERM_ERR_PARSE, "not a METHOD and a path: '%.100s'", text);
	operation = rest;
	if (operation.len > 0 && adding->class == CLASS_DENY)
		TRY(add_request(adding, method, STR("?"), path, err));
	return add_request(adding, method, operation, path, err);
}

static enum berm_code fill_cell(struct adding *adding, struct berm_err *err)
{
	bool requests = policy_attr_find(adding->entry->line, ATTR_HTTP) != NULL;
	add_lines(requests ? &adding->cell->http : &adding->cell->plain, &adding->lines);
	for (uint32_t i = 0; requests && i < adding->entry->line->attr_count; i++)
		if (adding->entry->line->attrs[i].key == ATTR_HTTP)
			TRY(add_http(adding, adding->entry->line->attrs[i].text, err));
	return BERM_OK;
}

/* ---- exceptions -------------------------------------------------------------------------------------------------- */

static enum berm_code nothing_added(void *context, uint32_t node, struct berm_err *err)
{
	(void)err;
	glob_trie_set(context, node, 1);
	return BERM_OK;
}

static enum berm_code add_except(const struct adding *adding, const char *text, struct berm_err *err)
{
	struct policy_index *index = adding->index;
	struct index_except except = {.next = adding->cell->excepts};
	const struct glob_trie_sink sink = {nothing_added, index->trie};
	struct str host = host_text_split(text, &except.port);
	except.is_net = host_text_net(host, true, &except.net);
	TRY(glob_trie_root(index->trie, &except.root, err));
	if (!except.is_net)
		TRY(glob_trie_add(index->trie, except.root, GLOB_HOST, host, &sink, err));
	TRY(vec_push(&index->excepts, &except, err));
	adding->cell->excepts = (uint32_t)index->excepts.len;
	return BERM_OK;
}

static enum berm_code add_excepts(const struct adding *adding, struct berm_err *err)
{
	const struct policy_line *line = adding->entry->line;
	for (uint32_t i = 0; i < line->attr_count; i++)
		if (line->attrs[i].key == ATTR_EXCEPT)
			TRY(add_except(adding, line->attrs[i].text, err));
	return BERM_OK;
}

/* ---- cells ------------------------------------------------------------------------------------------------------- */

/* A line with exceptions has a cell of its own behind the one of its key. */
static enum berm_code own_cell(struct adding *adding, struct index_cell *first, struct berm_err *err)
{
	struct policy_index *index = adding->index;
	struct index_cell cell = {.next = first->next};
	TRY(glob_trie_root(index->trie, &cell.node, err));
	first->next = (uint32_t)index->cells.len + 1;
	TRY(vec_push(&index->cells, &cell, err));
	adding->cell = vec_at(&index->cells, index->cells.len - 1);
	return add_excepts(adding, err);
}

static enum berm_code add_cell(struct adding *adding, struct index_target *target, struct berm_err *err)
{
	struct policy_index *index = adding->index;
	struct index_cell empty = {0};
	const struct index_key key = index_key_of(adding->class, adding->port, adding->program);
	void *cell;
	target->cells |= 1U << index_cell_bit(adding->class, adding->port != 0, adding->program != PROGRAM_ANY);
	TRY(glob_trie_key(index->trie, target->node, key_text(&key), &empty.node, err));
	TRY(item_of(index, &index->cells, empty.node, &empty, &cell, err));
	adding->cell = cell;
	if (policy_attr_find(adding->entry->line, ATTR_EXCEPT) != NULL)
		TRY(own_cell(adding, cell, err));
	return fill_cell(adding, err);
}

/* One cell for each program that the line names. */
static enum berm_code add_programs(struct adding *adding, struct index_target *target, struct berm_err *err)
{
	const struct policy_line *line = adding->entry->line;
	struct policy_index *index = adding->index;
	bool named = false;
	for (uint32_t i = 0; i < line->attr_count; i++) {
		if (line->attrs[i].key != ATTR_BY)
			continue;
		named = true;
		TRY(glob_trie_key(index->trie, index->programs, str_from(line->attrs[i].text), &adding->program, err));
		TRY(add_cell(adding, target, err));
	}
	adding->program = named ? PROGRAM_UNKNOWN : PROGRAM_ANY;
	return named && adding->class == CLASS_ALLOW ? BERM_OK : add_cell(adding, target, err);
}

/* ---- targets ----------------------------------------------------------------------------------------------------- */

static enum berm_code add_target(void *context, uint32_t node, struct berm_err *err)
{
	struct adding *adding = context;
	const struct index_target empty = {.node = node};
	void *target;
	TRY(item_of(adding->index, &adding->index->targets, node, &empty, &target, err));
	if (adding->class == CLASS_ALLOW)
		add_first(&((struct index_target *)target)->allows, adding->entry);
	return add_programs(adding, target, err);
}

static enum berm_code add_net(struct adding *adding, const struct host_net *net, struct berm_err *err)
{
	struct policy_index *index = adding->index;
	struct index_net item = {.net = *net};
	char key[sizeof net->address + 1];
	memcpy(key, net->address, sizeof net->address);
	key[sizeof net->address] = (char)net->bits;
	TRY(glob_trie_key(index->trie, index->net_keys, (struct str){key, sizeof key}, &item.node, err));
	if (glob_trie_value(index->trie, item.node) == 0)
		TRY(vec_push(&index->nets, &item, err));
	return add_target(adding, item.node, err);
}

static enum berm_code add_host(struct policy_index *index, const struct policy_entry *entry, struct berm_err *err)
{
	struct adding adding = {.index = index,
				.entry = entry,
				.lines = {.first = entry},
				.class = entry->line->key == KEY_NET_DENY ? CLASS_DENY : CLASS_ALLOW};
	struct host_net net;
	struct str host = host_text_split(entry->text, &adding.port);
	bool is_net = host_text_net(host, true, &net);
	if (adding.port == 0 && adding.class == CLASS_ALLOW)
		adding.port = PORT_HTTPS;
	if (adding.class == CLASS_ALLOW && (is_net || policy_attr_is(entry->line, ATTR_PRIVATE)))
		adding.lines.first_private = entry;
	if (is_net)
		return add_net(&adding, &net, err);
	const struct glob_trie_sink sink = {add_target, &adding};
	return glob_trie_add(index->trie, index->hosts, GLOB_HOST, host, &sink, err);
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static enum policy_answer decision_of(const struct policy_line *line)
{
	static const char *const words[] = {[ANSWER_DENY] = "deny", [ANSWER_ASK] = "ask", [ANSWER_ALLOW] = "allow"};
	const char *decision = policy_attr_find(line, ATTR_DECISION);
	for (int i = ANSWER_DENY; i <= ANSWER_ALLOW; i++)
		if (decision != NULL && strcmp(words[i], decision) == 0)
			return (enum policy_answer)i;
	return ANSWER_DENY;
}

static enum berm_code add_command_line(void *context, uint32_t node, struct berm_err *err)
{
	static const struct index_command none = {{NULL}};
	const struct adding *adding = context;
	void *item;
	TRY(item_of(adding->index, &adding->index->command_lines, node, &none, &item, err));
	struct index_command *command = item;
	add_first(&command->first[decision_of(adding->entry->line)], adding->entry);
	return BERM_OK;
}

static enum berm_code add_command(struct policy_index *index, const struct policy_entry *entry, struct berm_err *err)
{
	struct adding adding = {.index = index, .entry = entry};
	const struct glob_trie_sink sink = {add_command_line, &adding};
	return glob_trie_add(index->trie, index->commands, GLOB_WORDS, str_from(entry->text), &sink, err);
}

/* ---- networks ---------------------------------------------------------------------------------------------------- */

/* Those around a network stand in front of it. */
static int compare_nets(const void *left, const void *right)
{
	const struct index_net *a = left, *b = right;
	int order = memcmp(a->net.address, b->net.address, sizeof a->net.address);
	return order != 0 ? order : (a->net.bits > b->net.bits) - (a->net.bits < b->net.bits);
}

/* Also IPv4 in "::/0", which is looked at on the way and holds for none of it. */
static bool lies_in(const struct index_net *inner, const struct index_net *outer)
{
	return outer->net.bits <= inner->net.bits && host_text_covers(&outer->net, &inner->net);
}

static void sort_nets(struct policy_index *index)
{
	struct index_net *nets = index->nets.items;
	if (index->nets.len > 1)
		qsort(nets, index->nets.len, sizeof *nets, compare_nets);
	for (size_t i = 1; i < index->nets.len; i++) {
		uint32_t around = (uint32_t)i;
		while (around != 0 && !lies_in(&nets[i], &nets[around - 1]))
			around = nets[around - 1].around;
		nets[i].around = around;
	}
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static enum berm_code add_entry(struct policy_index *index, const struct policy_entry *entry, struct berm_err *err)
{
	char place[PLACE_MAX];
	struct berm_err why = {0};
	enum policy_key key = entry->line->key;
	if (entry->off != NULL || (key != KEY_NET_ALLOW && key != KEY_NET_DENY && key != KEY_COMMAND))
		return BERM_OK;
	enum berm_code code = key == KEY_COMMAND ? add_command(index, entry, &why) : add_host(index, entry, &why);
	if (code == BERM_OK)
		return BERM_OK;
	policy_entry_place(entry, place, sizeof place);
	return err_set(err, code == BERM_ERR_INVALID ? BERM_ERR_PARSE : code, "%s: %s", place, why.msg);
}

static enum berm_code fill(struct policy_index *index, struct berm_err *err)
{
	TRY(glob_trie_root(index->trie, &index->hosts, err));
	TRY(glob_trie_root(index->trie, &index->net_keys, err));
	TRY(glob_trie_root(index->trie, &index->programs, err));
	TRY(glob_trie_root(index->trie, &index->commands, err));
	for (size_t i = 0; i < index->policy->count; i++)
		TRY(add_entry(index, &index->policy->entries[i], err));
	sort_nets(index);
	return BERM_OK;
}

void policy_index_free(struct policy_index *index)
{
	if (index == NULL)
		return;
	glob_trie_free(index->trie);
	vec_done(&index->targets);
	vec_done(&index->cells);
	vec_done(&index->requests);
	vec_done(&index->command_lines);
	vec_done(&index->nets);
	vec_done(&index->excepts);
	free(index);
}

void policy_index_drop(struct policy_index **index)
{
	policy_index_free(*index);
}

size_t policy_index_size(const struct policy_index *index)
{
	const struct vec *const parts[] = {&index->targets,	  &index->cells, &index->requests,
					   &index->command_lines, &index->nets,	 &index->excepts};
	size_t size = sizeof *index + glob_trie_size(index->trie);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		size += parts[i]->cap * parts[i]->item_size;
	return size;
}

enum berm_code policy_index_new(const struct policy *policy, struct policy_index **ret_index, struct berm_err *err)
{
	auto_policy_index struct policy_index *index = calloc(1, sizeof *index);
	if (index == NULL)
		return err_set(err, BERM_ERR_NOMEM, "index a policy");
	index->policy = policy;
	vec_init(&index->targets, sizeof(struct index_target), MAX_ITEMS);
	vec_init(&index->cells, sizeof(struct index_cell), MAX_ITEMS);
	vec_init(&index->requests, sizeof(struct index_lines), MAX_ITEMS);
	vec_init(&index->command_lines, sizeof(struct index_command), MAX_ITEMS);
	vec_init(&index->nets, sizeof(struct index_net), MAX_ITEMS);
	vec_init(&index->excepts, sizeof(struct index_except), MAX_ITEMS);
	TRY(glob_trie_new(INDEX_MAX, &index->trie, err));
	TRY(fill(index, err));
	*ret_index = take(index);
	return BERM_OK;
}
