/* What the index says to a question. */
#include <string.h>

#include "base/own.h"
#include "policy/index_parts.h"

enum { PORT_HTTPS = 443, MAX_PROGRAMS = 3, MAX_FIRST_WORDS = 4 };

/* What was found so far, and by what to find it. */
struct looking {
	const struct policy_index *index;
	const struct policy_question *question;
	struct str host;
	bool is_address;
	struct host_net address;
	uint32_t programs[MAX_PROGRAMS];
	size_t program_count;
	const struct policy_entry *denies;
	bool denies_requests;		   /* CONNECT: some */
	bool very_net, very_address;	   /* what is looked at is one address; one that allows it is */
	struct index_lines plain, http;	   /* that allow it; http: CONNECT: some request, HTTP: this one */
	struct index_lines *found_request; /* where lines of requests go */
};

static void take_first(const struct policy_entry **first, const struct policy_entry *entry)
{
	if (entry != NULL && (*first == NULL || entry < *first))
		*first = entry;
}

static void take_lines(struct index_lines *lines, const struct index_lines *more)
{
	take_first(&lines->first, more->first);
	take_first(&lines->first_private, more->first_private);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static void found_request(void *context, uint32_t value)
{
	const struct looking *looking = context;
	take_lines(looking->found_request, vec_at(&looking->index->requests, value - 1));
}

static void look_for_operation(struct looking *looking, const struct index_cell *cell, struct str method,
			       struct str operation)
{
	char room[REQUEST_MAX];
	const struct glob_trie *trie = looking->index->trie;
	struct str path = str_from(looking->question->target);
	path.len = strcspn(path.ptr, "?");
	struct str key = index_request_of(method, operation, room);
	uint32_t root = key.len > 0 ? glob_trie_find(trie, cell->node, key) : 0;
	if (root != 0)
		glob_trie_match(trie, root, path, found_request, looking);
}

/* "query:NAME" is one of "query:*". */
static struct str any_of_kind(struct str operation, char room[static REQUEST_MAX])
{
	const char *colon = operation.len > 0 ? memchr(operation.ptr, ':', operation.len) : NULL;
	size_t len = colon != NULL ? (size_t)(colon - operation.ptr) + 1 : 0;
	if (len == 0 || len >= REQUEST_MAX)
		return STR("");
	memcpy(room, operation.ptr, len);
	room[len] = '*';
	return (struct str){room, len + 1};
}

static void look_for_method(struct looking *looking, enum index_class class, const struct index_cell *cell,
			    struct str method)
{
	char room[REQUEST_MAX];
	struct str operation = str_from(looking->question->operation);
	struct str kind = any_of_kind(operation, room);
	look_for_operation(looking, cell, method, STR(""));
	if (operation.len > 0)
		look_for_operation(looking, cell, method, operation);
	if (kind.len > 0)
		look_for_operation(looking, cell, method, kind);
	if (operation.len == 0 && class == CLASS_DENY)
		look_for_operation(looking, cell, method, STR("?"));
}

static void look_for_request(struct looking *looking, enum index_class class, const struct index_cell *cell,
			     struct index_lines *lines)
{
	looking->found_request = lines;
	look_for_method(looking, class, cell, str_from(looking->question->method));
	look_for_method(looking, class, cell, STR("*"));
}

/* ---- cells ------------------------------------------------------------------------------------------------------- */

static void found_name(void *context, uint32_t value)
{
	(void)value;
	*(bool *)context = true;
}

static bool is_excepted(const struct looking *looking, uint32_t index)
{
	const struct index_except *all = looking->index->excepts.items;
	for (const struct index_except *except; index != 0; index = except->next) {
		bool found = false;
		except = &all[index - 1];
		if (except->port != 0 && except->port != looking->question->port &&
		    looking->question->op != POLICY_OP_NAME)
			continue;
		if (except->is_net)
			found = looking->is_address && host_text_in(&except->net, &looking->address);
		else if (!looking->is_address)
			glob_trie_match(looking->index->trie, except->root, looking->host, found_name, &found);
		if (found)
			return true;
	}
	return false;
}

static void take_denial(struct looking *looking, const struct index_cell *cell)
{
	struct index_lines found = {NULL, NULL};
	take_first(&looking->denies, cell->plain.first);
	looking->denies_requests |= cell->http.first != NULL;
	if (looking->question->op == POLICY_OP_HTTP && cell->http.first != NULL)
		look_for_request(looking, CLASS_DENY, cell, &found);
	take_first(&looking->denies, found.first);
}

static void take_grant(struct looking *looking, const struct index_cell *cell)
{
	struct index_lines http = {NULL, NULL};
	if (looking->question->op == POLICY_OP_CONNECT)
		http = cell->http;
	else if (cell->http.first != NULL)
		look_for_request(looking, CLASS_ALLOW, cell, &http);
	take_lines(&looking->plain, &cell->plain);
	take_lines(&looking->http, &http);
	looking->very_address |= looking->very_net && (cell->plain.first != NULL || http.first != NULL);
}

static void look_at_cell(struct looking *looking, const struct index_target *target, enum index_class class,
			 uint16_t port, uint32_t program)
{
	const struct policy_index *index = looking->index;
	const struct index_key key = index_key_of(class, port, program);
	uint32_t node = glob_trie_find(index->trie, target->node, (struct str){key.bytes, sizeof key.bytes});
	uint32_t value = node != 0 ? glob_trie_value(index->trie, node) : 0;
	for (const struct index_cell *cell; value != 0; value = cell->next) {
		cell = vec_at(&index->cells, value - 1);
		if (is_excepted(looking, cell->excepts))
			continue;
		if (class == CLASS_DENY)
			take_denial(looking, cell);
		else
			take_grant(looking, cell);
	}
}

static void look_at_programs(struct looking *looking, const struct index_target *target, enum index_class class,
			     uint16_t port)
{
	bool any = (target->cells >> index_cell_bit(class, port != 0, false) & 1) != 0;
	bool some = (target->cells >> index_cell_bit(class, port != 0, true) & 1) != 0;
	if (any)
		look_at_cell(looking, target, class, port, PROGRAM_ANY);
	for (size_t i = 0; some && i < looking->program_count; i++)
		look_at_cell(looking, target, class, port, looking->programs[i]);
}

static void look_at_name(struct looking *looking, const struct index_target *target)
{
	if ((target->cells >> index_cell_bit(CLASS_DENY, false, false) & 1) != 0)
		look_at_cell(looking, target, CLASS_DENY, 0, PROGRAM_ANY);
	take_first(&looking->plain.first, target->allows);
}

static void found_target(void *context, uint32_t value)
{
	struct looking *looking = context;
	const struct index_target *target = vec_at(&looking->index->targets, value - 1);
	if (looking->question->op == POLICY_OP_NAME) {
		look_at_name(looking, target);
		return;
	}
	look_at_programs(looking, target, CLASS_DENY, 0);
	if (looking->question->port == 0)
		return;
	look_at_programs(looking, target, CLASS_DENY, looking->question->port);
	look_at_programs(looking, target, CLASS_ALLOW, looking->question->port);
}

/* ---- targets ----------------------------------------------------------------------------------------------------- */

static void look_for_nets(struct looking *looking)
{
	const struct policy_index *index = looking->index;
	const struct index_net *nets = index->nets.items;
	size_t low = 0, high = index->nets.len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(nets[middle].net.address, looking->address.address, sizeof looking->address.address) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* The last one in front of the address, or one around that, is the narrowest that it lies in. */
	for (uint32_t at = (uint32_t)low; at != 0; at = nets[at - 1].around) {
		if (!host_text_in(&nets[at - 1].net, &looking->address))
			continue;
		looking->very_net = nets[at - 1].net.bits == 8 * sizeof looking->address.address;
		found_target(looking, glob_trie_value(index->trie, nets[at - 1].node));
	}
}

/* By its path, and by its name. */
static void find_programs(struct looking *looking)
{
	const struct policy_index *index = looking->index;
	const char *program = looking->question->program;
	const char *slash = program != NULL ? strrchr(program, '/') : NULL;
	if (program == NULL) {
		looking->programs[looking->program_count++] = PROGRAM_UNKNOWN;
		return;
	}
	uint32_t path = glob_trie_find(index->trie, index->programs, str_from(program));
	uint32_t name = slash != NULL ? glob_trie_find(index->trie, index->programs, str_from(slash + 1)) : 0;
	if (path != 0)
		looking->programs[looking->program_count++] = path;
	if (name != 0)
		looking->programs[looking->program_count++] = name;
}

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

static void put(char *room, size_t size, const char *text)
{
	size_t used = strnlen(room, size - 1), len = strnlen(text, size - 1 - used);
	memcpy(room + used, text, len);
	room[used + len] = '\0';
}

static void set_verdict(struct policy_verdict *verdict, enum policy_answer answer, const struct policy_entry *by,
			const char *rule, const char *text)
{
	verdict->answer = answer;
	verdict->by = by;
	verdict->rule = rule;
	put(verdict->text, sizeof verdict->text, text);
}

static void put_port(char *room, size_t size, uint16_t port)
{
	char digits[8] = ":";
	size_t len = 1;
	for (uint16_t unit = 10000; unit > 0; unit = (uint16_t)(unit / 10))
		if (port >= unit)
			digits[len++] = (char)('0' + port / unit % 10);
	put(room, size, digits);
}

/* The flag that allows the host. */
static void set_grant(const struct looking *looking, struct policy_verdict *verdict)
{
	const size_t size = sizeof verdict->grant;
	bool brackets = memchr(looking->host.ptr, ':', looking->host.len) != NULL;
	put(verdict->grant, size, brackets ? "--allow-net [" : "--allow-net ");
	put(verdict->grant, size, looking->question->host);
	put(verdict->grant, size, brackets ? "]" : "");
	if (looking->question->port != PORT_HTTPS && looking->question->op != POLICY_OP_NAME)
		put_port(verdict->grant, size, looking->question->port);
}

static void allow_host(const struct looking *looking, struct policy_verdict *verdict)
{
	const struct index_lines *plain = &looking->plain, *http = &looking->http;
	const struct policy_entry *by = plain->first != NULL ? plain->first : http->first;
	if (looking->question->op == POLICY_OP_HTTP && http->first != NULL && http->first < by)
		by = http->first;
	set_verdict(verdict, ANSWER_ALLOW, by, "network.allow", by->text);
	verdict->private_ok = plain->first_private != NULL || http->first_private != NULL;
	verdict->address_ok = looking->very_address;
	verdict->http_rules =
		looking->question->op == POLICY_OP_CONNECT && (looking->denies_requests || plain->first == NULL ||
							       (verdict->private_ok && plain->first_private == NULL));
}

static void default_host(const struct looking *looking, struct policy_verdict *verdict)
{
	const struct policy_entry *setting = looking->index->policy->setting[KEY_NET_DEFAULT];
	bool asks = setting != NULL && strcmp(setting->text, "ask") == 0;
	set_verdict(verdict, asks ? ANSWER_ASK : ANSWER_DENY, setting, "network.default",
		    setting != NULL ? setting->text : "no line names it");
	verdict->http_rules = looking->question->op == POLICY_OP_CONNECT && asks && looking->denies_requests;
	set_grant(looking, verdict);
}

static bool is_mode(const struct policy_entry *mode, const char *word)
{
	return mode != NULL && strcmp(mode->text, word) == 0;
}

static void decide_host(const struct policy_index *index, const struct policy_question *question,
			struct policy_verdict *verdict)
{
	const struct policy_entry *mode = index->policy->setting[KEY_NET_MODE];
	struct looking looking = {.index = index, .question = question, .host = str_from(question->host)};
	looking.is_address = host_text_net(looking.host, false, &looking.address);
	bool is_host = looking.is_address || host_text_is_name(looking.host);
	if (is_mode(mode, "none")) {
		set_verdict(verdict, ANSWER_DENY, mode, "network.mode", "none");
		return;
	}
	find_programs(&looking);
	if (looking.is_address)
		look_for_nets(&looking);
	else if (is_host)
		glob_trie_match(index->trie, index->hosts, looking.host, found_target, &looking);
	if (looking.denies != NULL)
		set_verdict(verdict, ANSWER_DENY, looking.denies, "network.deny", looking.denies->text);
	else if (is_mode(mode, "host"))
		set_verdict(verdict, ANSWER_ALLOW, mode, "network.mode", "host");
	else if (!is_host)
		set_verdict(verdict, ANSWER_DENY, NULL, "network", "neither a name nor an address");
	else if (looking.plain.first != NULL || looking.http.first != NULL)
		allow_host(&looking, verdict);
	else
		default_host(&looking, verdict);
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

struct commanding {
	const struct policy_index *index;
	struct index_command found;
};

static void found_command(void *context, uint32_t value)
{
	struct commanding *commanding = context;
	const struct index_command *command = vec_at(&commanding->index->command_lines, value - 1);
	for (int i = ANSWER_DENY; i <= ANSWER_ALLOW; i++)
		take_first(&commanding->found.first[i], command->first[i]);
}

/* A command is what it is called, what that is without its folders, and the same of the program that is started. */
static size_t first_words(const struct policy_question *question, const char *ret_words[static MAX_FIRST_WORDS])
{
	const char *const names[] = {question->argv[0], question->program};
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *slash = names[i] != NULL ? strrchr(names[i], '/') : NULL;
		if (names[i] != NULL)
			ret_words[count++] = names[i];
		if (slash != NULL)
			ret_words[count++] = slash + 1;
	}
	return count;
}

static void decide_command(const struct policy_index *index, const struct policy_question *question,
			   struct policy_verdict *verdict)
{
	struct commanding commanding = {.index = index};
	const char *words[MAX_FIRST_WORDS];
	size_t count = question->argv != NULL && question->argv[0] != NULL ? first_words(question, words) : 0;
	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(words[i], words[0]) != 0)
			glob_trie_match_words(index->trie, index->commands, words[i], question->argv + 1, found_command,
					      &commanding);
	for (int i = ANSWER_DENY; i <= ANSWER_ALLOW; i++) {
		const struct policy_entry *by = commanding.found.first[i];
		if (by == NULL)
			continue;
		set_verdict(verdict, (enum policy_answer)i, by, "commands", by->text);
		return;
	}
	set_verdict(verdict, ANSWER_ALLOW, NULL, "commands", "no line names it");
}

void policy_decide(const struct policy_index *index, const struct policy_question *question,
		   struct policy_verdict *ret_verdict)
{
	*ret_verdict = (struct policy_verdict){.rule = "", .answer = ANSWER_DENY};
	if (question->op == POLICY_OP_RUN)
		decide_command(index, question, ret_verdict);
	else if (question->op == POLICY_OP_CONNECT || question->op == POLICY_OP_HTTP || question->op == POLICY_OP_NAME)
		decide_host(index, question, ret_verdict);
}
