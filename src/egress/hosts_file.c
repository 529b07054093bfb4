#include "egress/hosts_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/own.h"
#include "format/host.h"

struct known {
	struct known *next; /* of the same name */
	struct net_address address;
};

struct hosts_file {
	struct map by_name; /* to the first known */
	struct arena arena;
	size_t count;
};

static struct str next_word(struct str *rest)
{
	size_t begin = 0, end;
	while (begin < rest->len && strchr(" \t\r", rest->ptr[begin]) != NULL)
		begin++;
	for (end = begin; end < rest->len && strchr(" \t\r", rest->ptr[end]) == NULL;)
		end++;
	struct str word = {rest->ptr + begin, end - begin};
	*rest = str_skip(*rest, end);
	return word;
}

static bool is_known(const struct known *known, const struct net_address *address)
{
	for (; known != NULL; known = known->next)
		if (address_equal(&known->address, address))
			return true;
	return false;
}

static enum berm_code add(struct hosts_file *hosts, struct str name, const struct net_address *address,
			  struct berm_err *err)
{
	struct known *known = map_find(&hosts->by_name, name);
	if (is_known(known, address) || hosts->count >= HOSTS_NAMES_MAX)
		return BERM_OK;
	struct known *added = arena_alloc(&hosts->arena, sizeof(*added));
	if (added == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	added->address = *address;
	hosts->count++;
	if (known == NULL)
		return map_put(&hosts->by_name, name, added, err);
	while (known->next != NULL)
		known = known->next;
	known->next = added;
	return BERM_OK;
}

static enum berm_code read_line(struct hosts_file *hosts, struct str line, struct berm_err *err)
{
	struct net_address address;
	struct host host;
	line.len = str_find(line, '#');
	if (!address_parse(next_word(&line), &address))
		return BERM_OK;
	for (struct str word = next_word(&line); word.len > 0; word = next_word(&line))
		if (host_read(word, false, &host, NULL) && host.kind == HOST_NAME)
			TRY(add(hosts, host_text(&host), &address, err));
	return BERM_OK;
}

void hosts_file_free(struct hosts_file *hosts)
{
	if (hosts == NULL)
		return;
	map_done(&hosts->by_name);
	arena_done(&hosts->arena);
	free(hosts);
}

static void free_hosts(struct hosts_file **hosts)
{
	hosts_file_free(*hosts);
}

enum berm_code hosts_file_parse(struct str text, struct hosts_file **ret_hosts, struct berm_err *err)
{
	__attribute__((cleanup(free_hosts))) struct hosts_file *hosts = calloc(1, sizeof(*hosts));
	struct str line;
	if (hosts == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	map_init(&hosts->by_name, HOSTS_NAMES_MAX);
	arena_init(&hosts->arena, sizeof(struct known) * HOSTS_NAMES_MAX * 2);
	while (str_next(&text, '\n', &line))
		TRY(read_line(hosts, line, err));
	*ret_hosts = take(hosts);
	return BERM_OK;
}

size_t hosts_file_find(const struct hosts_file *hosts, struct str name, struct net_address *ret_addresses, size_t max)
{
	size_t count = 0;
	const struct known *known = map_find(&hosts->by_name, name);
	for (; known != NULL && count < max; known = known->next)
		ret_addresses[count++] = known->address;
	return count;
}
